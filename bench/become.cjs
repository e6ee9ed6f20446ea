// A minimal program for Node.js that replaces itself with another by execve: become.cjs ADDON FILE.
"use strict";
const [addon, file] = process.argv.slice(2);
const loaded = { exports: {} };
process.dlopen(loaded, addon);
const environment = Object.entries(process.env).map(([name, value]) => `${name}=${value}\0`);
for (const descriptor of [0, 1, 2]) loaded.exports.keepOnExec(descriptor);
process.exitCode = loaded.exports.execve(Buffer.from(`${file}\0${file}\0${environment.join("")}`), 1);
