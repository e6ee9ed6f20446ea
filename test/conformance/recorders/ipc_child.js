// The other side: `node ipc_child.js SCENARIO`.
"use strict";

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
};

process.on("message", (message, handle) => {
  if (message === "server") {
    handle.on("connection", (socket) => socket.end("child", () => process.exit(0)));
    process.send({ listening: true });
  } else if (message === "go") onGo[scenario]?.();
  else process.send(message.echo);
});
process.on("disconnect", () => process.exit(scenario === "parent-disconnects" ? 5 : 0));
process.send("ready");
