import { existsSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import type { Context } from "../../core/context.ts";
import { contractUsesEsc, machineUsesEsc, namesEsc } from "../parts/esc-use.ts";
import { withAddresses } from "./broker-addresses.ts";
import { envExample, EXAMPLE_FILES, mergedExample } from "./env-example.ts";
import { envTypes } from "./env-types.ts";
import { isOurs, markOf, partOf, withPart } from "./mark.ts";
import { pythonSettings, styleOf, type PythonStyle } from "./python-settings.ts";
import { contractBlocks, OF_GITHUB, secretsDocument, type ProjectFacts } from "./secrets-document.ts";
import { shownPath } from "../../contract/file/contract-text.ts";
import { loadContract } from "../../contract/find-contract.ts";
import type { Contract } from "../../contract/contract-model.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { printReport } from "../../output/colour.ts";
import { printLines } from "../../output/stderr.ts";
import { resolveSettings } from "../../command-line/settings.ts";
import { enumerate, printable } from "../../core/text.ts";
import type { Command } from "../command.ts";
import {
  readIfThere,
  readIn,
  refuseLinks,
  writeText,
  type TargetFile,
  type WorkflowFile,
  workflowsIn,
} from "../parts/project-files.ts";
import { projectRoot } from "../parts/project-root.ts";

const SETTINGS = "settings.py";

const TYPES = ["typescript", "python", "pydantic"] as const;
type Types = (typeof TYPES)[number];

const REQUIREMENTS = ["pyproject.toml", "requirements.txt", "setup.cfg", "Pipfile"];

const RUNS_CHECK = /\bsophia-run check\b|\buses:\s*sophia-platform\/sophia-run@/;

async function defaultFiles(folder: string, types: Types | undefined): Promise<readonly string[]> {
  const hasPython = isOurs((await readIn(folder, SETTINGS)) ?? "");
  return [
    "SECRETS.md",
    ".env.example",
    ...(types === "typescript" || (await hasTypeScript(folder)) ? ["env.d.ts"] : []),
    ...(hasPython || types === "python" || types === "pydantic" ? [SETTINGS] : []),
  ];
}

async function hasTypeScript(folder: string): Promise<boolean> {
  if (["tsconfig.json", "env.d.ts"].some((name) => existsSync(join(folder, name)))) return true;
  // Not parsed, since the manifest may be malformed.
  return /"typescript"\s*:\s*"/.test((await readIn(folder, "package.json")) ?? "");
}

/** Returns the style that `--types` names, else that of the existing file, else one that fits the dependencies. */
async function pythonStyle(
  current: string,
  types: Types | undefined,
  folders: readonly string[],
): Promise<PythonStyle> {
  if (types === "pydantic") return types;
  if (types === undefined && isOurs(current)) return styleOf(current);
  const texts = await Promise.all(folders.flatMap((folder) => REQUIREMENTS.map((name) => readIn(folder, name))));
  return texts.some((text) => /\bpydantic[-_.]settings\b/i.test(text ?? "")) ? "pydantic" : "dataclass";
}

async function projectFacts({ folder, workflows, hasEsc }: Request): Promise<ProjectFacts> {
  const checking = (await workflows()).filter(({ text }) => RUNS_CHECK.test(text));
  const isOnGitHub = existsSync(join(projectRoot(folder), ".github"));
  return { isOnGitHub, workflows: checking.map(({ name }) => name), usesEsc: hasEsc };
}

/**
 * Decides if the documents are about ESC, too. After the contract it is what the documents say already, so that `--check` finds
 * the same on each machine, and after another file was added; for new ones workflows and this machine decide.
 */
async function areAboutEsc(
  contract: Contract,
  workflows: () => Promise<readonly WorkflowFile[]>,
  existing: readonly string[],
  isOnMachine: () => Promise<boolean>,
): Promise<boolean> {
  if (contractUsesEsc(contract)) return true;
  if (existing.length > 0) return existing.some(namesEsc);
  return (await workflows()).some(({ text }) => namesEsc(text)) || isOnMachine();
}

/** Returns the facts that a written document has: it stays up to date if a workflow is added. */
function factsIn(document: string): Omit<ProjectFacts, "usesEsc"> {
  const workflows = Array.from(document.matchAll(/^- `gh run list --workflow ([^`]+)`/gm), ([, name = ""]) => name);
  return { isOnGitHub: document.includes(`\n${OF_GITHUB}\n`), workflows };
}

interface CurrentFile extends TargetFile {
  readonly current: string | undefined;
}

interface Draft extends CurrentFile {
  readonly wanted: string;
  /** The wanted text contains the text of the user. */
  readonly isMerged: boolean;
}

/** Writes either all files or none. */
export const docs: Command = async ({ options, positionals }, context) => {
  const settings = resolveSettings(options, context.environment);
  const contract = withAddresses(await loadContract(settings, context));
  const types = TYPES.find((one) => one === options["types"]);
  const folder = contract.source.kind === "file" ? dirname(contract.source.path) : context.project;
  const isNamed = positionals.length > 0;
  const root = projectRoot(isNamed ? context.cwd : context.project);
  const paths = isNamed
    ? positionals.map((name) => resolve(context.cwd, name))
    : (await defaultFiles(folder, types)).map((name) => join(folder, name));
  const isForced = options["force"] === true;
  const files = await Promise.all([...new Set(paths)].map((path) => currentFile(path, root, context)));
  const documents = files.filter(({ path }) => path.endsWith(".md") || EXAMPLE_FILES.includes(basename(path)));
  const existing = isForced ? [] : documents.map(({ current }) => current).filter(isWritten);
  let read: Promise<readonly WorkflowFile[]> | undefined;
  const workflows = (): Promise<readonly WorkflowFile[]> => (read ??= workflowsIn(projectRoot(folder)));
  const hasEsc = await areAboutEsc(contract, workflows, existing, () => machineUsesEsc(settings, context));
  const isCheck = options["check"] === true;
  const request: Request = { contract, types, folder, workflows, isForced, isCheck, hasEsc };
  const drafts = await Promise.all(files.map((file) => draft(file, request)));
  // A foreign file is a failure only if the user named files.
  const left = isNamed || types !== undefined || isForced ? [] : drafts.filter(isForeign);
  const written = drafts.filter((document) => !left.includes(document));
  const stale = written.filter(({ current, wanted }) => current !== wanted);
  for (const { name } of left) {
    printReport(context, [`${name} is not changed (not written by sophia-run docs); --force replaces it`]);
  }
  if (isCheck) reportStale(stale, context);
  else {
    writeAll(stale, isForced, context);
    // `init` would restore the built-in contract from them.
    if (contract.source.kind === "built-in" && stale.some(({ current }) => current === undefined)) {
      const first = "no contract here, so this is the Sophia platform's built-in one";
      printLines(context, [first, "to start your own, delete these files and run sophia-run init"]);
    }
  }
  if (stale.length === 0) printReport(context, `${enumerate(written.map(({ name }) => name))}: up to date\n`);
  return isCheck && stale.length > 0 ? ExitStatus.unmet : ExitStatus.ok;
};

function writeAll(stale: readonly Draft[], isForced: boolean, context: Context): void {
  refuseLinks(stale);
  if (!isForced) refuseForeign(stale);
  for (const document of stale) {
    writeText(document, document.wanted);
    context.out(`wrote ${document.name}\n`);
  }
}

function reportStale(stale: readonly Draft[], context: Context): void {
  if (stale.length === 0) return;
  const names = stale.map(({ name, current }) => (current === undefined ? `${name} (missing)` : name));
  printLines(context, [`out of date: ${enumerate(names)}`, "update: sophia-run docs"]);
}

interface Request {
  readonly contract: Contract;
  readonly types: Types | undefined;
  readonly folder: string;
  /** Reads the workflows of the repository, at most once. */
  readonly workflows: () => Promise<readonly WorkflowFile[]>;
  readonly isForced: boolean;
  /** The project uses Pulumi ESC. */
  readonly hasEsc: boolean;
  readonly isCheck: boolean;
}

/** @param root the folder that no symbolic link below it may leave */
async function currentFile(path: string, root: string, context: Context): Promise<CurrentFile> {
  const name = printable(shownPath(path, context.cwd));
  return { path, name, root, current: await readIfThere({ path, name }) };
}

async function draft(file: CurrentFile, request: Request): Promise<Draft> {
  const { path, current } = file;
  const isMerged =
    !request.isForced && EXAMPLE_FILES.includes(basename(path)) && isWritten(current) && !isOurs(current);
  const wanted = isMerged ? mergedExample(current, request.contract) : await textFor(path, request, current ?? "");
  return { ...file, wanted, isMerged };
}

async function textFor(path: string, request: Request, current: string): Promise<string> {
  const { contract, types, folder, hasEsc, isCheck } = request;
  const name = basename(path);
  const { source } = contract;
  const mark = markOf(
    source.kind === "file" ? { kind: "file", path: relative(dirname(path), source.path) } : { kind: "built-in" },
  );
  if (name.endsWith(".md")) {
    const part = partOf(current);
    const factsOf = async (): Promise<ProjectFacts> =>
      isCheck && isOurs(current) ? { ...factsIn(current), usesEsc: hasEsc } : projectFacts(request);
    const blocks = part === "document" ? secretsDocument(contract, await factsOf()) : contractBlocks(contract);
    return withPart(current, part, mark, blocks);
  }
  if (name.endsWith(".py")) {
    return pythonSettings(contract, mark, await pythonStyle(current, types, [dirname(path), folder]));
  }
  return name.endsWith(".d.ts") ? envTypes(contract, mark) : envExample(contract, mark, hasEsc);
}

function isWritten(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== "";
}

/** Returns true for a file of the user that would be replaced as a whole. */
function isForeign({ path, current, isMerged }: Draft): boolean {
  return !isMerged && !path.endsWith(".md") && isWritten(current) && !isOurs(current);
}

function refuseForeign(stale: readonly Draft[]): void {
  const foreign = stale.filter(isForeign);
  if (foreign.length === 0) return;
  throw new SophiaError({
    code: "foreign-file",
    message: `${enumerate(foreign.map(({ name }) => name))} ${foreign.length === 1 ? "was" : "were"} not written by sophia-run docs; no file is changed`,
    hint: "use --force to replace it, or name the files to write, such as: sophia-run docs SECRETS.md",
  });
}
