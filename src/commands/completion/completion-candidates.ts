/**
 * Finds what the shell offers when the user presses Tab behind `sophia-run …`. The completion scripts (completion.ts) start
 * `sophia-run --get-yargs-completions -- WORDS`, which prints the answer of completeWords(). The answer must come at once, so
 * this file reads the contract at most, but neither ESC nor any value.
 */
import { COMMAND_NAMES, type CommandName, HELP_WORD } from "../../command-line/command-line.ts";
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
import { applyProjectFolder } from "../parts/project-option.ts";
import { COMMANDS } from "../registry.ts";

/** The answer that asks the shell to complete the names of files. */
const FILES_ANSWER = ":files";
/** The answer that asks the shell to complete another command, followed by the index of that command's first word. */
const COMMAND_ANSWER = ":command";

/** A word that the shell offers. */
interface Candidate {
  readonly value: string;
  readonly describe?: string;
}

/** The options by their names. */
type Options = Readonly<Record<string, Option>>;

/**
 * Returns the answer for a completion script. It has one of three forms:
 * - lines of a candidate, a tab and its description: `check<tab>Check the configuration`
 * - `:files`, if the shell must complete the names of files
 * - `:command N`, if the shell must complete another command, which begins at word N
 *
 * @param words the words from the program's name to the word under the cursor
 */
export async function completeWords(words: readonly string[], context: Context): Promise<string> {
  const currentWord = words.at(-1) ?? "";
  const wordsBefore = words.slice(1, -1);
  const commandIndex = findCommandIndex(wordsBefore);
  // The indices in `wordsBefore` do not count the program's name; those in the answer do.
  if (commandIndex !== undefined) return `${COMMAND_ANSWER} ${commandIndex + 1}\n`;
  const candidates = await findCandidates(wordsBefore, currentWord, context);
  if (candidates === "files") return `${FILES_ANSWER}\n`;
  if (candidates === "command") return `${COMMAND_ANSWER} ${words.length - 1}\n`;
  return candidates
    .filter(({ value }) => value.startsWith(currentWord))
    .map(({ value, describe }) => `${value}${describe === undefined ? "" : `\t${printable(describe)}`}\n`)
    .join("");
}

/**
 * Returns the index of the first word of the command to start. That word may be the one under the cursor.
 *
 * @returns undefined if the words contain no command yet, or belong to a subcommand of sophia-run
 */
function findCommandIndex(wordsBefore: readonly string[]): number | undefined {
  const dashesIndex = wordsBefore.indexOf("--");
  const hasDashes = dashesIndex !== -1;
  const firstPositional = findFirstPositional(hasDashes ? wordsBefore.slice(0, dashesIndex) : wordsBefore);
  if (firstPositional === undefined) return hasDashes ? dashesIndex + 1 : undefined;
  return SUBCOMMAND_WORDS.some((name) => name === firstPositional.word) ? undefined : firstPositional.index;
}

/**
 * Finds the candidates for the word under the cursor. The result is `files` or `command` if the shell must complete the word.
 *
 * @param wordsBefore the words before the one under the cursor
 * @param currentWord the text of that word, which may be empty
 */
async function findCandidates(
  wordsBefore: readonly string[],
  currentWord: string,
  context: Context,
): Promise<"files" | "command" | readonly Candidate[]> {
  const firstWord = findFirstPositional(wordsBefore)?.word;
  if (firstWord === HELP_WORD) return wordsBefore.at(-1) === HELP_WORD ? await findHelpCandidates(currentWord) : [];
  const command = COMMAND_NAMES.find((name) => name === firstWord);
  const options = listOptions(command);
  const parsed = parse(wordsBefore, options);
  // `sophia-run --profile <cursor>`: the last word is an option that still needs its value.
  const unfinished = parsed.problems.find(({ kind, at }) => kind === "needs-value" && at === wordsBefore.length - 1);
  if (unfinished?.kind === "needs-value")
    return findValueCandidates({ name: unfinished.name, prefix: "" }, options, parsed, context);
  // `sophia-run --profile=<cursor>`
  const optionBeforeEquals = /^--([\w-]+)=/.exec(currentWord)?.[1];
  if (optionBeforeEquals !== undefined) {
    return findValueCandidates(
      { name: optionBeforeEquals, prefix: `--${optionBeforeEquals}=` },
      options,
      parsed,
      context,
    );
  }
  if (currentWord.startsWith("-")) return findOptionCandidates(options, parsed);
  if (command === undefined) {
    // A word that begins no subcommand begins the name of a program: `sophia-run no<cursor>`.
    const subcommands = findSubcommandCandidates(SUBCOMMAND_WORDS, currentWord);
    return subcommands.length === 0 ? "command" : subcommands;
  }
  return findPositionalCandidates(COMMANDS[command].positional, parsed, context);
}

