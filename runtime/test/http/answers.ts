/** A server that answers each path with fixed bytes, which need not be HTTP. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

const headOf = (...all: readonly string[]): string => `${all.join("\r\n")}\r\n\r\n`;
const LENGTH = "Content-Length: 2";
const CHUNKED = "Transfer-Encoding: chunked";
const fields = Array.from({ length: 50 }, (_, index) => `X-${index}: ${index}`);

/** Answers by path, after which the server leaves the connection open. */
const ANSWERS_OF_OPEN_CONNECTIONS: Readonly<Record<string, string>> = {
  "/ok": `${headOf("HTTP/1.1 200 OK", LENGTH)}ok`,
  "/large": `${headOf("HTTP/1.1 200 OK", "Content-Length: 3000000")}${"x".repeat(3_000_000)}`,
  "/begun": `${headOf("HTTP/1.1 200 OK", LENGTH)}o`,
  "/head": headOf("HTTP/1.1 200 OK", "Content-Length: 55"),
  "/no-http": "garbage\r\n\r\n",
  "/version": headOf("HTTP/9.1 200 OK"),
  "/name": headOf("HTTP/1.1 200 OK", "bad name: x"),
  "/length": headOf("HTTP/1.1 200 OK", "Content-Length: x"),
  "/lengths": `${headOf("HTTP/1.1 200 OK", LENGTH, "Content-Length: 3")}ok`,
  "/both": `${headOf("HTTP/1.1 200 OK", LENGTH, CHUNKED)}0\r\n\r\n`,
  "/chunk": `${headOf("HTTP/1.1 200 OK", CHUNKED)}xyz\r\n`,
  "/extension": `${headOf("HTTP/1.1 200 OK", CHUNKED)}2;a=b\r\nok\r\n0\r\n\r\n`,
  "/trailer": `${headOf("HTTP/1.1 200 OK", CHUNKED, "Trailer: x-t")}2\r\nok\r\n0\r\nX-T: v\r\nX-T: w\r\n\r\n`,
  "/1xx": `${headOf("HTTP/1.1 100 Continue")}${headOf("HTTP/1.1 103 Early", "link: x")}${headOf("HTTP/1.1 200 OK", LENGTH)}ok`,
  "/latin1": `${headOf("HTTP/1.1 200 Caf\u00e9", "X-Latin: \u00fcber \t", LENGTH)}ok`,
  "/204": headOf("HTTP/1.1 204 No Content"),
  "/304": headOf("HTTP/1.1 304 Not Modified", "Content-Length: 55"),
  "/101": `${headOf("HTTP/1.1 101 Switching", "Connection: Upgrade", "Upgrade: x")}first`,
  "/lf": "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
  "/fields": `${headOf("HTTP/1.1 200 OK", ...fields, "Set-Cookie: a=1", "set-cookie: b=2", LENGTH)}ok`,
  "/long": `${headOf("HTTP/1.1 200 OK", `X: ${"a".repeat(20_000)}`, LENGTH)}ok`,
  "/1.0": `${headOf("HTTP/1.0 200 OK", LENGTH)}ok`,
  "/close": `${headOf("HTTP/1.1 200 OK", "Connection: close", LENGTH)}ok`,
  "/999": `${headOf("HTTP/1.1 999 Odd", LENGTH)}ok`,
  "/no-reason": `${headOf("HTTP/1.1 200", LENGTH)}ok`,
  "/tls": "\u0015\u0003\u0001\u0000\u0002\u0002\u0028",
};
/** Answers by path, after which the server ends the connection. */
const ANSWERS_OF_ENDED_CONNECTIONS: Readonly<Record<string, string>> = {
  "/empty": "",
  "/half-head": "HTTP/1.1 200 OK\r\nConte",
  "/short": `${headOf("HTTP/1.1 200 OK", "Content-Length: 10")}ok`,
  "/short-chunk": `${headOf("HTTP/1.1 200 OK", CHUNKED)}5\r\nok`,
  "/until-end": `${headOf("HTTP/1.1 200 OK")}all of it`,
};
const CONNECTED = `${headOf("HTTP/1.1 200 Connected")}hello`;
const BODY = "some text";

/** The paths that a client can request by themselves. */
export const PATHS: readonly string[] = [
  ...Object.keys(ANSWERS_OF_OPEN_CONNECTIONS),
  ...Object.keys(ANSWERS_OF_ENDED_CONNECTIONS),
  "/reset",
].filter((path) => path !== "/begun" && path !== "/head");

/** Starts the server. @returns its port, and a function that ends it */
export async function serveAnswers(): Promise<{ readonly port: number; readonly close: () => void }> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => {});
    let received = "";
    socket.on("data", (bytes) => {
      received += bytes.toString("latin1");
      const isWhole = received.startsWith("POST") ? received.endsWith(BODY) : received.endsWith("\r\n\r\n");
      if (!isWhole) return;
      const [method, path = ""] = received.split(" ");
      received = "";
      if (path === "/reset") socket.resetAndDestroy();
      else if (path in ANSWERS_OF_ENDED_CONNECTIONS) socket.end(ANSWERS_OF_ENDED_CONNECTIONS[path] ?? "", "latin1");
      else socket.write(method === "CONNECT" ? CONNECTED : (ANSWERS_OF_OPEN_CONNECTIONS[path] ?? ""), "latin1");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server listens on a port
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}
