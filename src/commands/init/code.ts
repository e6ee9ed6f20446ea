/** Variables that source code reads. */
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Found, isCandidate } from "./found.ts";

const SCRIPT = /\.(?:[cm]?[jt]s|[jt]sx|vue|svelte|astro)$/;
const PYTHON = /\.py$/;
/** Folders of packages and of what builds make. */
const SKIPPED =
  /^(?:\..*|node_modules|bower_components|vendor|dist|build|out|target|coverage|venv|env|__pycache__|site-packages)$/;
const MOST_FILES = 20_000;
const MOST_BYTES = 1024 * 1024;
const DEEPEST = 32;

export interface Scan {
  readonly found: readonly Found[];
  /** Files that were read. */
  readonly files: number;
  /** Whether there were more files than are looked at. */
  readonly cut: boolean;
}

/**
 * Reads the code below a folder: JavaScript, TypeScript and Python. Folders of packages and results of builds, hidden
 * folders, symbolic links, binary files and files over 1 MiB are passed over; at most 20 000 files are read.
 */
export function scanCode(root: string): Scan {
  const found = new Map<string, boolean>();
  let files = 0;
  let cut = false;
  const visit = (folder: string, depth: number): void => {
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (depth < DEEPEST && !SKIPPED.test(entry.name)) visit(path, depth + 1);
        continue;
      }
      const readsOf = SCRIPT.test(entry.name) ? readsOfScript : PYTHON.test(entry.name) ? readsOfPython : undefined;
      if (!entry.isFile() || readsOf === undefined) continue;
      if (files >= MOST_FILES) {
        cut = true;
        return;
      }
      files += 1;
      for (const [name, required] of readsOf(textOf(path))) found.set(name, required || (found.get(name) ?? false));
    }
  };
  visit(root, 0);
  const names = [...found].filter(([name]) => isCandidate(name)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { found: names.map(([name, required]) => ({ name, required })), files, cut };
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // A folder that this user may not read has nothing to say.
    return [];
  }
}

/** Empty for a file that is too large, binary or unreadable. */
function textOf(path: string): string {
  try {
    if (statSync(path).size > MOST_BYTES) return "";
    const descriptor = openSync(path, "r");
    try {
      const buffer = Buffer.alloc(MOST_BYTES);
      const bytes = buffer.subarray(0, readSync(descriptor, buffer, 0, MOST_BYTES, 0));
      return bytes.includes(0) ? "" : bytes.toString("utf8");
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return "";
  }
}

type Reads = readonly (readonly [name: string, required: boolean])[];

/** `process.env.X`, `process.env["X"]`, `import.meta.env.X`, `Bun.env.X`, `Deno.env.get("X")`, `const { X } = process.env`. */
export function readsOfScript(text: string): Reads {
  const reads: (readonly [string, boolean])[] = [];
  const access =
    /\b(?:process\.env|import\.meta\.env|Bun\.env)(?:\?\.|\.)?(?:\[\s*["'`]([A-Za-z_]\w*)["'`]\s*\]|(?<=\.)([A-Za-z_]\w*))(!?)/g;
  // TypeScript's `!` says that it is always there.
  for (const match of text.matchAll(access)) reads.push([match[1] ?? match[2] ?? "", match[3] === "!"]);
  for (const [, name = ""] of text.matchAll(/\bDeno\.env\.get\(\s*["'`]([A-Za-z_]\w*)["'`]/g))
    reads.push([name, false]);
  for (const [, list = ""] of text.matchAll(/\{([^{}]{1,2000})\}\s*=\s*(?:process|Bun|import\.meta)\.env\b/g)) {
    for (const part of list.split(",")) {
      const name = /^\s*([A-Za-z_]\w*)\s*(?:[:=]|$)/.exec(part)?.[1];
      if (name !== undefined) reads.push([name, false]);
    }
  }
  return reads.filter(([name]) => name !== "");
}

/** `os.environ["X"]`, which fails where it is not set, `os.environ.get("X")`, `os.getenv("X")`, also imported by name. */
export function readsOfPython(text: string): Reads {
  const reads: (readonly [string, boolean])[] = [];
  const subscript = /\benviron\[\s*["']([A-Za-z_]\w*)["']\s*\](\s*=(?!=))?/g;
  // An assignment sets it.
  for (const [, name = "", assigned] of text.matchAll(subscript)) if (assigned === undefined) reads.push([name, true]);
  for (const [, name = ""] of text.matchAll(/\b(?:environ\.get|getenv)\(\s*["']([A-Za-z_]\w*)["']/g))
    reads.push([name, false]);
  return reads;
}
