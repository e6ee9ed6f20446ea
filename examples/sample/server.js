"use strict";
// A server that reports a signal and ends. Like any program it reads only process.env.
const { createServer } = require("node:http");

const server = createServer((_, response) => response.end(`Qdrant is at ${process.env.QDRANT_URL}\n`));
process.once("SIGTERM", () => {
  process.stdout.write("SIGTERM: finishing the last request\n");
  server.close();
});
server.listen(0, "127.0.0.1", () => process.stdout.write("serving\n"));