/** Returns the options of a command. @param command undefined for the start of a program */
function listOptions(command: CommandName | undefined): Options {
  return {
    ...Object.fromEntries(namesFor(command ?? "run").map((name) => [name, DESCRIBED_OPTIONS[name]])),
    ...(command === undefined ? {} : COMMANDS[command].options),
    ...DESCRIBED_COMMON_OPTIONS,
  };
}

/** The first words that do not start a program. */
const SUBCOMMAND_WORDS = [...COMMAND_NAMES, HELP_WORD] as const;

function findSubcommandCandidates(
  words: readonly (typeof SUBCOMMAND_WORDS)[number][],
  currentWord: string,
): readonly Candidate[] {
  return words
    .filter((word) => word.startsWith(currentWord))
    .map((value) => ({
      value,
      describe: value === HELP_WORD ? "Show the help of a command" : COMMANDS[value].describe,
    }));
}

async function findHelpCandidates(currentWord: string): Promise<readonly Candidate[]> {
  const { TOPIC_NAMES, TOPICS } = await import("../help/topics.ts");
  const topics = TOPIC_NAMES.map((value) => ({ value, describe: TOPICS[value].title }));
  return [
    ...findSubcommandCandidates(COMMAND_NAMES, currentWord),
    ...topics.filter(({ value }) => value.startsWith(currentWord)),
  ];
}

/** Returns the first word that is neither an option nor its value. */
function findFirstPositional(wordsBefore: readonly string[]): Positional | undefined {
  return parse(wordsBefore, { ...OPTIONS, ...COMMON_OPTIONS }, { stopAtWord: true }).positionals[0];
}

/** Returns the values of an option. The prefix is the text in front of each value, such as `--profile=`. */
async function findValueCandidates(
  { name, prefix }: { readonly name: string; readonly prefix: string },
  options: Options,
  parsed: Parsed,
  context: Context,
): Promise<"files" | readonly Candidate[]> {
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (option === undefined || option.type === "boolean") return [];
  if (option.choices !== undefined) return option.choices.map((choice) => ({ value: prefix + choice }));
  // The scripts also handle `--contract=<cursor>`: they pass the text behind `=` to the shell.
  if (option.value === "FILE" || option.value === "DIR") return "files";
  if (name !== "profile" && name !== "scope") return [];
  const contract = await loadNamedContract(parsed, context);
  const names = name === "profile" ? contract?.profiles : contract?.scopes.keys();
  return Array.from(names ?? [], (value) => ({ value: prefix + value }));
}

/** Returns the options that may still be added: those that are absent, and lists, which may be repeated. */
function findOptionCandidates(options: Options, { values }: Parsed): readonly Candidate[] {
  return Object.entries(options)
    .filter(([name, { type }]) => type === "list" || values[name] === undefined)
    .map(([name, { describe }]) => ({ value: `--${name}`, describe }));
}

async function findPositionalCandidates(
  positional: PositionalDefinition | undefined,
  parsed: Parsed,
  context: Context,
): Promise<"files" | readonly Candidate[]> {
  if (positional === undefined) return [];
  const { kind, maxCount } = positional;
  if (kind === "file") return "files";
  // The first positional is the subcommand itself.
  const earlierWords = parsed.positionals.slice(1).map(({ word }) => word);
  if (earlierWords.length >= maxCount) return [];
  if (kind !== "variable") return kind.map((value) => ({ value }));
  const contract = await loadNamedContract(parsed, context);
  const variables = [...(contract?.variables.values() ?? [])].filter(({ name }) => !earlierWords.includes(name));
  return variables.map(({ name, label }) => ({ value: name, describe: label }));
}

/**
 * Loads the contract that the typed words or the environment name, or else the one of the folder; undefined if that fails.
 */
async function loadNamedContract({ values }: Parsed, context: Context): Promise<Contract | undefined> {
  const namedFile = values["contract"] ?? context.environment.get("SOPHIA_CONTRACT");
  const contractFile = typeof namedFile === "string" && namedFile !== "" ? namedFile : undefined;
  try {
    return await loadContract({ contractFile }, applyProjectFolder(values, context));
  } catch (error) {
    if (error instanceof SophiaError) return undefined;
    throw error;
  }
}
