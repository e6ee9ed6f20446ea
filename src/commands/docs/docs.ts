/**
 * The command `sophia-run docs`. It writes SECRETS.md, `.env.example` and types from the contract, or compares these files
 * with it (`--check`). It writes all files or none: it makes all drafts, and checks whether each may be written, before it
 * writes the first file.
 */
import { basename, dirname, join, resolve } from "node:path";
import { resolveSettings } from "../../command-line/settings.ts";
import { loadContract } from "../../contract/find-contract.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { enumerate } from "../../core/text.ts";
import { printReport } from "../../output/colour.ts";
import { printLines } from "../../output/stderr.ts";
import type { Command } from "../command.ts";
import { settingsUseEsc } from "../parts/esc-use.ts";
import { refuseLinks, type WorkflowFile, readWorkflowFiles, writeTextFile } from "../parts/project-files.ts";
import { findProjectRoot } from "../parts/project-root.ts";
import { addBrokerAddresses } from "./broker-addresses.ts";
import { findDefaultFiles, TYPE_LANGUAGES } from "./default-files.ts";
import {
  createDraft,
  type CurrentFile,
  type DocumentDraft,
  type DraftOptions,
  hasText,
  isForeign,
  readCurrentFile,
} from "./document-draft.ts";
import { EXAMPLE_FILES } from "./env-example.ts";
import { decideEscUse, type ReadWorkflows } from "./project-facts.ts";

/** Writes or compares the files. Returns 0; with `--check` 1 if a file is out of date or missing. @throws SophiaError (125) */
export const docs: Command = async ({ options, positionals }, context) => {
  const settings = resolveSettings(options, context.environment);
  const contract = addBrokerAddresses(await loadContract(settings, context));
  const types = TYPE_LANGUAGES.find((name) => name === options["types"]);
  const isForced = options["force"] === true;
  const isCheck = options["check"] === true;
  const folder = contract.source.kind === "file" ? dirname(contract.source.path) : context.project;
  const files = await readTargetFiles(positionals, folder, types, context);

  const readWorkflows = createWorkflowReader(folder);
  const existingTexts = isForced ? [] : listTextsAboutEsc(files);
  const usesEsc = await decideEscUse(contract, existingTexts, readWorkflows, () => settingsUseEsc(settings, context));
  const draftOptions: DraftOptions = { contract, types, folder, readWorkflows, isForced, isCheck, usesEsc };
  const drafts = await Promise.all(files.map((file) => createDraft(file, draftOptions)));

  // A file that `docs` did not write is a failure only if the user asked for it. Otherwise it is skipped.
  const isRequested = positionals.length > 0 || types !== undefined || isForced;
  const skippedDrafts = isRequested ? [] : drafts.filter(isForeign);
  const ourDrafts = drafts.filter((draft) => !skippedDrafts.includes(draft));
  const staleDrafts = ourDrafts.filter(({ currentText, newText }) => currentText !== newText);
  for (const { name } of skippedDrafts) {
    printReport(context, [`${name} is not changed (not written by sophia-run docs); --force replaces it`]);
  }
  if (isCheck) reportStale(staleDrafts, context);
  else {
    writeAll(staleDrafts, isForced, context);
    const hasNewFile = staleDrafts.some(({ currentText }) => currentText === undefined);
    if (contract.source.kind === "built-in" && hasNewFile) warnOfBuiltInContract(context);
  }
  if (staleDrafts.length === 0) {
    printReport(context, `${enumerate(ourDrafts.map(({ name }) => name))}: up to date\n`);
  }
  return isCheck && staleDrafts.length > 0 ? ExitStatus.unmet : ExitStatus.ok;
};

/**
 * Reads the files that the user named, relative to the working directory. If the user named none, reads the default files
 * in `contractFolder`, which is the project's folder if the contract is no file.
 */
async function readTargetFiles(
  namedFiles: readonly string[],
  contractFolder: string,
  types: DraftOptions["types"],
  context: Context,
): Promise<readonly CurrentFile[]> {
  const userNamedFiles = namedFiles.length > 0;
  const root = findProjectRoot(userNamedFiles ? context.cwd : context.project);
  const paths = userNamedFiles
    ? namedFiles.map((name) => resolve(context.cwd, name))
    : (await findDefaultFiles(contractFolder, types)).map((name) => join(contractFolder, name));
  return Promise.all([...new Set(paths)].map((path) => readCurrentFile(path, root, context)));
}

/** Returns the texts of those existing files that describe ESC if the project uses it. Files with types never do. */
function listTextsAboutEsc(files: readonly CurrentFile[]): readonly string[] {
  const documents = files.filter(({ path }) => path.endsWith(".md") || EXAMPLE_FILES.includes(basename(path)));
  return documents.map(({ currentText }) => currentText).filter(hasText);
}

/** Returns the function that reads the workflows of the repository, at most once, and only if they are needed. */
function createWorkflowReader(folder: string): ReadWorkflows {
  let workflows: Promise<readonly WorkflowFile[]> | undefined;
  return () => (workflows ??= readWorkflowFiles(findProjectRoot(folder)));
}

/**
 * Writes all files. @throws SophiaError (125) before the first one, if a file is a link out of the project or belongs to
 * the user
 */
function writeAll(drafts: readonly DocumentDraft[], isForced: boolean, context: Context): void {
  refuseLinks(drafts);
  if (!isForced) refuseForeign(drafts);
  for (const draft of drafts) {
    writeTextFile(draft, draft.newText);
    context.out(`wrote ${draft.name}\n`);
  }
}

/** Warns that the files describe the built-in contract, although the user probably wants one for this project. */
function warnOfBuiltInContract(context: Context): void {
  printLines(context, [
    "no contract here, so this is the Sophia platform's built-in one",
    // The files must go first: otherwise `init` would take the variables of the built-in contract from them.
    "to start your own, delete these files and run sophia-run init",
  ]);
}

/** Prints which files are out of date, for `--check`. */
function reportStale(drafts: readonly DocumentDraft[], context: Context): void {
  if (drafts.length === 0) return;
  const names = drafts.map(({ name, currentText }) => (currentText === undefined ? `${name} (missing)` : name));
  printLines(context, [`out of date: ${enumerate(names)}`, "update: sophia-run docs"]);
}

/** @throws SophiaError (foreign-file, 125) if `docs` did not write one of the files */
function refuseForeign(drafts: readonly DocumentDraft[]): void {
  const foreign = drafts.filter(isForeign);
  if (foreign.length === 0) return;
  throw new SophiaError({
    code: "foreign-file",
    message: `${enumerate(foreign.map(({ name }) => name))} ${foreign.length === 1 ? "was" : "were"} not written by sophia-run docs; no file is changed`,
    hint: "use --force to replace it, or name the files to write, such as: sophia-run docs SECRETS.md",
  });
}
