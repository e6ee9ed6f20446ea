/** Remedies of violations; pure. No line contains a value or an argument for one. */
import { grouped } from "../core/grouped.ts";
import { enumerateFew, unbroken, wrap } from "../core/lines.ts";
import type { Origin } from "../core/model.ts";
import { shellWord } from "../core/shell.ts";
import { printable } from "../core/text.ts";
import type { Contract } from "./contract-model.ts";

export type Target =
  | { readonly kind: "esc"; readonly environment: string }
  /** ESC is not read: the environment or a `.env` file. */
  | { readonly kind: "local" }
  /** ESC refuses access: `.env` files are not used either. */
  | { readonly kind: "environment" };

export interface MissingValue {
  readonly name: string;
  readonly target: Target;
  /** ESC has a wrong value. */
  readonly replaces?: true;
  /** The file that the user has named as the contract, which the command must name, too. */
  readonly contract?: string;
}

/** The way in which `sophia-run set` gets the value: it asks at a terminal, else it reads the standard input. */
export type SetOffer = "asks" | "reads";

export interface WrongValue {
  readonly name: string;
  readonly location?: { readonly file: string; readonly line?: number };
}

export interface Remedy {
  readonly advice: readonly string[];
  readonly wrong?: WrongValue;
  readonly supply: readonly MissingValue[];
  readonly docs?: string;
}

/** Returns the value to set if one of several variables must be set: that of the preferred one. @param targetOf by name */
export function supplyOf(
  names: readonly string[],
  contract: Contract,
  targetOf: (name: string) => Target,
): readonly MissingValue[] {
  const name = preferred(names, contract);
  return name === undefined ? [] : [{ name, target: targetOf(name) }];
}

/** Returns the first variable that is not deprecated, else the first. */
export function preferred(names: readonly string[], { variables }: Contract): string | undefined {
  return names.find((name) => variables.get(name)?.deprecated === undefined) ?? names[0];
}

/** Returns the remedy for a wrong value, by its source. @param targetOf where to set one that has no source */
export function correction(
  name: string,
  contract: Contract,
  origin: Origin | undefined,
  targetOf: (name: string) => Target,
): Remedy {
  const nothing = { advice: [], supply: [] };
  switch (origin?.source) {
    case undefined:
      return { ...nothing, supply: supplyOf([name], contract, targetOf) };
    case "environment":
      return { ...nothing, wrong: { name: origin.alias ?? name, ...(origin.read && { location: origin.read }) } };
    case "esc": {
      const { environment: own, importedFrom } = origin;
      const environment = importedFrom === undefined ? own : fullImportName(importedFrom, own.split("/")[0] ?? "");
      const target = { kind: "esc", environment } as const;
      const supply = { name: origin.alias ?? name, target, replaces: true } as const;
      return { ...nothing, supply: [supply] };
    }
    case "override":
    case "secrets":
    case "dotenv":
      return { ...nothing, wrong: { name, location: origin } };
    case "contract":
      return { ...nothing, advice: [`correct its default in ${printable(origin.file)}`] };
    case "fake":
      return { ...nothing, advice: [`set ${name}: its dummy value is not accepted`] };
  }
}

/** Returns the full name of an import, which may lack the organization and the project, without its version. */
export function fullImportName(imported: string, organization: string): string {
  const path = imported.replace(/@.*$/, "").split("/");
  if (path.length > 2) return path.join("/");
  return [organization, ...(path.length === 1 ? ["default"] : []), ...path].join("/");
}

/** Returns the address of the first documentation page that a variable has. */
export function pageOf(names: readonly string[], { variables }: Contract): { readonly docs?: string } {
  const docs = names.map((name) => variables.get(name)?.docs).find((address) => address !== undefined);
  return docs === undefined ? {} : { docs: printable(docs) };
}

/** Words the correction of a wrong value in the environment or in a file. */
export function correctionOf({ name, location }: WrongValue): string {
  if (location === undefined) return `correct ${name} in the environment, or unset it there`;
  return `correct it in ${printable(location.file)}${location.line === undefined ? "" : `, line ${location.line}`}`;
}

