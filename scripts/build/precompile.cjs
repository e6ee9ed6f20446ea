// Makes the code cache of the Node.js that runs it: `node dist/precompile.js`, when the package is built or installed.
"use strict";
const { readFileSync, readdirSync, renameSync, writeFileSync } = require("node:fs");
const { setFlagsFromString } = require("node:v8");
const { Script } = require("node:vm");

for (const name of readdirSync(__dirname).filter((file) => file.endsWith(".js"))) {
  const path = `${__dirname}/${name}`;
  const text = readFileSync(path, "utf8");
  const [, mark] = /^\/\/(\w{16})\n/.exec(text) ?? [];
  if (mark !== undefined) {
    // A cache holds the functions that are compiled: these are all of them. V8 compares its flags, so they are as usual
    // again before it writes them down.
    setFlagsFromString("--no-lazy");
    // As bin/sophia-run does it.
    const script = new Script(`(function(exports,require,__filename,__dirname){${text}\n})`, { filename: path });
    setFlagsFromString("--lazy");
    const cache = `${path.slice(0, -3)}-${mark}-${process.version}-${process.arch}.cache`;
    writeFileSync(`${cache}.new`, script.createCachedData());
    renameSync(`${cache}.new`, cache);
  }
}
