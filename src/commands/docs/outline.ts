/** Chapters and wordings that all documents of a contract share. */
import { grouped } from "../../core/grouped.ts";
import { enumerate } from "../../core/text.ts";
import type { Contract, Declaration, GroupRule, Interval, Rule, ValueFormat } from "../../contract/contract-model.ts";
import { alternatives, rangeWords } from "../../contract/contract-words.ts";

export interface Chapter {
  readonly title: string;
  readonly declarations: readonly Declaration[];
}

/** Returns each variable once, in the first section with the variable or its group; the others come last. */
export function chapters({ sections, variables }: Contract): readonly Chapter[] {
  const left = new Map(variables);
  const take = (name: string): readonly Declaration[] => {
    const declaration = left.get(name);
    left.delete(name);
    return declaration === undefined ? [] : [declaration];
  };
  const titled = sections.map(({ title, lines }) => ({
    title,
    declarations: lines.flatMap((line) => (line.kind === "variable" ? [line.name] : line.names)).flatMap(take),
  }));
  const others = { title: "Other variables", declarations: Array.from(left.values()) };
  return [...titled, others].filter(({ declarations }) => declarations.length > 0);
}

/** Returns a function that finds the rules over a variable, in the order of the contract. */
export function rulesByName({ rules }: Contract): (name: string) => readonly Rule[] {
  const rulesOf = grouped(
    rules.flatMap((rule) =>
      (isGroupRule(rule) ? [...new Set(rule.names)] : [rule.name]).map((name) => ({ name, rule })),
    ),
    ({ name }) => name,
  );
  return (name) => rulesOf.get(name)?.map(({ rule }) => rule) ?? [];
}

/** Returns a rule over a variable in words, such as `required` or `one of GitHub Token`. */
export function ruleWords(rule: Rule): string {
  switch (rule.kind) {
    case "required":
    case "optional":
      return rule.kind;
    case "required-when":
      return rule.when.equals === undefined
        ? `required when ${rule.when.name} is set`
        : `required when ${rule.when.name} is ${alternatives(rule.when.equals)}`;
    case "one-of":
    case "exactly-one":
    case "at-least-one":
    case "all-or-none":
      return `${GROUP_WORDS[rule.kind][0]} ${rule.label}`;
  }
}

/** The words of each group rule before the label of the group, and its sentence about a list of names. */
export const GROUP_WORDS: Readonly<
  Record<GroupRule["kind"], readonly [words: string, sentence: (list: string) => string]>
> = {
  "one-of": ["one of", (list) => `one of ${list} must be set; if several are set, the first in this order is used.`],
  "exactly-one": ["exactly one of", (list) => `exactly one of ${list} must be set.`],
  "at-least-one": ["at least one of", (list) => `at least one of ${list} must be set.`],
  "all-or-none": ["all or none of", (list) => `all or none of ${list} must be set.`],
};

export function groupSentence({ kind, names }: GroupRule, write: (name: string) => string): string {
  return GROUP_WORDS[kind][1](enumerate(names.map(write)));
}

export function isGroupRule(rule: Rule): rule is GroupRule {
  return "names" in rule;
}

export function intervalWords({ count, unit }: Interval): string {
  return count === 1 ? `every ${unit}` : `every ${count} ${unit}s`;
}

function formatWords(format: ValueFormat): string {
  switch (format.kind) {
    case "text": {
      const { prefixes, minLength, pattern } = format;
      const parts = [
        ...(prefixes.length === 0 ? [] : [`begins with ${alternatives(prefixes)}`]),
        ...(minLength === 0 ? [] : [`has at least ${minLength} characters`]),
        ...(pattern === undefined ? [] : [`matches ${pattern.source}`]),
      ];
      return parts.length === 0 ? "text" : `text that ${enumerate(parts)}`;
    }
    case "url":
      return format.schemes.length === 0
        ? "a URL"
        : `a URL that begins with ${alternatives(format.schemes.map((scheme) => `${scheme}://`))}`;
    case "integer":
    case "number": {
      const noun = format.kind === "integer" ? "a whole number" : "a number";
      return format.minimum === undefined && format.maximum === undefined ? noun : `${noun} ${rangeWords(format)}`;
    }
    case "boolean":
      return "true or false";
    case "port":
      return "a port";
    case "enum":
      return alternatives(format.values);
    case "json":
      return "JSON";
    case "base64":
      return "base64";
    case "email":
      return "an e-mail address";
  }
}

/** Words the format of a value, and that the program gets a file with it; undefined for any text. */
export function formWords({ as, format }: Declaration): string | undefined {
  const words = format === undefined ? undefined : formatWords(format);
  return as === "file" ? `${words ?? "text"} in a file, whose path programs get` : words;
}

/** Describes a variable: label, description, and a line with its rules and format that begins with `subject`. */
export function descriptionLines(declaration: Declaration, rules: readonly Rule[], subject: string): readonly string[] {
  const { name, label } = declaration;
  const form = formWords(declaration);
  const facts = [...rules.map(ruleWords), ...(form === undefined ? [] : [form])];
  return [
    ...(label === name ? [] : [`${label}.`]),
    ...linesOf(declaration.description),
    `${subject}: ${facts.join("; ")}.`,
  ];
}

export function linesOf(description: string): readonly string[] {
  return description === "" ? [] : description.split(/\r\n|\n|\r/);
}
