/** The text of a new contract; pure. */
import { formatFault, noWork } from "../../contract/format.ts";
import { builtInText } from "../../contract/generated/built-in-text.ts";
import type { ValueFormat } from "../../contract/model.ts";
import { type Candidate, type CandidateGroup, isSecretName } from "./candidates.ts";

/** The schema for editors, in a repository that installs sophia-run. */
const INSTALLED_SCHEMA = "./node_modules/sophia-run/schema/sophia.contract.schema.json";
const SCHEMA = /"\$schema": "([^"]*)"/.exec(builtInText)?.[1] ?? "";

interface Draft {
  /** The contract to extend: `builtin` or a path. */
  readonly base?: string | undefined;
  readonly candidates: readonly Candidate[];
  readonly groups: readonly CandidateGroup[];
}

/**
 * Returns a contract that declares the candidates, or the whole built-in contract if it adds nothing to that.
 *
 * @param isInstalled the repository installs sophia-run from its package.json
 */
export function contractText({ base, candidates, groups }: Draft, isInstalled: boolean): string {
  const $schema = isInstalled ? INSTALLED_SCHEMA : SCHEMA;
  const isEmpty = base !== undefined && candidates.length === 0;
  if (base === "builtin" && isEmpty) return builtInText.replace(SCHEMA, $schema);
  // JSON.stringify leaves out what is undefined, here and in the entries.
  const document = {
    $schema,
    extends: base,
    variables: isEmpty ? undefined : Object.fromEntries(candidates.map((one) => [one.name, entryOf(one)])),
    groups: groups.length === 0 ? undefined : Object.fromEntries(byIdentifier(groups)),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** Makes an identifier for each group from its label. */
function byIdentifier(groups: readonly CandidateGroup[]): ReadonlyMap<string, CandidateGroup> {
  const named = new Map<string, CandidateGroup>();
  for (const group of groups) {
    const words = (group.label.toLowerCase().match(/[a-z0-9]+/g) ?? []).join("-");
    const stem = (/^[a-z]/.test(words) ? words : `group-${words}`).slice(0, 56).replace(/-$/, "");
    let id = stem;
    for (let count = 2; named.has(id); count++) id = `${stem}-${count}`;
    named.set(id, group);
  }
  return named;
}

function entryOf({ name, required, label, description, example, secret, docs, isGiven, default: fallback }: Candidate) {
  const format = fallback === undefined ? formatOf(name, example, isGiven === true) : undefined;
  const isPublic = secret === undefined ? !isSecretName(name) && example !== undefined : !secret;
  // Ports, booleans and variables with a default are public by definition.
  const isImplied = format === "port" || format === "boolean" || fallback !== undefined;
  return {
    label,
    description,
    required: required || undefined,
    secret: isPublic && !isImplied ? false : undefined,
    example,
    docs,
    default: fallback,
    format,
  };
}

/** Returns the format that fits name and example; without an example that of the name, unless a value exists elsewhere. */
function formatOf(name: string, example: string | undefined, isGiven: boolean): "port" | "boolean" | "url" | undefined {
  const has = (format: ValueFormat): boolean =>
    example !== undefined && formatFault(format, example, name, noWork()) === undefined;
  if (/(?:^|_)PORT$/i.test(name) && (example === undefined ? !isGiven : has({ kind: "port" }))) return "port";
  if (/^(?:true|false)$/i.test(example ?? "")) return "boolean";
  return has({ kind: "url", schemes: [] }) && /(?:^|_)(?:URL|URI|ENDPOINT|ORIGIN)$/i.test(name) ? "url" : undefined;
}
