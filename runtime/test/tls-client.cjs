/* Connects by TLS to each port in a file, one after the other, and prints for each port a line with the client's events. */
const { once } = require("node:events");
const { readFileSync, writeSync } = require("node:fs");
const net = require("node:net");
const tls = require("node:tls");

const LIMIT_MS = 10_000;
const contexts = new Map();

function contextOf(ca) {
  const name = JSON.stringify(ca ?? null);
  if (!contexts.has(name)) contexts.set(name, tls.createSecureContext(ca === undefined ? {} : { ca }));
  return contexts.get(name);
}

async function visit({ port, host = "127.0.0.1", ca, send = "hello", verify = true, below }) {
  const seen = [];
  const link = net.connect({ port, host: "127.0.0.1", noDelay: true });
  link.on("error", (error) => seen.push(["below", error.code]));
  await once(link, "connect");
  const socket = tls.connect({
    socket: link,
    host,
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    secureContext: contextOf(ca),
    ALPNProtocols: ["http/1.1"],
    rejectUnauthorized: verify,
  });
  const timer = setTimeout(() => {
    seen.push("too late");
    socket.destroy();
  }, LIMIT_MS);
  const chunks = [];
  socket.on("error", ({ code, syscall, host: to }) => seen.push(["error", code, syscall ?? "", typeof to]));
  for (const name of ["end", "finish"]) socket.on(name, () => seen.push(name));
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("secureConnect", () => {
    const { authorized, authorizationError, alpnProtocol } = socket;
    seen.push(["secure", authorized, authorizationError, alpnProtocol]);
    if (below !== undefined) return void link[below]();
    socket.setNoDelay(true).setKeepAlive(true, 1000);
    const parts = [send].flat();
    socket.cork();
    for (const [index, part] of parts.entries()) {
      socket.write(part, index === parts.length - 1 ? () => seen.push("written") : undefined);
    }
    socket.uncork();
  });
  await new Promise((resolve) => {
    socket.on("close", (hadError) => {
      seen.push(["close", hadError, link.destroyed]);
      resolve();
    });
  });
  clearTimeout(timer);
  const received = Buffer.concat(chunks);
  seen.push(received.length > 100 ? received.length : received.toString("latin1"));
  return seen;
}

async function main() {
  for (const options of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
    writeSync(1, `${JSON.stringify(await visit(options))}\n`);
  }
}

void main();
