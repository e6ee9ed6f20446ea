/**
 * Describes what the user can do about a contract that is not met. violation-wording.ts makes a {@link Remedy} for each
 * violation. The code in output/ prints them, and joins those of several violations to fewer lines.
 *
 * No line contains a value, and no command takes a value as an argument: other users can see the arguments of a
 * process.
 */
import { groupBy } from "../core/group-by.ts";
import { enumerateFew, unbroken, wrap } from "../core/lines.ts";
import type { Origin } from "../core/model.ts";
import { shellWord } from "../core/shell.ts";
import { printable } from "../core/text.ts";
import type { Contract } from "./contract-model.ts";

/** The place where the user should set a value. */
export type Target =
  /** The ESC environment, because this start reads it. */
  | { readonly kind: "esc"; readonly environment: string }
  /** The process environment or a `.env` file, because this start does not read ESC. */
  | { readonly kind: "local" }
  /**
   * Only the process environment, because ESC refuses access, or because only the environment may set this variable.
   */
  | { readonly kind: "environment" };

/** A value that the user should set. */
export interface MissingValue {
  readonly name: string;
  readonly target: Target;
  /** True if ESC has a wrong value, which the user should replace. */
  readonly replaces?: true;
  /** The path of the contract, if the user named it. Then the command must name it as well. */
  readonly contract?: string;
}

/**
 * How `sophia-run set` gets the value: it asks for it at a terminal, and otherwise reads it from the standard input.
 */
export type SetOffer = "asks" | "reads";

/** A wrong value in the process environment or in a file. */
export interface WrongValue {
  readonly name: string;
  /** Absent for a value of the process environment. */
  readonly location?: { readonly file: string; readonly line?: number };
}

/** The remedy for one violation: everything that the user should do. */
export interface Remedy {
  /** Complete lines to print. */
  readonly advice: readonly string[];
  /** The wrong value that the user should correct. */
  readonly wrong?: WrongValue;
  /** The values that the user should set. */
  readonly supply: readonly MissingValue[];
  /** The address of a documentation page about the variable. */
  readonly docs?: string;
}

/**
 * Returns the value that the user should set if one of several variables must be set; an empty list without variables.
 *
 * @param targetOf returns where the variable of this name should be set
 */
export function supplyOf(
  names: readonly string[],
  contract: Contract,
  targetOf: (name: string) => Target,
): readonly MissingValue[] {
  const name = preferredVariable(names, contract);
  return name === undefined ? [] : [{ name, target: targetOf(name) }];
}

/** Returns the first variable that is not deprecated; if all are deprecated, the first one. */
export function preferredVariable(names: readonly string[], { variables }: Contract): string | undefined {
  return names.find((name) => variables.get(name)?.deprecated === undefined) ?? names[0];
}

/**
 * Returns the remedy for a wrong value, which depends on the source of the value.
 *
 * @param origin undefined if no source has a value
 * @param targetOf returns where a variable without a source should be set
 */
export function remedyForValue(
  name: string,
  contract: Contract,
  origin: Origin | undefined,
  targetOf: (name: string) => Target,
): Remedy {
  const emptyRemedy = { advice: [], supply: [] };
  switch (origin?.source) {
    case undefined:
      return { ...emptyRemedy, supply: supplyOf([name], contract, targetOf) };
    case "environment":
      // `read` is present if the value is the content of a file, whose path is the value of another variable
      // (`NAME_FILE`).
      return { ...emptyRemedy, wrong: { name: origin.alias ?? name, ...(origin.read && { location: origin.read }) } };
    case "esc": {
      const { importedFrom } = origin;
      const [organization = ""] = origin.environment.split("/");
      const environment = importedFrom === undefined ? origin.environment : fullImportName(importedFrom, organization);
      const target = { kind: "esc", environment } as const;
      const supply = { name: origin.alias ?? name, target, replaces: true } as const;
      return { ...emptyRemedy, supply: [supply] };
    }
    case "override":
    case "secrets":
    case "dotenv":
      return { ...emptyRemedy, wrong: { name, location: origin } };
    case "contract":
      return { ...emptyRemedy, advice: [`correct its default in ${printable(origin.file)}`] };
    case "fake":
      return { ...emptyRemedy, advice: [`set ${name}: its dummy value is not accepted`] };
  }
}

/**
 * Returns the full name of an ESC environment that another one imports, without its version: `acme/default/dev` for
 * `dev@3`. An import may omit the organization, which is that of the importing environment, and the project, which is
 * `default`.
 */
export function fullImportName(imported: string, organization: string): string {
  const parts = imported.replace(/@.*$/, "").split("/");
  if (parts.length > 2) return parts.join("/");
  return [organization, ...(parts.length === 1 ? ["default"] : []), ...parts].join("/");
}

/** Returns the address of a documentation page: that of the first variable that has one. */
export function docsOf(names: readonly string[], { variables }: Contract): { readonly docs?: string } {
  const docs = names.map((name) => variables.get(name)?.docs).find((address) => address !== undefined);
  return docs === undefined ? {} : { docs: printable(docs) };
}

