import { SophiaError } from "../../core/error.ts";
import type { Notice, Variable } from "../../core/model.ts";
import { printable, withoutMark } from "../../core/text.ts";
import { unexpectedAnswer } from "../faults/esc-fault.ts";
import { formatName, type FullName } from "../settings/environment-names.ts";
import { type Fields, fieldsOf, valueAt } from "../transport/answer.ts";
import { ownNames, provenanceOf } from "./trace.ts";

export type Entry = {
  readonly name: string;
  readonly secret: boolean;
  readonly delivery: Variable["delivery"];
} & (
  | { readonly kind: "variable"; readonly variable: Variable }
  /** A secret that is not opened, or a value that a provider makes at the opening. */
  | { readonly kind: "unknown" }
  | { readonly kind: "list-or-object" }
);

export interface Entries {
  /** First `environmentVariables`, then `files`, which win over variables of the same name. */
  readonly entries: readonly Entry[];
  readonly unknown: readonly string[];
  readonly notices: readonly Notice[];
}

type OpenedName = FullName & { readonly revision?: string | undefined };

/** The fields of an answer. An empty environment is `{}`; an object with only other fields is not an answer of ESC. */
const FIELDS = /^(?:exprs|properties|schema|executionContext|environmentFunctionSummary)$/;
const GROUPS = [
  { property: "environmentVariables", delivery: "value" },
  { property: "files", delivery: "file" },
] as const;
/** JSON has an escape for it; in UTF-8 it would silently become U+FFFD. */
const HALF = "half of a surrogate pair";
const NUL = "a NUL character";

/** Returns the variables of {@link readEntries}, with notices for values that cannot become one. */
export function readValues(
  answer: Fields,
  text: string,
  name: OpenedName,
  host: string,
): { readonly variables: readonly Variable[]; readonly notices: readonly Notice[] } {
  const { entries, unknown, notices } = readEntries(answer, text, name, host);
  const variables = new Map<string, Variable>();
  for (const entry of entries) {
    if (entry.kind === "variable") variables.set(entry.name, entry.variable);
    // An unknown file also wins over a variable of its name.
    else if (entry.kind === "unknown") variables.delete(entry.name);
  }
  const skipped = (why: "unknown" | "list-or-object", groups: readonly string[]): readonly Notice[] => {
    const names = [...groups, ...entries.filter(({ kind }) => kind === why).map((entry) => printable(entry.name))];
    return names.length === 0 ? [] : [{ kind: "esc-skipped", environment: formatName(name), names, why }];
  };
  return {
    variables: [...variables.values()],
    notices: [...notices, ...skipped("unknown", unknown), ...skipped("list-or-object", [])],
  };
}

/**
 * Reads the direct children of `environmentVariables` and of `files` in `answer`, which is the parsed `text`.
 * @throws EscFault for an answer of another form @throws SophiaError (esc-value, 125) for an impossible variable
 */
export function readEntries(answer: Fields, text: string, name: OpenedName, host: string): Entries {
  const properties = fieldsOf(answer["properties"] ?? {});
  const keys = Object.keys(answer);
  if (properties === undefined || (keys.length > 0 && !keys.some((key) => FIELDS.test(key)))) {
    throw unexpectedAnswer(host);
  }
  const environment = formatName(name);
  // The text is parsed a second time only if there is a number.
  let digits: unknown;
  const numberAt = (...path: readonly string[]): unknown =>
    valueAt((digits ??= JSON.parse(withNumbersAsStrings(withoutMark(text)))), "properties", ...path, "value");
  const environmentNames = ownNames(answer, name);
  const entries: Entry[] = [];
  const unknown: string[] = [];
  const notices: Notice[] = [];
  for (const { property, delivery } of GROUPS) {
    const group = fieldsOf(properties[property]);
    const kindOfUnknown = (schema: unknown) =>
      /^(?:array|object)$/.test(String(valueAt(schema, "type"))) ? "list-or-object" : "unknown";
    if (isSet(group?.["unknown"])) {
      unknown.push(property);
      for (const [key, schema] of childSchemas(answer, property)) {
        entries.push({ name: key, secret: isSet(group?.["secret"]), delivery, kind: kindOfUnknown(schema) });
      }
      continue;
    }
    const children = fieldsOf((group === undefined ? properties[property] : group["value"]) ?? {});
    if (children === undefined) {
      const what = `${property} is not a mapping; it is ignored`;
      notices.push({ kind: "remark", text: `ESC environment ${environment}: ${what}` });
      continue;
    }
    for (const [key, child] of Object.entries(children)) {
      const fields = fieldsOf(child);
      if (fields === undefined) throw unexpectedAnswer(host);
      const base = { name: key, secret: isSet(group?.["secret"]) || isSet(fields["secret"]), delivery };
      const value = textOf(fields, () => numberAt(property, "value", key));
      if (typeof value !== "string") {
        const schema = valueAt(answer, "schema", "properties", property, "properties", key);
        entries.push({ ...base, kind: value === null ? "list-or-object" : kindOfUnknown(schema) });
        continue;
      }
      checkVariable(key, value, delivery, environment);
      const origin = {
        source: "esc",
        environment,
        ...(name.version === undefined ? {} : { version: name.version }),
        ...(name.revision === undefined ? {} : { revision: name.revision }),
        ...provenanceOf(fields, environmentNames),
      } as const;
      entries.push({ ...base, kind: "variable", variable: { ...base, value, origin } });
    }
  }
  return { entries, unknown, notices };
}

