/**
 * The draft of a file that `docs` writes: its current text and the wanted one. The name of the file decides what is written:
 * SECRETS.md or a part of a document (`*.md`), a Python module (`*.py`), types (`*.d.ts`), or a `.env.example`.
 */
import { basename, dirname, relative } from "node:path";
import { shownPath } from "../../contract/file/contract-text.ts";
import type { Contract } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import { printable } from "../../core/text.ts";
import { readIfThere, type TargetFile } from "../parts/project-files.ts";
import { choosePythonStyle, type Types } from "./default-files.ts";
import { envExample, EXAMPLE_FILES, mergedExample } from "./env-example.ts";
import { envTypes } from "./env-types.ts";
import { isOurs, markOf, partOf, withPart } from "./mark.ts";
import { factsInDocument, findProjectFacts, type ReadWorkflows } from "./project-facts.ts";
import { pythonSettings } from "./python-settings.ts";
import { contractBlocks, secretsDocument } from "./secrets-document.ts";

export interface CurrentFile extends TargetFile {
  /** The text of the file; undefined if there is no file. */
  readonly current: string | undefined;
}

export interface DocumentDraft extends CurrentFile {
  readonly wanted: string;
  /** The wanted text contains the text of the user. */
  readonly isMerged: boolean;
}

export interface DraftOptions {
  readonly contract: Contract;
  readonly types: Types | undefined;
  /** The folder of the contract. */
  readonly folder: string;
  readonly readWorkflows: ReadWorkflows;
  readonly isForced: boolean;
  /** The documents describe Pulumi ESC, too. */
  readonly usesEsc: boolean;
  readonly isCheck: boolean;
}

/** Reads a file that `docs` may replace. @param root the folder that no symbolic link below it may leave */
export async function readCurrentFile(path: string, root: string, context: Context): Promise<CurrentFile> {
  const name = printable(shownPath(path, context.cwd));
  return { path, name, root, current: await readIfThere({ path, name }) };
}

export async function createDraft(file: CurrentFile, options: DraftOptions): Promise<DocumentDraft> {
  const { path, current } = file;
  const isExampleOfUser = EXAMPLE_FILES.includes(basename(path)) && hasText(current) && !isOurs(current);
  if (isExampleOfUser && !options.isForced) {
    return { ...file, wanted: mergedExample(current, options.contract), isMerged: true };
  }
  return { ...file, wanted: await createText(path, options, current ?? ""), isMerged: false };
}

async function createText(path: string, options: DraftOptions, current: string): Promise<string> {
  const { contract, types, folder, usesEsc } = options;
  const { source } = contract;
  const mark = markOf(
    source.kind === "file" ? { kind: "file", path: relative(dirname(path), source.path) } : { kind: "built-in" },
  );
  if (path.endsWith(".md")) return createMarkdown(options, current, mark);
  if (path.endsWith(".py")) {
    return pythonSettings(contract, mark, await choosePythonStyle(current, types, [dirname(path), folder]));
  }
  return path.endsWith(".d.ts") ? envTypes(contract, mark) : envExample(contract, mark, usesEsc);
}

async function createMarkdown(options: DraftOptions, current: string, mark: string): Promise<string> {
  const { contract, folder, readWorkflows, usesEsc, isCheck } = options;
  const part = partOf(current);
  if (part === "contract") return withPart(current, part, mark, contractBlocks(contract));
  const facts =
    isCheck && isOurs(current)
      ? factsInDocument(current, usesEsc)
      : await findProjectFacts(folder, readWorkflows, usesEsc);
  return withPart(current, part, mark, secretsDocument(contract, facts));
}

export function hasText(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== "";
}

/** Returns true for a file of the user that the draft would replace as a whole. */
export function isForeign({ path, current, isMerged }: DocumentDraft): boolean {
  return !isMerged && !path.endsWith(".md") && hasText(current) && !isOurs(current);
}
