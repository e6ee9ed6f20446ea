"use strict";
// An ordinary service. It reads process.env and needs neither ESC nor sophia-run.
const { createServer } = require("node:http");

const { HOST = "0.0.0.0", PORT = "3000", QDRANT_URL = "", QDRANT_API_KEY = "" } = process.env;

const server = createServer((_request, response) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ qdrant: new URL(QDRANT_URL).host, authenticated: QDRANT_API_KEY !== "" }));
});

server.listen(Number(PORT), HOST, () => {
  process.stdout.write(`listening on port ${server.address().port} (process ${process.pid})\n`);
});

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    process.stdout.write(`stopped by ${signal}\n`);
    server.close();
  });
}
