import { SophiaError } from "../../core/error.ts";
import type { Notice, Variable } from "../../core/model.ts";
import { isUnicode, printable } from "../../core/text.ts";
import { fieldsOf, withoutMark } from "./answer.ts";
import { EscFault } from "../faults/fault.ts";
import { formatName, type FullName } from "../settings/names.ts";
import { type Members, membersAt, sourceAt, valueStart } from "./json-source.ts";

type Fields = Readonly<Record<string, unknown>>;
type NumberSource = (property: string, key: string) => string;

/** What an environment gives to a process. */
export interface EnvironmentValues {
  readonly variables: readonly Variable[];
  readonly notices: readonly Notice[];
}

/**
 * Reads the variables out of the answer to reading a session: the direct children of `environmentVariables` and of
 * `files`, which win over variables of the same name.
 *
 * @param answer the parsed `text`
 * @throws EscFault when the answer has not the form that the service gives
 * @throws SophiaError (esc-value, 125) for a name or a value that no environment variable can have
 */
export function readValues(answer: Fields, text: string, name: FullName, host: string): EnvironmentValues {
  if (!hasKnownForm(answer)) throw new EscFault({ kind: "answer", host, problem: "unexpected" });
  const properties = fieldsOf(answer["properties"]) ?? {};
  return walk(properties, numberSources(withoutMark(text)), name, host);
}

/** Gives the source of a variable's number. The text is searched only when the first one is met. */
function numberSources(json: string): NumberSource {
  let properties: Members | undefined;
  const groups = new Map<string, Members>();
  return (property, key) => {
    properties ??= membersAt(json, membersAt(json, valueStart(json)).get("properties"));
    const group = groups.get(property) ?? membersAt(json, membersAt(json, properties.get(property)).get("value"));
    groups.set(property, group);
    const value = membersAt(json, group.get(key)).get("value");
    if (value === undefined) throw new TypeError("a number without a source");
    return sourceAt(json, value);
  };
}

/** An empty environment is `{}`; any other object without one of the known fields comes from somebody else. */
function hasKnownForm(answer: Fields): boolean {
  const { properties } = answer;
  if (properties !== undefined && properties !== null) return fieldsOf(properties) !== undefined;
  const keys = Object.keys(answer);
  return keys.length === 0 || keys.some((key) => FIELDS.has(key));
}

const FIELDS: ReadonlySet<string> = new Set(["exprs", "properties", "schema", "executionContext"]);
const GROUPS = [
  { property: "environmentVariables", delivery: "value" },
  { property: "files", delivery: "file" },
] as const;

function walk(properties: Fields, numberSource: NumberSource, name: FullName, host: string): EnvironmentValues {
  const environment = formatName(name);
  const variables = new Map<string, Variable>();
  const unknown: string[] = [];
  const nested: string[] = [];
  const notices: Notice[] = [];
  for (const { property, delivery } of GROUPS) {
    const group = groupOf(properties[property]);
    if (group.kind === "absent") continue;
    if (group.kind === "unknown") unknown.push(property);
    if (group.kind !== "mapping") {
      if (group.kind === "other") notices.push(notAMapping(environment, property));
      continue;
    }
    for (const [key, child] of Object.entries(group.children)) {
      const fields = fieldsOf(child);
      if (fields === undefined) throw new EscFault({ kind: "answer", host, problem: "unexpected" });
      const result = valueText(fields, () => numberSource(property, key));
      if (result.kind !== "text") (result.kind === "unknown" ? unknown : nested).push(key);
      else {
        checkName(key, environment);
        checkValue(key, result.text, delivery, environment);
        const importedFrom = importOf(fields, name);
        variables.set(key, {
          name: key,
          value: result.text,
          secret: group.secret || isSet(fields["secret"]),
          delivery,
          origin: {
            source: "esc",
            environment,
            ...(name.version === undefined ? {} : { version: name.version }),
            ...(importedFrom === undefined ? {} : { importedFrom }),
          },
        });
      }
    }
  }
  const skipped = (names: readonly string[], why: "unknown" | "list-or-object"): void => {
    if (names.length > 0) notices.push({ kind: "esc-skipped", environment, names: names.map(printable), why });
  };
  skipped(unknown, "unknown");
  skipped(nested, "list-or-object");
  return { variables: [...variables.values()], notices };
}

