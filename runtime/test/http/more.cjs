// Sends two requests to a service that sends more bytes than the answer to the first request, and prints both results.
const { writeSync } = require("node:fs");
const http = require("node:http");
const net = require("node:net");

const log = (...values) => writeSync(1, `${JSON.stringify(values)}\n`);
const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/** What the service sends after the first answer. */
const MORE = ["", "\r\n", "H", "HTTP/1.1 299 Other\r\nX: ", `HTTP/1.1 299 Other\r\nContent-Length: 9\r\n\r\n`];

function send(agent, port, read) {
  return new Promise((resolve) => {
    const request = http.get({ agent, host: "127.0.0.1", port }, (response) => {
      response.on("error", ({ code }) => resolve([code]));
      response.on("end", () => resolve([response.statusCode, response.rawHeaders, request.reusedSocket]));
      read(response);
    });
    request.on("error", ({ code }) => resolve([code]));
  });
}

/** Sends both requests. @param isLate true to send `more` when the answer has arrived, while the client has not read its body */
async function sendBoth(more, isLate) {
  let servedConnection;
  const service = net.createServer((socket) => {
    socket
      .on("error", () => {})
      .on("data", () => {
        socket.write(servedConnection === undefined && !isLate ? ANSWER + more : ANSWER);
        servedConnection ??= socket;
      });
  });
  await new Promise((resolve) => service.listen(0, "127.0.0.1", resolve));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const { port } = service.address();
  const readNow = (response) => response.resume();
  // The client can read what was written in the next turn of the event loop.
  const readLater = (response) =>
    servedConnection.write(more, () => setImmediate(() => setImmediate(() => setImmediate(() => response.resume()))));
  log(more, isLate, await send(agent, port, isLate ? readLater : readNow), await send(agent, port, readNow));
  agent.destroy();
  service.close();
}

async function main() {
  for (const more of MORE) for (const isLate of [false, true]) await sendBoth(more, isLate);
}

void main();
