/** The consents that the user has given: those of `SOPHIA_ALLOW_ENVIRONMENT`, and those that are remembered. */
import { isObject, parseObject } from "../core/json-object.ts";
import type { Environment } from "../core/model.ts";
import { printable } from "../core/text.ts";
import { holdsToken } from "../esc/settings/secret.ts";
import { invalidSetting, VariableLookup } from "../esc/settings/variables.ts";
import { configFolder } from "../system/folders.ts";
import { within } from "../system/paths.ts";
import { changeOwnFile, readOwnFile, writeOwnFile } from "../system/own-file.ts";

/** A file may choose an environment. */
export interface Consent {
  /** The place where the file was found: the real path of its folder, and its name there. What a link leads to is no part of it. */
  readonly file: string;
  /**
   * As `organization/project/environment`, with `@` and the revision or tag if the file names one; or as the file has it, if only
   * the service knows the organization.
   */
  readonly environment: string;
}

export const ALLOW_VARIABLE = "SOPHIA_ALLOW_ENVIRONMENT";
const FILE_NAME = "allowed.json";
/** In files of version 1 a consent was for the file that a link led to, and for every revision of the environment. */
const VERSION = 2;
const FORM =
  "write organization/project/environment, with @ and the revision if the file names one; * stands for any part: " +
  "acme/sophia/dev,acme/other/*";
const MAX_BYTES = 1_048_576;
const PATTERN = /^(?:\*|[\w.-]+)(?:\/(?:\*|[\w.-]+)){2}(?:@(?:\*|[\w.-]+))?$/;

/**
 * Returns true if the caller's environment allows all, whichever file names them.
 *
 * @throws SophiaError (esc-settings, 125) for a malformed list
 */
export function isAllowedBy(environment: Environment, needed: readonly Pick<Consent, "environment">[]): boolean {
  // Never from a file, also not from one of an outer sophia-run.
  const setting = new VariableLookup(environment, []).findInProcess(ALLOW_VARIABLE);
  if (setting === undefined) return false;
  if (holdsToken(setting.value)) {
    throw invalidSetting(`${ALLOW_VARIABLE} contains an access token instead of names of environments`, FORM);
  }
  const patterns = setting.value
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
  const wrong = patterns.find((one) => !PATTERN.test(one));
  if (wrong?.includes("*") === true) {
    throw invalidSetting(
      `${ALLOW_VARIABLE}: in '${printable(wrong.slice(0, 100))}' a * does not stand for a whole part, or parts are missing`,
      FORM,
    );
  }
  if (wrong !== undefined) {
    throw invalidSetting(
      `${ALLOW_VARIABLE}: '${printable(wrong.slice(0, 100))}' is not the name of an environment`,
      FORM,
    );
  }
  return needed.every((one) => patterns.some((pattern) => matches(pattern, one.environment)));
}

/**
 * Returns true if the pattern allows the environment. A revision or tag must be allowed by itself: an old one may have other
 * values. A name whose organization only the service knows is matched by a pattern for any organization.
 */
function matches(pattern: string, name: string): boolean {
  const [[allowedPath = "", allowed], [path = "", revision]] = [pattern.split("@"), name.split("@")];
  const parts = path.split("/");
  const full = parts.length === 3 ? parts : [undefined, ...(parts.length === 2 ? parts : ["default", ...parts])];
  const isRevision = allowed === revision || (allowed === "*" && revision !== undefined);
  return isRevision && allowedPath.split("/").every((part, index) => part === "*" || part === full[index]);
}

export interface Remembered {
  readonly consents: readonly Consent[];
  /** The reason why the file is not used, in words: then there are no consents. */
  readonly problem?: string;
}

/** Reads the consents that are remembered. A file that another user could have written counts as absent. */
export function readConsents(environment: Environment): Remembered {
  const path = pathIn(environment);
  if (path === undefined) return { consents: [] };
  const read = readOwnFile(path, MAX_BYTES);
  if ("problem" in read) return { consents: [], problem: read.problem };
  if (read.text === undefined) return { consents: [] };
  const consents = parseConsents(read.text);
  if (consents !== undefined) return { consents };
  return { consents: [], problem: `${printable(path)} has the wrong form; correct it, or remove it` };
}

export function isSame(one: Consent, other: Partial<Consent>): boolean {
  return one.file === other.file && one.environment === other.environment;
}

/** Adds consents, each once. */
export function withConsents(now: readonly Consent[], added: readonly Consent[]): readonly Consent[] {
  return [...now.filter((one) => !added.some((other) => isSame(one, other))), ...added];
}

/** Writes the consents that `change` returns. Writers at one moment wait for each other. @returns why that failed */
export async function replaceConsents(
  environment: Environment,
  change: (now: readonly Consent[]) => readonly Consent[],
): Promise<string | undefined> {
  const path = pathIn(environment);
  if (path === undefined) return "there is no folder for it: neither XDG_CONFIG_HOME nor HOME is an absolute path";
  return changeOwnFile(path, () => {
    const { consents, problem } = readConsents(environment);
    if (problem !== undefined) return problem;
    const allowed = change(consents);
    return writeOwnFile(path, `${JSON.stringify({ version: VERSION, allowed }, undefined, 2)}\n`);
  });
}

function pathIn(environment: Environment): string | undefined {
  const folder = configFolder(environment);
  return folder === undefined ? undefined : within(folder, FILE_NAME);
}

function parseConsents(text: string): readonly Consent[] | undefined {
  const document = parseObject(text);
  if (document?.["version"] === 1) return [];
  if (document?.["version"] !== VERSION || !Array.isArray(document["allowed"])) return undefined;
  const entries: readonly unknown[] = document["allowed"];
  const consents = entries.flatMap((entry): readonly Consent[] => {
    const [file, environment] = isObject(entry) ? [entry["file"], entry["environment"]] : [];
    return typeof file === "string" && typeof environment === "string" ? [{ file, environment }] : [];
  });
  return consents.length === entries.length ? consents : undefined;
}
