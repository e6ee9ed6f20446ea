// Sends messages in two parts, divided at each byte, and on connections that end after each byte. Prints how a server and a client
// read them. The events of two messages have no order between them.
const { writeSync } = require("node:fs");
const http = require("node:http");
const net = require("node:net");

const log = (...values) => writeSync(1, `${JSON.stringify(values)}\n`);
process.on("uncaughtException", (error) => log("uncaught", error.message));

const CHUNKS = "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: x\r\n\r\n";
const REQUESTS = Buffer.from(
  `POST /a HTTP/1.1\r\nHost: a\r\n${CHUNKS}` +
    "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody",
);
const ANSWERS = Buffer.from(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTrailer: T\r\n${CHUNKS}`);

/** Waits two turns of the event loop: in the first what was written is read, and in the second it is answered. */
const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
let events = [];
const compare = (left, right) => (left < right ? -1 : Number(left > right));

function watch(name, emitter, names) {
  for (const event of names) {
    emitter.on(event, (value) => events.push([name, event, ...(value instanceof Error ? [value.code] : [])].join(" ")));
  }
}

/** Reads a message to its end. */
function read(name, message, then = () => {}) {
  const chunks = [];
  watch(name, message, ["error", "aborted", "close"]);
  message.on("data", (chunk) => chunks.push(chunk));
  message.on("end", () => {
    events.push([name, Buffer.concat(chunks), message.complete, message.rawTrailers].join(" "));
    then();
  });
}

async function send(port, parts, ends) {
  events = [];
  const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
  let received = "";
  socket.on("error", () => {}).on("data", (chunk) => (received += chunk));
  const closed = new Promise((resolve) => socket.on("close", resolve));
  for (const part of parts) {
    socket.write(part);
    await turn();
    await turn();
  }
  if (ends) socket.end();
  await closed;
  await turn();
  await turn();
  log("server", parts[0].length, ends, received.match(/HTTP\/1.1 \d+|answer/g), events.toSorted(compare));
}

async function ask(parts, ends) {
  events = [];
  const service = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", async () => {
      for (const part of parts) {
        socket.write(part);
        await turn();
      }
      if (ends) socket.end();
    });
  });
  await new Promise((resolve) => service.listen(0, "127.0.0.1", resolve));
  const agent = new http.Agent({ keepAlive: true });
  const request = http.request({ port: service.address().port, host: "127.0.0.1", agent });
  watch("request", request, ["continue", "error", "finish"]);
  request.on("response", (answer) => read("answer", answer)).end();
  await new Promise((resolve) => request.on("close", resolve));
  await turn();
  log("client", parts[0].length, ends, events.toSorted(compare));
  agent.destroy();
  service.close();
}

async function main() {
  const server = http.createServer((request, response) => {
    read(request.url, request, () => response.end("answer"));
    watch(request.url, response, ["close"]);
  });
  server.on("clientError", (error, socket) => {
    events.push(`clientError ${error.code}`);
    socket.destroy();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  for (let at = 1; at < REQUESTS.length; at += 1) await send(port, [REQUESTS.subarray(0, at), REQUESTS.subarray(at)]);
  for (let at = 1; at <= REQUESTS.length; at += 1) await send(port, [REQUESTS.subarray(0, at)], true);
  for (let at = 1; at < ANSWERS.length; at += 1) await ask([ANSWERS.subarray(0, at), ANSWERS.subarray(at)], false);
  for (let at = 1; at <= ANSWERS.length; at += 1) await ask([ANSWERS.subarray(0, at)], true);
  server.close();
}

void main();
