/**
 * Writes the text of `env.d.ts` from the contract, for `sophia-run docs`. The file gives `process.env` a type in
 * TypeScript.
 */
import { printable } from "../../core/text.ts";
import type { Contract, Declaration, Rule } from "../../contract/contract-model.ts";
import { descriptionLines, createRuleFinder } from "./outline.ts";

/**
 * Returns the text of the file. A variable that is required or has a default is always set, and all others are optional.
 *
 * @param mark the result of `createMark`
 */
export function createEnvTypes(contract: Contract, mark: string): string {
  const rulesOf = createRuleFinder(contract);
  const members = Array.from(contract.variables.values()).flatMap((declaration) => [
    memberFor(declaration, rulesOf(declaration.name)),
    ...declaration.aliases.map((alias) => aliasMember(alias, declaration)),
  ]);
  return `// ${mark}; do not edit it.
export {};

declare global {
  namespace NodeJS {
    interface ProcessEnv {
${indent(members.join("\n"), 6)}
    }
  }
}
`;
}

function memberFor(declaration: Declaration, rules: readonly Rule[]): string {
  const { name, docs, deprecated, default: fallback } = declaration;
  const isAlwaysSet = fallback !== undefined || rules.some(({ kind }) => kind === "required");
  const lines = [
    ...descriptionLines(declaration, rules, "Contract"),
    ...(fallback === undefined ? [] : [`@default ${quoted(fallback)}`]),
    ...(docs === undefined ? [] : [`@see ${docs}`]),
    ...(deprecated === undefined ? [] : [`@deprecated use ${deprecated}`]),
  ];
  return [...docComment(lines), `${propertyName(name)}${isAlwaysSet ? "" : "?"}: ${valueType(declaration)};`].join(
    "\n",
  );
}

function aliasMember({ name, deprecated }: Declaration["aliases"][number], declaration: Declaration): string {
  const lines = [
    `Another name of ${declaration.name}.`,
    ...(deprecated ? [`@deprecated use ${declaration.name}`] : []),
  ];
  return [...docComment(lines), `${propertyName(name)}?: ${valueType(declaration)};`].join("\n");
}

function docComment(lines: readonly string[]): readonly string[] {
  return ["/**", ...lines.map((line) => ` * ${printable(line).replaceAll("*/", String.raw`*\/`)}`.trimEnd()), " */"];
}

function propertyName(name: string): string {
  return /^\w+$/.test(name) ? name : quoted(name);
}

function valueType({ as, format }: Declaration): string {
  if (as === "file" || format?.kind !== "enum") return "string";
  return Array.from(new Set(format.values), quoted).join(" | ");
}

function quoted(value: string): string {
  return printable(JSON.stringify(value));
}

function indent(text: string, width: number): string {
  return text.replaceAll(/^(?=.)/gm, " ".repeat(width));
}
