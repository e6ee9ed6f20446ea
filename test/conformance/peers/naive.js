// A launcher as it is usually written: the row of the table that shows what the suite sees and a quick test does not.
"use strict";

const { spawn } = require("node:child_process");

const [command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: "inherit" });
child.on("exit", (code) => process.exit(code));
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => child.kill(signal));
}
