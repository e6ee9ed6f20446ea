// An agent with one connection sends three requests to a service that ends each connection after its answer. Prints the results.
const { writeSync } = require("node:fs");
const http = require("node:http");
const net = require("node:net");

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
let connections = 0;
const service = net.createServer((socket) => {
  connections += 1;
  socket.on("error", () => {}).once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
});

function send(port) {
  return new Promise((resolve) => {
    const request = http.request({ agent, host: "127.0.0.1", port, method: "POST" }, (response) => {
      response.on("end", () => resolve(response.statusCode)).resume();
    });
    request.on("error", ({ code }) => resolve(code)).end("body");
  });
}

service.listen(0, "127.0.0.1", async () => {
  const { port } = service.address();
  const found = await Promise.all([send(port), send(port), send(port)]);
  writeSync(1, `${JSON.stringify([found, connections])}\n`);
  agent.destroy();
  service.close();
});
