/**
 * Reads the variables and files of an ESC environment from the JSON with which ESC answers a request to open or evaluate it:
 *
 *     { "properties": { "environmentVariables": { "value": { "PORT": { "value": 8080, "trace": {…} } } } } }
 */
import { SophiaError } from "../../core/error.ts";
import type { Notice, Variable } from "../../core/model.ts";
import { printable, withoutMark } from "../../core/text.ts";
import { unexpectedAnswer } from "../faults/esc-fault.ts";
import { formatName, type FullName } from "../settings/environment-names.ts";
import { type Fields, fieldsOf, valueAt } from "../transport/answer.ts";
import { namesInTraces, provenanceOf } from "./trace.ts";

/** One child of `environmentVariables` or of `files`: a variable that the program gets by value, or as the path of a file. */
export type OpenedEntry = {
  readonly name: string;
  readonly secret: boolean;
  readonly delivery: Variable["delivery"];
} & (
  | { readonly kind: "variable"; readonly variable: Variable }
  /** The value of a secret that ESC does not show, or one that a provider makes only when the environment is opened. */
  | { readonly kind: "unknown" }
  | { readonly kind: "list-or-object" }
);

interface OpenedEntries {
  /** The children of `environmentVariables` are first. Those of `files` follow, and win over variables of the same name. */
  readonly entries: readonly OpenedEntry[];
  /** The groups, `environmentVariables` or `files`, whose children are known only once the environment is opened. */
  readonly unknown: readonly string[];
  readonly notices: readonly Notice[];
}

type OpenedName = FullName & { readonly revision?: string | undefined };

/** Matches the members of an answer of ESC. An empty environment is `{}`. An object with only other members is not from ESC. */
const ANSWER_MEMBER = /^(?:exprs|properties|schema|executionContext|environmentFunctionSummary)$/;
const GROUPS = [
  { property: "environmentVariables", delivery: "value" },
  { property: "files", delivery: "file" },
] as const;
/** Parts that no variable can contain. JSON can escape half of a surrogate pair, which in UTF-8 would silently become U+FFFD. */
const HALF_PAIR = "half of a surrogate pair";
const NUL = "a NUL character";

/** Returns the variables of {@link readEntries}, with a notice about values that no variable can have. */
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
    // A file whose value is unknown wins over a variable of its name, too.
    else if (entry.kind === "unknown") variables.delete(entry.name);
  }
  const skippedNotices = (why: "unknown" | "list-or-object", groups: readonly string[]): readonly Notice[] => {
    const names = [...groups, ...entries.filter(({ kind }) => kind === why).map((entry) => printable(entry.name))];
    return names.length === 0 ? [] : [{ kind: "esc-skipped", environment: formatName(name), names, why }];
  };
  return {
    variables: [...variables.values()],
    notices: [...notices, ...skippedNotices("unknown", unknown), ...skippedNotices("list-or-object", [])],
  };
}

/**
 * Reads the direct children of `environmentVariables` and of `files`.
 *
 * @param text the JSON text from which `answer` was parsed: numbers are taken from it with all of their digits
 * @throws EscFault for an answer of another form @throws SophiaError (esc-value, 125) for an impossible variable
 */
export function readEntries(answer: Fields, text: string, name: OpenedName, host: string): OpenedEntries {
  const properties = fieldsOf(answer["properties"] ?? {});
  const keys = Object.keys(answer);
  if (properties === undefined || (keys.length > 0 && !keys.some((key) => ANSWER_MEMBER.test(key)))) {
    throw unexpectedAnswer(host);
  }
  const reader = new EntryReader(answer, text, name, host);
  const entries: OpenedEntry[] = [];
  const unknown: string[] = [];
  const notices: Notice[] = [];
  for (const { property, delivery } of GROUPS) {
    const group = fieldsOf(properties[property]);
    const isGroupSecret = isSet(group?.["secret"]);
    if (isSet(group?.["unknown"])) {
      // Only the schema of the answer may name the children.
      unknown.push(property);
      for (const [key, schema] of childSchemas(answer, property)) {
        entries.push({ name: key, secret: isGroupSecret, delivery, kind: kindOfUnknown(schema) });
      }
      continue;
    }
    const children = fieldsOf((group === undefined ? properties[property] : group["value"]) ?? {});
    if (children === undefined) {
      const problem = `${property} is not a mapping; it is ignored`;
      notices.push({ kind: "remark", text: `ESC environment ${formatName(name)}: ${problem}` });
      continue;
    }
    for (const [key, child] of Object.entries(children)) {
      entries.push(reader.read(key, child, { property, delivery, isSecret: isGroupSecret }));
    }
  }
  return { entries, unknown, notices };
}

/** The group of a child: `environmentVariables` or `files`. */
interface EntryGroup {
  readonly property: string;
  readonly delivery: Variable["delivery"];
  /** True if ESC marks the whole group as secret. */
  readonly isSecret: boolean;
}

/** Reads the children of the groups in one answer. */
class EntryReader {
  readonly #answer: Fields;
  readonly #text: string;
  readonly #name: OpenedName;
  readonly #host: string;
  readonly #environmentNames: ReadonlySet<string>;
  /** The answer with its numbers as strings. The text is parsed a second time only if there is a number. */
  #answerWithDigits: unknown;

  constructor(answer: Fields, text: string, name: OpenedName, host: string) {
    this.#answer = answer;
    this.#text = text;
    this.#name = name;
    this.#host = host;
    this.#environmentNames = namesInTraces(answer, name);
  }

