/** The secrets of a `secretspec.toml`: those of the profile `default`, and the names of the other profiles; pure. */
import { enumerate, printable } from "../../../core/text.ts";
import type { Candidate } from "../variable-candidates.ts";
import { objectOf } from "../package-json.ts";
import { candidateOf, type ToolResult } from "./details.ts";
import { NotToml, parseToml } from "./toml.ts";

type Table = Readonly<Record<string, unknown>>;

export function fromSecretspec(text: string): ToolResult {
  try {
    return fromProfiles(tableOf(parseToml(text)["profiles"]));
  } catch (error) {
    if (!(error instanceof NotToml)) throw error;
    return { candidates: [], remarks: [`secretspec.toml is not read: ${error.message}`] };
  }
}

function fromProfiles({ default: first, ...profiles }: Table): ToolResult {
  const shared = tableOf(first);
  const candidates = new Map<string, Candidate>();
  const defaults = tableOf(shared["defaults"]);
  for (const [name, entry] of secretsOf(shared)) candidates.set(name, toCandidate(name, entry, defaults));
  const others: string[] = [];
  for (const [profile, table] of Object.entries(profiles)) {
    const secrets = secretsOf(tableOf(table));
    if (secrets.length > 0) others.push(profile);
    for (const [name, entry] of secrets) {
      if (!candidates.has(name)) candidates.set(name, { ...toCandidate(name, entry, defaults), required: false });
    }
  }
  const remark = `of the profiles ${enumerate(others.map(printable))} of secretspec.toml only names were read`;
  return { candidates: [...candidates.values()], remarks: others.length === 0 ? [] : [remark] };
}

function secretsOf(profile: Table): readonly (readonly [string, Table])[] {
  return Object.entries(profile).flatMap(([name, value]) => {
    const entry = objectOf(value);
    return entry === undefined || name === "defaults" ? [] : [[name, entry] as const];
  });
}

/** A secret is required unless it or its profile says otherwise. */
function toCandidate(name: string, entry: Table, defaults: Table): Candidate {
  const text = (key: string): string | undefined => {
    const value = entry[key] ?? (key === "description" ? undefined : defaults[key]);
    return typeof value === "string" ? value : undefined;
  };
  return candidateOf({
    name,
    description: text("description"),
    required: (entry["required"] ?? defaults["required"]) !== false,
    value: text("default"),
    secret: true,
  });
}

function tableOf(value: unknown): Table {
  return objectOf(value) ?? {};
}
