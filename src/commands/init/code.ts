import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { count } from "../../core/text.ts";
import { readBounded } from "../../system/bounded-read.ts";
import type { SourceResult } from "./candidates.ts";
import { readsOfPython } from "./python-reads.ts";
import { readsOfScript } from "./script-reads.ts";

const SCRIPT = /\.(?:[cm]?[jt]s|[jt]sx|vue|svelte|astro)$/;
const PYTHON = /\.py$/;
const SKIPPED =
  /^(?:\..*|node_modules|bower_components|vendor|dist|build|out|target|coverage|venv|__pycache__|site-packages)$/;
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
        const isSkipped = SKIPPED.test(entry.name) || existsSync(join(path, "pyvenv.cfg"));
        if (depth < MAX_DEPTH && !isSkipped) await visit(path, depth + 1);
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
    candidates: Array.from(variables, ([name, required]) => ({ name, required })).toSorted((a, b) =>
      a.name < b.name ? -1 : 1,
    ),
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
