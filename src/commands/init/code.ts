/** Variables that source code reads. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readBounded } from "../../system/bounded-read.ts";
import { type Found, isCandidate } from "./found.ts";

const SCRIPT = /\.(?:[cm]?[jt]s|[jt]sx|vue|svelte|astro)$/;
const PYTHON = /\.py$/;
/** Folders of packages and of build results. */
const SKIPPED =
  /^(?:\..*|node_modules|bower_components|vendor|dist|build|out|target|coverage|venv|env|__pycache__|site-packages)$/;
const MOST_FILES = 20_000;
const MOST_BYTES = 1024 * 1024;
const DEEPEST = 32;

export interface Scan {
  readonly found: readonly Found[];
  readonly files: number;
  /** There were more files than are read. */
  readonly cut: boolean;
}

/**
 * Reads the code below a folder: JavaScript, TypeScript and Python. Folders of packages and results of builds, hidden
 * folders, symbolic links, binary files and files over 1 MiB are skipped; at most 20 000 files are read.
 */
export async function scanCode(root: string): Promise<Scan> {
  const found = new Map<string, boolean>();
  let files = 0;
  let cut = false;
  const visit = async (folder: string, depth: number): Promise<void> => {
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (depth < DEEPEST && !SKIPPED.test(entry.name)) await visit(path, depth + 1);
        continue;
      }
      const readsOf = SCRIPT.test(entry.name) ? readsOfScript : PYTHON.test(entry.name) ? readsOfPython : undefined;
      if (!entry.isFile() || readsOf === undefined) continue;
      if (files >= MOST_FILES) {
        cut = true;
        return;
      }
      files += 1;
      for (const [name, required] of readsOf(await textOf(path))) found.set(name, required || found.get(name) === true);
    }
  };
  await visit(root, 0);
  const names = [...found].filter(([name]) => isCandidate(name)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { found: names.map(([name, required]) => ({ name, required })), files, cut };
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
    const bytes = await readBounded(path, { maxBytes: MOST_BYTES });
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
    // TypeScript's `!` says that it is always there.
    ...Array.from(text.matchAll(access), ([, quoted, plain, mark]) => [quoted ?? plain ?? "", mark === "!"] as const),
    ...names.map((name) => [name, false] as const),
  ];
}

/** Finds `os.environ["X"]`, which fails if it is not set, `os.environ.get("X")` and `os.getenv("X")`, also imported by name. */
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
