/** The text of a new contract; pure. */
import { formatFault } from "../../contract/format.ts";
import { builtInText } from "../../contract/generated/built-in-text.ts";
import type { ValueFormat } from "../../contract/model.ts";
import { type Found, type FoundGroup, soundsSecret } from "./found.ts";

/** The schema of a contract for editors, in a repository that has sophia-run among its packages. */
const INSTALLED_SCHEMA = "./node_modules/sophia-run/schema/sophia.contract.schema.json";
const SCHEMA = /"\$schema": "([^"]*)"/.exec(builtInText)?.[1] ?? "";

export interface Draft {
  /** The contract that it extends: `builtin` or a path. */
  readonly base?: string | undefined;
  readonly found: readonly Found[];
  readonly groups: readonly FoundGroup[];
}

/**
 * Returns a contract that declares the variables; the whole built-in one if it adds nothing to that.
 *
 * @param isInstalled the repository has sophia-run among its packages
 */
export function contractText({ base, found, groups }: Draft, isInstalled: boolean): string {
  const $schema = isInstalled ? INSTALLED_SCHEMA : SCHEMA;
  const isEmpty = base !== undefined && found.length === 0;
  if (base === "builtin" && isEmpty) return builtInText.replace(SCHEMA, $schema);
  // JSON.stringify leaves out what is undefined, here and in the entries.
  const document = {
    $schema,
    extends: base,
    variables: isEmpty ? undefined : Object.fromEntries(found.map((one) => [one.name, entryOf(one)])),
    groups: groups.length === 0 ? undefined : Object.fromEntries(withIdentifiers(groups)),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** Names each group by its label in the form of an identifier. */
function withIdentifiers(groups: readonly FoundGroup[]): ReadonlyMap<string, FoundGroup> {
  const named = new Map<string, FoundGroup>();
  for (const group of groups) {
    const words = (group.label.toLowerCase().match(/[a-z0-9]+/g) ?? []).join("-");
    const stem = (/^[a-z]/.test(words) ? words : `group-${words}`).slice(0, 56).replace(/-$/, "");
    let id = stem;
    for (let count = 2; named.has(id); count++) id = `${stem}-${count}`;
    named.set(id, group);
  }
  return named;
}

function entryOf({ name, required, label, description, example, secret, docs, isGiven, default: fallback }: Found) {
  const format = fallback === undefined ? formatOf(name, example, isGiven === true) : undefined;
  const isPublic = secret === undefined ? !soundsSecret(name) && example !== undefined : !secret;
  // Ports, booleans and variables with a default are public anyway.
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

/** Returns a format that name and example agree on; without an example by the name alone, unless a value may differ. */
function formatOf(name: string, example: string | undefined, isGiven: boolean): "port" | "boolean" | "url" | undefined {
  const has = (format: ValueFormat): boolean =>
    example !== undefined && formatFault(format, example, name) === undefined;
  if (/(?:^|_)PORT$/i.test(name) && (example === undefined ? !isGiven : has({ kind: "port" }))) return "port";
  if (/^(?:true|false)$/i.test(example ?? "")) return "boolean";
  return has({ kind: "url", schemes: [] }) && /(?:^|_)(?:URL|URI|ENDPOINT|ORIGIN)$/i.test(name) ? "url" : undefined;
}
