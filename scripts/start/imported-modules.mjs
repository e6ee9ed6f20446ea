// Finds the modules through which a source file can reach the system.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** `import { statSync } from "node:fs";`, but not `import type …`. */
const IMPORT = /^import (?!type )(?:[^"]*? from )?"(?<module>[^"]+)";$/gm;
/** `process.getBuiltinModule("node:tty")`. */
const LATE_IMPORT = /getBuiltinModule\("(?<module>[^"]+)"\)/g;
/** Modules of Node.js that only compute. */
const COMPUTING = new Set(["node:buffer", "node:path", "node:util", "node:url"]);

/**
 * @param root the repository
 * @param file such as `src/main.ts`
 * @returns the names of Node's modules, and `addon` if the file has the addon in C
 */
export function importedModules(root, file) {
  const text = readFileSync(join(root, file), "utf8");
  const modules = [IMPORT, LATE_IMPORT].flatMap((pattern) =>
    Array.from(text.matchAll(pattern), ({ groups: { module } }) => module),
  );
  /** @type {string[]} */
  const names = modules.flatMap((module) => {
    if (module.endsWith("/addon.ts")) return ["addon"];
    return module.startsWith("node:") && !COMPUTING.has(module) ? [module] : [];
  });
  return [...new Set(names)].toSorted();
}
