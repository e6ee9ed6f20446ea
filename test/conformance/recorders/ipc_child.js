// The other side: `node ipc_child.js SCENARIO`.
"use strict";

const { writeSync } = require("node:fs");
const net = require("node:net");

const scenario = process.argv[2];

const onGo = {
  echo: () => process.send("end", () => process.disconnect()),
  large: () => process.send("end", () => process.disconnect()),
  advanced: () => process.send("end", () => process.disconnect()),
  order: () => {
    for (let number = 0; number < 300; number++) process.send(number);
    process.send("end", () => process.disconnect());
  },
  exits: () => process.send("end", () => process.exit(7)),
  dies: () => process.send("end", () => process.kill(process.pid, "SIGKILL")),
  handle: () => {},
  "handle-back": () => {
    const server = net.createServer();
    server.listen(0, "127.0.0.1", () => process.send("server", server, {}, () => server.close()));
  },
  "goes-on": () => {
    process.on("SIGTERM", () => process.exit(4));
    process.removeAllListeners("disconnect");
    // The signal alone ends it.
    setInterval(() => {}, 1000);
    process.disconnect();
  },
};
const ends = { "parent-disconnects": 5, "parent-dies": 6 };

process.on("message", (message, handle) => {
  if (message === "server") {
    handle.on("connection", (socket) => socket.end("child", () => process.exit(0)));
    process.send({ listening: true });
  } else if (message === "go") onGo[scenario]?.();
  else process.send(message.echo);
});
process.on("disconnect", () => {
  if (scenario === "parent-dies") writeSync(1, "disconnect\n");
  process.exit(ends[scenario] ?? 0);
});
process.send("ready");
