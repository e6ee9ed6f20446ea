"use strict";
// A server that ends when it is asked to, and says so. Like any program it reads process.env and nothing else.
const { createServer } = require("node:http");

const server = createServer((_, response) => response.end(`Qdrant is at ${process.env.QDRANT_URL}\n`));
process.once("SIGTERM", () => {
  process.stdout.write("SIGTERM: finishing the last request\n");
  server.close();
});
server.listen(0, "127.0.0.1", () => process.stdout.write("serving\n"));
