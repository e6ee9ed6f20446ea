/** What may stand next on a command line that is being typed. Reads the contract at most: no ESC, no value. */
import type { CommandName } from "../../command-line/command-line.ts";
import { COMMAND_NAMES } from "../../command-line/command-line.ts";
import { COMMANDS, type CommandDefinition } from "../registry.ts";
import type { Context } from "../../core/context.ts";
import { loadContract } from "../../contract/load.ts";
import type { Contract } from "../../contract/model.ts";
import { SophiaError } from "../../core/error.ts";
import { OPTIONS } from "../../command-line/options.ts";
import { printable } from "../../core/text.ts";

/** A line with this word alone asks the shell for the names of files. */
const FILES = ":files";

interface Candidate {
  readonly value: string;
  readonly describe?: string;
}

interface Option {
  readonly type: "boolean" | "string" | "list";
  readonly describe: string;
  readonly short?: string;
  readonly value?: string;
  readonly choices?: readonly string[];
}

/**
 * Answers a completion script: one candidate a line, its description behind a tab; or `:files`.
 *
 * @param words the command line, the program's name first and the word under the cursor, perhaps empty, last
 */
export async function complete(words: readonly string[], context: Context): Promise<string> {
  const current = words.at(-1) ?? "";
  const answer = await candidatesFor(words.slice(1, -1), current, context);
  if (answer === "files") return `${FILES}\n`;
  return answer
    .filter(({ value }) => value.startsWith(current))
    .map(({ value, describe }) => `${value}${describe === undefined ? "" : `\t${printable(describe)}`}\n`)
    .join("");
}

async function candidatesFor(
  before: readonly string[],
  current: string,
  context: Context,
): Promise<"files" | readonly Candidate[]> {
  const command = commandOf(before);
  const options = optionsOf(command);
  const pending = valueOption(before.at(-1), options);
  if (pending !== undefined) return valuesOf(pending, "", before, context);
  const joined = /^--([\w-]+)=/.exec(current);
  if (joined !== null) {
    const name = joined[1] ?? "";
    const option = options[name];
    return option === undefined || option.type === "boolean"
      ? []
      : valuesOf([name, option], `--${name}=`, before, context);
  }
  if (current.startsWith("-")) return optionCandidates(options, before);
  if (command === undefined) return COMMAND_NAMES.map((value) => ({ value, describe: COMMANDS[value].describe }));
  return positionalCandidates(COMMANDS[command], before, context);
}

/** The subcommand that is already there: the first word that is neither an option nor the value of one. */
function commandOf(before: readonly string[]): CommandName | undefined {
  const first = before.find(
    (word, index) => !word.startsWith("-") && valueOption(before[index - 1], optionsOf(undefined)) === undefined,
  );
  return COMMAND_NAMES.find((name) => name === first);
}

function optionsOf(command: CommandName | undefined): Readonly<Record<string, Option>> {
  return {
    ...OPTIONS,
    ...(command === undefined ? {} : COMMANDS[command].options),
    help: { type: "boolean", short: "h", describe: "Show help" },
    version: { type: "boolean", short: "V", describe: "Show the version" },
  };
}

/** The option whose value the next word is. */
function valueOption(
  word: string | undefined,
  options: Readonly<Record<string, Option>>,
): readonly [string, Option] | undefined {
  const name = /^--([\w-]+)$/.exec(word ?? "")?.[1];
  const option = name === undefined || !Object.hasOwn(options, name) ? undefined : options[name];
  return name === undefined || option === undefined || option.type === "boolean" ? undefined : [name, option];
}

async function valuesOf(
  [name, { choices, value }]: readonly [string, Option],
  prefix: string,
  before: readonly string[],
  context: Context,
): Promise<"files" | readonly Candidate[]> {
  if (choices !== undefined) return choices.map((choice) => ({ value: prefix + choice }));
  // Behind `--contract=` the shells complete files by themselves.
  if (value === "FILE") return "files";
  if (name !== "profile") return [];
  const contract = await contractOf(before, context);
  return contract?.profiles.map((profile) => ({ value: prefix + profile })) ?? [];
}

function optionCandidates(options: Readonly<Record<string, Option>>, before: readonly string[]): readonly Candidate[] {
  return Object.entries(options)
    .filter(([name, { type }]) => type === "list" || !before.includes(`--${name}`))
    .map(([name, { describe }]) => ({ value: `--${name}`, describe }));
}

async function positionalCandidates(
  { positional, options }: CommandDefinition,
  before: readonly string[],
  context: Context,
): Promise<"files" | readonly Candidate[]> {
  if (positional === undefined) return [];
  const { kind } = positional;
  if (kind === "file") return "files";
  const shapes: Readonly<Record<string, Option>> = { ...OPTIONS, ...options };
  const given = before.filter(
    (word, index) => !word.startsWith("-") && valueOption(before[index - 1], shapes) === undefined,
  );
  // The first is the subcommand itself.
  if (given.length - 1 >= positional.most) return [];
  if (kind !== "variable") return kind.map((value) => ({ value }));
  const contract = await contractOf(before, context);
  return Array.from(contract?.variables.values() ?? [], ({ name, label }) => ({ value: name, describe: label })).filter(
    ({ value }) => !given.includes(value),
  );
}

/** The contract that the command line names, else the one that counts here; none where it is faulty. */
async function contractOf(before: readonly string[], { cwd, environment }: Context): Promise<Contract | undefined> {
  const at = before.lastIndexOf("--contract");
  const file = at === -1 ? environment.get("SOPHIA_CONTRACT") : before[at + 1];
  try {
    return await loadContract({ cwd, ...(file === undefined || file === "" ? {} : { file }) });
  } catch (error) {
    if (error instanceof SophiaError) return undefined;
    throw error;
  }
}
