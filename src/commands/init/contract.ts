/** The text of a new contract; pure. */
import { formatFault, noWork } from "../../contract/format.ts";
import { builtInText } from "../../contract/generated/built-in-text.ts";
import type { ValueFormat } from "../../contract/model.ts";
import { type Found, type FoundGroup, soundsSecret } from "./found.ts";

/** Where editors find the schema of a contract in a repository that has sophia-run among its packages. */
const INSTALLED_SCHEMA = "./node_modules/sophia-run/schema/sophia.contract.schema.json";
/** The address by which it is known elsewhere: its `$id`. */
const SCHEMA = /"\$schema": "([^"]*)"/.exec(builtInText)?.[1] ?? "";

/** What a new contract is to have. */
export interface Draft {
  /** The contract that it extends: `builtin` or a path. */
  readonly base?: string;
  readonly found: readonly Found[];
  readonly groups: readonly FoundGroup[];
}

/**
 * A contract that declares the variables, to be refined by hand; where it adds nothing to the built-in one, that as a whole.
 *
 * @param isInstalled whether the repository has sophia-run among its packages
 */
export function contractText({ base, found, groups }: Draft, isInstalled: boolean): string {
  const $schema = isInstalled ? INSTALLED_SCHEMA : SCHEMA;
  if (base === "builtin" && found.length === 0) return builtInText.replace(SCHEMA, $schema);
  const document = {
    $schema,
    ...(base === undefined ? {} : { extends: base }),
    ...(base !== undefined && found.length === 0
      ? {}
      : { variables: Object.fromEntries(found.map((one) => [one.name, entryOf(one)])) }),
    ...(groups.length === 0 ? {} : { groups: Object.fromEntries(withIdentifiers(groups)) }),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** Each under its label in the form of an identifier. */
function withIdentifiers(groups: readonly FoundGroup[]): ReadonlyMap<string, FoundGroup> {
  const named = new Map<string, FoundGroup>();
  for (const group of groups) {
    const words =
      group.label
        .toLowerCase()
        .match(/[a-z0-9]+/g)
        ?.join("-") ?? "";
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
  // Ports, booleans and what has a default count as no secret anyway.
  const implied = format === "port" || format === "boolean" || fallback !== undefined;
  return {
    ...(label === undefined ? {} : { label }),
    ...(description === undefined ? {} : { description }),
    ...(required ? { required } : {}),
    ...(isPublic && !implied ? { secret: false } : {}),
    ...(example === undefined ? {} : { example }),
    ...(docs === undefined ? {} : { docs }),
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(format === undefined ? {} : { format }),
  };
}

/** Only what both the name and the example say; without an example the name alone, unless there is a value that may differ. */
function formatOf(name: string, example: string | undefined, isGiven: boolean): "port" | "boolean" | "url" | undefined {
  const has = (format: ValueFormat): boolean =>
    example !== undefined && formatFault(format, example, name, noWork()) === undefined;
  if (/(?:^|_)PORT$/i.test(name) && (example === undefined ? !isGiven : has({ kind: "port" }))) return "port";
  if (/^(?:true|false)$/i.test(example ?? "")) return "boolean";
  return has({ kind: "url", schemes: [] }) && /(?:^|_)(?:URL|URI|ENDPOINT|ORIGIN)$/i.test(name) ? "url" : undefined;
}
