/**
 * Makes the draft of a file that `sophia-run docs` writes: the text that the file has now, and its new text. The name of
 * the file decides what it gets: SECRETS.md or the part about the contract (`*.md`), a Python module (`*.py`), types for
 * TypeScript (`*.d.ts`), or else the text of a `.env.example`.
 */
import { basename, dirname, relative } from "node:path";
import { shortenPath } from "../../contract/file/contract-text.ts";
import type { Contract } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import { printable } from "../../core/text.ts";
import { readFileIfExists, type TargetFile } from "../parts/project-files.ts";
import { choosePythonStyle, type TypeLanguage } from "./default-files.ts";
import { createEnvExample, EXAMPLE_FILES, addMissingVariables } from "./env-example.ts";
import { createEnvTypes } from "./env-types.ts";
import { isWrittenByDocs, createMark, choosePart, replacePart } from "./mark.ts";
import { factsInDocument, findProjectFacts, type ReadWorkflows } from "./project-facts.ts";
import { createPythonSettings } from "./python-settings.ts";
import { createContractBlocks, createSecretsDocument } from "./secrets-document.ts";

/** A file that `docs` may write. */
export interface CurrentFile extends TargetFile {
  /** The text of the file; undefined if there is no file. */
  readonly currentText: string | undefined;
}

/** A file with its new text. */
export interface DocumentDraft extends CurrentFile {
  readonly newText: string;
  /** True for a `.env.example` of the user, whose text is a part of the new text. */
  readonly isMerged: boolean;
}

/** The options and facts that all drafts of a run share. */
export interface DraftOptions {
  readonly contract: Contract;
  /** The value of `--types`. */
  readonly types: TypeLanguage | undefined;
  /** The folder of the contract. */
  readonly folder: string;
  readonly readWorkflows: ReadWorkflows;
  /** True with `--force`: files of the user are replaced. */
  readonly isForced: boolean;
  /** True if the documents also describe Pulumi ESC. */
  readonly usesEsc: boolean;
  /** True with `--check`: the drafts are only compared with the files. */
  readonly isCheck: boolean;
}

/** Reads a file that `docs` may replace. @param root the folder that no symbolic link below it may leave */
export async function readCurrentFile(path: string, root: string, context: Context): Promise<CurrentFile> {
  const name = printable(shortenPath(path, context.cwd));
  return { path, name, root, currentText: await readFileIfExists({ path, name }) };
}

/** Creates the draft of a file. A `.env.example` that the user wrote keeps its text, unless the user gives `--force`. */
export async function createDraft(file: CurrentFile, options: DraftOptions): Promise<DocumentDraft> {
  const { path, currentText } = file;
  const isUsersExample =
    EXAMPLE_FILES.includes(basename(path)) && hasText(currentText) && !isWrittenByDocs(currentText);
  if (isUsersExample && !options.isForced) {
    return { ...file, newText: addMissingVariables(currentText, options.contract), isMerged: true };
  }
  return { ...file, newText: await createText(path, options, currentText ?? ""), isMerged: false };
}

async function createText(path: string, options: DraftOptions, currentText: string): Promise<string> {
  const { contract, types, folder, usesEsc } = options;
  const { source } = contract;
  const mark = createMark(
    source.kind === "file" ? { kind: "file", path: relative(dirname(path), source.path) } : { kind: "built-in" },
  );
  if (path.endsWith(".md")) return createMarkdown(options, currentText, mark);
  if (path.endsWith(".py")) {
    return createPythonSettings(contract, mark, await choosePythonStyle(currentText, types, [dirname(path), folder]));
  }
  return path.endsWith(".d.ts") ? createEnvTypes(contract, mark) : createEnvExample(contract, mark, usesEsc);
}

async function createMarkdown(options: DraftOptions, currentText: string, mark: string): Promise<string> {
  const { contract, folder, readWorkflows, usesEsc, isCheck } = options;
  const part = choosePart(currentText);
  if (part === "contract") return replacePart(currentText, part, mark, createContractBlocks(contract));
  // A check must not fail because the repository got a workflow after the document was written.
  const facts =
    isCheck && isWrittenByDocs(currentText)
      ? factsInDocument(currentText, usesEsc)
      : await findProjectFacts(folder, readWorkflows, usesEsc);
  return replacePart(currentText, part, mark, createSecretsDocument(contract, facts));
}

/** Returns true for a file that exists and is not blank. */
export function hasText(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== "";
}

/** Returns true for a file of the user that the draft would replace as a whole. */
export function isForeign({ path, currentText, isMerged }: DocumentDraft): boolean {
  return !isMerged && !path.endsWith(".md") && hasText(currentText) && !isWrittenByDocs(currentText);
}
