// A minimal parent process in Node.js: starts a program, forwards two signals and ends as the program ends.
"use strict";
const { spawn } = require("node:child_process");
const [command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: "inherit" });
for (const signal of ["SIGUSR1", "SIGUSR2", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (status) => process.exit(status));
