/**
 * Finds missing variables in `.env.local`, which other tools read by themselves and sophia-run does not, for the message of an unmet
 * contract. Loaded only for that message.
 */
import type { Settings } from "../command-line/settings.ts";
import type { Violation } from "../contract/contract-model.ts";
import type { Folders } from "../core/context.ts";
import { SophiaError } from "../core/error.ts";
import { enumerateFew, unbroken } from "../core/lines.ts";
import { shellWord } from "../core/shell.ts";
import { printable } from "../core/text.ts";
import type { Start } from "../resolve/start.ts";
import { readDotenv } from "../sources/dotenv/index.ts";
import { isThere, parentOf, within } from "../system/paths.ts";

const NAME = ".env.local";
const MAX_NAMES = 5;

/**
 * Returns a line for each `.env.local` that has missing variables and is not read. The file is looked for in the project's folder and
 * in the contract's. If no such file has a missing variable, there is a line for the first file.
 */
export async function unreadFileLines(
  { files: { contract }, store: { esc }, verdict: { violations } }: Pick<Start, "files" | "store" | "verdict">,
  { contractFile, envFiles }: Pick<Settings, "contractFile" | "envFiles">,
  folders: Folders,
): Promise<readonly string[]> {
  const missing = new Set(violations.flatMap(missingIn));
  // Files have no effect while ESC refuses access.
  if (missing.size === 0 || esc.kind === "refused") return [];
  const isMissing = (name: string): boolean => missing.has(contract.aliases.get(name) ?? name);
  const { source } = contract;
  const contractFolder = source.kind === "file" && contractFile === undefined ? parentOf(source.path) : folders.project;
  const namesByFile = await readNames(folders, contractFolder);
  const readFiles = envFiles.flatMap(({ path, required }) =>
    required ? [path] : findDefaultFiles(path, folders, contractFolder),
  );
  const unreadFiles = Array.from(namesByFile).filter(([file]) => !readFiles.includes(file));
  const lines = unreadFiles.flatMap(([file, names]) => {
    const missingNames = names.filter(isMissing);
    if (missingNames.length === 0) return [];
    // Files of --dotenv replace those that are read by default, which must be named, too. A comma separates them.
    const files = [...readFiles, file].map((path) => path.replaceAll(",", "\\,")).join(",");
    const finding = `${printable(file)} has ${enumerateFew(missingNames.map(printable), MAX_NAMES)}, and is not read`;
    return [`${finding}: add ${unbroken(`--dotenv ${shellWord(files)}`)}`];
  });
  const [firstFile] = unreadFiles.map(([file]) => file);
  if (lines.length > 0 || firstFile === undefined) return lines;
  return [`${printable(firstFile)} has none of what is missing, and is not read`];
}

/** Returns the files that are read by default and exist, in the order of precedence. */
function findDefaultFiles(name: string, { cwd, project }: Folders, contractFolder: string): readonly string[] {
  const projectFile = within(project, name);
  const projectFiles = isThere(projectFile) ? [project === cwd ? name : projectFile] : [];
  const contractFile = within(contractFolder, name);
  return contractFolder !== project && isThere(contractFile) ? [contractFile, ...projectFiles] : projectFiles;
}

/** Returns the variables that are missing according to a violation. */
function missingIn(violation: Violation): readonly string[] {
  switch (violation.kind) {
    case "missing":
    case "missing-when":
      return [violation.name];
    case "none-set":
      return violation.rule.names;
    case "some-missing":
      return violation.missing;
    case "no-contract":
    case "several-set":
    case "malformed":
    case "placeholder":
    case "reference":
    case "refused":
      return [];
  }
}

/** Returns the variables with a value in each `.env.local`. A file that cannot be read, or that other users may write, is left out. */
async function readNames(folders: Folders, contractFolder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  try {
    const { layers, files } = await readDotenv([{ path: NAME, required: false }], folders, [
      ...(contractFolder === folders.project ? [] : [contractFolder]),
      folders.project,
    ]);
    const setVariables = layers.flatMap(({ variables }) => variables.filter(({ value }) => value !== ""));
    const readFiles = files.filter(({ variables }) => variables !== undefined);
    const namesIn = (path: string): readonly string[] =>
      setVariables.flatMap(({ name, origin }) => ("file" in origin && origin.file === path ? [name] : []));
    // The file of the highest precedence comes first.
    return new Map(readFiles.toReversed().map(({ path }) => [path, namesIn(path)]));
  } catch (error) {
    if (!(error instanceof SophiaError)) throw error;
    return new Map();
  }
}