/** Returns the schemas of the direct children of a property such as `environmentVariables`. Their `const` holds secrets. */
export function childSchemas(answer: Fields, property: string): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(fieldsOf(valueAt(answer, "schema", "properties", property, "properties")) ?? {}));
}

/** Returns a value as text; undefined for an unknown one, null for a list or an object. */
function textOf(fields: Fields, number: () => unknown): string | undefined | null {
  if (isSet(fields["unknown"])) return undefined;
  const value = fields["value"] ?? "";
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(number());
  return typeof value === "boolean" ? String(value) : null;
}

function isSet(flag: unknown): boolean {
  return flag !== undefined && flag !== null && flag !== false;
}

/** @throws SophiaError without the value */
function checkVariable(name: string, value: string, delivery: Variable["delivery"], environment: string): void {
  const refuse = (flaw: string, hint: string): SophiaError =>
    new SophiaError({ code: "esc-value", message: `ESC environment ${environment}${flaw}`, hint });
  const nameFlaws = [name.includes("=") && "a = sign", name.includes("\0") && NUL, !name.isWellFormed() && HALF];
  const flaw = nameFlaws.find((one) => one !== false);
  if (name === "" || flaw !== undefined) {
    const which = name === "" ? "with an empty name" : `named '${printable(name)}', which contains ${flaw}`;
    throw refuse(
      ` defines a variable ${which}`,
      "rename it in the definition: no environment variable can have that name",
    );
  }
  const of = `: the value of ${printable(name)} contains`;
  if (delivery === "value" && value.includes("\0")) {
    const hint = "move it to `files` in the definition, or encode it: no environment variable can contain a NUL";
    throw refuse(`${of} ${NUL}`, hint);
  }
  if (!value.isWellFormed()) {
    throw refuse(`${of} ${HALF}`, "fix the value in the definition, or encode it: it is not valid Unicode");
  }
}

/**
 * Returns a valid JSON text with strings for numbers, in linear time, so that every digit remains: `JSON.parse` makes `1`
 * of `1.0` and rounds large integers, and Node 20 does not give a reviver the source.
 */
export function withNumbersAsStrings(json: string): string {
  const token = /"|-?\d[\d.eE+-]*/g;
  let text = "";
  let from = 0;
  for (let match = token.exec(json); match !== null; match = token.exec(json)) {
    if (match[0] === '"') token.lastIndex = stringEnd(json, match.index);
    else {
      text += `${json.slice(from, match.index)}"${match[0]}"`;
      from = token.lastIndex;
    }
  }
  return text + json.slice(from);
}

function stringEnd(json: string, open: number): number {
  for (let from = open + 1; ;) {
    const quote = json.indexOf('"', from);
    if (quote === -1) return json.length;
    let backslash = quote;
    while (json[backslash - 1] === "\\") backslash -= 1;
    // An odd number of backslashes escapes the quote.
    if ((quote - backslash) % 2 === 0) return quote + 1;
    from = quote + 1;
  }
}
