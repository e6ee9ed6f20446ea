/** The secrets of a `secretspec.toml`: those of the profile `default`, and the names of the other profiles; pure. */
import { enumerate, printable } from "../../../core/text.ts";
import type { Candidate } from "../candidates.ts";
import { candidateOf, type ToolResult } from "./details.ts";
import { parseToml, type TomlTable, type TomlValue } from "./toml.ts";

const EMPTY: TomlTable = new Map();

export function fromSecretspec(text: string): ToolResult {
  const document = parseToml(text);
  if (document === undefined) {
    return { candidates: [], remarks: ["secretspec.toml is not read: it is no TOML that init understands"] };
  }
  const profiles = tableOf(document.get("profiles")) ?? EMPTY;
  const shared = tableOf(profiles.get("default")) ?? EMPTY;
  const candidates = new Map<string, Candidate>();
  const defaults = tableOf(shared.get("defaults")) ?? EMPTY;
  for (const [name, entry] of secretsOf(shared)) candidates.set(name, toCandidate(name, entry, defaults));
  const others: string[] = [];
  for (const [profile, table] of profiles) {
    if (profile === "default") continue;
    const secrets = secretsOf(tableOf(table) ?? EMPTY);
    if (secrets.length > 0) others.push(profile);
    for (const [name, entry] of secrets) {
      if (!candidates.has(name)) candidates.set(name, { ...toCandidate(name, entry, defaults), required: false });
    }
  }
  const remark = `of the profiles ${enumerate(others.map(printable))} of secretspec.toml only names were read`;
  return { candidates: [...candidates.values()], remarks: others.length === 0 ? [] : [remark] };
}

function secretsOf(profile: TomlTable): readonly (readonly [string, TomlTable])[] {
  return Array.from(profile).flatMap(([name, value]) => {
    const entry = tableOf(value);
    return entry === undefined || name === "defaults" ? [] : [[name, entry] as const];
  });
}

/** A secret is required unless it or its profile says otherwise. */
function toCandidate(name: string, entry: TomlTable, defaults: TomlTable): Candidate {
  const text = (key: string): string | undefined => {
    const value = entry.get(key) ?? (key === "description" ? undefined : defaults.get(key));
    return typeof value === "string" ? value : undefined;
  };
  return candidateOf({
    name,
    description: text("description"),
    required: (entry.get("required") ?? defaults.get("required")) !== false,
    value: text("default"),
    secret: true,
  });
}

function tableOf(value: TomlValue | undefined): TomlTable | undefined {
  return value instanceof Map ? value : undefined;
}
