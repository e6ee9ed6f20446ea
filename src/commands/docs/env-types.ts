/** Writes `env.d.ts` from the contract: the type of `process.env`. */
import { printable } from "../../core/text.ts";
import type { Contract, Declaration, Rule } from "../../contract/contract-model.ts";
import { descriptionLines, rulesByName } from "./outline.ts";

/** Returns `env.d.ts`: a variable that is required or has a default is always set. @param mark see `markOf` */
export function envTypes(contract: Contract, mark: string): string {
  const rulesOf = rulesByName(contract);
  const members = Array.from(contract.variables.values()).flatMap((declaration) => [
    member(declaration, rulesOf(declaration.name)),
    ...declaration.aliases.map(({ name, deprecated }) =>
      [
        ...documentation([
          `Another name of ${declaration.name}.`,
          ...(deprecated ? [`@deprecated use ${declaration.name}`] : []),
        ]),
        `${property(name)}?: ${valueType(declaration)};`,
      ].join("\n"),
    ),
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

function member(declaration: Declaration, rules: readonly Rule[]): string {
  const { name, docs, deprecated, default: fallback } = declaration;
  const always = fallback !== undefined || rules.some(({ kind }) => kind === "required");
  const lines = [
    ...descriptionLines(declaration, rules, "Contract"),
    ...(fallback === undefined ? [] : [`@default ${quoted(fallback)}`]),
    ...(docs === undefined ? [] : [`@see ${docs}`]),
    ...(deprecated === undefined ? [] : [`@deprecated use ${deprecated}`]),
  ];
  return [...documentation(lines), `${property(name)}${always ? "" : "?"}: ${valueType(declaration)};`].join("\n");
}

function documentation(lines: readonly string[]): readonly string[] {
  return ["/**", ...lines.map((line) => ` * ${printable(line).replaceAll("*/", String.raw`*\/`)}`.trimEnd()), " */"];
}

function property(name: string): string {
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
