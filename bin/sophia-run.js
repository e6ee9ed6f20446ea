#!/usr/bin/env node
// The `--` keeps Node.js from reading `--env-file` itself: it looks for it even behind the script's name, and ends
// with status 9 where the file does not exist. npm installs sophia-run.js in place of this file, which the build makes
// of it with another first line: the env of BusyBox (Alpine) has no -S.
"use strict";
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { Script } = require("node:vm");

/**
 * Runs a script of the bundle: `program`, which every run needs, or `esc`. Compiling would be half of what a start
 * costs beyond Node.js itself; V8's code cache saves that, where there is one for this text and this very Node.js. V8
 * refuses a cache of another version, processor or set of flags.
 *
 * The cache lies beside the script it was made from, so that whoever can write the one can write the other: it is made
 * when the package is built or installed, never by a run, and never in a folder that others may write (Node's own
 * `module.enableCompileCache` takes one in /tmp, and fills it only after a run that ends by itself, which one that
 * becomes the program never does; it also came after Node.js 20). This loading stands here, since a further file costs
 * Node half a millisecond.
 */
function run(name) {
  const base = join(__dirname, "../dist", name);
  // Latin-1 is read the fastest, and the bundler writes nothing beyond ASCII. The text begins with the build's mark, a
  // comment of this length.
  const text = readFileSync(`${base}.js`, "latin1");
  const options = { filename: `${base}.js` };
  try {
    options.cachedData = readFileSync(`${base}-${text.slice(2, 18)}-${process.version}-${process.arch}.cache`);
  } catch {
    // None was made: the script is compiled as it is run.
  }
  return new Script(text, options).runInThisContext()(require, run);
}

run("program");
