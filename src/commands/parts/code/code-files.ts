/** The files of code below a folder, and the variables that each reads. */
import { existsSync, readdirSync, type Dirent } from "node:fs";
import { join } from "node:path";
import { readFound } from "../../../system/bounded-read.ts";
import { readsOfGo } from "./go-reads.ts";
import { readsOfCompose, readsOfDockerfile } from "./image-reads.ts";
import { lineFinder } from "./line-numbers.ts";
import { blockComments, passageFinder, type Passages, pythonStrings } from "./passages.ts";
import { readsOfPython } from "./python-reads.ts";
import type { ReadDetails, Reads } from "./reads.ts";
import { readsOfRust } from "./rust-reads.ts";
import { readsOfScript } from "./script-reads.ts";
import { readsOfShell } from "./shell-reads.ts";

interface Language {
  readonly file: RegExp;
  readonly readsOf: (text: string) => Reads;
  /** The beginning of a line up to a read that is part of a comment. */
  readonly comment: RegExp;
  /** Block comments, and strings from which nothing is read. */
  readonly passagesOf?: (text: string) => Passages;
}

const SLASHES = /^\s*(?:\/\/|\/\*|\*(?:\s|$)|<!--)|\s\/\/[^"'`]*$/;
const HASH = /^\s*#|\s#[^"'`{]*$/;

const LANGUAGES: readonly Language[] = [
  {
    file: /\.(?:[cm]?[jt]s|[jt]sx|vue|svelte|astro)$/,
    readsOf: readsOfScript,
    comment: SLASHES,
    passagesOf: blockComments,
  },
  { file: /\.py$/, readsOf: readsOfPython, comment: HASH, passagesOf: pythonStrings },
  { file: /\.go$/, readsOf: readsOfGo, comment: SLASHES, passagesOf: blockComments },
  { file: /\.rs$/, readsOf: readsOfRust, comment: SLASHES, passagesOf: blockComments },
  {
    file: /^(?:Docker|Container)file(?:\.[\w.-]+)?$|\.(?:docker|container)file$/i,
    readsOf: readsOfDockerfile,
    comment: HASH,
  },
  { file: /^(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml$/, readsOf: readsOfCompose, comment: HASH },
];
const SHELL: Language = { file: /\.(?:ba|da|k|z)?sh$/, readsOf: readsOfShell, comment: HASH };
/** A script without an ending. */
const SHEBANG = /^#![^\n]{0,200}\b(?:ba|da|k|z)?sh\b/;
/** Files that are no code of these languages, but may name a variable that a program reads. */
const OTHER =
  /\.(?:prisma|java|kts?|scala|groovy|rb|php|cs|fs|exs?|erl|swift|c|cc|cpp|h|hpp|zig|tf|hcl|ya?ml|toml|mk|just|ps1|cmd|bat|properties|conf|cfg|ini|tpl|tmpl|nix)$|^(?:package\.json|turbo\.jsonc?|[\w.]*Makefile|Procfile|Justfile|Rakefile|Gemfile)$/i;

const SKIPPED =
  /^(?:\..*|node_modules|bower_components|vendor|dist|build|out|target|coverage|venv|__pycache__|site-packages)$/;
/** The loaders that Yarn's Plug'n'Play writes; and types, which read nothing. */
const GENERATED = /^\.pnp\.|\.d\.[cm]?ts$/;
const MAX_FILES = 20_000;
const MAX_BYTES = 1024 * 1024;
const MAX_DEPTH = 32;

interface VariableRead extends ReadDetails {
  readonly name: string;
  /** The code fails without it. */
  readonly required: boolean;
  readonly line: number;
}

interface CodeFile {
  /** The path below the folder, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly reads: readonly VariableRead[];
}

interface CodeVisit {
  readonly file: (file: CodeFile) => void;
  /** Called for other files that may name a variable. Absent: they are not read. */
  readonly other?: (path: string, text: string) => void;
}

/** The files of code that were read, and what was not: too large, in UTF-16, unreadable, or a folder that lies too deep. */
export interface CodeExtent {
  readonly files: number;
  readonly unread: readonly string[];
  /** Further files were left out. */
  readonly isCut: boolean;
}

/** Reads the files below a folder in the order of their names, without following links. Folders of packages and builds are skipped. */
export async function visitCode(root: string, { file, other }: CodeVisit): Promise<CodeExtent> {
  const unread: string[] = [];
  let files = 0;
  let read = 0;
  let isCut = false;
  const visitFile = async (folder: string, name: string, path: string): Promise<void> => {
    const known = GENERATED.test(name) ? undefined : [...LANGUAGES, SHELL].find((language) => language.file.test(name));
    const mayBeShell = known === undefined && /^[\w-]+$/.test(name);
    const isOther = known === undefined && other !== undefined && OTHER.test(name);
    if (known === undefined && !mayBeShell && !isOther) return;
    if (read >= MAX_FILES) {
      isCut = true;
      return;
    }
    read += 1;
    const text = await textOf(join(folder, name));
    if (text === undefined) {
      if (known !== undefined) unread.push(path);
      return;
    }
    const language = known ?? (mayBeShell && SHEBANG.test(text) ? SHELL : undefined);
    if (language === undefined) {
      if (isOther) other?.(path, text);
      return;
    }
    files += 1;
    file({ path, text, reads: readsIn(text, language) });
  };
  const visit = async (folder: string, below: string, depth: number): Promise<void> => {
    const entries = entriesOf(folder);
    if (entries === undefined) unread.push(below === "" ? "." : below);
    for (const entry of entries ?? []) {
      const { name } = entry;
      const path = below === "" ? name : `${below}/${name}`;
      if (entry.isDirectory()) {
        if (SKIPPED.test(name) || existsSync(join(folder, name, "pyvenv.cfg"))) continue;
        if (depth < MAX_DEPTH) await visit(join(folder, name), path, depth + 1);
        else unread.push(path);
      } else if (entry.isFile()) await visitFile(folder, name, path);
    }
  };
  await visit(root, "", 0);
  return { files, unread, isCut };
}

/** Returns the variables that a file reads outside of comments. */
function readsIn(text: string, { readsOf, comment, passagesOf }: Language): readonly VariableRead[] {
  const reads = readsOf(text);
  if (reads.length === 0) return [];
  const lineOf = lineFinder(text);
  const isInPassage = passageFinder(passagesOf?.(text) ?? []);
  return reads.flatMap(([name, required, at, details]) => {
    if (isInPassage(at) || comment.test(lineBefore(text, at))) return [];
    return [{ name, required, line: lineOf(at), ...details }];
  });
}

const MOST_BEFORE = 400;

/** Returns the line up to a position; of a very long one the part before the position. */
export function lineBefore(text: string, at: number): string {
  const before = text.slice(Math.max(0, at - MOST_BEFORE), at);
  return before.slice(before.lastIndexOf("\n") + 1);
}

function entriesOf(folder: string): readonly Dirent[] | undefined {
  try {
    return readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return undefined;
  }
}

/** Returns an empty text for a binary file, and undefined for one that is too large, unreadable, or in UTF-16. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    const bytes = readFound(path, { maxBytes: MAX_BYTES });
    if (["fffe", "feff"].includes(bytes.toString("hex", 0, 2))) return undefined;
    return bytes.includes(0) ? "" : bytes.toString("utf8");
  } catch {
    return undefined;
  }
}
