/**
 * Visits the files of source code below a folder, and finds the environment variables that each file reads. `init` and
 * `check --code` call visitCode(). A new language gets an entry in LANGUAGES.
 */
import { existsSync, readdirSync, type Dirent } from "node:fs";
import { join } from "node:path";
import { readFoundFile } from "../../../system/bounded-read.ts";
import { findGoReads } from "./go-reads.ts";
import { findComposeReads, findDockerfileReads } from "./image-reads.ts";
import { createLineNumberFinder } from "./line-numbers.ts";
import { createPassageTest, findBlockComments, findPythonStrings, type Passages } from "./passages.ts";
import { findPythonReads } from "./python-reads.ts";
import type { VariableRead, VariableReads } from "./reads.ts";
import { findRustReads } from "./rust-reads.ts";
import { findScriptReads } from "./script-reads.ts";
import { findShellReads } from "./shell-reads.ts";

/** A language, or a kind of file, in which variables are found. */
interface Language {
  /** Matches the names of files in this language. */
  readonly fileName: RegExp;
  readonly findReads: (text: string) => VariableReads;
  /** Matches the text from the beginning of a line to a read, if the read is in a comment of one line. */
  readonly lineComment: RegExp;
  /** Finds the block comments, and the strings in which nothing is read. */
  readonly findPassages?: (text: string) => Passages;
}

