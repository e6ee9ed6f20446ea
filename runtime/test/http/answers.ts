/** A server that answers with given bytes, which need not be HTTP. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

const lines = (...all: readonly string[]): string => `${all.join("\r\n")}\r\n\r\n`;
const LENGTH = "Content-Length: 2";
const CHUNKED = "Transfer-Encoding: chunked";
const fields = Array.from({ length: 50 }, (_, index) => `X-${index}: ${index}`);

/** Answers by path, after which the connection stays open. */
const OPEN: Readonly<Record<string, string>> = {
  "/ok": `${lines("HTTP/1.1 200 OK", LENGTH)}ok`,
  "/large": `${lines("HTTP/1.1 200 OK", "Content-Length: 3000000")}${"x".repeat(3_000_000)}`,
  "/begun": `${lines("HTTP/1.1 200 OK", LENGTH)}o`,
  "/head": lines("HTTP/1.1 200 OK", "Content-Length: 55"),
  "/no-http": "garbage\r\n\r\n",
  "/version": lines("HTTP/9.1 200 OK"),
  "/name": lines("HTTP/1.1 200 OK", "bad name: x"),
  "/length": lines("HTTP/1.1 200 OK", "Content-Length: x"),
  "/lengths": `${lines("HTTP/1.1 200 OK", LENGTH, "Content-Length: 3")}ok`,
  "/both": `${lines("HTTP/1.1 200 OK", LENGTH, CHUNKED)}0\r\n\r\n`,
  "/chunk": `${lines("HTTP/1.1 200 OK", CHUNKED)}xyz\r\n`,
  "/extension": `${lines("HTTP/1.1 200 OK", CHUNKED)}2;a=b\r\nok\r\n0\r\n\r\n`,
  "/trailer": `${lines("HTTP/1.1 200 OK", CHUNKED, "Trailer: x-t")}2\r\nok\r\n0\r\nX-T: v\r\nX-T: w\r\n\r\n`,
  "/1xx": `${lines("HTTP/1.1 100 Continue")}${lines("HTTP/1.1 103 Early", "link: x")}${lines("HTTP/1.1 200 OK", LENGTH)}ok`,
  "/latin1": `${lines("HTTP/1.1 200 Caf\u00e9", "X-Latin: \u00fcber \t", LENGTH)}ok`,
  "/204": lines("HTTP/1.1 204 No Content"),
  "/304": lines("HTTP/1.1 304 Not Modified", "Content-Length: 55"),
  "/101": `${lines("HTTP/1.1 101 Switching", "Connection: Upgrade", "Upgrade: x")}first`,
  "/lf": "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
  "/fields": `${lines("HTTP/1.1 200 OK", ...fields, "Set-Cookie: a=1", "set-cookie: b=2", LENGTH)}ok`,
  "/long": `${lines("HTTP/1.1 200 OK", `X: ${"a".repeat(20_000)}`, LENGTH)}ok`,
  "/1.0": `${lines("HTTP/1.0 200 OK", LENGTH)}ok`,
  "/close": `${lines("HTTP/1.1 200 OK", "Connection: close", LENGTH)}ok`,
  "/999": `${lines("HTTP/1.1 999 Odd", LENGTH)}ok`,
  "/no-reason": `${lines("HTTP/1.1 200", LENGTH)}ok`,
  "/tls": "\u0015\u0003\u0001\u0000\u0002\u0002\u0028",
};
/** Answers by path, with which the connection ends. */
const ENDED: Readonly<Record<string, string>> = {
  "/empty": "",
  "/half-head": "HTTP/1.1 200 OK\r\nConte",
  "/short": `${lines("HTTP/1.1 200 OK", "Content-Length: 10")}ok`,
  "/short-chunk": `${lines("HTTP/1.1 200 OK", CHUNKED)}5\r\nok`,
  "/until-end": `${lines("HTTP/1.1 200 OK")}all of it`,
};
const CONNECTED = `${lines("HTTP/1.1 200 Connected")}hello`;
const BODY = "some text";

/** Paths of which each has its own answer. */
export const PATHS: readonly string[] = [...Object.keys(OPEN), ...Object.keys(ENDED), "/reset"].filter(
  (path) => path !== "/begun" && path !== "/head",
);

/** @returns its port, and a function that ends it */
export async function serveAnswers(): Promise<{ readonly port: number; readonly close: () => void }> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => {});
    let all = "";
    socket.on("data", (bytes) => {
      all += bytes.toString("latin1");
      const isWhole = all.startsWith("POST") ? all.endsWith(BODY) : all.endsWith("\r\n\r\n");
      if (!isWhole) return;
      const [method, path = ""] = all.split(" ");
      all = "";
      if (path === "/reset") socket.resetAndDestroy();
      else if (path in ENDED) socket.end(ENDED[path] ?? "", "latin1");
      else socket.write(method === "CONNECT" ? CONNECTED : (OPEN[path] ?? ""), "latin1");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}
