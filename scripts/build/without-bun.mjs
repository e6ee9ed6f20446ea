// Compiles the files for starts without Bun in an executable for Linux: files of the package's bundle, preceded by a
// replacement of Node.js.
import { bundle, bundleHost } from "./bundle.mjs";
import { quickjsBytecode } from "./quickjs.mjs";

/** The chunks that such a start may load. Any other falls back to Bun. */
const NAMES = [
  "program",
  "built-in",
  "load",
  "merge",
  "extent",
  "restrict",
  "unmatched",
  "dotenv",
  "exposed",
  "redirections",
];

/**
 * @param root the repository
 * @returns QuickJS's bytecode by the files' names, in the order of loading
 */
export async function withoutBun(root) {
  const chunks = await bundle({ SOPHIA_RUN_STANDALONE: "false" });
  const files = new Set(NAMES.map((name) => chunks.find((chunk) => chunk.name === name)));
  // Files that are added meanwhile are visited as well.
  for (const { imports } of files) {
    for (const chunk of chunks) if (imports.includes(chunk.fileName)) files.add(chunk);
  }
  const [{ fileName: program }] = files;
  const scripts = Array.from(files, ({ fileName, code }) => [`./${fileName}`, asFunction(code)]);
  return quickjsBytecode(root, [["host", await bundleHost(program)], ...scripts]);
}

/** Names the entry as src/loader.ts does. */
function asFunction(code) {
  return `(function(exports,require,__dirname,__filename,SOPHIA_RUN_LOADER){${code}\n})`;
}
