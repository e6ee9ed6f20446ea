"use strict";
// Runs each time the container has started. It reads process.env and needs neither ESC nor sophia-run.
const { QDRANT_URL = "", DATABASE_URL = "" } = process.env;

const services = [
  ["Qdrant", QDRANT_URL],
  ["PostgreSQL", DATABASE_URL],
].filter(([, url]) => url !== "");
for (const [name, url] of services) process.stdout.write(`${name}: ${new URL(url).host}\n`);
process.stdout.write("the development environment is ready\n");