  /** @throws EscFault for a child of another form @throws SophiaError (esc-value, 125) for an impossible variable */
  read(key: string, child: unknown, { property, delivery, isSecret }: EntryGroup): OpenedEntry {
    const fields = fieldsOf(child);
    if (fields === undefined) throw unexpectedAnswer(this.#host);
    const entry = { name: key, secret: isSecret || isSet(fields["secret"]), delivery };
    const value = textOf(fields, () => this.#numberAt(property, key));
    if (typeof value !== "string") {
      const schema = valueAt(this.#answer, "schema", "properties", property, "properties", key);
      return { ...entry, kind: value === null ? "list-or-object" : kindOfUnknown(schema) };
    }
    const environment = formatName(this.#name);
    checkVariable(key, value, delivery, environment);
    const origin = {
      source: "esc",
      environment,
      ...versionsOf(this.#name),
      ...provenanceOf(fields, this.#environmentNames),
    } as const;
    return { ...entry, kind: "variable", variable: { ...entry, value, origin } };
  }

  /** Returns a number as ESC has written it, with all digits. */
  #numberAt(property: string, key: string): unknown {
    this.#answerWithDigits ??= JSON.parse(withNumbersAsStrings(withoutMark(this.#text)));
    return valueAt(this.#answerWithDigits, "properties", property, "value", key, "value");
  }
}

/** Returns the kind of an entry without a value, by its schema. */
function kindOfUnknown(schema: unknown): "list-or-object" | "unknown" {
  return /^(?:array|object)$/.test(String(valueAt(schema, "type"))) ? "list-or-object" : "unknown";
}

function versionsOf({ version, revision }: OpenedName): { readonly version?: string; readonly revision?: string } {
  return { ...(version === undefined ? {} : { version }), ...(revision === undefined ? {} : { revision }) };
}

/** Returns the schemas of the direct children of a property such as `environmentVariables`. Their `const` holds secrets. */
export function childSchemas(answer: Fields, property: string): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(fieldsOf(valueAt(answer, "schema", "properties", property, "properties")) ?? {}));
}

/** Returns a value as text; undefined for an unknown value, null for a list or an object. @param findNumber returns all digits */
function textOf(fields: Fields, findNumber: () => unknown): string | undefined | null {
  if (isSet(fields["unknown"])) return undefined;
  const value = fields["value"] ?? "";
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(findNumber());
  return typeof value === "boolean" ? String(value) : null;
}

/** Returns true for a flag such as `"secret": true`; it may be absent or null. */
function isSet(flag: unknown): boolean {
  return flag !== undefined && flag !== null && flag !== false;
}

/**
 * Checks that a variable can have this name and value. @throws SophiaError (esc-value, 125), which does not show the value
 */
function checkVariable(name: string, value: string, delivery: Variable["delivery"], environment: string): void {
  const createError = (flaw: string, hint: string): SophiaError =>
    new SophiaError({ code: "esc-value", message: `ESC environment ${environment}${flaw}`, hint });
  const nameFlaws = [name.includes("=") && "a = sign", name.includes("\0") && NUL, !name.isWellFormed() && HALF_PAIR];
  const flaw = nameFlaws.find((nameFlaw) => nameFlaw !== false);
  if (name === "" || flaw !== undefined) {
    const description = name === "" ? "with an empty name" : `named '${printable(name)}', which contains ${flaw}`;
    throw createError(
      ` defines a variable ${description}`,
      "rename it in the definition: no environment variable can have that name",
    );
  }
  const valueContains = `: the value of ${printable(name)} contains`;
  if (delivery === "value" && value.includes("\0")) {
    const hint = "move it to `files` in the definition, or encode it: no environment variable can contain a NUL";
    throw createError(`${valueContains} ${NUL}`, hint);
  }
  if (!value.isWellFormed()) {
    throw createError(
      `${valueContains} ${HALF_PAIR}`,
      "fix the value in the definition, or encode it: it is not valid Unicode",
    );
  }
}

/**
 * Writes the numbers of a JSON text as strings, so that all digits remain: `{"a":1.0}` becomes `{"a":"1.0"}`. `JSON.parse`
 * would make `1` of `1.0` and round large integers, and Node.js 20 does not give a reviver the source. Takes linear time.
 */
export function withNumbersAsStrings(json: string): string {
  const quoteOrNumber = /"|-?\d[\d.eE+-]*/g;
  let text = "";
  let copiedUpTo = 0;
  for (let match = quoteOrNumber.exec(json); match !== null; match = quoteOrNumber.exec(json)) {
    // Digits within a string are not a number, so the search continues after the string.
    if (match[0] === '"') quoteOrNumber.lastIndex = findStringEnd(json, match.index);
    else {
      text += `${json.slice(copiedUpTo, match.index)}"${match[0]}"`;
      copiedUpTo = quoteOrNumber.lastIndex;
    }
  }
  return text + json.slice(copiedUpTo);
}

/** Returns the position after the string that begins with the quote at `openingQuote`. */
function findStringEnd(json: string, openingQuote: number): number {
  for (let position = openingQuote + 1; ;) {
    const quote = json.indexOf('"', position);
    if (quote === -1) return json.length;
    let firstBackslash = quote;
    while (json[firstBackslash - 1] === "\\") firstBackslash -= 1;
    // An odd number of backslashes before a quote escapes it.
    if ((quote - firstBackslash) % 2 === 0) return quote + 1;
    position = quote + 1;
  }
}
