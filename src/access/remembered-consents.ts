/**
 * Reads and writes the consents of the user: those of `SOPHIA_ALLOW_ENVIRONMENT`, and those that a file in the user's
 * configuration folder remembers:
 *
 *     allowed.json     { "version": 2, "allowed": [{ "file": "/srv/shop/sophia.contract.json", "environment": "acme/shop/dev" }] }
 */
import { isObject, parseObject } from "../core/json-object.ts";
import type { Environment } from "../core/model.ts";
import { printable } from "../core/text.ts";
import { holdsToken } from "../esc/settings/secret.ts";
import { invalidSetting, VariableLookup } from "../esc/settings/variables.ts";
import { configFolder } from "../system/folders.ts";
import { within } from "../system/paths.ts";
import { changeUserFile, readUserFile, writeUserFile } from "../system/user-file.ts";

/** The consent that a file may name an environment, which sophia-run then opens with the user's credential. */
export interface Consent {
  /** The real path of the file's folder, and the name of the file. If the file is a link, this is not its target. */
  readonly file: string;
  /**
   * The name in the form `organization/project/environment`, with `@` and the revision or tag if the file names one. If only
   * the service knows the organization, it is the name as the file writes it.
   */
  readonly environment: string;
}

export const ALLOW_VARIABLE = "SOPHIA_ALLOW_ENVIRONMENT";
const FILE_NAME = "allowed.json";
/** The version of the file. In version 1 a consent was for the target of a link, and for every revision of the environment. */
const FORMAT_VERSION = 2;
/** The remedy for a malformed list in the environment. */
const LIST_REMEDY =
  "write organization/project/environment, with @ and the revision if the file names one; * stands for any part: " +
  "acme/sophia/dev,acme/other/*";
/** The limit on the size of the file. */
const MAX_FILE_BYTES = 1_048_576;
/** Matches one pattern of the list: `acme/shop/dev`, `acme/shop/*` or `acme/shop/dev@12`. */
const PATTERN = /^(?:\*|[\w.-]+)(?:\/(?:\*|[\w.-]+)){2}(?:@(?:\*|[\w.-]+))?$/;

/**
 * Returns true if the caller's environment allows all of these environments, for any file that names them.
 *
 * @throws SophiaError (esc-settings, 125) for a malformed list
 */
export function isAllowedByVariable(
  environment: Environment,
  needed: readonly Pick<Consent, "environment">[],
): boolean {
  // The variable is ignored if a file sets it, also a file that an outer sophia-run has read.
  const setting = new VariableLookup(environment, []).findInProcess(ALLOW_VARIABLE);
  if (setting === undefined) return false;
  if (holdsToken(setting.value)) {
    throw invalidSetting(`${ALLOW_VARIABLE} contains an access token instead of names of environments`, LIST_REMEDY);
  }
  const patterns = setting.value
    .split(",")
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== "");
  const malformed = patterns.find((pattern) => !PATTERN.test(pattern));
  if (malformed?.includes("*") === true) {
    throw invalidSetting(
      `${ALLOW_VARIABLE}: in '${printable(malformed.slice(0, 100))}' a * does not stand for a whole part, or parts are missing`,
      LIST_REMEDY,
    );
  }
  if (malformed !== undefined) {
    throw invalidSetting(
      `${ALLOW_VARIABLE}: '${printable(malformed.slice(0, 100))}' is not the name of an environment`,
      LIST_REMEDY,
    );
  }
  return needed.every((consent) => patterns.some((pattern) => allowsEnvironment(pattern, consent.environment)));
}

/**
 * Returns true if the pattern allows the environment. A revision or tag must be allowed explicitly, because an old revision
 * may have other values. If only the service knows the organization of a name, the pattern must allow any organization.
 */
function allowsEnvironment(pattern: string, name: string): boolean {
  const [allowedPath = "", allowedRevision] = pattern.split("@");
  const [path = "", revision] = name.split("@");
  const isRevisionAllowed = allowedRevision === revision || (allowedRevision === "*" && revision !== undefined);
  const parts = splitFullPath(path);
  return isRevisionAllowed && allowedPath.split("/").every((part, index) => part === "*" || part === parts[index]);
}

/** Returns organization, project and environment of a name. The organization is undefined if the name has none. */
function splitFullPath(path: string): readonly (string | undefined)[] {
  const parts = path.split("/");
  if (parts.length === 3) return parts;
  return [undefined, ...(parts.length === 2 ? parts : ["default", ...parts])];
}

/** The content of the file. */
export interface RememberedConsents {
  readonly consents: readonly Consent[];
  /** The reason why the file is not used, for messages. Then there are no consents. */
  readonly problem?: string;
}

/** Reads the remembered consents. A file that another user could have written is a problem, and is not used. */
export function readConsents(environment: Environment): RememberedConsents {
  const path = consentsFilePath(environment);
  if (path === undefined) return { consents: [] };
  const read = readUserFile(path, MAX_FILE_BYTES);
  if ("problem" in read) return { consents: [], problem: read.problem };
  if (read.text === undefined) return { consents: [] };
  const consents = parseConsents(read.text);
  if (consents !== undefined) return { consents };
  return { consents: [], problem: `${printable(path)} has the wrong form; correct it, or remove it` };
}

/** Returns true if two consents are for the same file and the same environment. */
export function isSameConsent(consent: Consent, otherConsent: Partial<Consent>): boolean {
  return consent.file === otherConsent.file && consent.environment === otherConsent.environment;
}

/** Adds consents to a list, in which each is then only once. */
export function mergeConsents(consents: readonly Consent[], added: readonly Consent[]): readonly Consent[] {
  const otherConsents = consents.filter(
    (consent) => !added.some((addedConsent) => isSameConsent(consent, addedConsent)),
  );
  return [...otherConsents, ...added];
}

/**
 * Replaces the consents in the file by those that `change` returns. Several processes that do this at the same time wait
 * for each other.
 *
 * @param change is called with the present consents
 * @returns why the file could not be written; undefined if it was
 */
export async function replaceConsents(
  environment: Environment,
  change: (consents: readonly Consent[]) => readonly Consent[],
): Promise<string | undefined> {
  const path = consentsFilePath(environment);
  if (path === undefined) return "there is no folder for it: neither XDG_CONFIG_HOME nor HOME is an absolute path";
  return changeUserFile(path, () => {
    const { consents, problem } = readConsents(environment);
    if (problem !== undefined) return problem;
    const allowed = change(consents);
    return writeUserFile(path, `${JSON.stringify({ version: FORMAT_VERSION, allowed }, undefined, 2)}\n`);
  });
}

/** Returns the path of the file; undefined if there is no configuration folder. */
function consentsFilePath(environment: Environment): string | undefined {
  const folder = configFolder(environment);
  return folder === undefined ? undefined : within(folder, FILE_NAME);
}

/** Parses the content of the file. @returns undefined if it has the wrong form */
function parseConsents(text: string): readonly Consent[] | undefined {
  const document = parseObject(text);
  // Consents of version 1 allowed more, and are not used: the user is asked again.
  if (document?.["version"] === 1) return [];
  if (document?.["version"] !== FORMAT_VERSION || !Array.isArray(document["allowed"])) return undefined;
  const entries: readonly unknown[] = document["allowed"];
  const consents = entries.flatMap((entry): readonly Consent[] => {
    const [file, environment] = isObject(entry) ? [entry["file"], entry["environment"]] : [];
    return typeof file === "string" && typeof environment === "string" ? [{ file, environment }] : [];
  });
  return consents.length === entries.length ? consents : undefined;
}
