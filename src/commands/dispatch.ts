import { constants } from "node:os";
import { COMMAND_NAMES, type CommandName, type Invocation } from "../command-line/command-line.ts";
import { COMMON_OPTIONS, type Values } from "../command-line/options.ts";
import { parse } from "../command-line/parse.ts";
import { optionsFor } from "../command-line/takers.ts";
import { suggest } from "../core/suggest.ts";
import type { Context } from "../core/context.ts";
import { ExitStatus, SophiaError } from "../core/error.ts";
import { printable } from "../core/text.ts";
import { printHelp } from "../output/colour.ts";
import { layoutFor } from "../output/layout.ts";
import { printError } from "../output/stderr.ts";
import type { CommandArguments, CommandDefinition } from "./command.ts";
import type { TopicName } from "./help/topics.ts";
import { usageError } from "./parts/mistakes.ts";
import { OTHER_WORDS } from "./parts/other-tools.ts";
import { COMMANDS } from "./registry.ts";
import { versionLine } from "./version/version.ts";
import { mistakeError, optionError } from "./wrong-options.ts";

/** Runs everything but a launch. @throws SophiaError (125) for an invalid command line, or if the output cannot be written */
export async function dispatch(invocation: Exclude<Invocation, { kind: "run" }>, context: Context): Promise<number> {
  try {
    return await answer(invocation, {
      ...context,
      out: (text) => insist(context.out(text)),
      raw: (to, text) => (to === 1 ? insist(context.raw(to, text)) : context.raw(to, text)),
    });
  } catch (error) {
    // The reader has closed the pipe: the status is that of a program killed by SIGPIPE.
    if (error instanceof BrokenPipe) return 128 + constants.signals.SIGPIPE;
    throw error;
  }
}

class BrokenPipe extends Error {}

function insist(problem: string | undefined): undefined {
  if (problem === undefined) return;
  if (problem === "EPIPE") throw new BrokenPipe();
  throw new SophiaError({
    code: "output",
    message: `the standard output cannot be written (${problem})`,
    hint: "the output is incomplete: free some space, or write it elsewhere",
  });
}

async function answer(invocation: Exclude<Invocation, { kind: "run" }>, context: Context): Promise<number> {
  switch (invocation.kind) {
    case "subcommand":
      return runSubcommand(invocation.name, invocation.words, context);
    case "help":
      return help(invocation.of, invocation.asked, context);
    case "help-word":
      return helpWord(invocation.words, context);
    case "version":
      return printVersion(context);
    case "completion": {
      const { complete } = await import("./completion/completion-candidates.ts");
      context.out(await complete(invocation.words, context));
      return ExitStatus.ok;
    }
    case "continue-masking":
      return (await import("../launch/masking/hand-over.ts")).continueMasking();
    case "mistake":
      throw mistakeError(invocation.mistake);
  }
}

async function runSubcommand(name: CommandName, words: readonly string[], context: Context): Promise<number> {
  const definition = COMMANDS[name];
  try {
    return await runDefined(name, definition, words, context);
  } catch (error) {
    if (definition.statusOfMistake === undefined || !(error instanceof SophiaError)) throw error;
    await printError(context, error);
    return definition.statusOfMistake(words);
  }
}

async function runDefined(
  name: CommandName,
  definition: CommandDefinition,
  words: readonly string[],
  context: Context,
): Promise<number> {
  const options = { ...optionsFor(name), ...definition.options, ...COMMON_OPTIONS };
  const { values, positionals, problems } = parse(words, options);
  if (values["help"] !== undefined) return help(name, values["help"], context);
  if (values["version"] === true) return printVersion(context);
  const [problem] = problems;
  if (problem !== undefined) throw optionError(problem, options, name);
  const args: CommandArguments = { options: values, positionals: positionals.map(({ word }) => word) };
  checkArguments(name, definition, args);
  const run = await definition.load();
  return run(args, context);
}

