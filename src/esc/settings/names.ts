import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { holdsToken } from "../auth/credentials.ts";

/** One environment as `ESC_ENV` names it. */
export interface EnvironmentName {
  /** As it was written, version included. */
  readonly text: string;
  /** Absent in names of one and two parts. */
  readonly organization?: string;
  /** Absent in names of one part. In names of two it may also be an organization: the old form `org/env`. */
  readonly project?: string;
  readonly name: string;
  /** A revision number or a tag. */
  readonly version?: string;
}

/** One environment that the service can be asked for. */
export interface FullName {
  readonly organization: string;
  readonly project: string;
  readonly name: string;
  readonly version?: string;
}

const ORGANIZATION = /^[a-zA-Z0-9][a-zA-Z0-9-_]{1,38}[a-zA-Z0-9]$/;
const LONGEST_PART = 100;
const PART = /^[a-zA-Z0-9-_.]{1,100}$/;
/** The project of names without one, and of the old form `org/env`. */
const DEFAULT_PROJECT = "default";
const FORM = "write organization/project/environment, such as acme/sophia/dev; commas separate several, later ones win";

/**
 * The environments that the value of `ESC_ENV` names, in its order. A name given twice counts where it stands last.
 *
 * @throws SophiaError (esc-settings, 125) that tells what is wrong with the value
 */
export function parseEnvironmentNames(value: string, label: string): readonly EnvironmentName[] {
  refuseToken(value, label);
  if (/\s/.test(value)) throw invalid(`${label} has a space or line break in it: '${shown(value)}'`, FORM);
  const names = new Map<string, EnvironmentName>();
  for (const text of value.split(",")) {
    if (text === "") throw invalid(`${label} has an empty name between commas: '${shown(value)}'`, FORM);
    // Set anew: the last place counts.
    names.delete(text);
    names.set(text, parseName(text, label));
  }
  return [...names.values()];
}

/**
 * Refuses a token in the place of `ESC_ENV`'s names, as where the two were swapped: neither message nor server may see it.
 *
 * @throws SophiaError (esc-settings, 125)
 */
export function refuseToken(value: string, label: string): void {
  if (holdsToken(value)) throw invalid(`${label} holds an access token in place of a name`, FORM);
}

function parseName(text: string, label: string): EnvironmentName {
  const at = text.indexOf("@");
  const path = at === -1 ? text : text.slice(0, at);
  const version = at === -1 ? undefined : text.slice(at + 1);
  const parts = path.split("/");
  if (parts.length > 3) throw invalid(`${label}: '${shown(text)}' has ${parts.length} parts, three at most`, FORM);
  if (parts.includes("")) throw invalid(`${label}: '${shown(text)}' has an empty part`, FORM);
  if (version === "") throw invalid(`${label}: '${shown(text)}' names no revision or tag after the @`, FORM);
  const [name = "", project, organization] = parts.toReversed();
  for (const part of [name, project, version]) {
    if (part !== undefined && !isPart(part)) {
      if (part.length > LONGEST_PART) {
        throw invalid(`${label} has a name of more than ${LONGEST_PART} characters: '${shown(part)}'`, FORM);
      }
      throw invalid(`${label}: '${shown(text)}' has characters that no name has: '${shown(part)}'`, FORM);
    }
  }
  if (organization !== undefined && !isOrganization(organization)) {
    throw invalid(
      `${label}: '${shown(organization)}' is no name of an organization`,
      "it has 3 to 40 letters, digits, dashes and underscores, and begins and ends with a letter or digit",
    );
  }
  return {
    text,
    ...(organization === undefined ? {} : { organization }),
    ...(project === undefined ? {} : { project }),
    name,
    ...(version === undefined ? {} : { version }),
  };
}

/** Whether the service takes the text as the name of an organization. */
export function isOrganization(text: string): boolean {
  return ORGANIZATION.test(text);
}

/** A project, environment, revision or tag. The dot segments would change the request's path. */
function isPart(text: string): boolean {
  return PART.test(text) && text !== "." && text !== "..";
}

/**
 * What to open for a name, in this order; the next one only when the service does not know the one before.
 * Without a default organization, names that need one have fewer candidates, perhaps none.
 */
export function candidates(name: EnvironmentName, defaultOrganization: string | undefined): readonly FullName[] {
  const version = name.version === undefined ? {} : { version: name.version };
  const full = (organization: string, project: string): FullName => ({
    organization,
    project,
    name: name.name,
    ...version,
  });
  const { organization, project } = name;
  if (organization !== undefined) return [full(organization, project ?? DEFAULT_PROJECT)];
  const found = defaultOrganization === undefined ? [] : [full(defaultOrganization, project ?? DEFAULT_PROJECT)];
  if (project === undefined || !isOrganization(project)) return found;
  return [...found, full(project, DEFAULT_PROJECT)];
}

/** `org/project/name`, without the version. */
export function formatName({ organization, project, name }: FullName): string {
  return `${organization}/${project}/${name}`;
}

function shown(text: string): string {
  return printable(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}

function invalid(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "esc-settings", message, hint });
}
