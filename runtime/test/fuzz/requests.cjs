/* Sends requests of a hostile client in random pieces. Prints the server's events on each connection, and what the server sent. */
const http = require("node:http");
const net = require("node:net");
const { writeSync } = require("node:fs");
const { mutate, pieces, random } = require("./random.cjs");

const [, , seed, runs] = process.argv;
const LIMIT_MS = 10_000;

const request = (line, fields, body = "") => `${line} HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`;
// The requests have no trailers and few fields. After those, Node.js runs deferred callbacks, so that an answer may precede an
// error.
const REQUESTS = [
  request("GET /a?b", "X-Name: value\r\n"),
  request("HEAD /head", ""),
  request("POST /echo", "Content-Length: 5\r\n", "hello"),
  request("POST /echo", "Transfer-Encoding: chunked\r\n", "5;a=b\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n"),
  request("POST /ignore", "Content-Length: 12\r\n", "not read, no"),
  request("PUT /continue", "Expect: 100-continue\r\nContent-Length: 4\r\n", "body"),
  request("GET /none", "Expect: other\r\n"),
  request("GET /upgrade", "Connection: Upgrade\r\nUpgrade: x\r\n", "raw bytes"),
  request("GET /204", "Cookie: a=b\r\nCookie: c\r\nX-Wide: \u00fc\r\n"),
  request("GET /late", ""),
  request("GET /trailer", ""),
  request("GET /close", "Connection: close\r\n"),
  request("DELETE /echo", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
  "GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
  "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\nraw",
  request("GET /many", Array.from({ length: 20 }, (_, index) => `H${index}: ${"v".repeat(index)}\r\n`).join("")),
].map((text) => Buffer.from(text, "latin1"));

/** Answers depending on the path, so that a request with a changed path has the same answer in both programs, too. */
function answer(message, response) {
  const { url } = message;
  if (url === "/ignore") return void response.end("ignored");
  if (url === "/204") return void response.writeHead(204).end();
  if (url === "/late") return void setImmediate(() => response.end("late"));
  if (url === "/trailer") {
    response.writeHead(200, ["X-Wide", "\u00fc", "Trailer", "T"]);
    // Later versions of Node.js join all that is written in the same turn of the event loop into one chunk.
    return void response.end("chunk");
  }
  const chunks = [];
  message.on("data", (chunk) => chunks.push(chunk));
  message.on("end", () => response.end(Buffer.concat(chunks)));
}

async function serve(bytes, parts, halfCloses) {
  const seen = [];
  let count = 0;
  const server = http.createServer({ keepAliveTimeout: 0 }, (message, response) => {
    const number = (count += 1);
    const { method, url, httpVersion, rawHeaders } = message;
    seen.push(["request", number, method, url, httpVersion, rawHeaders]);
    let length = 0;
    message.on("end", () => seen.push(["end", number, message.complete, message.rawTrailers]));
    message.on("error", ({ code }) => seen.push(["aborted", number, code]));
    response.on("finish", () => seen.push(["finish", number, length]));
    message.on("data", (chunk) => (length += chunk.length));
    answer(message, response);
  });
  for (const name of ["upgrade", "connect"]) {
    server.on(name, (message, socket, first) => {
      seen.push([name, message.url, message.rawHeaders]);
      const chunks = [first];
      socket.on("error", () => {}).on("data", (chunk) => chunks.push(chunk));
      socket.on("end", () => {
        seen.push(["raw", Buffer.concat(chunks).toString("latin1")]);
        socket.end("bye");
      });
    });
  }
  server.on("clientError", (error, socket) => {
    seen.push(["clientError", error.code, error.reason]);
    if (socket.writable) socket.end("HTTP/1.1 400 Wrong\r\n\r\n");
    socket.destroySoon();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  const received = [];
  const ended = new Promise((resolve) => {
    const timer = setTimeout(() => resolve("too late"), LIMIT_MS);
    socket.on("error", () => {}).on("data", (chunk) => received.push(chunk));
    socket.on("end", () => socket.end());
    socket.on("close", () => {
      clearTimeout(timer);
      resolve("closed");
    });
  });
  for (const part of parts) {
    if (socket.destroyed || socket.writableEnded) break;
    socket.write(part);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  }
  // A complete message that waits for nothing is answered first.
  if (!halfCloses) await new Promise((resolve) => setTimeout(resolve, 20));
  socket.end();
  const end = await ended;
  await new Promise((resolve) => server.close(resolve));
  if (end !== "closed") throw new Error(`no end after ${JSON.stringify(bytes.toString("latin1"))}`);
  const sent = Buffer.concat(received)
    .toString("latin1")
    .replaceAll(/Date: [^\r]*/g, "Date");
  return [seen, sent];
}

async function main() {
  for (let run = 0; run < Number(runs); run += 1) {
    const next = random(Number(seed) + run);
    const messages = Array.from({ length: 1 + next(4) }, () => REQUESTS[next(REQUESTS.length)]);
    const whole = Buffer.concat(messages);
    const bytes = next(4) === 0 ? whole : mutate(next, whole, 2);
    const parts = pieces(next, bytes);
    writeSync(1, `${run} ${JSON.stringify(await serve(bytes, parts, next(4) === 0))}\n`);
  }
}

void main();
