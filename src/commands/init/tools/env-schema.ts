/**
 * Parses a `.env.schema`, the file in which the tool varlock describes a project's variables, for `init`. Comments above an
 * item have decorators, which begin with `@`:
 *
 *     # The port of the server
 *     # @required @type=port
 *     PORT=8080
 */
import { withoutMark } from "../../../core/text.ts";
import type { Candidate } from "../variable-candidates.ts";
import { createCandidate, type ToolFormat, type ToolResult } from "./tool-variable.ts";

/**
 * Matches `@name`, `@name=value` and `@name(arguments)`. A value may be a call, or in quotes. The arguments have a limit,
 * since a line with many brackets that never close would take quadratic time.
 */
const DECORATOR = /(?:^|\s)@([A-Za-z]\w*)(?:=([A-Za-z]\w*\([^)]{0,500}\)|"[^"]*"|'[^']*'|[^\s#]*)|\(([^)]{0,500})\))?/g;
/** Matches an item: `PORT=8080`. */
const ITEM = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=(.*)$/;
/** Matches a line such as `# ---`, which ends the header. The decorators in the header apply to the whole file. */
const DIVIDER = /^\s*#\s*[-=]{3,}\s*$/;

/** The values of decorators by their names. A decorator without a value has an empty text. */
type Decorators = ReadonlyMap<string, string>;

