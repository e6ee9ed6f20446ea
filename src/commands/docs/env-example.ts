/** `.env.example` from the contract; pure. */
import { printable } from "../../core/text.ts";
import type { Contract, Declaration, Rule } from "../../contract/model.ts";
import { chapters, formatWords, groupSentence, isGroupRule, rulesByName, ruleWords } from "./outline.ts";

/**
 * The text of `.env.example`: every variable with what it is for and what a value looks like, and no value.
 *
 * @param mark says which contract it is from; see `markOf`
 */
export function envExample(contract: Contract, mark: string): string {
  const rulesOf = rulesByName(contract);
  const groups = contract.rules
    .filter(isGroupRule)
    .map((rule) => `${rule.label}: ${groupSentence(rule, (name) => name)}`);
  return [
    ...comments([
      `The environment variables of this repository; ${mark}.`,
      "Copy it to .env, which is never committed, and fill in what you need: an empty value counts as unset.",
      ...groups,
    ]),
    "",
    ...comments([
      "--- Pulumi ESC ---",
      "With both of these the values come from ESC, and those below fill what it lacks.",
      "Example: acme/sophia/dev",
    ]),
    "ESC_ENV=",
    ...comments(["A read-only access token."]),
    "ESC_TOKEN=",
    ...chapters(contract).flatMap(({ title, declarations }) => [
      "",
      ...comments([`--- ${title} ---`]),
      ...declarations.flatMap((declaration) => entry(declaration, rulesOf(declaration.name))),
    ]),
    "",
  ].join("\n");
}

function entry(declaration: Declaration, rules: readonly Rule[]): readonly string[] {
  const { name, label, description, example, docs, format, deprecated, default: fallback } = declaration;
  const title = label === name ? "" : `${label} `;
  return [
    "",
    ...comments([
      `${title}(${rules.map(ruleWords).join("; ")})`,
      ...(description === "" ? [] : description.split(/\r\n|\n|\r/)),
      ...(deprecated === undefined ? [] : [`Deprecated: use ${deprecated}.`]),
      ...(format === undefined ? [] : [`Format: ${formatWords(format)}`]),
      ...(example === undefined ? [] : [`Example: ${example}`]),
      ...(fallback === undefined ? [] : [`Default: ${fallback}`]),
      ...(docs === undefined ? [] : [`See ${docs}`]),
    ]),
    `${name}=`,
  ];
}

/** Each as one line, whatever characters it holds. */
function comments(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `# ${printable(line)}`.trimEnd());
}