/** Describes how to correct a wrong value in the process environment or in a file. */
export function correctionOf({ name, location }: WrongValue): string {
  if (location === undefined) return `correct ${name} in the environment, or unset it there`;
  const line = location.line === undefined ? "" : `, line ${location.line}`;
  return `correct it in ${printable(location.file)}${line}`;
}

/**
 * Joins the corrections of several wrong values in one place: in the same file, or in the process environment.
 *
 * @returns `shared`: a line for each place with several wrong values. `alone`: the wrong values that are the only ones
 *   in their place, and have no such line
 */
export function sharedCorrections(wrong: readonly WrongValue[]): {
  readonly shared: readonly string[];
  readonly alone: ReadonlySet<WrongValue>;
} {
  const byFile = groupBy(wrong, ({ location }) => location?.file);
  const shared: string[] = [];
  const alone = new Set<WrongValue>();
  for (const [file, values] of byFile) {
    const [first, ...others] = values;
    if (first !== undefined && others.length === 0) alone.add(first);
    else if (file === undefined) {
      shared.push(`correct ${enumerateFew(values.map(({ name }) => name))} in the environment, or unset them there`);
    } else {
      const lineNumbers = values.flatMap(({ location }) => (location?.line === undefined ? [] : String(location.line)));
      const linesPart = lineNumbers.length === 0 ? "" : `, lines ${enumerateFew(lineNumbers)}`;
      shared.push(`correct them in ${printable(file)}${linesPart}`);
    }
  }
  return { shared, alone };
}

/** Describes one remedy by itself, for reports in JSON and annotations of GitHub Actions. */
export function remedyLines({ advice, wrong, supply, docs }: Remedy): readonly string[] {
  return [
    ...advice,
    ...(wrong === undefined ? [] : [correctionOf(wrong)]),
    ...supply.map((value) =>
      value.target.kind === "esc" ? setCommand(value).join(" ") : `set ${value.name} ${describeTarget(value.target)}`,
    ),
    ...(docs === undefined ? [] : [`see ${docs}`]),
  ];
}

/**
 * Describes how to set values, with one remedy for all values of a target. For ESC this is a command, which gets the
 * value by a prompt or a pipe, so that the value is on no command line.
 *
 * @param width the width of lines, in columns
 */
export function sharedRemedy(supplies: readonly MissingValue[], width: number, offer: SetOffer): readonly string[] {
  // All commands of a group have the same options. So the message has the command for the first value alone.
  const groups = groupBy(supplies, ({ target, replaces }) =>
    target.kind === "esc" ? `${target.environment}\n${replaces}` : target.kind,
  );
  return Array.from(groups.values()).flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const isSingle = group.length === 1;
    if (first.target.kind !== "esc") {
      // The message has named the variables already.
      const isOnlyGroup = groups.size === 1;
      const object = isOnlyGroup && !isSingle ? "them" : enumerateFew(group.map(({ name }) => name));
      return [`set ${object} ${describeTarget(first.target)}`];
    }
    const verb = first.replaces === true ? "replace" : "set";
    const value = isSingle ? "its value" : "the value of the first";
    const input = offer === "reads" ? `reads ${value} from the standard input` : `asks for ${value}`;
    const explanation = `${verb} ${isSingle ? "it" : "each"} in ESC; this ${input}:`;
    return [explanation, ...commandLines(setCommand(first), width).map((line) => `  ${line}`)];
  });
}

function describeTarget({ kind }: Exclude<Target, { kind: "esc" }>): string {
  return kind === "environment" ? "in the environment" : "in the environment or in .env";
}

/** Breaks a long command into lines that end with a backslash. POSIX shells and fish join such lines. */
function commandLines(words: readonly string[], width: number): readonly string[] {
  // The caller indents each line.
  const indentation = 2;
  const lines = wrap(words.map(unbroken).join(" "), width - " \\".length - indentation, "    ");
  return lines.map((line, index) => line + (index < lines.length - 1 ? " \\" : ""));
}

/**
 * Returns the words of the command that sets a value: `sophia-run set NAME --in ENVIRONMENT`. The command names the
 * environment, because the default may be another one in the folder where the user pastes the command.
 */
function setCommand({ name, target, replaces, contract }: MissingValue): readonly string[] {
  const options = [
    ...(replaces === true ? ["--overwrite"] : []),
    ...(contract === undefined ? [] : ["--contract", shellWord(contract)]),
  ];
  return ["sophia-run", "set", shellWord(name), "--in", shellWord(environmentOf(target)), ...options];
}

/** Returns the name of the environment without a version, since ESC can change only the newest version. */
function environmentOf(target: Target): string {
  return target.kind === "esc" ? target.environment.replace(/@.*$/, "") : "";
}

/** Returns an example of a line in a contract that requires a variable: `"API_KEY": { "required": true }`. */
export function requirementExample(name = "API_KEY"): string {
  return `"${name}": { "required": true }`;
}
