// Prints what node:net reports about addresses and connections. Node.js and the executable's runtime both run this script.
const { existsSync, mkdtempSync, rmSync, writeSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { dirname, join } = require("node:path");
const net = require("node:net");

const log = (...values) => writeSync(1, `${JSON.stringify(values)}\n`);

const ADDRESSES = "1.2.3.4 1.2.3 01.2.3.4 256.1.1.1 ::1 :: 1::2::3 ::ffff:1.2.3.4 fe80::1%eth0 1.2.3.4%eth0 a:b g::1 x";
for (const address of [...ADDRESSES.split(" "), "", " ::1", "1.2.3.4\0"])
  log(address, net.isIP(address), net.isIPv6(address));

const BLOCKS = [
  ["10.0.0.0", 8, "ipv4"],
  ["10.1.2.3", 31, "ipv4"],
  ["1.2.3.4", 0, "ipv4"],
  ["fd00::", 9, "ipv6"],
  ["::ffff:1.2.3.4", 128, "ipv6"],
  ["x", 8, "ipv4"],
  ["::1", 129, "ipv6"],
  ["1.2.3.4", 33, "ipv4"],
];
for (const block of BLOCKS) {
  try {
    const list = new net.BlockList();
    list.addSubnet(...block);
    const v4 = ["10.1.2.2", "10.1.2.4", "11.0.0.0", "1.2.3.4"].map((address) => list.check(address, "ipv4"));
    const v6 = ["fd7f::1", "fd80::1", "::ffff:1.2.3.4", "::1"].map((address) => list.check(address, "ipv6"));
    log(block, v4, v6);
  } catch (error) {
    log(block, error.name, error.code);
  }
}

function connect(options) {
  return new Promise((resolve) => {
    const socket = net.connect(options);
    const described = (error) => [error.name, error.code, error.errno, error.syscall, error.message, error.address];
    for (const event of ["connect", "ready", "end", "finish"]) socket.on(event, () => log(event));
    for (const event of ["lookup", "connectionAttempt"]) {
      socket.on(event, (...values) => log(event, ...values.filter((value) => !(value instanceof Error))));
    }
    socket.on("connectionAttemptFailed", (address, _, family, error) => log("failed", address, family, error?.code));
    socket.on("data", (chunk) => log("data", chunk.toString()));
    socket.on("error", (error) => log("error", described(error), (error.errors ?? []).map(described)));
    socket.on("close", (hadError) => {
      log("close", hadError, socket.bytesRead, socket.bytesWritten, socket.destroyed);
      resolve();
    });
    socket.write("ping");
  });
}

async function main() {
  const server = net.createServer((socket) => {
    socket.on("data", (chunk) => socket.end(`got ${chunk}`));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { address, family, port } = server.address();
  log(address, family, server.listening);
  await connect({ host: "127.0.0.1", port });
  await connect({ host: "localhost", port, autoSelectFamily: true });
  await connect({ host: "127.0.0.1", port: 1 });
  await connect({ host: "localhost", port: 1, autoSelectFamily: true });
  await connect({ path: "/none/at-all" });
  for (const wrong of [{}, { port: 65_536 }]) {
    try {
      net.connect(wrong).destroy();
    } catch (error) {
      log(error.name, error.code);
    }
  }
  const socketPath = join(mkdtempSync(join(tmpdir(), "addresses-")), "s");
  const local = net.createServer();
  await new Promise((resolve) => local.listen(socketPath, resolve));
  log(existsSync(socketPath), typeof local.address());
  await new Promise((resolve) => local.close(resolve));
  log(existsSync(socketPath));
  // The file of the socket is removed before the server closes.
  await new Promise((resolve) => local.listen(socketPath, resolve));
  rmSync(dirname(socketPath), { recursive: true });
  await new Promise((resolve) => local.close(resolve));
  for (const values of [[], [{ port: undefined }]]) {
    const anyPort = net.createServer();
    try {
      anyPort.listen(...values);
      log(anyPort.listening, anyPort.address().address);
    } catch (error) {
      log(error.name, error.code);
    }
    anyPort.close();
  }
  const other = net.createServer().on("error", (error) => log(error.code, error.syscall));
  other.listen(port, "127.0.0.1", () => log("listening twice"));
  await new Promise((resolve) => other.on("error", resolve));
  server.close((error) => {
    log(error === undefined, server.listening, server.address());
    log("end");
  });
}

void main();
