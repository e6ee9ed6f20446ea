/**
 * Parses a `secretspec.toml`, the file in which the tool secretspec describes a project's secrets, for `init`. The
 * candidates are the secrets of the profile `default`, and the names that only other profiles have.
 *
 *     [profiles.default]
 *     DATABASE_URL = { description = "Where the orders are stored", required = true }
 */
import { enumerate, printable } from "../../../core/text.ts";
import type { Candidate } from "../variable-candidates.ts";
import { objectOf } from "../package-json.ts";
import { createCandidate, type ToolResult } from "./tool-variable.ts";
import { TomlSyntaxError, parseToml } from "./toml.ts";

/** A table of TOML. */
type Table = Readonly<Record<string, unknown>>;

/** Returns the secrets as candidates; for a text that is not TOML only a remark. */
export function parseSecretspec(text: string): ToolResult {
  try {
    return candidatesOfProfiles(tableOf(parseToml(text)["profiles"]));
  } catch (error) {
    if (!(error instanceof TomlSyntaxError)) throw error;
    return { candidates: [], remarks: [`secretspec.toml is not read: ${error.message}`] };
  }
}

function candidatesOfProfiles({ default: defaultValue, ...otherProfiles }: Table): ToolResult {
  const defaultProfile = tableOf(defaultValue);
  const candidates = new Map<string, Candidate>();
  const defaults = tableOf(defaultProfile["defaults"]);
  for (const [name, entry] of secretsOf(defaultProfile)) candidates.set(name, toCandidate(name, entry, defaults));
  const otherNames: string[] = [];
  for (const [profile, table] of Object.entries(otherProfiles)) {
    const secrets = secretsOf(tableOf(table));
    if (secrets.length > 0) otherNames.push(profile);
    for (const [name, entry] of secrets) {
      if (!candidates.has(name)) candidates.set(name, { ...toCandidate(name, entry, defaults), required: false });
    }
  }
  const remark = `of the profiles ${enumerate(otherNames.map(printable))} of secretspec.toml only names were read`;
  return { candidates: [...candidates.values()], remarks: otherNames.length === 0 ? [] : [remark] };
}

/** Returns the secrets of a profile. `defaults` is not a secret, but has options for all of them. */
function secretsOf(profile: Table): readonly (readonly [string, Table])[] {
  return Object.entries(profile).flatMap(([name, value]) => {
    const entry = objectOf(value);
    return entry === undefined || name === "defaults" ? [] : [[name, entry] as const];
  });
}

/** Makes a candidate of a secret. It is required unless its entry or the defaults say otherwise. */
function toCandidate(name: string, entry: Table, defaults: Table): Candidate {
  const textOption = (key: string): string | undefined => {
    // A description is never a default for all secrets.
    const value = entry[key] ?? (key === "description" ? undefined : defaults[key]);
    return typeof value === "string" ? value : undefined;
  };
  return createCandidate({
    name,
    description: textOption("description"),
    required: (entry["required"] ?? defaults["required"]) !== false,
    value: textOption("default"),
    secret: true,
  });
}

/** Returns a table, or an empty one for any other value. */
function tableOf(value: unknown): Table {
  return objectOf(value) ?? {};
}