/** `// …` at the beginning or the end of a line, and a line that looks like a part of a block comment. */
const SLASH_COMMENT = /^\s*(?:\/\/|\/\*|\*(?:\s|$)|<!--)|\s\/\/[^"'`]*$/;
/** `# …` at the beginning or the end of a line. A quote after the `#` may mean that the `#` is in a string. */
const HASH_COMMENT = /^\s*#|\s#[^"'`{]*$/;

const LANGUAGES: readonly Language[] = [
  {
    fileName: /\.(?:[cm]?[jt]s|[jt]sx|vue|svelte|astro)$/,
    findReads: findScriptReads,
    lineComment: SLASH_COMMENT,
    findPassages: findBlockComments,
  },
  { fileName: /\.py$/, findReads: findPythonReads, lineComment: HASH_COMMENT, findPassages: findPythonStrings },
  { fileName: /\.go$/, findReads: findGoReads, lineComment: SLASH_COMMENT, findPassages: findBlockComments },
  { fileName: /\.rs$/, findReads: findRustReads, lineComment: SLASH_COMMENT, findPassages: findBlockComments },
  {
    fileName: /^(?:Docker|Container)file(?:\.[\w.-]+)?$|\.(?:docker|container)file$/i,
    findReads: findDockerfileReads,
    lineComment: HASH_COMMENT,
  },
  { fileName: /^(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml$/, findReads: findComposeReads, lineComment: HASH_COMMENT },
];
/** Apart from LANGUAGES, because scripts without an extension are in this language, too. */
const SHELL_LANGUAGE: Language = {
  fileName: /\.(?:ba|da|k|z)?sh$/,
  findReads: findShellReads,
  lineComment: HASH_COMMENT,
};
/** The first line of a shell script whose name has no extension: `#!/usr/bin/env bash`. */
const SHELL_SHEBANG = /^#![^\n]{0,200}\b(?:ba|da|k|z)?sh\b/;
/** Files in other languages, and settings, which may contain the name of a variable that a program reads. */
const OTHER_FILE =
  /\.(?:prisma|java|kts?|scala|groovy|rb|php|cs|fs|exs?|erl|swift|c|cc|cpp|h|hpp|zig|tf|hcl|ya?ml|toml|mk|just|ps1|cmd|bat|properties|conf|cfg|ini|tpl|tmpl|nix)$|^(?:package\.json|turbo\.jsonc?|[\w.]*Makefile|Procfile|Justfile|Rakefile|Gemfile)$/i;

/** Folders of tools, installed packages and builds. */
const SKIPPED_FOLDER =
  /^(?:\..*|node_modules|bower_components|vendor|dist|build|out|target|coverage|venv|__pycache__|site-packages)$/;
/** The loaders that Yarn's Plug'n'Play generates, and files of type declarations. They read nothing. */
const GENERATED_FILE = /^\.pnp\.|\.d\.[cm]?ts$/;
/** Far more than a project has, so that the search of a home folder ends. */
const MAX_FILES = 20_000;
/** Larger files are data or generated code. */
const MAX_FILE_BYTES = 1024 * 1024;
const MAX_FOLDER_DEPTH = 32;

/** A read of a variable outside of comments, with its line number instead of an offset. */
export interface LocatedRead extends Omit<VariableRead, "offset"> {
  readonly line: number;
}

interface CodeFile {
  /** The path from the visited folder, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly reads: readonly LocatedRead[];
}

/** The callbacks of a visit. */
interface CodeVisitor {
  /** Receives each file of code. */
  readonly onCodeFile: (file: CodeFile) => void;
  /** Receives the other files that may contain the name of a variable. Without this callback they are not read. */
  readonly onOtherFile?: (path: string, text: string) => void;
}

/** How much of the code a visit has read. */
export interface CodeExtent {
  /** The number of files of code that were read. */
  readonly codeFileCount: number;
  /** The paths of what was not read: files that are too large, in UTF-16 or unreadable, and folders that lie too deep. */
  readonly unreadPaths: readonly string[];
  /** True if the limit of files was reached, so that further files were ignored. */
  readonly isLimitReached: boolean;
}

/** A visit in progress: its callbacks, and how much it has read so far. */
interface CodeVisit extends CodeVisitor {
  readonly unreadPaths: string[];
  codeFileCount: number;
  /** The number of all opened files, also of those without code. */
  openedFileCount: number;
  isLimitReached: boolean;
}

/**
 * Reads the files below a folder in the order of their names. The visit does not follow symbolic links, and skips the folders of
 * installed packages and of builds.
 */
export async function visitCode(root: string, visitor: CodeVisitor): Promise<CodeExtent> {
  const visit: CodeVisit = { ...visitor, unreadPaths: [], codeFileCount: 0, openedFileCount: 0, isLimitReached: false };
  await visitFolder(visit, { location: root, name: "", path: "" }, 0);
  return { codeFileCount: visit.codeFileCount, unreadPaths: visit.unreadPaths, isLimitReached: visit.isLimitReached };
}

/** A file or a folder below the root of a visit. */
interface VisitedEntry {
  /** The path to open. */
  readonly location: string;
  readonly name: string;
  /** The path from the root of the visit; empty for the root itself. */
  readonly path: string;
}

/** @param depth the number of folders between the root and this folder */
async function visitFolder(visit: CodeVisit, folder: VisitedEntry, depth: number): Promise<void> {
  const directoryEntries = readFolder(folder.location);
  if (directoryEntries === undefined) visit.unreadPaths.push(folder.path === "" ? "." : folder.path);
  for (const directoryEntry of directoryEntries ?? []) {
    const { name } = directoryEntry;
    const path = folder.path === "" ? name : `${folder.path}/${name}`;
    const entry: VisitedEntry = { location: join(folder.location, name), name, path };
    if (directoryEntry.isDirectory()) {
      // Python writes pyvenv.cfg into each virtual environment, whatever the name of its folder.
      if (SKIPPED_FOLDER.test(name) || existsSync(join(entry.location, "pyvenv.cfg"))) continue;
      if (depth < MAX_FOLDER_DEPTH) await visitFolder(visit, entry, depth + 1);
      else visit.unreadPaths.push(path);
    } else if (directoryEntry.isFile()) await visitFile(visit, entry);
  }
}

/** Reads a file if its name may be that of a file of code, or of another file that the visitor wants, and calls the callback. */
async function visitFile(visit: CodeVisit, { location, name, path }: VisitedEntry): Promise<void> {
  const languageByName = GENERATED_FILE.test(name)
    ? undefined
    : [...LANGUAGES, SHELL_LANGUAGE].find((language) => language.fileName.test(name));
  // A script without an extension is recognized by its first line.
  const mayBeShell = languageByName === undefined && /^[\w-]+$/.test(name);
  const isOtherFile = languageByName === undefined && visit.onOtherFile !== undefined && OTHER_FILE.test(name);
  if (languageByName === undefined && !mayBeShell && !isOtherFile) return;
  if (visit.openedFileCount >= MAX_FILES) {
    visit.isLimitReached = true;
    return;
  }
  visit.openedFileCount += 1;
  const text = await readText(location);
  if (text === undefined) {
    if (languageByName !== undefined) visit.unreadPaths.push(path);
    return;
  }
  const language = languageByName ?? (mayBeShell && SHELL_SHEBANG.test(text) ? SHELL_LANGUAGE : undefined);
  if (language === undefined) {
    if (isOtherFile) visit.onOtherFile?.(path, text);
    return;
  }
  visit.codeFileCount += 1;
  visit.onCodeFile({ path, text, reads: locateReads(text, language) });
}

/** Returns the variables that a file reads outside of comments. */
function locateReads(text: string, { findReads, lineComment, findPassages }: Language): readonly LocatedRead[] {
  const reads = findReads(text);
  if (reads.length === 0) return [];
  const lineOf = createLineNumberFinder(text);
  const isInPassage = createPassageTest(findPassages?.(text) ?? []);
  return reads.flatMap(({ offset, ...read }) => {
    const isInComment = isInPassage(offset) || lineComment.test(sliceLineBefore(text, offset));
    return isInComment ? [] : [{ ...read, line: lineOf(offset) }];
  });
}

/** Lines of minified code may have megabytes. */
const MAX_LINE_LENGTH = 400;

/** Returns the text of a line before an offset, at most its last 400 characters. */
export function sliceLineBefore(text: string, offset: number): string {
  const before = text.slice(Math.max(0, offset - MAX_LINE_LENGTH), offset);
  return before.slice(before.lastIndexOf("\n") + 1);
}

/** Returns the entries in the order of their names, so that each run reports the same; undefined if the folder is unreadable. */
function readFolder(folder: string): readonly Dirent[] | undefined {
  try {
    return readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return undefined;
  }
}

/** Returns an empty text for a binary file, and undefined for a file that is too large, unreadable, or in UTF-16. */
async function readText(path: string): Promise<string | undefined> {
  try {
    const bytes = readFoundFile(path, { maxBytes: MAX_FILE_BYTES });
    const isUtf16 = ["fffe", "feff"].includes(bytes.toString("hex", 0, 2));
    if (isUtf16) return undefined;
    return bytes.includes(0) ? "" : bytes.toString("utf8");
  } catch {
    return undefined;
  }
}
