/**
 * Writes the text of `.env.example` from the contract, for `sophia-run docs`. A file that the user wrote gets what it
 * lacks.
 */
import { printable } from "../../core/text.ts";
import type { Contract, Declaration, Rule } from "../../contract/contract-model.ts";
import {
  listChapters,
  describeFormat,
  describeGroupRule,
  isGroupRule,
  splitLines,
  createRuleFinder,
  describeRule,
} from "./outline.ts";

/** The usual names of the file. */
export const EXAMPLE_FILES: readonly string[] = [".env.example", ".env.sample", ".env.template", "example.env"];

const BEGIN = "# --- Written by `sophia-run docs`: further variables of the contract ---";
const END = "# --- End of the part that `sophia-run docs` writes ---";

/**
 * Returns the text of the user with a block at its end, which has the variables of the contract that the text does not
 * assign.
 */
export function addMissingVariables(currentText: string, contract: Contract): string {
  const lineBreak = currentText.includes("\r\n") ? "\r\n" : "\n";
  const userLines = withoutBlock(currentText.split(/\r\n|\n/));
  const assignedNames = new Set(userLines.map(assignedName));
  const rulesOf = createRuleFinder(contract);
  const missing = listChapters(contract)
    .flatMap(({ declarations }) => declarations)
    .filter(({ name }) => !assignedNames.has(name));
  if (missing.length === 0) return userLines.join(lineBreak);
  const block = [
    BEGIN,
    ...missing.flatMap((declaration) => variableLines(declaration, rulesOf(declaration.name))),
    "",
    END,
  ];
  const userText = userLines.join(lineBreak).trimEnd();
  const separator = userText === "" ? "" : lineBreak + lineBreak;
  return `${userText}${separator}${block.join(lineBreak)}${lineBreak}`;
}

/** Returns the lines without the block of an earlier run, and without the empty line in front of it. */
function withoutBlock(lines: readonly string[]): readonly string[] {
  const begin = lines.indexOf(BEGIN);
  const end = begin === -1 ? -1 : lines.indexOf(END, begin);
  if (end === -1) return lines;
  const linesBefore = lines.slice(0, lines[begin - 1] === "" ? begin - 1 : begin);
  return [...linesBefore, ...lines.slice(end + 1)];
}

/** Returns the variable that a line assigns, even if the line is commented out. */
function assignedName(line: string): string | undefined {
  return /^\s*(?:#\s*)?(?:export\s+)?([A-Za-z_][\w.-]*)\s*=/.exec(line)?.[1];
}

/** The settings of ESC, for projects that use it. */
const ESC_LINES: readonly string[] = [
  "",
  ...commentLines([
    "--- Pulumi ESC ---",
    "If both are set, the values come from ESC, and the variables below only fill gaps.",
    "Example: acme/sophia/dev",
  ]),
  "ESC_ENV=",
  ...commentLines(["A read-only access token."]),
  "ESC_TOKEN=",
];

/** Returns the text of a new file, with each variable, its description and no value. @param mark the result of `createMark` */
export function createEnvExample(contract: Contract, mark: string, usesEsc: boolean): string {
  const rulesOf = createRuleFinder(contract);
  const groups = contract.rules
    .filter(isGroupRule)
    .map((rule) => `${rule.label}: ${describeGroupRule(rule, (name) => name)}`);
  return [
    ...commentLines([
      `The environment variables of this repository; ${mark}.`,
      "Copy this file to .env, which must not be committed, and set the variables that you need. An empty value is unset.",
      ...groups,
    ]),
    ...(usesEsc ? ESC_LINES : []),
    ...listChapters(contract).flatMap(({ title, declarations }) => [
      "",
      ...commentLines([`--- ${title} ---`]),
      ...declarations.flatMap((declaration) => variableLines(declaration, rulesOf(declaration.name))),
    ]),
    "",
  ].join("\n");
}

/** Returns the lines of one variable: comments with what the contract says of it, and an empty assignment. */
function variableLines(declaration: Declaration, rules: readonly Rule[]): readonly string[] {
  const { name, label, description, example, docs, deprecated, default: fallback } = declaration;
  const format = describeFormat(declaration);
  const title = label === name ? "" : `${label} `;
  return [
    "",
    ...commentLines([
      `${title}(${rules.map(describeRule).join("; ")})`,
      ...splitLines(description),
      ...(deprecated === undefined ? [] : [`Deprecated: use ${deprecated}.`]),
      ...(format === undefined ? [] : [`Format: ${format}`]),
      ...(example === undefined ? [] : [`Example: ${example}`]),
      ...(fallback === undefined ? [] : [`Default: ${fallback}`]),
      ...(docs === undefined ? [] : [`See ${docs}`]),
    ]),
    `${name}=`,
  ];
}

function commentLines(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `# ${printable(line)}`.trimEnd());
}
