/** Candidates for a command line that is being typed. Reads at most the contract: no ESC, no value. */
import { COMMAND_NAMES, HELP_WORD } from "../../command-line/command-line.ts";
import { DESCRIBED_COMMON_OPTIONS, DESCRIBED_OPTIONS } from "../../command-line/descriptions.ts";
import { COMMON_OPTIONS, OPTIONS, type Option } from "../../command-line/options.ts";
import { namesFor } from "../../command-line/takers.ts";
import { parse, type Parsed, type Positional } from "../../command-line/parse.ts";
import { loadContract } from "../../contract/find-contract.ts";
import type { Contract } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import type { PositionalDefinition } from "../command.ts";
import { withProject } from "../parts/project-option.ts";
import { COMMANDS } from "../registry.ts";

/** Asks the shell to complete the names of files. */
const FILES = ":files";
/** Asks the shell to complete the command that begins at the word with the index. */
const COMMAND = ":command";

interface Candidate {
  readonly value: string;
  readonly describe?: string;
}

type Options = Readonly<Record<string, Option>>;

/**
 * Returns one candidate per line, followed by a tab and its description; or `:files`; or `:command N`, where word N begins
 * the command to complete.
 *
 * @param words from the program's name to the word under the cursor
 */
export async function complete(words: readonly string[], context: Context): Promise<string> {
  const current = words.at(-1) ?? "";
  const before = words.slice(1, -1);
  const start = startOfCommand(before);
  if (start !== undefined) return `${COMMAND} ${start + 1}\n`;
  const answer = await candidatesFor(before, current, context);
  if (answer === "files") return `${FILES}\n`;
  if (answer === "command") return `${COMMAND} ${words.length - 1}\n`;
  return answer
    .filter(({ value }) => value.startsWith(current))
    .map(({ value, describe }) => `${value}${describe === undefined ? "" : `\t${printable(describe)}`}\n`)
    .join("");
}

/** Returns the index of the command to launch, which may be the next word; undefined if there is none yet. */
function startOfCommand(before: readonly string[]): number | undefined {
  const cut = before.indexOf("--");
  const first = firstWord(cut === -1 ? before : before.slice(0, cut));
  if (first === undefined) return cut === -1 ? undefined : cut + 1;
  return WORDS.some((name) => name === first.word) ? undefined : first.index;
}

async function candidatesFor(
  before: readonly string[],
  current: string,
  context: Context,
): Promise<"files" | "command" | readonly Candidate[]> {
  const first = firstWord(before)?.word;
  if (first === HELP_WORD) return before.at(-1) === HELP_WORD ? await helpCandidates(current) : [];
  const command = COMMAND_NAMES.find((name) => name === first);
  const options: Options = {
    ...Object.fromEntries(namesFor(command ?? "run").map((name) => [name, DESCRIBED_OPTIONS[name]])),
    ...(command === undefined ? {} : COMMANDS[command].options),
    ...DESCRIBED_COMMON_OPTIONS,
  };
  const parsed = parse(before, options);
  const pending = parsed.problems.find(({ kind, at }) => kind === "needs-value" && at === before.length - 1);
  if (pending?.kind === "needs-value") return valuesOf(pending.name, options, "", parsed, context);
  const attached = /^--([\w-]+)=/.exec(current)?.[1];
  if (attached !== undefined) return valuesOf(attached, options, `--${attached}=`, parsed, context);
  if (current.startsWith("-")) return optionCandidates(options, parsed);
  if (command === undefined) {
    const matching = commandCandidates(WORDS, current);
    return matching.length === 0 ? "command" : matching;
  }
  return positionalCandidates(COMMANDS[command].positional, parsed, context);
}

const WORDS = [...COMMAND_NAMES, HELP_WORD] as const;

function commandCandidates(words: readonly (typeof WORDS)[number][], current: string): readonly Candidate[] {
  return words
    .filter((word) => word.startsWith(current))
    .map((value) => ({
      value,
      describe: value === HELP_WORD ? "Show the help of a command" : COMMANDS[value].describe,
    }));
}

async function helpCandidates(current: string): Promise<readonly Candidate[]> {
  const { TOPIC_NAMES, TOPICS } = await import("../help/topics.ts");
  const topics = TOPIC_NAMES.map((value) => ({ value, describe: TOPICS[value].describe }));
  return [...commandCandidates(COMMAND_NAMES, current), ...topics.filter(({ value }) => value.startsWith(current))];
}

function firstWord(before: readonly string[]): Positional | undefined {
  return parse(before, { ...OPTIONS, ...COMMON_OPTIONS }, { stopAtWord: true }).positionals[0];
}

async function valuesOf(
  name: string,
  options: Options,
  prefix: string,
  parsed: Parsed,
  context: Context,
): Promise<"files" | readonly Candidate[]> {
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (option === undefined || option.type === "boolean") return [];
  if (option.choices !== undefined) return option.choices.map((choice) => ({ value: prefix + choice }));
  // After `--contract=` the shells complete files by themselves.
  if (option.value === "FILE" || option.value === "DIR") return "files";
  if (name !== "profile" && name !== "scope") return [];
  const contract = await contractOf(parsed, context);
  const names = name === "profile" ? contract?.profiles : contract?.scopes.keys();
  return Array.from(names ?? [], (one) => ({ value: prefix + one }));
}

function optionCandidates(options: Options, { values }: Parsed): readonly Candidate[] {
  return Object.entries(options)
    .filter(([name, { type }]) => type === "list" || values[name] === undefined)
    .map(([name, { describe }]) => ({ value: `--${name}`, describe }));
}

async function positionalCandidates(
  positional: PositionalDefinition | undefined,
  parsed: Parsed,
  context: Context,
): Promise<"files" | readonly Candidate[]> {
  if (positional === undefined) return [];
  const { kind, maxCount } = positional;
  if (kind === "file") return "files";
  // Without the subcommand.
  const earlier = parsed.positionals.slice(1).map(({ word }) => word);
  if (earlier.length >= maxCount) return [];
  if (kind !== "variable") return kind.map((value) => ({ value }));
  const contract = await contractOf(parsed, context);
  const variables = [...(contract?.variables.values() ?? [])].filter(({ name }) => !earlier.includes(name));
  return variables.map(({ name, label }) => ({ value: name, describe: label }));
}

/** Returns the contract of the command line, else that of the folder; undefined if it cannot be loaded. */
async function contractOf({ values }: Parsed, context: Context): Promise<Contract | undefined> {
  const named = values["contract"] ?? context.environment.get("SOPHIA_CONTRACT");
  const contractFile = typeof named === "string" && named !== "" ? named : undefined;
  try {
    return await loadContract({ contractFile }, withProject(values, context));
  } catch (error) {
    if (error instanceof SophiaError) return undefined;
    throw error;
  }
}
