/**
 * Finds the variables that a contract misses in `.env.local`. Other tools read this file by themselves, sophia-run does not, so the
 * message of an unmet contract points to it. The file is loaded only for that message.
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
import { entryExists, parentOf, within } from "../system/paths.ts";

const UNREAD_FILE = ".env.local";
/** The limit on the variables that one line names. */
const MAX_NAMES = 5;

/**
 * Returns a line for each `.env.local` that sets missing variables and is not read. sophia-run looks for the file in the project's
 * folder and in the contract's. If none of the files sets a missing variable, there is one line, which says so of the first file.
 */
export async function describeUnreadFiles(
  { files: { contract }, store: { esc }, verdict: { violations } }: Pick<Start, "files" | "store" | "verdict">,
  { contractFile, envFiles }: Pick<Settings, "contractFile" | "envFiles">,
  folders: Folders,
): Promise<readonly string[]> {
  const missing = new Set(violations.flatMap(listMissingNames));
  // Files have no effect while ESC refuses access.
  if (missing.size === 0 || esc.kind === "refused") return [];
  const isMissing = (name: string): boolean => missing.has(contract.aliases.get(name) ?? name);
  const { source } = contract;
  const contractFolder = source.kind === "file" && contractFile === undefined ? parentOf(source.path) : folders.project;
  const namesByFile = await readVariableNames(folders, contractFolder);
  const readFiles = envFiles.flatMap(({ path, required }) =>
    required ? [path] : findDefaultFiles(path, folders, contractFolder),
  );
  const unreadFiles = Array.from(namesByFile).filter(([file]) => !readFiles.includes(file));
  const lines = unreadFiles.flatMap(([file, names]) => {
    const missingInFile = names.filter(isMissing);
    if (missingInFile.length === 0) return [];
    // Files of --dotenv replace the default files, so the command must name those as well. A comma separates the files.
    const files = [...readFiles, file].map((path) => path.replaceAll(",", "\\,")).join(",");
    const finding = `${printable(file)} has ${enumerateFew(missingInFile.map(printable), MAX_NAMES)}, and is not read`;
    return [`${finding}: add ${unbroken(`--dotenv ${shellWord(files)}`)}`];
  });
  const [firstFile] = unreadFiles.map(([file]) => file);
  if (lines.length > 0 || firstFile === undefined) return lines;
  return [`${printable(firstFile)} has none of what is missing, and is not read`];
}

/** Returns the files that are read by default and exist, in the order of precedence. */
function findDefaultFiles(name: string, { cwd, project }: Folders, contractFolder: string): readonly string[] {
  const projectFile = within(project, name);
  const projectFiles = entryExists(projectFile) ? [project === cwd ? name : projectFile] : [];
  const contractFile = within(contractFolder, name);
  return contractFolder !== project && entryExists(contractFile) ? [contractFile, ...projectFiles] : projectFiles;
}

/** Returns the variables that are missing according to a violation. */
function listMissingNames(violation: Violation): readonly string[] {
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

/**
 * Returns the names of the variables with a value in each `.env.local`, the file of the highest precedence first. A file that cannot be
 * read, or that other users may write, is left out.
 */
async function readVariableNames(
  folders: Folders,
  contractFolder: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  try {
    const { layers, files } = await readDotenv([{ path: UNREAD_FILE, required: false }], folders, [
      ...(contractFolder === folders.project ? [] : [contractFolder]),
      folders.project,
    ]);
    const setVariables = layers.flatMap(({ variables }) => variables.filter(({ value }) => value !== ""));
    const readFiles = files.filter(({ variables }) => variables !== undefined);
    const namesIn = (path: string): readonly string[] =>
      setVariables.flatMap(({ name, origin }) => ("file" in origin && origin.file === path ? [name] : []));
    return new Map(readFiles.toReversed().map(({ path }) => [path, namesIn(path)]));
  } catch (error) {
    // A malformed file is no reason to hide the message of the unmet contract.
    if (!(error instanceof SophiaError)) throw error;
    return new Map();
  }
}