/** Returns the items of the file as candidates. */
export function parseEnvSchema(text: string): ToolResult {
  const lines = withoutMark(text).split(/\r\n|\n|\r/);
  const firstItem = lines.findIndex((line) => ITEM.test(line));
  const divider = lines.findIndex((line) => DIVIDER.test(line));
  const headerEnd = divider !== -1 && (firstItem === -1 || divider < firstItem) ? divider : -1;
  const fileDecorators = parseDecorators(lines.slice(0, headerEnd + 1));
  const candidates = new Map<string, Candidate>();
  let comments: string[] = [];
  for (const line of lines.slice(headerEnd + 1)) {
    const [item, name = "", assigned = ""] = ITEM.exec(line) ?? [];
    if (item !== undefined) {
      if (!candidates.has(name)) candidates.set(name, toCandidate(name, assigned, comments, fileDecorators));
      comments = [];
    } else if (/^\s*#/.test(line) && !DIVIDER.test(line)) comments.push(line);
    else comments = [];
  }
  const computedNames = [...candidates.values()].filter(({ hasValue }) => hasValue === true).map(({ name }) => name);
  const remark = "values that .env.schema computes or fetches are not copied: set them in ESC, or in .env";
  return { candidates: [...candidates.values()], remarks: computedNames.length === 0 ? [] : [remark] };
}

/** Makes a candidate of an item. `assigned` is the text after `=`. */
function toCandidate(
  name: string,
  assigned: string,
  comments: readonly string[],
  fileDecorators: Decorators,
): Candidate {
  const { value, isComputed, comment } = parseValue(assigned);
  const decorators = parseDecorators([...comments, comment]);
  const prose = comments.map((line) => line.replace(/^\s*#+\s?/, "").trim()).filter((line) => !line.startsWith("@"));
  const secret = isSensitive(name, decorators, fileDecorators);
  const candidate = createCandidate({
    name,
    description: prose.filter((line) => /\w/.test(line)).join("\n"),
    required: isRequired(decorators, fileDecorators, value !== "" || isComputed),
    // The value of a secret is not copied into the contract.
    value: isComputed || secret ? undefined : value,
    secret,
    example: decorators.get("example") ?? decorators.get("placeholder"),
    docs: (decorators.get("docs") ?? decorators.get("docsUrl"))?.split(",").at(-1)?.trim(),
    format: parseType(decorators.get("type") ?? ""),
  });
  return isComputed ? { ...candidate, hasValue: true } : candidate;
}

function parseDecorators(lines: readonly string[]): Decorators {
  const decorators = new Map<string, string>();
  for (const line of lines) {
    const text = line.replace(/^\s*#+/, "");
    // In other comments an `@` is part of a sentence, as in an e-mail address.
    if (!/^\s*@/.test(text)) continue;
    for (const [, name = "", value, call] of text.matchAll(DECORATOR)) {
      if (!decorators.has(name)) decorators.set(name, unquoted(value ?? call ?? ""));
    }
  }
  return decorators;
}

function unquoted(text: string): string {
  return text.replace(/^(["'])(.*)\1$/, "$2");
}

/** Decides by the item's decorators, then by those of the file. Without them an item with a value is required. */
function isRequired(item: Decorators, file: Decorators, hasValue: boolean): boolean {
  if (item.has("required")) return item.get("required") !== "false";
  if (item.has("optional")) return item.get("optional") === "false";
  const byDefault = file.get("defaultRequired");
  return byDefault === "true" || (byDefault !== "false" && hasValue);
}

/** Decides by the item's decorators, then by those of the file. Without them an item is sensitive. */
function isSensitive(name: string, item: Decorators, file: Decorators): boolean {
  if (item.has("sensitive")) return item.get("sensitive") !== "false";
  if (item.has("public")) return item.get("public") === "false";
  const byDefault = file.get("defaultSensitive") ?? "";
  const prefix = /^inferFromPrefix\((?:["'])?([^"')]+)/.exec(byDefault)?.[1];
  return byDefault !== "false" && !(prefix !== undefined && name.startsWith(prefix));
}

interface ItemValue {
  readonly value: string;
  /** The value is a call such as `exec(…)`, or a text with `$` that is not in single quotes. */
  readonly isComputed: boolean;
  /** The comment after the value. */
  readonly comment: string;
}

/** Parses the text after `=`: `"a $b" # comment`, `exec("date")`, `plain`. */
function parseValue(assigned: string): ItemValue {
  const text = assigned.trim();
  const quoted = /^(["'`])(.*?)(?<!\\)\1\s*(#.*)?$/.exec(text);
  if (quoted !== null) {
    const [, quote, value = "", comment = ""] = quoted;
    return { value, isComputed: quote !== "'" && value.includes("$"), comment };
  }
  const [, unquotedText = "", comment = ""] = /^(.*?)(?:(?:^|\s)(#.*))?$/.exec(text) ?? [];
  const value = unquotedText.trim();
  return { value, isComputed: /^[A-Za-z]\w*\(/.test(value) || value.includes("$"), comment };
}

/**
 * Parses the value of `@type`, such as `port` or `enum(debug, info)`. Returns undefined if a contract has no such format.
 */
function parseType(type: string): ToolFormat | undefined {
  const [, name = "", list = ""] = /^(\w+)(?:\((.*)\))?$/.exec(type) ?? [];
  const parameters = list.split(",").map((parameter) => unquoted(parameter.trim()));
  const option = (key: string): string =>
    unquoted(parameters.find((parameter) => parameter.startsWith(`${key}=`))?.slice(key.length + 1) ?? "");
  switch (name) {
    case "port":
    case "boolean":
    case "email":
      return { entry: name, compiled: { kind: name } };
    case "number":
      // `number(isInt=true)`
      return option("isInt") === "true"
        ? { entry: "integer", compiled: { kind: "integer" } }
        : { entry: "number", compiled: { kind: "number" } };
    case "url":
      return { entry: "url", compiled: { kind: "url", schemes: [] } };
    case "enum": {
      const values = [...new Set(parameters.filter((parameter) => parameter !== "" && !parameter.includes("=")))];
      if (values.length === 0) return undefined;
      return { entry: { type: "enum", values }, compiled: { kind: "enum", values } };
    }
    case "string": {
      const prefix = option("startsWith");
      if (prefix === "") return undefined;
      return { entry: { type: "text", prefix }, compiled: { kind: "text", prefixes: [prefix], minLength: 0 } };
    }
    default:
      return undefined;
  }
}
