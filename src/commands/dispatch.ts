/**
 * Runs every command line that does not start a program: subcommands, help, the version, shell completion and mistakes.
 * `main` calls `dispatch` with the invocation that `command-line/` has parsed; the code of each command is loaded here.
 */
import { constants } from "node:os";
import { COMMAND_NAMES, type CommandName, type Invocation } from "../command-line/command-line.ts";
import { COMMON_OPTIONS, type Option, type Values } from "../command-line/options.ts";
import { parse } from "../command-line/parse.ts";
import { optionsFor } from "../command-line/takers.ts";
import { findNearestName } from "../core/suggest.ts";
import type { Context } from "../core/context.ts";
import { ExitStatus, SophiaError } from "../core/error.ts";
import { printable } from "../core/text.ts";
import { printHelp } from "../output/colour.ts";
import { layoutFor } from "../output/layout.ts";
import { printError } from "../output/stderr.ts";
import type { CommandArguments, CommandDefinition } from "./command.ts";
import { commandLineError, optionError } from "./command-line-errors.ts";
import type { TopicName } from "./help/topics.ts";
import { usageError } from "./parts/usage-errors.ts";
import { OTHER_TOOL_COMMANDS } from "./parts/other-tools.ts";
import { COMMANDS } from "./registry.ts";
import { versionLine } from "./version/version.ts";

type DispatchedInvocation = Exclude<Invocation, { kind: "run" }>;

/**
 * Runs an invocation and returns its exit status.
 *
 * @throws SophiaError (125) for an invalid command line, or if the standard output cannot be written
 */
export async function dispatch(invocation: DispatchedInvocation, context: Context): Promise<number> {
  try {
    return await runInvocation(invocation, {
      ...context,
      out: (text) => throwIfWriteFailed(context.out(text)),
      raw: (stream, text) => (stream === 1 ? throwIfWriteFailed(context.raw(stream, text)) : context.raw(stream, text)),
    });
  } catch (error) {
    // The reader of the pipe has closed it, as `head` does. The status is that of a program that SIGPIPE has killed.
    if (error instanceof BrokenPipeError) return 128 + constants.signals.SIGPIPE;
    throw error;
  }
}

class BrokenPipeError extends Error {}

/** Ends the command at its first failed write. @param faultCode the system's error code; undefined if the write succeeded */
function throwIfWriteFailed(faultCode: string | undefined): undefined {
  if (faultCode === undefined) return;
  if (faultCode === "EPIPE") throw new BrokenPipeError();
  throw new SophiaError({
    code: "output",
    message: `the standard output cannot be written (${faultCode})`,
    hint: "the output is incomplete: free some space, or write it elsewhere",
  });
}

async function runInvocation(invocation: DispatchedInvocation, context: Context): Promise<number> {
  switch (invocation.kind) {
    case "subcommand":
      return runSubcommand(invocation.name, invocation.words, context);
    case "help":
      return printHelpOf(invocation.of, invocation.asked, context);
    case "help-word":
      return runHelpCommand(invocation.words, context);
    case "version":
      return printVersion(context);
    case "completion": {
      const { completeWords } = await import("./completion/completion-candidates.ts");
      context.out(await completeWords(invocation.words, context));
      return ExitStatus.ok;
    }
    case "continue-masking":
      return (await import("../launch/masking/hand-over.ts")).continueMasking();
    case "mistake":
      throw commandLineError(invocation.mistake);
  }
}

async function runSubcommand(name: CommandName, words: readonly string[], context: Context): Promise<number> {
  const definition = COMMANDS[name];
  try {
    return await parseAndRun(name, definition, words, context);
  } catch (error) {
    if (definition.failureStatus === undefined || !(error instanceof SophiaError)) throw error;
    await printError(context, error);
    return definition.failureStatus(words);
  }
}

/** Parses and checks the words behind a subcommand, then loads and runs its code. @throws SophiaError (usage, 125) */
async function parseAndRun(
  name: CommandName,
  definition: CommandDefinition,
  words: readonly string[],
  context: Context,
): Promise<number> {
  const validOptions = { ...optionsFor(name), ...definition.options, ...COMMON_OPTIONS };
  const { values, positionals, problems } = parse(words, validOptions);
  // Help and version come before any mistake, so that a user who mistyped an option still gets the help.
  if (values["help"] !== undefined) return printHelpOf(name, values["help"], context);
  if (values["version"] === true) return printVersion(context);
  const [firstProblem] = problems;
  if (firstProblem !== undefined) throw optionError(firstProblem, validOptions, name);
  const args: CommandArguments = { options: values, positionals: positionals.map(({ word }) => word) };
  requireValidOptionValues(name, definition.options ?? {}, args.options);
  requireValidPositionals(name, definition, args);
  const command = await definition.load();
  return command(args, context);
}

