/**
 * Parses the names of ESC environments as users write them, in `ESC_ENV` for example:
 *
 *     acme/sophia/dev@stable     organization, project, name, and a revision or tag
 *     sophia/dev                 project and name, in the user's default organization; or, in the old form, an organization and a name
 *     dev                        a name, in the project `default` of the default organization
 *
 * So a name of two parts can mean two environments. `listMeanings` returns both meanings, in the order in which ESC is asked for
 * them. The second meaning is called the old form or the old meaning of the name.
 */
import type { Notice } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import { holdsToken } from "./secret.ts";
import { invalidSetting, labelOf, refuseQuotes, type Setting } from "./variables.ts";

/** A name as the user wrote it, in its parts. `parseEnvironmentNames` creates it. */
export interface EnvironmentName {
  /** The whole name as it was written. */
  readonly text: string;
  /** Absent in names of one and of two parts. */
  readonly organization?: string | undefined;
  /** Absent in names of one part. In a name of two parts this may also be an organization: the old form `org/env`. */
  readonly project?: string | undefined;
  readonly name: string;
  /** The revision or tag after `@`. */
  readonly version?: string | undefined;
}

/** The name of exactly one environment. */
export interface FullName {
  readonly organization: string;
  readonly project: string;
  readonly name: string;
  readonly version?: string | undefined;
}

const MAX_PART_LENGTH = 100;
/** The limit on the characters of a malformed name in a message. */
const MAX_SHOWN_LENGTH = 100;
const DEFAULT_PROJECT = "default";
/** The remedies for a malformed name. */
const FORM_HINT =
  "write organization/project/environment, such as acme/sophia/dev; commas separate several, later ones win";
const ORGANIZATION_HINT =
  "use 3 to 40 letters, digits, dashes and underscores, beginning and ending with a letter or digit";

/**
 * Parses names between commas. A repeated name keeps only its last position, because later environments win over earlier ones.
 * @throws SophiaError (esc-settings, 125) for a malformed name
 */
export function parseEnvironmentNames(setting: Setting): readonly EnvironmentName[] {
  refuseQuotes(setting);
  const { value } = setting;
  const label = labelOf(setting);
  if (/\s/.test(value))
    throw invalidSetting(`${label} contains a space or line break: '${printableExcerpt(value)}'`, FORM_HINT);
  const names = new Map<string, EnvironmentName>();
  for (const text of value.split(",")) {
    if (text === "")
      throw invalidSetting(`${label} has an empty name between commas: '${printableExcerpt(value)}'`, FORM_HINT);
    names.delete(text);
    names.set(text, parseName(text, label));
  }
  return [...names.values()];
}

/** Refuses a token in place of names, before any message shows the value. @throws SophiaError (esc-settings, 125) */
export function refuseToken(setting: Setting): void {
  if (holdsToken(setting.value)) {
    throw invalidSetting(`${labelOf(setting)} contains an access token instead of a name`, FORM_HINT);
  }
}

function parseName(text: string, label: string): EnvironmentName {
  const refuse = (problem: string, hint = FORM_HINT): never => {
    throw invalidSetting(`${label}: '${printableExcerpt(text)}' ${problem}`, hint);
  };
  const atIndex = text.indexOf("@");
  const path = atIndex === -1 ? text : text.slice(0, atIndex);
  const version = atIndex === -1 ? undefined : text.slice(atIndex + 1);
  const parts = path.split("/");
  if (parts.length > 3) refuse(`has ${parts.length} parts; at most three are allowed`);
  if (parts.includes("")) refuse("has an empty part");
  if (version === "") refuse("has no revision or tag after the @");
  const [name = "", project, organization] = parts.toReversed();
  for (const part of [name, project, version]) {
    if (part === undefined) continue;
    if (part.length > MAX_PART_LENGTH) refuse(`has a part of more than ${MAX_PART_LENGTH} characters`);
    // The part becomes a segment of the request's path, in which `.` and `..` would lead to another environment.
    if (!/^[a-zA-Z0-9-_.]+$/.test(part) || part === "." || part === "..") {
      refuse(`has an invalid part: '${printableExcerpt(part)}'`, versionHint(text));
    }
  }
  if (organization !== undefined && !isOrganization(organization)) {
    throw invalidSetting(
      `${label}: '${printableExcerpt(organization)}' is not a valid organization name`,
      ORGANIZATION_HINT,
    );
  }
  return { text, organization, project, name, version };
}

