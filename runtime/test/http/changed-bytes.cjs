// A server whose handlers change the bytes of two requests while it reads the requests. Prints its port, then the requests.
const { writeSync } = require("node:fs");
const http = require("node:http");

const CHANGES = {
  overwritten: (bytes) => bytes.fill(0),
  // The transfer moves the memory of the bytes to another buffer, which has one byte.
  "given-away": (bytes) => bytes.buffer.detached || bytes.buffer.transfer(1),
};
const change = CHANGES[process.argv[2]];

const server = http.createServer((request, response) => {
  writeSync(1, `${request.url} ${request.headers.x}\n`);
  change(request.socket.lastBytes);
  response.end();
  if (request.url === "/2") server.close();
});
server.on("connection", (socket) => {
  socket.prependListener("data", (bytes) => {
    socket.lastBytes = bytes;
  });
});
server.listen(0, "127.0.0.1", () => writeSync(1, `${server.address().port}\n`));