/** `sophia-run help [COMMAND]`. @throws SophiaError (usage, 125) for a word that is not a subcommand */
async function helpWord(words: readonly string[], context: Context): Promise<number> {
  const { values, positionals, problems } = parse(words, COMMON_OPTIONS);
  const [problem] = problems;
  if (problem !== undefined) throw optionError(problem, COMMON_OPTIONS);
  const [first, second] = positionals.map(({ word }) => word);
  if (second !== undefined) throw usageError("help takes no more than COMMAND", "sophia-run help COMMAND");
  const { TOPIC_NAMES } = await import("./help/topics.ts");
  const names = [...COMMAND_NAMES, ...TOPIC_NAMES];
  const name = names.find((one) => one === first);
  if (first !== undefined && name === undefined) {
    throw usageError(`unknown COMMAND${shownWord(first)}`, allowed(first, names, OTHER_WORDS.get(first)));
  }
  return help(name, values["help"] ?? "", context);
}

async function help(of: CommandName | TopicName | undefined, asked: Values[string], context: Context): Promise<number> {
  if (asked !== "" && asked !== "all") {
    throw usageError(`--help cannot be '${printable(String(asked))}'`, "allowed: --help, --help=all");
  }
  const isFull = asked === "all";
  // While it loads, yargs reads the working directory, and throws if it was deleted.
  process.chdir("/");
  const { helpOf } = await import("./help/help.ts");
  printHelp(context, await helpOf(of, layoutFor(context, 1), isFull));
  return ExitStatus.ok;
}

function printVersion(context: Context): number {
  context.out(versionLine());
  return ExitStatus.ok;
}

/** @throws SophiaError (usage, 125) for an invalid choice, and for too many or too few words */
function checkArguments(name: CommandName, definition: CommandDefinition, args: CommandArguments): void {
  const { options = {}, positional } = definition;
  for (const [option, { choices }] of Object.entries(options)) {
    for (const given of [args.options[option] ?? []].flat()) {
      if (given === "") throw usage(name, `option --${option} needs a value`);
      if (typeof given === "string" && choices !== undefined) {
        checkChoice(name, `--${option} cannot be '${printable(given)}'`, given, choices);
      }
    }
  }
  const { least = 0, kind = [], form = "", onlyWith } = positional ?? {};
  const most = onlyWith === undefined || args.options[onlyWith] === true ? (positional?.most ?? 0) : 0;
  const excess = args.positionals[most];
  if (excess !== undefined) {
    const names = Object.keys(options);
    const meant = names.includes(excess) ? excess : suggest(excess, names);
    // The word itself is not printed: it may contain a secret.
    const what = most === 0 ? `${name} takes no arguments` : `${name} takes no more than ${form}`;
    throw usage(name, what, meant === undefined ? "" : `did you mean --${meant}? `);
  }
  const choices = typeof kind === "string" ? undefined : kind;
  if (args.positionals.length < least) {
    throw usage(name, `${name} needs ${form}${choices === undefined ? "" : `: ${choices.join(", ")}`}`);
  }
  if (choices === undefined) return;
  for (const word of args.positionals) checkChoice(name, `unknown ${form}${shownWord(word)}`, word, choices);
}

function checkChoice(name: CommandName, message: string, given: string, choices: readonly string[]): void {
  if (!choices.includes(given)) throw usage(name, message, `${allowed(given, choices)}; `);
}

/** @param known what the word means here, if another tool has it */
function allowed(given: string, choices: readonly string[], known?: string): string {
  const meant = suggest(given, choices);
  const first = known === undefined ? (meant === undefined ? "" : `did you mean ${meant}? `) : `${known}; `;
  return `${first}allowed: ${choices.join(", ")}`;
}

/** Returns a mistyped word for a message, behind a space; nothing for one that may be a value, which has digits or is long. */
function shownWord(word: string): string {
  return /^[a-z][a-z-]{0,19}$/i.test(word) ? ` ${word}` : "";
}

function usage(name: CommandName, message: string, before = ""): SophiaError {
  return usageError(message, `${before}sophia-run ${name} --help lists the options and arguments`);
}
