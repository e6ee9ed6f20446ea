// What a stand-alone executable for Linux runs in a start without Bun: files of the package's own bundle, and in front of
// them what they find in place of Node.js.
import { bundle, bundleHost } from "./bundle.mjs";
import { quickjsBytecode } from "./quickjs.mjs";

/** What such a start may need of the bundle. Whatever else it comes to load is left to Bun. */
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
 * @returns QuickJS's bytecode by the names by which the files load one another, the first first
 */
export async function withoutBun(root) {
  const chunks = await bundle({ SOPHIA_RUN_STANDALONE: "false" });
  const files = new Set(NAMES.map((name) => chunks.find((chunk) => chunk.name === name)));
  // What is added is looked at as well.
  for (const { imports } of files) {
    for (const chunk of chunks) if (imports.includes(chunk.fileName)) files.add(chunk);
  }
  const [{ fileName: program }] = files;
  const scripts = Array.from(files, ({ fileName, code }) => [`./${fileName}`, asFunction(code)]);
  return quickjsBytecode(root, [["host", await bundleHost(program)], ...scripts]);
}

/** As src/loader.ts does it. */
function asFunction(code) {
  return `(function(exports,require,__dirname,__filename,SOPHIA_RUN_LOADER){${code}\n})`;
}