/** Returns a hint if the user wrote `:` in place of `@`, as in the names of container images. */
function versionHint(text: string): string | undefined {
  const [, path, version] = /^([\w./-]+):([\w.-]+)$/.exec(text) ?? [];
  return path === undefined
    ? undefined
    : `write @ before a revision or tag: ${printableExcerpt(`${path}@${version ?? ""}`)}`;
}

/** Returns the organization that a setting names. @throws SophiaError (esc-settings, 125) if it is not a valid name */
export function parseOrganization(setting: Setting): string {
  if (isOrganization(setting.value)) return setting.value;
  refuseQuotes(setting);
  throw invalidSetting(`${labelOf(setting)} is not a valid organization name`, ORGANIZATION_HINT);
}

/** Returns true for a name that an organization can have. */
export function isOrganization(text: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9-_]{1,38}[a-zA-Z0-9]$/.test(text);
}

/**
 * Returns the environments that a name may mean, in the order in which they are tried. The list is empty if neither the name nor
 * `defaultOrganization` gives an organization, unless the name has two parts and may be of the old form.
 */
export function listMeanings(
  { organization, project, name, version }: EnvironmentName,
  defaultOrganization: string | undefined,
): readonly FullName[] {
  const knownOrganization = organization ?? defaultOrganization;
  const usualMeaning =
    knownOrganization === undefined
      ? []
      : [{ organization: knownOrganization, project: project ?? DEFAULT_PROJECT, name, version }];
  const mayBeOldForm = organization === undefined && project !== undefined && isOrganization(project);
  if (!mayBeOldForm) return usualMeaning;
  return [...usualMeaning, { organization: project, project: DEFAULT_PROJECT, name, version }];
}

/** Returns true if this is the old meaning of a name of two parts, `org/env`. */
export function isOldForm(name: EnvironmentName, meaning: FullName): boolean {
  return (
    name.organization === undefined && name.project === meaning.organization && meaning.project === DEFAULT_PROJECT
  );
}

/**
 * Returns a notice if a name of two parts was opened in its old meaning. The environment may then be another organization's, and
 * the user may have meant an environment of the default organization.
 */
export function createOldFormNotices(
  name: EnvironmentName,
  opened: FullName,
  defaultOrganization: string | undefined,
): readonly Notice[] {
  if (!isOldForm(name, opened)) return [];
  const full = formatName(opened);
  const [usual = full] = listMeanings(name, defaultOrganization).map(formatName);
  const notice = { kind: "esc-old-form", written: name.text, opened: formatVersion(opened) } as const;
  return [usual === full ? notice : { ...notice, instead: usual }];
}

/** Returns `organization/project/name`. */
export function formatName({ organization, project, name }: FullName): string {
  return `${organization}/${project}/${name}`;
}

/** Returns `organization/project/name@version`, or without a version only the name. */
export function formatVersion(name: FullName): string {
  return name.version === undefined ? formatName(name) : `${formatName(name)}@${name.version}`;
}

/** Splits `organization/project/name`, as `formatName` writes it. */
export function parseFullName(text: string, version: string | undefined): FullName {
  const [organization = "", project = "", name = ""] = text.split("/");
  return { organization, project, name, version };
}

/** Returns a text that a message may show: printable, and not too long. */
function printableExcerpt(text: string): string {
  return printable(text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH)}…` : text);
}
