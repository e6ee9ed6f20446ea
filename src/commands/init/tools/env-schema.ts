/** The variables of a `.env.schema` of varlock, with the decorators in the comments above them; pure. */
import { withoutMark } from "../../../core/text.ts";
import type { Candidate } from "../variable-candidates.ts";
import { candidateOf, type ToolFormat, type ToolResult } from "./details.ts";

/**
 * `@name`, `@name=value` or `@name(arguments)`; a value may be a call or in quotes. Arguments have a limit: of many brackets that
 * never close, each would be followed to the end of the line.
 */
const DECORATOR = /(?:^|\s)@([A-Za-z]\w*)(?:=([A-Za-z]\w*\([^)]{0,500}\)|"[^"]*"|'[^']*'|[^\s#]*)|\(([^)]{0,500})\))?/g;
const ITEM = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=(.*)$/;
/** A line of `---` ends the header, whose decorators are about the file. */
const DIVIDER = /^\s*#\s*[-=]{3,}\s*$/;

type Decorators = ReadonlyMap<string, string>;

export function fromEnvSchema(text: string): ToolResult {
  const lines = withoutMark(text).split(/\r\n|\n|\r/);
  const firstItem = lines.findIndex((line) => ITEM.test(line));
  const divider = lines.findIndex((line) => DIVIDER.test(line));
  const headerEnd = divider !== -1 && (firstItem === -1 || divider < firstItem) ? divider : -1;
  const root = decoratorsOf(lines.slice(0, headerEnd + 1));
  const candidates = new Map<string, Candidate>();
  let comments: string[] = [];
  for (const line of lines.slice(headerEnd + 1)) {
    const [item, name = "", assigned = ""] = ITEM.exec(line) ?? [];
    if (item !== undefined) {
      if (!candidates.has(name)) candidates.set(name, toCandidate(name, assigned, comments, root));
      comments = [];
    } else if (/^\s*#/.test(line) && !DIVIDER.test(line)) comments.push(line);
    else comments = [];
  }
  const functions = [...candidates.values()].filter(({ isGiven }) => isGiven === true).map(({ name }) => name);
  const remark = "values that .env.schema computes or fetches are not copied: set them in ESC, or in .env";
  return { candidates: [...candidates.values()], remarks: functions.length === 0 ? [] : [remark] };
}

function toCandidate(name: string, assigned: string, comments: readonly string[], root: Decorators): Candidate {
  const { value, isComputed, behind } = valueOf(assigned);
  const decorators = decoratorsOf([...comments, behind]);
  const prose = comments.map((line) => line.replace(/^\s*#+\s?/, "").trim()).filter((line) => !line.startsWith("@"));
  const secret = isSensitive(name, decorators, root);
  const candidate = candidateOf({
    name,
    description: prose.filter((line) => /\w/.test(line)).join("\n"),
    required: isRequired(decorators, root, value !== "" || isComputed),
    // A secret's value stays where it is.
    value: isComputed || secret ? undefined : value,
    secret,
    example: decorators.get("example") ?? decorators.get("placeholder"),
    docs: (decorators.get("docs") ?? decorators.get("docsUrl"))?.split(",").at(-1)?.trim(),
    format: formatOf(decorators.get("type") ?? ""),
  });
  return isComputed ? { ...candidate, isGiven: true } : candidate;
}

function decoratorsOf(lines: readonly string[]): Decorators {
  const decorators = new Map<string, string>();
  for (const line of lines) {
    const text = line.replace(/^\s*#+/, "");
    // A sentence may contain an address of e-mail.
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

/** By default an item with a value is required. */
function isRequired(own: Decorators, root: Decorators, hasValue: boolean): boolean {
  if (own.has("required")) return own.get("required") !== "false";
  if (own.has("optional")) return own.get("optional") === "false";
  const byDefault = root.get("defaultRequired");
  return byDefault === "true" || (byDefault !== "false" && hasValue);
}

function isSensitive(name: string, own: Decorators, root: Decorators): boolean {
  if (own.has("sensitive")) return own.get("sensitive") !== "false";
  if (own.has("public")) return own.get("public") === "false";
  const byDefault = root.get("defaultSensitive") ?? "";
  const prefix = /^inferFromPrefix\((?:["'])?([^"')]+)/.exec(byDefault)?.[1];
  return byDefault !== "false" && !(prefix !== undefined && name.startsWith(prefix));
}

/** A value is text, or computed: a call such as `exec(…)`, or a text with `$`, unless it is in single quotes. */
function valueOf(assigned: string): { readonly value: string; readonly isComputed: boolean; readonly behind: string } {
  const text = assigned.trim();
  const [quotes, , inner = "", after = ""] = /^(["'`])(.*?)(?<!\\)\1\s*(#.*)?$/.exec(text) ?? [];
  if (quotes !== undefined) {
    return { value: inner, isComputed: !text.startsWith("'") && inner.includes("$"), behind: after };
  }
  const [, plain = "", comment = ""] = /^(.*?)(?:(?:^|\s)(#.*))?$/.exec(text) ?? [];
  const value = plain.trim();
  return { value, isComputed: /^[A-Za-z]\w*\(/.test(value) || value.includes("$"), behind: comment };
}

function formatOf(type: string): ToolFormat | undefined {
  const [, name = "", list = ""] = /^(\w+)(?:\((.*)\))?$/.exec(type) ?? [];
  const words = list.split(",").map((word) => unquoted(word.trim()));
  const option = (key: string): string =>
    unquoted(words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1) ?? "");
  switch (name) {
    case "port":
    case "boolean":
    case "email":
      return { entry: name, checked: { kind: name } };
    case "number":
      return option("isInt") === "true"
        ? { entry: "integer", checked: { kind: "integer" } }
        : { entry: "number", checked: { kind: "number" } };
    case "url":
      return { entry: "url", checked: { kind: "url", schemes: [] } };
    case "enum": {
      const values = [...new Set(words.filter((word) => word !== "" && !word.includes("=")))];
      if (values.length === 0) return undefined;
      return { entry: { type: "enum", values }, checked: { kind: "enum", values } };
    }
    case "string": {
      const prefix = option("startsWith");
      if (prefix === "") return undefined;
      return { entry: { type: "text", prefix }, checked: { kind: "text", prefixes: [prefix], minLength: 0 } };
    }
    default:
      return undefined;
  }
}
