import { readFileSync } from "node:fs";
import { Script } from "node:vm";

/** A hash of the scripts' text, put in by the bundler. */
declare const SOPHIA_RUN_BUILD: string;

/** The scripts of the package: what every run needs, and what reading ESC needs. */
export type ScriptName = "program" | "esc";

/** A function that is given `require` and what loads a further script. */
export type Entry = (require: NodeJS.Require, script: (name: ScriptName) => unknown) => unknown;

/**
 * Compiles a script, from V8's code cache where there is one for this very Node.js: half of what a start costs beyond
 * Node.js itself is compiling. V8 refuses a cache of another version, processor or set of flags.
 *
 * The cache lies beside the script it was made from, so that whoever can write the one can write the other: it is made
 * when the package is built or installed, never by a run, and never in a folder that others may write (Node's own
 * `module.enableCompileCache` takes one in /tmp, and fills it only after a run that ends by itself, which one that
 * becomes the program never does; it also came after Node.js 20).
 */
export function compileScript(folder: string, name: ScriptName): Script {
  const filename = `${folder}/${name}.js`;
  const cachedData = readCache(folder, name);
  // Latin-1 is read the fastest, and the bundler writes nothing beyond ASCII.
  return new Script(readFileSync(filename, "latin1"), {
    filename,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
}

/** Where the code cache of a script lies; the name tells the text it was made from and the Node.js that made it. */
export function cacheFile(folder: string, name: ScriptName): string {
  return `${folder}/${name}-${SOPHIA_RUN_BUILD}-${process.version}-${process.arch}.cache`;
}

function readCache(folder: string, name: ScriptName): Buffer | undefined {
  try {
    return readFileSync(cacheFile(folder, name));
  } catch {
    return undefined; // none was made: the script is compiled as it is run
  }
}

/** The function that a script consists of. */
export function entryOf(script: Script): Entry {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the bundler wrote the script as such a function
  return script.runInThisContext() as Entry;
}