/** Runs `sophia-run help [COMMAND or TOPIC]`. @throws SophiaError (usage, 125) for any other word */
async function runHelpCommand(words: readonly string[], context: Context): Promise<number> {
  const { values, positionals, problems } = parse(words, COMMON_OPTIONS);
  const [firstProblem] = problems;
  if (firstProblem !== undefined) throw optionError(firstProblem, COMMON_OPTIONS);
  const [subject, excessWord] = positionals.map(({ word }) => word);
  if (excessWord !== undefined) throw usageError("help takes no more than COMMAND", "sophia-run help COMMAND");
  const { TOPIC_NAMES } = await import("./help/topics.ts");
  const subjects = [...COMMAND_NAMES, ...TOPIC_NAMES];
  const knownSubject = subjects.find((name) => name === subject);
  if (subject !== undefined && knownSubject === undefined) {
    const hint = describeChoices(subject, subjects, OTHER_TOOL_COMMANDS.get(subject));
    throw usageError(`unknown COMMAND${formatWordForMessage(subject)}`, hint);
  }
  return printHelpOf(knownSubject, values["help"] ?? "", context);
}

/**
 * Prints the help of a command or a topic.
 *
 * @param subject undefined for the help of sophia-run itself
 * @param form the value of `--help`: "" or "all"
 * @throws SophiaError (usage, 125) for another value
 */
async function printHelpOf(
  subject: CommandName | TopicName | undefined,
  form: Values[string],
  context: Context,
): Promise<number> {
  if (form !== "" && form !== "all") {
    throw usageError(`--help cannot be '${printable(String(form))}'`, "allowed: --help, --help=all");
  }
  // When yargs is loaded, it reads the working directory, and throws if that directory was deleted.
  process.chdir("/");
  const { createHelp } = await import("./help/help.ts");
  printHelp(context, await createHelp(subject, layoutFor(context, 1), form === "all"));
  return ExitStatus.ok;
}

function printVersion(context: Context): number {
  context.out(versionLine());
  return ExitStatus.ok;
}

/** Checks the command's own options. @throws SophiaError (usage, 125) for an empty value, or one that is not a choice */
function requireValidOptionValues(name: CommandName, options: Readonly<Record<string, Option>>, values: Values): void {
  for (const [option, { choices }] of Object.entries(options)) {
    for (const value of [values[option] ?? []].flat()) {
      if (value === "") throw commandUsageError(name, `option --${option} needs a value`);
      if (typeof value === "string" && choices !== undefined) {
        requireChoice(name, `--${option} cannot be '${printable(value)}'`, value, choices);
      }
    }
  }
}

/** @throws SophiaError (usage, 125) for too many arguments, too few, or one that is not a choice */
function requireValidPositionals(
  name: CommandName,
  { options = {}, positional }: CommandDefinition,
  args: CommandArguments,
): void {
  const { minCount = 0, maxCount = 0, kind = [], form = "", onlyWith } = positional ?? {};
  const takesArguments = onlyWith === undefined || args.options[onlyWith] === true;
  const excessWord = args.positionals[takesArguments ? maxCount : 0];
  if (excessWord !== undefined) {
    const takesNone = !takesArguments || maxCount === 0;
    // The excess word itself is not printed, because it may contain a secret.
    const message = takesNone ? `${name} takes no arguments` : `${name} takes no more than ${form}`;
    throw commandUsageError(name, message, suggestOption(excessWord, Object.keys(options)));
  }
  const choices = typeof kind === "string" ? undefined : kind;
  if (args.positionals.length < minCount) {
    const choiceList = choices === undefined ? "" : `: ${choices.join(", ")}`;
    throw commandUsageError(name, `${name} needs ${form}${choiceList}`);
  }
  if (choices === undefined) return;
  for (const word of args.positionals)
    requireChoice(name, `unknown ${form}${formatWordForMessage(word)}`, word, choices);
}

/** Returns a hint if a word looks like an option without its dashes: `sophia-run check json`. */
function suggestOption(word: string, optionNames: readonly string[]): string {
  const suggestion = optionNames.includes(word) ? word : findNearestName(word, optionNames);
  return suggestion === undefined ? "" : `did you mean --${suggestion}? `;
}

function requireChoice(name: CommandName, message: string, value: string, choices: readonly string[]): void {
  if (!choices.includes(value)) throw commandUsageError(name, message, `${describeChoices(value, choices)}; `);
}

/** Returns a hint such as `did you mean bash? allowed: bash, zsh`. @param otherToolHint what the word means in another tool */
function describeChoices(word: string, choices: readonly string[], otherToolHint?: string): string {
  const list = `allowed: ${choices.join(", ")}`;
  if (otherToolHint !== undefined) return `${otherToolHint}; ${list}`;
  const suggestion = findNearestName(word, choices);
  return suggestion === undefined ? list : `did you mean ${suggestion}? ${list}`;
}

/**
 * Returns a mistyped word for a message, after a space. Returns nothing for a word that may be a secret value, because it is
 * long or contains other characters than letters and dashes.
 */
function formatWordForMessage(word: string): string {
  return /^[a-z][a-z-]{0,19}$/i.test(word) ? ` ${word}` : "";
}

/** @param hint text in front of the usual hint, including the separator between them */
function commandUsageError(name: CommandName, message: string, hint = ""): SophiaError {
  return usageError(message, `${hint}sophia-run ${name} --help lists the options and arguments`);
}