/** Joins the remedies for several wrong values in one file. @returns with the values that are alone in theirs */
export function sharedCorrections(wrong: readonly WrongValue[]): {
  readonly shared: readonly string[];
  readonly alone: ReadonlySet<WrongValue>;
} {
  const byFile = grouped(wrong, ({ location }) => location?.file);
  const shared: string[] = [];
  const alone = new Set<WrongValue>();
  for (const [file, all] of byFile) {
    const [only, ...others] = all;
    if (only !== undefined && others.length === 0) alone.add(only);
    else if (file === undefined) {
      shared.push(`correct ${enumerateFew(all.map(({ name }) => name))} in the environment, or unset them there`);
    } else {
      const lines = all.flatMap(({ location }) => (location?.line === undefined ? [] : String(location.line)));
      const place = lines.length === 0 ? "" : `, lines ${enumerateFew(lines)}`;
      shared.push(`correct them in ${printable(file)}${place}`);
    }
  }
  return { shared, alone };
}

/** Words a remedy by itself, for JSON and annotations; messages join those of several violations. */
export function remedyLines({ advice, wrong, supply, docs }: Remedy): readonly string[] {
  return [
    ...advice,
    ...(wrong === undefined ? [] : [correctionOf(wrong)]),
    ...supply.map((one) =>
      one.target.kind === "esc" ? setByName(one).join(" ") : `set ${one.name} ${targetWords(one.target)}`,
    ),
    ...(docs === undefined ? [] : [`see ${docs}`]),
  ];
}

/** Joins the remedies of each target. The command gets the value by a prompt or a pipe, so that no command line has it. */
export function sharedRemedy(supplies: readonly MissingValue[], width: number, offer: SetOffer): readonly string[] {
  // All commands of a group have the options of the first.
  const groups = grouped(supplies, ({ target, replaces }) =>
    target.kind === "esc" ? `${target.environment}\n${replaces}` : target.kind,
  );
  return Array.from(groups.values()).flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const isOne = group.length === 1;
    if (first.target.kind !== "esc") {
      const what = groups.size === 1 && !isOne ? "them" : enumerateFew(group.map(({ name }) => name));
      return [`set ${what} ${targetWords(first.target)}`];
    }
    const verb = first.replaces === true ? "replace" : "set";
    const value = isOne ? "its value" : "the value of the first";
    const gets = offer === "reads" ? `reads ${value} from the standard input` : `asks for ${value}`;
    const what = `${verb} ${isOne ? "it" : "each"} in ESC; this ${gets}:`;
    return [what, ...commandLines(setByName(first), width).map((line) => `  ${line}`)];
  });
}

function targetWords({ kind }: Exclude<Target, { kind: "esc" }>): string {
  return kind === "environment" ? "in the environment" : "in the environment or in .env";
}

/** Breaks a long command by backslashes, which shells of POSIX and fish read. */
function commandLines(words: readonly string[], width: number): readonly string[] {
  const lines = wrap(words.map(unbroken).join(" "), width - " \\".length - 2, "    ");
  return lines.map((line, index) => line + (index < lines.length - 1 ? " \\" : ""));
}

/** `sophia-run set NAME --in ENV`: the default environment may be another one where the user starts it. */
function setByName({ name, target, replaces, contract }: MissingValue): readonly string[] {
  const options = [
    ...(replaces === true ? ["--overwrite"] : []),
    ...(contract === undefined ? [] : ["--contract", shellWord(contract)]),
  ];
  return ["sophia-run", "set", shellWord(name), "--in", shellWord(environmentOf(target)), ...options];
}

function environmentOf(target: Target): string {
  return target.kind === "esc" ? target.environment.replace(/@.*$/, "") : "";
}

/** Returns the line of a contract that makes a variable required. */
export function requirement(name = "API_KEY"): string {
  return `"${name}": { "required": true }`;
}
