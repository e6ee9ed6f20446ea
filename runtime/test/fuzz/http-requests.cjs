/*
 * Sends requests of a hostile client in random pieces. Prints the server's events on each connection, and what the server sent. The
 * requests of the corpus have no trailers and few fields. After those, Node.js runs deferred callbacks, so that an answer may precede
 * an error.
 */
const http = require("node:http");
const net = require("node:net");
const { writeSync } = require("node:fs");
const { chooseInput, readCorpus } = require("./corpus.cjs");
const { mutate, pieces, random } = require("./random.cjs");

const [, , seed, first, runs, corpus] = process.argv;
const LIMIT_MS = 10_000;

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
    server.on(name, (message, socket, head) => {
      seen.push([name, message.url, message.rawHeaders]);
      const chunks = [head];
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
  const requests = readCorpus(corpus);
  for (let run = Number(first); run < Number(first) + Number(runs); run += 1) {
    const next = random(Number(seed) + run);
    const more = Array.from({ length: next(4) }, () => requests[next(requests.length)]);
    const whole = Buffer.concat([chooseInput(requests, run, next, 2), ...more]);
    const bytes = next(4) === 0 ? mutate(next, whole, 2) : whole;
    const parts = pieces(next, bytes);
    writeSync(1, `${run} ${JSON.stringify(await serve(bytes, parts, next(4) === 0))}\n`);
  }
}

void main();
