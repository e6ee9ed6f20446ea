/** Values in files of their own: `NAME_FILE`, and folders of secrets. */
import { isDeclared } from "../contract/check-contract.ts";
import type { Contract } from "../contract/contract-model.ts";
import type { Environment, Layer, Notice, Variable } from "../core/model.ts";
import { namesFromFiles } from "../esc/settings/from-files.ts";
import { WITHHELD_VARIABLES } from "../esc/settings/own-variables.ts";
import type { DotenvReading } from "../sources/dotenv/index.ts";
import type { SecretsFolder } from "../sources/secrets-folder.ts";
import { isPresent } from "../system/addon/addon.ts";
import type { Start } from "./start.ts";

/** systemd names the folder of a unit's credentials by it. */
const CREDENTIALS_FOLDER = "CREDENTIALS_DIRECTORY";
/** Docker mounts secrets there. */
const SYSTEM_FOLDER = "/run/secrets";
const END = "_FILE";
const OPTION = "--secrets-dir or SOPHIA_SECRETS_DIR";
/** As in `PATH`. */
const LIST_SEPARATOR = process.platform === "win32" ? ";" : ":";

/** Adds the values of files to those of `.env` files. @throws SophiaError (value-file, 125) */
export async function addValueFiles(
  reading: DotenvReading,
  contract: Contract,
  { environment, settings, places: { cwd } }: Pick<Start, "environment" | "settings" | "places">,
): Promise<DotenvReading> {
  const fromFiles = namesFromFiles(environment);
  const used = pointersIn(environment, contract, fromFiles);
  const credentials = fromFiles.has(CREDENTIALS_FOLDER) ? undefined : environment.get(CREDENTIALS_FOLDER);
  const folders = await foldersOf(settings.secretsDirs, credentials ?? "");
  if (used.length === 0 && folders.length === 0) return reading;
  const pointed = await readPointed(used, contract, environment, cwd);
  const layers: Layer[] = [];
  const notices: Notice[] = [];
  const names = [...contract.variables.keys(), ...contract.aliases.keys()];
  for (const folder of folders) {
    const { readSecretsFolder } = await import("../sources/secrets-folder.ts");
    const read = await readSecretsFolder(folder, names, cwd);
    if (read.layer.variables.length > 0) layers.push(read.layer);
    notices.push(...read.notices);
  }
  return {
    ...reading,
    layers: [
      ...(pointed.length === 0 ? [] : [{ source: "environment" as const, variables: pointed }]),
      ...layers,
      ...reading.layers,
    ],
    notices: [...reading.notices, ...notices],
    pointers: used,
  };
}

/** Returns the variables `NAME_FILE` that name the file with the value of a declared variable, also of one outside of the scope. */
function pointersIn(
  environment: Environment,
  contract: Contract,
  fromFiles: ReturnType<typeof namesFromFiles>,
): readonly string[] {
  const isKnown = (name: string): boolean => isDeclared(contract, name) || contract.scope?.outside.has(name) === true;
  const pointers: string[] = [];
  environment.forEach((value, name) => {
    if (!name.endsWith(END) || value === "") return;
    // Settings of sophia-run also name files, and a file does not decide what is read.
    const isOfOthers = WITHHELD_VARIABLES.includes(name) || fromFiles.has(name);
    if (isKnown(name.slice(0, -END.length)) && !isKnown(name) && !isOfOthers) pointers.push(name);
  });
  return pointers;
}

/** Reads the files that `NAME_FILE` names. The environment has the value of one variable in one way. */
async function readPointed(
  pointers: readonly string[],
  contract: Contract,
  environment: Environment,
  cwd: string,
): Promise<readonly Variable[]> {
  const named = pointers.map((pointer) => ({ pointer, name: pointer.slice(0, -END.length) }));
  const both = named.find(({ name }) => (environment.get(name) ?? "") !== "");
  if (both !== undefined) {
    const { valueFileError } = await import("../sources/value-file.ts");
    throw valueFileError(`the environment has both ${both.name} and ${both.pointer}`, "unset one of them");
  }
  const variables: Variable[] = [];
  for (const { pointer, name } of named) {
    // Outside of the scope it is not needed, and may not be readable.
    if (!isDeclared(contract, name)) continue;
    const file = environment.get(pointer) ?? "";
    const { readValueFile } = await import("../sources/value-file.ts");
    const value = await readValueFile(file, cwd, pointer, false);
    const origin = { source: "environment", read: { by: pointer, file } } as const;
    variables.push({ name, value, secret: true, origin, delivery: "value" });
  }
  return variables;
}

/** Returns the folders, highest precedence first: later named ones win, and each over those of the system. */
async function foldersOf(lists: readonly string[], credentials: string): Promise<readonly SecretsFolder[]> {
  const named = lists.flatMap((list) => list.split(LIST_SEPARATOR)).filter((path) => path !== "");
  if (named.length === 0 && lists.length > 0) {
    const { valueFileError } = await import("../sources/value-file.ts");
    throw valueFileError(`${OPTION} names no folder`, "name one, or leave it out");
  }
  const folders: SecretsFolder[] = named.toReversed().map((path) => ({ path, namedBy: OPTION, required: true }));
  if (credentials !== "" && !named.includes(credentials)) {
    folders.push({ path: credentials, namedBy: CREDENTIALS_FOLDER, required: false });
  }
  if (process.platform !== "win32" && !named.includes(SYSTEM_FOLDER) && isPresent(SYSTEM_FOLDER)) {
    folders.push({ path: SYSTEM_FOLDER, namedBy: undefined, required: false });
  }
  return folders;
}
