/** Tests tunnels through an HTTP proxy. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { NetworkError } from "../../src/network/network-fault.ts";
import { openTunnel } from "../../src/network/proxy.ts";

/** Opens a tunnel through a proxy that gives this answer, and then sends `hello`. */
async function tunnelAfter(head: string): Promise<Socket> {
  const proxy = createServer((client) => {
    client.once("data", () => client.end(`${head}hello`));
  });
  proxy.listen(0, "127.0.0.1");
  onTestFinished(() => void proxy.close());
  await once(proxy, "listening");
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const link = connect(address.port, "127.0.0.1");
  onTestFinished(() => void link.destroy());
  const url = new URL(`http://127.0.0.1:${address.port}`);
  return openTunnel(link, url, new URL("https://backend.test"), new AbortController().signal);
}

test.each(["200 OK", "201 Created", "204 No Content", "299 Other"])(
  "a connection uses the tunnel if the proxy answers with any success (RFC 9110, 9.3.6): %s",
  async (status) => {
    const socket = await tunnelAfter(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
    const [first]: unknown[] = await once(socket, "data");
    expect(String(first)).toBe("hello");
  },
);

test.each(["302 Found", "407 Proxy Authentication Required"])(
  "a connection fails with the proxy's answer if the proxy refuses a tunnel by %s",
  async (status) => {
    const tunnel = tunnelAfter(`HTTP/1.1 ${status}\r\nContent-Length: 5\r\n\r\n`);
    await expect(tunnel).rejects.toThrow(NetworkError);
  },
);
