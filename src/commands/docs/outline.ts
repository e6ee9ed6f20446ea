/** The chapters and the descriptions of variables and rules that the documents of `sophia-run docs` and `explain` share. */
import { groupBy } from "../../core/group-by.ts";
import { enumerate } from "../../core/text.ts";
import type { Contract, Declaration, GroupRule, Interval, Rule, ValueFormat } from "../../contract/contract-model.ts";
import { joinAlternatives, describeRange } from "../../contract/contract-words.ts";

/** A part of a document with its variables. */
export interface Chapter {
  readonly title: string;
  readonly declarations: readonly Declaration[];
}

/**
 * Returns the sections of the contract as chapters, and a last chapter with the variables of no section. Each variable is
 * only in the first section that names it or its group.
 */
export function listChapters({ sections, variables }: Contract): readonly Chapter[] {
  const unassigned = new Map(variables);
  const takeDeclaration = (name: string): readonly Declaration[] => {
    const declaration = unassigned.get(name);
    unassigned.delete(name);
    return declaration === undefined ? [] : [declaration];
  };
  const chaptersOfSections = sections.map(({ title, lines }) => {
    const names = lines.flatMap((line) => (line.kind === "variable" ? [line.name] : line.names));
    return { title, declarations: names.flatMap(takeDeclaration) };
  });
  const lastChapter = { title: "Other variables", declarations: Array.from(unassigned.values()) };
  return [...chaptersOfSections, lastChapter].filter(({ declarations }) => declarations.length > 0);
}

/** Returns a function that finds the rules over a variable, in the order of the contract. */
export function createRuleFinder({ rules }: Contract): (name: string) => readonly Rule[] {
  const rulesOfNames = rules.flatMap((rule) => {
    const names = isGroupRule(rule) ? [...new Set(rule.names)] : [rule.name];
    return names.map((name) => ({ name, rule }));
  });
  const entriesByName = groupBy(rulesOfNames, ({ name }) => name);
  return (name) => entriesByName.get(name)?.map(({ rule }) => rule) ?? [];
}

/** Describes a rule over a variable: `required`, `one of GitHub Token`. */
export function describeRule(rule: Rule): string {
  switch (rule.kind) {
    case "required":
    case "optional":
      return rule.kind;
    case "required-when":
      return rule.when.equals === undefined
        ? `required when ${rule.when.name} is set`
        : `required when ${rule.when.name} is ${joinAlternatives(rule.when.equals)}`;
    case "one-of":
    case "exactly-one":
    case "at-least-one":
    case "all-or-none":
      return `${GROUP_WORDS[rule.kind][0]} ${rule.label}`;
  }
}

/** For each rule of a group: the words before the group's label, and the sentence about the names of its variables. */
export const GROUP_WORDS: Readonly<
  Record<GroupRule["kind"], readonly [words: string, sentence: (list: string) => string]>
> = {
  "one-of": ["one of", (list) => `one of ${list} must be set; if several are set, the first in this order is used.`],
  "exactly-one": ["exactly one of", (list) => `exactly one of ${list} must be set.`],
  "at-least-one": ["at least one of", (list) => `at least one of ${list} must be set.`],
  "all-or-none": ["all or none of", (list) => `all or none of ${list} must be set.`],
};

/** Describes a rule of a group in a sentence. @param write returns a name as the document writes it */
export function describeGroupRule({ kind, names }: GroupRule, write: (name: string) => string): string {
  return GROUP_WORDS[kind][1](enumerate(names.map(write)));
}

export function isGroupRule(rule: Rule): rule is GroupRule {
  return "names" in rule;
}

export function describeInterval({ count, unit }: Interval): string {
  return count === 1 ? `every ${unit}` : `every ${count} ${unit}s`;
}

function describeValueFormat(format: ValueFormat): string {
  switch (format.kind) {
    case "text": {
      const { prefixes, minLength, pattern } = format;
      const parts = [
        ...(prefixes.length === 0 ? [] : [`begins with ${joinAlternatives(prefixes)}`]),
        ...(minLength === 0 ? [] : [`has at least ${minLength} characters`]),
        ...(pattern === undefined ? [] : [`matches ${pattern.source}`]),
      ];
      return parts.length === 0 ? "text" : `text that ${enumerate(parts)}`;
    }
    case "url":
      return format.schemes.length === 0
        ? "a URL"
        : `a URL that begins with ${joinAlternatives(format.schemes.map((scheme) => `${scheme}://`))}`;
    case "integer":
    case "number": {
      const noun = format.kind === "integer" ? "a whole number" : "a number";
      return format.minimum === undefined && format.maximum === undefined ? noun : `${noun} ${describeRange(format)}`;
    }
    case "boolean":
      return "true or false";
    case "port":
      return "a port";
    case "enum":
      return joinAlternatives(format.values);
    case "json":
      return "JSON";
    case "base64":
      return "base64";
    case "email":
      return "an e-mail address";
  }
}

/** Describes the format of a value, and that the program gets it in a file. Returns undefined if any text is valid. */
export function describeFormat({ as, format }: Declaration): string | undefined {
  const words = format === undefined ? undefined : describeValueFormat(format);
  return as === "file" ? `${words ?? "text"} in a file, whose path programs get` : words;
}

/** Describes a variable: label, description, and a line with its rules and format that begins with `subject`. */
export function descriptionLines(declaration: Declaration, rules: readonly Rule[], subject: string): readonly string[] {
  const { name, label } = declaration;
  const format = describeFormat(declaration);
  const facts = [...rules.map(describeRule), ...(format === undefined ? [] : [format])];
  return [
    ...(label === name ? [] : [`${label}.`]),
    ...splitLines(declaration.description),
    `${subject}: ${facts.join("; ")}.`,
  ];
}

/** Splits a description into lines; an empty description has none. */
export function splitLines(description: string): readonly string[] {
  return description === "" ? [] : description.split(/\r\n|\n|\r/);
}
