/*
 * Sends a request with a secret by TLS to each port in a file, or only reads. The JavaScript of this client refuses no server, so
 * that only the checks in C can refuse it. Prints for each port what was read, and the errors.
 */
const { once } = require("node:events");
const { readFileSync, writeSync } = require("node:fs");
const http = require("node:http");
const net = require("node:net");
const tls = require("node:tls");

const LIMIT_MS = 10_000;

/** Replaces the method that the handle calls at the end of its handshake, and which checks the certificate in JavaScript. */
function onHandshakeResult() {
  this.authorized = true;
  this.secureConnecting = false;
  this.emit("secureConnect");
}

async function visit({ port, host = "127.0.0.1", ca, verify = true, readsOnly = false }) {
  const seen = [];
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
  socket.onHandshakeResult = onHandshakeResult;
  socket.setTimeout(LIMIT_MS, () => socket.destroy());
  socket.on("error", ({ message }) => seen.push(message));
  const closed = new Promise((resolve) => socket.on("close", resolve));
  if (readsOnly) {
    socket.on("data", (data) => {
      seen.push(String(data));
      socket.destroy();
    });
    await closed;
    return seen;
  }
  // The head is written before the handshake, the body after it.
  const request = http.request({ createConnection: () => socket, host, method: "POST", headers: { token: "secret" } });
  request.on("error", () => {});
  request.flushHeaders();
  socket.on("secureConnect", () => request.end("secret"));
  await closed;
  return seen;
}

async function main() {
  for (const options of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
    writeSync(1, `${JSON.stringify(await visit(options))}\n`);
  }
}

void main();
