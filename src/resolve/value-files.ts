/**
 * Reads values that are the whole content of a file. A user of Docker, Kubernetes or systemd has them in two forms:
 *
 * - `DATABASE_URL_FILE=/run/secrets/db` names the file with the value of the declared variable `DATABASE_URL`.
 * - In a folder of secrets, the file `DATABASE_URL` has the value of that variable.
 */
import { isDeclared } from "../contract/check-contract.ts";
import type { Contract } from "../contract/contract-model.ts";
import type { Environment, Layer, Notice, Variable } from "../core/model.ts";
import { namesFromFiles } from "../esc/settings/from-files.ts";
import { WITHHELD_VARIABLES } from "../esc/settings/own-variables.ts";
import type { DotenvReading } from "../sources/dotenv/index.ts";
import type { SecretsFolder } from "../sources/secrets-folder.ts";
import { isPresent } from "../system/addon/addon.ts";
import type { Start } from "./start.ts";

/** The variable in which systemd passes the folder of a unit's credentials. */
const CREDENTIALS_FOLDER = "CREDENTIALS_DIRECTORY";
/** The folder in which Docker mounts secrets. */
const DOCKER_FOLDER = "/run/secrets";
/** The end of the name of a pointer: a variable `NAME_FILE` with the path of the file that has the value of `NAME`. */
const POINTER_SUFFIX = "_FILE";
const FOLDER_OPTIONS = "--secrets-dir or SOPHIA_SECRETS_DIR";
/** The separator between folders in a list, as in `PATH`. */
const LIST_SEPARATOR = process.platform === "win32" ? ";" : ":";

/**
 * Adds the values of `NAME_FILE` and of folders of secrets to those of `.env` files.
 *
 * @throws SophiaError (value-file, 125) if a file cannot be read, or if the environment has both `NAME` and `NAME_FILE`
 */
export async function addValueFiles(
  reading: DotenvReading,
  contract: Contract,
  { environment, settings, places: { cwd } }: Pick<Start, "environment" | "settings" | "places">,
): Promise<DotenvReading> {
  const fromFiles = namesFromFiles(environment);
  const pointers = findPointers(environment, contract, fromFiles);
  const credentialsFolder = fromFiles.has(CREDENTIALS_FOLDER) ? undefined : environment.get(CREDENTIALS_FOLDER);
  const folders = await listSecretsFolders(settings.secretsDirs, credentialsFolder ?? "");
  if (pointers.length === 0 && folders.length === 0) return reading;
  const pointedVariables = await readPointedFiles(pointers, contract, environment, cwd);
  const pointedLayers: readonly Layer[] =
    pointedVariables.length === 0 ? [] : [{ source: "environment", variables: pointedVariables }];
  const inFolders = await readSecretsFolders(folders, contract, cwd);
  return {
    ...reading,
    layers: [...pointedLayers, ...inFolders.layers, ...reading.layers],
    notices: [...reading.notices, ...inFolders.notices],
    pointers,
  };
}

/** Reads the declared variables, and their aliases, in folders of secrets. @throws SophiaError (value-file, 125) */
async function readSecretsFolders(
  folders: readonly SecretsFolder[],
  { variables, aliases }: Contract,
  cwd: string,
): Promise<Pick<DotenvReading, "layers" | "notices">> {
  const names = [...variables.keys(), ...aliases.keys()];
  const layers: Layer[] = [];
  const notices: Notice[] = [];
  for (const folder of folders) {
    const { readSecretsFolder } = await import("../sources/secrets-folder.ts");
    const folderReading = await readSecretsFolder(folder, names, cwd);
    if (folderReading.layer.variables.length > 0) layers.push(folderReading.layer);
    notices.push(...folderReading.notices);
  }
  return { layers, notices };
}

/**
 * Returns the pointers: variables `NAME_FILE` whose `NAME` is declared while `NAME_FILE` itself is not. If `NAME` is declared but does not
 * belong to the scope, `NAME_FILE` is returned as well, because the program must not get it.
 *
 * @param fromFiles the variables that an outer sophia-run took from files
 */
function findPointers(
  environment: Environment,
  contract: Contract,
  fromFiles: ReturnType<typeof namesFromFiles>,
): readonly string[] {
  const isKnown = (name: string): boolean => isDeclared(contract, name) || contract.scope?.outside.has(name) === true;
  const pointers: string[] = [];
  environment.forEach((value, name) => {
    if (!name.endsWith(POINTER_SUFFIX) || value === "") return;
    // `ESC_TOKEN_FILE` is a setting of sophia-run. A pointer from a file is ignored, because files must not decide what is read.
    if (WITHHELD_VARIABLES.includes(name) || fromFiles.has(name)) return;
    if (isKnown(pointedName(name)) && !isKnown(name)) pointers.push(name);
  });
  return pointers;
}

/** Returns `NAME` for `NAME_FILE`. */
function pointedName(pointer: string): string {
  return pointer.slice(0, -POINTER_SUFFIX.length);
}

/** Reads the files that pointers name. @throws SophiaError (value-file, 125) if the environment has both `NAME` and `NAME_FILE` */
async function readPointedFiles(
  pointers: readonly string[],
  contract: Contract,
  environment: Environment,
  cwd: string,
): Promise<readonly Variable[]> {
  const conflicting = pointers.find((pointer) => (environment.get(pointedName(pointer)) ?? "") !== "");
  if (conflicting !== undefined) {
    const { valueFileError } = await import("../sources/value-file.ts");
    const message = `the environment has both ${pointedName(conflicting)} and ${conflicting}`;
    throw valueFileError(message, "unset one of them");
  }
  const variables: Variable[] = [];
  for (const pointer of pointers) {
    const name = pointedName(pointer);
    // A variable outside of the scope is not needed, and its file may not be readable.
    if (!isDeclared(contract, name)) continue;
    const file = environment.get(pointer) ?? "";
    const { readValueFile } = await import("../sources/value-file.ts");
    const value = await readValueFile(file, { cwd, namedBy: pointer, isInFolder: false });
    const origin = { source: "environment", read: { by: pointer, file } } as const;
    variables.push({ name, value, secret: true, origin, delivery: "value" });
  }
  return variables;
}

/**
 * Returns the folders of secrets, the highest precedence first: those that the user named, of which later ones win; then those of
 * systemd and Docker.
 */
async function listSecretsFolders(
  lists: readonly string[],
  credentialsFolder: string,
): Promise<readonly SecretsFolder[]> {
  const userNamed = lists.flatMap((list) => list.split(LIST_SEPARATOR)).filter((path) => path !== "");
  if (userNamed.length === 0 && lists.length > 0) {
    const { valueFileError } = await import("../sources/value-file.ts");
    throw valueFileError(`${FOLDER_OPTIONS} names no folder`, "name one, or leave it out");
  }
  const folders: SecretsFolder[] = userNamed
    .toReversed()
    .map((path) => ({ path, namedBy: FOLDER_OPTIONS, required: true }));
  if (credentialsFolder !== "" && !userNamed.includes(credentialsFolder)) {
    folders.push({ path: credentialsFolder, namedBy: CREDENTIALS_FOLDER, required: false });
  }
  if (process.platform !== "win32" && !userNamed.includes(DOCKER_FOLDER) && isPresent(DOCKER_FOLDER)) {
    folders.push({ path: DOCKER_FOLDER, namedBy: undefined, required: false });
  }
  return folders;
}
