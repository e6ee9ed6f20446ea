"use strict";
// Exits with 0 if the server answers. It needs no secret, and so no sophia-run: each probe would open ESC.
const { get } = require("node:http");

const { PORT = "3000" } = process.env;

get({ host: "127.0.0.1", port: PORT, timeout: 2000 }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1))
  .on("timeout", () => process.exit(1))
  .on("error", () => process.exit(1));
