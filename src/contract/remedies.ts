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
export type ValueTarget =
  /** The ESC environment, because this start reads it. */
  | { readonly kind: "esc"; readonly environment: string }
  /** The process environment or a `.env` file, because this start does not read ESC. */
  | { readonly kind: "local" }
  /**
   * Only the process environment, because ESC refuses access, or because only the environment may set this variable.
   */
  | { readonly kind: "environment" };

/** A value that the user should set. */
export interface ValueToSet {
  readonly name: string;
  readonly target: ValueTarget;
  /** True if ESC has a wrong value, which the user should replace. */
  readonly replaces?: true;
  /** The path of the contract, if the user named it. Then the command must name it as well. */
  readonly contract?: string;
}

/**
 * How `sophia-run set` gets the value: it asks for it at a terminal, and otherwise reads it from the standard input.
 */
export type SetCommandInput = "asks" | "reads";

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
  readonly wrongValue?: WrongValue;
  /** The values that the user should set. */
  readonly valuesToSet: readonly ValueToSet[];
  /** The address of a documentation page about the variable. */
  readonly docs?: string;
}

/**
 * Returns the value that the user should set if one of several variables must be set; an empty list without variables.
 *
 * @param chooseTarget returns where the variable of this name should be set
 */
export function chooseValueToSet(
  names: readonly string[],
  contract: Contract,
  chooseTarget: (name: string) => ValueTarget,
): readonly ValueToSet[] {
  const name = choosePreferredVariable(names, contract);
  return name === undefined ? [] : [{ name, target: chooseTarget(name) }];
}

/** Returns the first variable that is not deprecated; if all are deprecated, the first one. */
export function choosePreferredVariable(names: readonly string[], { variables }: Contract): string | undefined {
  return names.find((name) => variables.get(name)?.deprecated === undefined) ?? names[0];
}

/**
 * Returns the remedy for a wrong value, which depends on the source of the value.
 *
 * @param origin undefined if no source has a value
 * @param chooseTarget returns where a variable without a source should be set
 */
