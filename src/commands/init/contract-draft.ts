/**
 * Returns the text of the new `sophia.contract.json` that `init` writes. Its variables are the candidates that the sources
 * of `init`, such as the code or .env.example, have returned. This file has no side effects.
 */
import type { ValueFormat } from "../../contract/contract-model.ts";
import { findFormatFault, createPatternWork } from "../../contract/format.ts";
import { builtInText } from "../../contract/generated/built-in-text.ts";
import { isPortName } from "../parts/code/type-formats.ts";
import { isPublicValue, type Candidate, type CandidateGroup } from "./variable-candidates.ts";

interface ContractDraft {
  readonly name?: string | undefined;
  /** The contract that the new one extends: `builtin`, or a path. */
  readonly extendedContract?: string | undefined;
  /** The ESC environments that the contract names. */
  readonly environments?: readonly string[];
  readonly candidates: readonly Candidate[];
  readonly groups: readonly CandidateGroup[];
}

/**
 * The value of `$schema` in the built-in contract. A copy in a project has the address of the project's own schema instead.
 */
const BUILT_IN_SCHEMA = /"\$schema": "([^"]*)"/.exec(builtInText)?.[1] ?? "";

/**
 * Returns the text of a contract that declares the candidates. If the contract would only extend the built-in one, the text
 * is the whole built-in contract.
 *
 * @param $schema the address of the schema, for editors
 */
export function createContractText(
  { name, extendedContract, environments = [], candidates, groups }: ContractDraft,
  $schema: string,
): string {
  const addsNothing = extendedContract !== undefined && candidates.length === 0;
  if (extendedContract === "builtin" && addsNothing && environments.length === 0) {
    return builtInText.replace(BUILT_IN_SCHEMA, $schema);
  }
  // JSON.stringify leaves out members that are undefined, here and in the entries.
  const document = {
    $schema,
    name,
    extends: extendedContract,
    environment: environments.length > 1 ? environments : environments[0],
    variables: addsNothing
      ? undefined
      : Object.fromEntries(candidates.map((candidate) => [candidate.name, variableEntry(candidate)])),
    groups: groups.length === 0 ? undefined : Object.fromEntries(assignIdentifiers(groups)),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** A contract allows 64 characters. The rest is for the suffix that makes the identifier unique. */
const MAX_IDENTIFIER_LENGTH = 56;

/**
 * Makes an identifier from the label of each group: `object-storage` from `Object storage`. If two labels give the same
 * identifier, the second one gets the suffix `-2`.
 */
function assignIdentifiers(groups: readonly CandidateGroup[]): ReadonlyMap<string, CandidateGroup> {
  const groupsByIdentifier = new Map<string, CandidateGroup>();
  for (const group of groups) {
    const words = (group.label.toLowerCase().match(/[a-z0-9]+/g) ?? []).join("-");
    const validStart = /^[a-z]/.test(words) ? words : `group-${words}`;
    const stem = validStart.slice(0, MAX_IDENTIFIER_LENGTH).replace(/-$/, "");
    let identifier = stem;
    for (let suffix = 2; groupsByIdentifier.has(identifier); suffix++) identifier = `${stem}-${suffix}`;
    groupsByIdentifier.set(identifier, group);
  }
  return groupsByIdentifier;
}

/** Returns the entry of a variable. Its members have the order in which the contract shows them. */
function variableEntry(candidate: Candidate) {
  const { name, required, label, description, example, secret, docs, aliases, default: defaultValue } = candidate;
  const format = candidate.format ?? (defaultValue === undefined ? guessFormat(candidate) : undefined);
  const isPublic = secret === undefined ? example !== undefined && isPublicValue(name, example) : !secret;
  const type = typeof format === "object" ? format.type : format;
  // A contract takes these variables for public unless it says otherwise.
  const isPublicByDefinition = type === "port" || type === "boolean" || type === "enum" || defaultValue !== undefined;
  return {
    label,
    description,
    required: required || undefined,
    secret: isPublic && !isPublicByDefinition ? false : undefined,
    example,
    docs,
    default: defaultValue,
    format,
    aliases,
  };
}

/**
 * Guesses the format of a variable by its name, if its example has this format. Without an example all values of the
 * sources must be known to have it. A variable without an example and without a value is a port if it has the name of one.
 */
function guessFormat({
  name,
  example,
  hasValue = false,
  admitsFormat,
}: Pick<Candidate, "name" | "example" | "hasValue" | "admitsFormat">): "port" | "boolean" | "url" | undefined {
  const isKnownToFit = (format: ValueFormat): boolean =>
    example === undefined
      ? hasValue && admitsFormat?.(format) === true
      : findFormatFault(format, example, name, createPatternWork()) === undefined;
  const hasNoSample = example === undefined && !hasValue;
  if (isPortName(name) && (isKnownToFit({ kind: "port" }) || hasNoSample)) return "port";
  if (/^(?:true|false)$/i.test(example ?? "")) return "boolean";
  const hasUrlName = /(?:^|_)(?:URL|URI|ENDPOINT|ORIGIN)$/i.test(name);
  return hasUrlName && isKnownToFit({ kind: "url", schemes: [] }) ? "url" : undefined;
}
