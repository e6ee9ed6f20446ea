/** Writes `.env.example` from the contract. */
import { printable } from "../../core/text.ts";
import type { Contract, Declaration, Rule } from "../../contract/contract-model.ts";
import { chapters, formWords, groupSentence, isGroupRule, linesOf, rulesByName, ruleWords } from "./outline.ts";

export const EXAMPLE_FILES: readonly string[] = [".env.example", ".env.sample", ".env.template", "example.env"];

const BEGIN = "# --- Written by `sophia-run docs`: further variables of the contract ---";
const END = "# --- End of the part that `sophia-run docs` writes ---";

/** Appends the variables of the contract that a `.env.example` of the user lacks. */
export function mergedExample(current: string, contract: Contract): string {
  const lineEnd = current.includes("\r\n") ? "\r\n" : "\n";
  const own = withoutBlock(current.split(/\r\n|\n/));
  const assigned = new Set(own.map(assignedBy));
  const rulesOf = rulesByName(contract);
  const missing = chapters(contract)
    .flatMap(({ declarations }) => declarations)
    .filter(({ name }) => !assigned.has(name));
  if (missing.length === 0) return own.join(lineEnd);
  const block = [BEGIN, ...missing.flatMap((declaration) => entry(declaration, rulesOf(declaration.name))), "", END];
  const text = own.join(lineEnd).trimEnd();
  return `${text}${text === "" ? "" : lineEnd + lineEnd}${block.join(lineEnd)}${lineEnd}`;
}

function withoutBlock(lines: readonly string[]): readonly string[] {
  const from = lines.indexOf(BEGIN);
  const to = from === -1 ? -1 : lines.indexOf(END, from);
  if (to === -1) return lines;
  const before = lines.slice(0, lines[from - 1] === "" ? from - 1 : from);
  return [...before, ...lines.slice(to + 1)];
}

function assignedBy(line: string): string | undefined {
  return /^\s*(?:#\s*)?(?:export\s+)?([A-Za-z_][\w.-]*)\s*=/.exec(line)?.[1];
}

/** The settings of ESC, for projects that use it. */
const ESC_LINES: readonly string[] = [
  "",
  ...comments([
    "--- Pulumi ESC ---",
    "If both are set, the values come from ESC, and the variables below only fill gaps.",
    "Example: acme/sophia/dev",
  ]),
  "ESC_ENV=",
  ...comments(["A read-only access token."]),
  "ESC_TOKEN=",
];

/** Returns each variable with its description and without a value. @param mark see `markOf` */
export function envExample(contract: Contract, mark: string, usesEsc: boolean): string {
  const rulesOf = rulesByName(contract);
  const groups = contract.rules
    .filter(isGroupRule)
    .map((rule) => `${rule.label}: ${groupSentence(rule, (name) => name)}`);
  return [
    ...comments([
      `The environment variables of this repository; ${mark}.`,
      "Copy this file to .env, which must not be committed, and set the variables that you need. An empty value is unset.",
      ...groups,
    ]),
    ...(usesEsc ? ESC_LINES : []),
    ...chapters(contract).flatMap(({ title, declarations }) => [
      "",
      ...comments([`--- ${title} ---`]),
      ...declarations.flatMap((declaration) => entry(declaration, rulesOf(declaration.name))),
    ]),
    "",
  ].join("\n");
}

function entry(declaration: Declaration, rules: readonly Rule[]): readonly string[] {
  const { name, label, description, example, docs, deprecated, default: fallback } = declaration;
  const form = formWords(declaration);
  const title = label === name ? "" : `${label} `;
  return [
    "",
    ...comments([
      `${title}(${rules.map(ruleWords).join("; ")})`,
      ...linesOf(description),
      ...(deprecated === undefined ? [] : [`Deprecated: use ${deprecated}.`]),
      ...(form === undefined ? [] : [`Format: ${form}`]),
      ...(example === undefined ? [] : [`Example: ${example}`]),
      ...(fallback === undefined ? [] : [`Default: ${fallback}`]),
      ...(docs === undefined ? [] : [`See ${docs}`]),
    ]),
    `${name}=`,
  ];
}

function comments(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `# ${printable(line)}`.trimEnd());
}
