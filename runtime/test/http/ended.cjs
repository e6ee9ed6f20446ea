// Sends requests to a service that ends each connection after its answer, and prints the result of each request. A byte on an
// older
// connection tells this script when to send: the same wait for events reports this byte and the end of the idle connection.
const { writeSync } = require("node:fs");
const http = require("node:http");
const net = require("node:net");

const log = (...values) => writeSync(1, `${JSON.stringify(values)}\n`);
const agent = new http.Agent({ keepAlive: true });
const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
let port;
let connections = 0;
let servedConnection;

function send(method) {
  return new Promise((resolve) => {
    const request = http.request({ agent, host: "127.0.0.1", port, method }, (response) => {
      log(method, response.statusCode, request.reusedSocket);
      response.resume();
    });
    request.on("error", (error) => log(method, error.code, request.reusedSocket));
    // The connection is idle now.
    request.on("close", resolve);
    request.end(method === "POST" ? "body" : undefined);
  });
}

const service = net.createServer((socket) => {
  connections += 1;
  servedConnection = socket;
  socket.on("error", () => {}).on("data", () => socket.writable && socket.write(ANSWER));
});

async function main(bellClient, bellConnection) {
  for (const method of ["POST", "GET", "POST", "POST"]) {
    await send(method);
    const bellByte = new Promise((resolve) => bellClient.once("data", resolve));
    // The end of the connection arrives before the byte, and the next wait for events begins after both have arrived.
    servedConnection.destroy();
    setImmediate(() => bellConnection.write("x"));
    await bellByte;
  }
  log("connections", connections);
  for (const socket of [bellClient, bellConnection, servedConnection]) socket.destroy();
  agent.destroy();
}

const bell = net.createServer((bellConnection) => {
  bell.close();
  service.listen(0, "127.0.0.1", () => {
    port = service.address().port;
    void main(bellClient, bellConnection).finally(() => service.close());
  });
});
let bellClient;
bell.listen(0, "127.0.0.1", () => {
  bellClient = net.connect(bell.address().port, "127.0.0.1");
});
