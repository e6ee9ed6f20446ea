/*
 * Sends a request with a secret by TLS to each port of a file, by a JavaScript that refuses no server: what is refused is
 * refused by C.
 */
const { once } = require("node:events");
const { readFileSync, writeSync } = require("node:fs");
const http = require("node:http");
const net = require("node:net");
const tls = require("node:tls");

const LIMIT_MS = 10_000;

/** Replaces the method that a session in C calls at the end of its handshake. */
function secured() {
  this.authorized = true;
  this.secureConnecting = false;
  this.emit("secureConnect");
}

async function visit({ port, host = "127.0.0.1", ca, verify = true }) {
  const link = net.connect({ port, host: "127.0.0.1", noDelay: true });
  link.on("error", () => {});
  await once(link, "connect");
  const socket = tls.connect({
    socket: link,
    host,
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    secureContext: tls.createSecureContext({ ca }),
    rejectUnauthorized: verify,
  });
  socket.secured = secured;
  socket.setTimeout(LIMIT_MS, () => socket.destroy());
  socket.on("error", () => {});
  // The head is written before the handshake, the body after it.
  const request = http.request({ createConnection: () => socket, host, method: "POST", headers: { token: "secret" } });
  request.on("error", () => {});
  request.flushHeaders();
  socket.on("secureConnect", () => request.end("secret"));
  await new Promise((resolve) => socket.on("close", resolve));
}

async function main() {
  for (const one of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
    await visit(one);
    writeSync(1, `${JSON.stringify("closed")}\n`);
  }
}

void main();
