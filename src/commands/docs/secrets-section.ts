/** Writes the tables of SECRETS.md from the contract; pure. */
import { printable } from "../../core/text.ts";
import type { Contract, Declaration, Rule } from "../../contract/model.ts";
import { rotationOf } from "../../contract/rotation.ts";
import { chapters, formatWords, groupSentence, intervalWords, isGroupRule, rulesByName, ruleWords } from "./outline.ts";

/** Returns the contract in Markdown, a table for each chapter. It holds no value. */
export function contractBlocks(contract: Contract): readonly string[] {
  const rulesOf = rulesByName(contract);
  const blocks = chapters(contract).flatMap(({ title, declarations }) => [
    `### ${inline(title)}`,
    table(
      ["Variable", "Needed", "Description", "Rotation"],
      declarations.map((declaration) => row(contract, declaration, rulesOf(declaration.name))),
    ),
  ]);
  const groups = contract.rules
    .filter(isGroupRule)
    .map((rule) => `- **${inline(rule.label)}**: ${groupSentence(rule, code)}`);
  if (groups.length > 0) blocks.push("### Rules over several variables", groups.join("\n"));
  if (contract.scope === undefined && contract.scopes.size > 0) {
    const scopes = Array.from(contract.scopes, ([name, names]) => [
      code(`--scope ${name}`),
      names.map(code).join(", "),
    ]);
    blocks.push("### Variables of each process", table(["Process", "Variables"], scopes));
  }
  return blocks;
}

function row(contract: Contract, declaration: Declaration, rules: readonly Rule[]): readonly string[] {
  const { name, label, description, docs, format, deprecated, aliases, default: fallback } = declaration;
  const rotation = rotationOf(contract, declaration);
  const others = aliases.map((alias) => code(alias.name) + (alias.deprecated ? " (deprecated)" : ""));
  const facts = [
    ...(description === "" ? (label === name ? [] : [inline(label)]) : [inline(description)]),
    ...(format === undefined ? [] : [`Format: ${inline(formatWords(format))}.`]),
    ...(fallback === undefined ? [] : [`Default: ${code(fallback)}.`]),
    ...(others.length === 0 ? [] : [`Also as ${others.join(", ")}.`]),
    ...(deprecated === undefined ? [] : [`Deprecated: use ${code(deprecated)}.`]),
    ...(docs === undefined ? [] : [`[More](${docs.replaceAll(/[()|\\]/g, percent)})`]),
  ];
  return [
    code(name),
    inline(rules.map(ruleWords).join("; ")),
    facts.join(" "),
    rotation === undefined ? "" : intervalWords(rotation),
  ];
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** Escapes Markdown and HTML in a text. */
function inline(text: string): string {
  return printable(text.replaceAll(/\s+/g, " "))
    .trim()
    .replaceAll(/[\\`*<[|]|(?<![a-z\d])_|_(?![a-z\d])/gi, String.raw`\$&`);
}

function code(text: string): string {
  const line = printable(text.replaceAll(/\s+/g, " "));
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  const space = line.startsWith("`") || line.endsWith("`") ? " " : "";
  return fence + space + line.replaceAll("|", String.raw`\|`) + space + fence;
}

/** Returns a table with aligned columns, as formatters write it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    [head, ...rows].reduce((widest, cells) => Math.max(widest, Array.from(cells[column] ?? "").length), 3),
  );
  const line = (cells: readonly string[], fill: string): string =>
    `| ${widths.map((width, column) => pad(cells[column] ?? "", width, fill)).join(" | ")} |`;
  return [line(head, " "), line([], "-"), ...rows.map((cells) => line(cells, " "))].join("\n");
}

function pad(text: string, width: number, fill: string): string {
  return text + fill.repeat(Math.max(0, width - Array.from(text).length));
}
