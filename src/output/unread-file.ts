/** Finds `.env.local`, which other tools read by themselves, for the message of an unmet contract. Loaded only for it. */
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
const MOST_NAMES = 5;

/**
 * Returns a line for each `.env.local`, here or in the folder of the contract, that is not read and has missing variables; else
 * a line for the first, which has none.
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
  const above = source.kind === "file" && contractFile === undefined ? parentOf(source.path) : folders.project;
  const names = await namesIn(folders, above);
  const read = envFiles.flatMap(({ path, required }) => (required ? [path] : defaultsOf(path, folders, above)));
  const unread = Array.from(names).filter(([file]) => !read.includes(file));
  const lines = unread.flatMap(([file, all]) => {
    const missingNames = all.filter(isMissing);
    if (missingNames.length === 0) return [];
    // A named file replaces those that are read by default, and a comma separates two.
    const files = [...read, file].map((path) => path.replaceAll(",", "\\,")).join(",");
    const has = `${printable(file)} has ${enumerateFew(missingNames.map(printable), MOST_NAMES)}, and is not read`;
    return [`${has}: add ${unbroken(`--dotenv ${shellWord(files)}`)}`];
  });
  const [first] = unread;
  if (lines.length > 0 || first === undefined) return lines;
  return [`${printable(first[0])} has none of what is missing, and is not read`];
}

/** Returns the files that are read by default and exist, in the order of precedence. */
function defaultsOf(name: string, { cwd, project }: Folders, above: string): readonly string[] {
  const path = within(project, name);
  const own = isThere(path) ? [project === cwd ? name : path] : [];
  const upper = within(above, name);
  return above !== project && isThere(upper) ? [upper, ...own] : own;
}

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

/** Returns the names with a value, by file. A file that cannot be read, or that other users may write, has none. */
async function namesIn(folders: Folders, above: string): Promise<ReadonlyMap<string, readonly string[]>> {
  try {
    const { layers, files } = await readDotenv([{ path: NAME, required: false }], folders, [
      ...(above === folders.project ? [] : [above]),
      folders.project,
    ]);
    const set = layers.flatMap(({ variables }) => variables.filter(({ value }) => value !== ""));
    const read = files.filter(({ variables }) => variables !== undefined);
    return new Map(
      read
        .toReversed()
        .map(({ path }) => [
          path,
          set.flatMap(({ name, origin }) => ("file" in origin && origin.file === path ? [name] : [])),
        ]),
    );
  } catch (error) {
    if (!(error instanceof SophiaError)) throw error;
    return new Map();
  }
}
