import { readdirSync } from "node:fs";
import { join } from "node:path";
import { count } from "../../core/text.ts";
import { readBounded } from "../../system/bounded-read.ts";
import { isCandidateName, type SourceResult } from "./candidates.ts";

const SCRIPT = /\.(?:[cm]?[jt]s|[jt]sx|vue|svelte|astro)$/;
const PYTHON = /\.py$/;
const SKIPPED =
  /^(?:\..*|node_modules|bower_components|vendor|dist|build|out|target|coverage|venv|env|__pycache__|site-packages)$/;
/** The loaders that Yarn's Plug'n'Play writes. */
const GENERATED = /^\.pnp\./;
const MAX_FILES = 20_000;
const MAX_BYTES = 1024 * 1024;
const MAX_DEPTH = 32;

/** Finds the variables that JavaScript, TypeScript and Python code below a folder reads. */
export async function fromCode(root: string): Promise<SourceResult> {
  const variables = new Map<string, boolean>();
  let files = 0;
  let isCut = false;
  const visit = async (folder: string, depth: number): Promise<void> => {
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (depth < MAX_DEPTH && !SKIPPED.test(entry.name)) await visit(path, depth + 1);
        continue;
      }
      const readsOf = SCRIPT.test(entry.name) ? readsOfScript : PYTHON.test(entry.name) ? readsOfPython : undefined;
      if (!entry.isFile() || readsOf === undefined || GENERATED.test(entry.name)) continue;
      if (files >= MAX_FILES) {
        isCut = true;
        return;
      }
      files += 1;
      for (const [name, required] of readsOf(await textOf(path)))
        variables.set(name, required || variables.get(name) === true);
    }
  };
  await visit(root, 0);
  return {
    candidates: Array.from(variables, ([name, required]) => ({ name, required }))
      .filter(({ name }) => isCandidateName(name))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    source: `the code (${count(files, "file")}${isCut ? "; further files were not read" : ""})`,
  };
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Returns an empty text for a file that is too large, binary or unreadable. */
async function textOf(path: string): Promise<string> {
  try {
    const bytes = await readBounded(path, { maxBytes: MAX_BYTES });
    return bytes.includes(0) ? "" : bytes.toString("utf8");
  } catch {
    return "";
  }
}

type Reads = readonly (readonly [name: string, required: boolean])[];

/** Finds `process.env.X`, `process.env["X"]`, `import.meta.env.X`, `Bun.env.X`, `Deno.env.get("X")`, `const { X } = process.env`. */
export function readsOfScript(text: string): Reads {
  const access =
    /\b(?:process\.env|import\.meta\.env|Bun\.env)(?:\?\.|\.)?(?:\[\s*["'`]([A-Za-z_]\w*)["'`]\s*\]|(?<=\.)([A-Za-z_]\w*))(!?)/g;
  const destructured = /\{([^{}]{1,2000})\}\s*=\s*(?:process|Bun|import\.meta)\.env\b/g;
  const names = [
    ...matchesOf(text, /\bDeno\.env\.get\(\s*["'`]([A-Za-z_]\w*)["'`]/g),
    ...matchesOf(text, destructured).flatMap((list) =>
      list.split(",").flatMap((part) => /^\s*([A-Za-z_]\w*)\s*(?:[:=]|$)/.exec(part)?.[1] ?? []),
    ),
  ];
  return [
    // TypeScript's `!` asserts that the variable is set.
    ...Array.from(text.matchAll(access), ([, quoted, plain, mark]) => [quoted ?? plain ?? "", mark === "!"] as const),
    ...names.map((name) => [name, false] as const),
  ];
}

/** Finds `os.environ["X"]`, which throws without the variable, `os.environ.get("X")` and `os.getenv("X")`, also imported by name. */
export function readsOfPython(text: string): Reads {
  const subscript = /\benviron\[\s*["']([A-Za-z_]\w*)["']\s*\](?!\s*=(?!=))/g;
  return [
    ...matchesOf(text, subscript).map((name) => [name, true] as const),
    ...matchesOf(text, /\b(?:environ\.get|getenv)\(\s*["']([A-Za-z_]\w*)["']/g).map((name) => [name, false] as const),
  ];
}

function matchesOf(text: string, pattern: RegExp): readonly string[] {
  return Array.from(text.matchAll(pattern), ([, first = ""]) => first);
}
