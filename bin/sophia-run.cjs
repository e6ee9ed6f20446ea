#!/usr/bin/env node
// Of a .cjs file Node.js knows what it is without reading a package.json.
"use strict";
const { existsSync, readFileSync, writeSync } = require("node:fs");
const { Script } = require("node:vm");

const folder = `${__dirname}/../dist`;
const loaded = { __proto__: null };

/**
 * `require` for the files of the bundle. Compiling would be half of what a start costs beyond Node.js itself; V8's code
 * cache saves that, where there is one for this text and this very Node.js. V8 refuses a cache of another version,
 * processor or set of flags.
 *
 * The cache lies beside the file it was made from, so that whoever can write the one can write the other: it is made
 * when the package is built, never by a run, and never in a folder that others may write (Node's own
 * `module.enableCompileCache` takes one in /tmp, and fills it only after a run that ends by itself, which one that
 * becomes the program never does; it also came after Node.js 20). This loading stands here, since a further file costs
 * Node half a millisecond.
 */
function load(name) {
  if (!name.startsWith("./")) return require(name);
  if (loaded[name] !== undefined) return loaded[name];
  const exports = {};
  loaded[name] = exports;
  const filename = folder + name.slice(1);
  const text = readFileSync(filename, "utf8");
  const options = { filename };
  // The build puts a comment of this length before what is to be compiled ahead: the mark of this very text.
  if (text.startsWith("//")) {
    const cache = `${filename.slice(0, -3)}-${text.slice(2, 18)}-${process.version}-${process.arch}.cache`;
    try {
      options.cachedData = readFileSync(cache);
    } catch {
      // None was made: the file is compiled as it is run.
    }
  }
  const script = new Script(`(function(exports,require,__filename,__dirname){${text}\n})`, options);
  script.runInThisContext()(exports, load, filename, folder);
  return exports;
}

try {
  load("./program.js");
} catch (error) {
  if (existsSync(`${folder}/program.js`)) throw error;
  writeSync(2, "sophia-run: this checkout is not built\n  run `npm ci` and `npm run build` in it\n");
  process.exit(125);
}