export function remedyForValue(
  name: string,
  contract: Contract,
  origin: Origin | undefined,
  chooseTarget: (name: string) => ValueTarget,
): Remedy {
  const emptyRemedy = { advice: [], valuesToSet: [] };
  switch (origin?.source) {
    case undefined:
      return { ...emptyRemedy, valuesToSet: chooseValueToSet([name], contract, chooseTarget) };
    case "environment":
      // `read` is present if the value is the content of a file, whose path is the value of another variable
      // (`NAME_FILE`).
      return {
        ...emptyRemedy,
        wrongValue: { name: origin.alias ?? name, ...(origin.read && { location: origin.read }) },
      };
    case "esc": {
      const { importedFrom } = origin;
      const [organization = ""] = origin.environment.split("/");
      const environment = importedFrom === undefined ? origin.environment : fullImportName(importedFrom, organization);
      const target = { kind: "esc", environment } as const;
      const valueToSet = { name: origin.alias ?? name, target, replaces: true } as const;
      return { ...emptyRemedy, valuesToSet: [valueToSet] };
    }
    case "override":
    case "secrets":
    case "dotenv":
      return { ...emptyRemedy, wrongValue: { name, location: origin } };
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
export function findDocs(names: readonly string[], { variables }: Contract): { readonly docs?: string } {
  const docs = names.map((name) => variables.get(name)?.docs).find((address) => address !== undefined);
  return docs === undefined ? {} : { docs: printable(docs) };
}

/** Describes how to correct a wrong value in the process environment or in a file. */
export function describeCorrection({ name, location }: WrongValue): string {
  if (location === undefined) return `correct ${name} in the environment, or unset it there`;
  const line = location.line === undefined ? "" : `, line ${location.line}`;
  return `correct it in ${printable(location.file)}${line}`;
}

/**
 * Joins the corrections of several wrong values in one place: in the same file, or in the process environment.
 *
 * @returns `sharedLines`: a line for each place with several wrong values. `singleValues`: the wrong values that are
 *   the only ones in their place, and have no such line
 */
export function joinCorrections(wrongValues: readonly WrongValue[]): {
  readonly sharedLines: readonly string[];
  readonly singleValues: ReadonlySet<WrongValue>;
} {
  const valuesByFile = groupBy(wrongValues, ({ location }) => location?.file);
  const sharedLines: string[] = [];
  const singleValues = new Set<WrongValue>();
  for (const [file, valuesOfFile] of valuesByFile) {
    const [first, ...others] = valuesOfFile;
    if (first !== undefined && others.length === 0) singleValues.add(first);
    else sharedLines.push(describeSharedCorrection(valuesOfFile, file));
  }
  return { sharedLines, singleValues };
}

/** Describes how to correct several wrong values. @param file undefined for the process environment */
function describeSharedCorrection(wrongValues: readonly WrongValue[], file: string | undefined): string {
  if (file === undefined) {
    const names = enumerateFew(wrongValues.map(({ name }) => name));
    return `correct ${names} in the environment, or unset them there`;
  }
  const lineNumbers = wrongValues.flatMap(({ location }) =>
    location?.line === undefined ? [] : String(location.line),
  );
  const linesPart = lineNumbers.length === 0 ? "" : `, lines ${enumerateFew(lineNumbers)}`;
  return `correct them in ${printable(file)}${linesPart}`;
}

/** Describes one remedy by itself, for reports in JSON and annotations of GitHub Actions. */
export function describeRemedy({ advice, wrongValue, valuesToSet, docs }: Remedy): readonly string[] {
  return [
    ...advice,
    ...(wrongValue === undefined ? [] : [describeCorrection(wrongValue)]),
    ...valuesToSet.map((value) =>
      value.target.kind === "esc"
        ? createSetCommand(value).join(" ")
        : `set ${value.name} ${describeTarget(value.target)}`,
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
export function describeValuesToSet(
  valuesToSet: readonly ValueToSet[],
  width: number,
  setCommandInput: SetCommandInput,
): readonly string[] {
  const groups = groupBy(valuesToSet, ({ target, replaces }) =>
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
    // All commands of a group have the same options. So the message has the command for the first value alone.
    const command = breakCommand(createSetCommand(first), width).map((line) => `  ${line}`);
    return [explainSetCommand(first, isSingle, setCommandInput), ...command];
  });
}

/** Returns the line above a command: `set it in ESC; this asks for its value:`. */
function explainSetCommand({ replaces }: ValueToSet, isSingle: boolean, setCommandInput: SetCommandInput): string {
  const verb = replaces === true ? "replace" : "set";
  const object = isSingle ? "it" : "each";
  const value = isSingle ? "its value" : "the value of the first";
  const input = setCommandInput === "reads" ? `reads ${value} from the standard input` : `asks for ${value}`;
  return `${verb} ${object} in ESC; this ${input}:`;
}

function describeTarget({ kind }: Exclude<ValueTarget, { kind: "esc" }>): string {
  return kind === "environment" ? "in the environment" : "in the environment or in .env";
}

/** Breaks a long command into lines that end with a backslash. POSIX shells and fish join such lines. */
function breakCommand(words: readonly string[], width: number): readonly string[] {
  // The caller indents each line.
  const indentation = 2;
  const lines = wrap(words.map(unbroken).join(" "), width - " \\".length - indentation, "    ");
  return lines.map((line, index) => line + (index < lines.length - 1 ? " \\" : ""));
}

/**
 * Returns the words of the command that sets a value: `sophia-run set NAME --in ENVIRONMENT`. The command names the
 * environment, because the default may be another one in the folder where the user pastes the command.
 */
function createSetCommand({ name, target, replaces, contract }: ValueToSet): readonly string[] {
  const options = [
    ...(replaces === true ? ["--overwrite"] : []),
    ...(contract === undefined ? [] : ["--contract", shellWord(contract)]),
  ];
  return ["sophia-run", "set", shellWord(name), "--in", shellWord(environmentOf(target)), ...options];
}

/** Returns the name of the environment without a version, since ESC can change only the newest version. */
function environmentOf(target: ValueTarget): string {
  return target.kind === "esc" ? target.environment.replace(/@.*$/, "") : "";
}

/** Returns an example of a line in a contract that requires a variable: `"API_KEY": { "required": true }`. */
export function requirementExample(name = "API_KEY"): string {
  return `"${name}": { "required": true }`;
}