type Group =
  | { readonly kind: "absent" | "unknown" | "other" }
  | { readonly kind: "mapping"; readonly children: Fields; readonly secret: boolean };

function groupOf(property: unknown): Group {
  const fields = fieldsOf(property);
  if (fields === undefined) return { kind: property === undefined || property === null ? "absent" : "other" };
  if (isSet(fields["unknown"])) return { kind: "unknown" };
  const { value } = fields;
  if (value === undefined || value === null) return { kind: "absent" };
  const children = fieldsOf(value);
  return children === undefined ? { kind: "other" } : { kind: "mapping", children, secret: isSet(fields["secret"]) };
}

function valueText(
  fields: Fields,
  number: () => string,
): { readonly kind: "text"; readonly text: string } | { readonly kind: "unknown" | "nested" } {
  if (isSet(fields["unknown"])) return { kind: "unknown" };
  const { value } = fields;
  if (value === undefined || value === null) return { kind: "text", text: "" };
  if (typeof value === "string") return { kind: "text", text: value };
  if (typeof value === "number") return { kind: "text", text: number() };
  return typeof value === "boolean" ? { kind: "text", text: String(value) } : { kind: "nested" };
}

function isSet(flag: unknown): boolean {
  return flag !== undefined && flag !== null && flag !== false;
}

/** The import that defines a value, from its trace; `undefined` for the environment's own and where nothing is told. */
function importOf(fields: Fields, name: FullName): string | undefined {
  const environment = fieldsOf(fieldsOf(fields["trace"])?.["def"])?.["environment"];
  if (typeof environment !== "string" || environment === "") return undefined;
  const path = environment.replace(/@[^@/]*$/, "");
  const own = [formatName(name), `${name.project}/${name.name}`];
  if (own.includes(path) || (name.project === "default" && path === name.name)) return undefined;
  return printable(environment);
}

/** What JSON can write, by an escape, and UTF-8 cannot: it would become U+FFFD without a word. */
const HALF = "half of a surrogate pair";

/** @throws SophiaError */
function checkName(name: string, environment: string): void {
  const flaw = name.includes("=")
    ? "a = sign"
    : name.includes("\0")
      ? "a NUL character"
      : isUnicode(name)
        ? undefined
        : HALF;
  if (name !== "" && flaw === undefined) return;
  const what = name === "" ? "an empty name" : `the name '${printable(name)}'`;
  const why = flaw === undefined ? "" : `, which has ${flaw} in it`;
  throw new SophiaError({
    code: "esc-value",
    message: `ESC environment ${environment} gives a variable ${what}${why}`,
    hint: "rename it in the definition: no environment variable can have that name",
  });
}

/** @throws SophiaError that does not show the value */
function checkValue(name: string, value: string, delivery: Variable["delivery"], environment: string): void {
  const hasNul = delivery === "value" && value.includes("\0");
  if (!hasNul && isUnicode(value)) return;
  throw new SophiaError({
    code: "esc-value",
    message: `ESC environment ${environment}: the value of ${printable(name)} has ${hasNul ? "a NUL character" : HALF} in it`,
    hint: hasNul
      ? "move it to `files` in the definition, or encode it: no environment variable can hold a NUL"
      : "mend the value in the definition, or encode it: it is not Unicode text",
  });
}

function notAMapping(environment: string, property: string): Notice {
  return { kind: "remark", text: `ESC environment ${environment}: ${property} is not a mapping and gives nothing` };
}
