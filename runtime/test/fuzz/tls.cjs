/* Connects by TLS to a hostile server again and again, and prints what it has received. */
const { once } = require("node:events");
const { readFileSync, writeSync } = require("node:fs");
const net = require("node:net");
const tls = require("node:tls");

const [, , port, runs, authority] = process.argv;
const LIMIT_MS = 10_000;
const secureContext = tls.createSecureContext({ ca: readFileSync(authority) });

const visit = (link) =>
  new Promise((resolve) => {
    const chunks = [];
    let failure = "";
    const socket = tls.connect({ socket: link, host: "127.0.0.1", secureContext, ALPNProtocols: ["http/1.1"] });
    const timer = setTimeout(() => {
      failure = "too late";
      socket.destroy();
    }, LIMIT_MS);
    socket.on("secureConnect", () => socket.write("question"));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", ({ code }) => (failure ||= code));
    socket.on("close", () => {
      clearTimeout(timer);
      resolve([failure, Buffer.concat(chunks).toString("latin1")]);
    });
  });

async function main() {
  for (let run = 0; run < Number(runs); run += 1) {
    const link = net.connect({ port: Number(port), host: "127.0.0.1" });
    link.on("error", () => {});
    await once(link, "connect");
    writeSync(1, `${JSON.stringify(await visit(link))}\n`);
  }
}

void main();
