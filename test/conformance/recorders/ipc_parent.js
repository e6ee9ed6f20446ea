// A Node program that starts a child with an IPC channel: `node ipc_parent.js SCENARIO command…`. Prints what it saw as a line of JSON.
"use strict";

const { spawn } = require("node:child_process");
const { writeSync } = require("node:fs");
const net = require("node:net");

const [scenario, command, ...args] = process.argv.slice(2);
const stdio = [process.env.IPC_STDIN ?? "ignore", "inherit", "inherit"];
const at = Number(process.env.IPC_AT);
while (stdio.length < at) stdio.push("ignore");
stdio[at] = "ipc";
const child = spawn(command, args, {
  stdio,
  serialization: scenario === "advanced" ? "advanced" : "json",
});
const seen = [];
let server;

const describe = (message) => {
  if (typeof message === "string" && message.length > 100) return { length: message.length };
  if (message instanceof Map) return { map: [...message] };
  return message;
};

const starts = {
  echo: () => [1, "two", { three: [3] }, null, ""].forEach((message) => child.send({ echo: message })),
  large: () => child.send({ echo: "x".repeat(1_000_000) }),
  advanced: () => child.send({ echo: new Map([[1, new Set([2])]]) }),
  handle: () => {
    server = net.createServer((socket) => socket.end("parent"));
    server.listen(0, "127.0.0.1", () => child.send("server", server));
  },
};

child.on("message", (message, handle) => {
  if (message === "ready") {
    starts[scenario]?.();
    if (scenario === "parent-disconnects") child.disconnect();
    else if (scenario === "parent-dies") process.kill(process.pid, "SIGKILL");
    else child.send("go");
    return;
  }
  if (message === "server") {
    handle.on("connection", (socket) => socket.end("parent"));
    const { port } = handle.address();
    net
      .connect(port, "127.0.0.1")
      .on("data", (data) => seen.push(`from the socket: ${data}`))
      .on("close", () => (handle.close(), child.disconnect()));
    return;
  }
  if (message && message.listening) {
    // Only the child accepts now.
    const { port } = server.address();
    server.close();
    net
      .connect(port, "127.0.0.1")
      .on("data", (data) => seen.push(`from the socket: ${data}`))
      .on("error", (error) => seen.push(error.message));
    return;
  }
  seen.push(describe(message));
});
child.on("disconnect", () => {
  seen.push("disconnect");
  if (scenario === "goes-on") child.kill("SIGTERM");
});
let end;
child.on("exit", (code, signal) => (end = { code, signal }));
process.on("exit", () => writeSync(1, `${JSON.stringify({ seen, ...end })}\n`));
