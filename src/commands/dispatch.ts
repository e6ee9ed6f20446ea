import { constants } from "node:os";
import { COMMAND_NAMES, type CommandName } from "../command-line/command-line.ts";
import { COMMANDS, type CommandArguments, type CommandDefinition } from "./registry.ts";
import type { Context } from "../core/context.ts";
import { suggest } from "../core/suggest.ts";
import { ExitStatus, SophiaError } from "../core/error.ts";
import { OPTION_NAMES, OPTIONS } from "../command-line/options.ts";
import { printable } from "../core/text.ts";
import { parseWords } from "../command-line/parse.ts";

declare const SOPHIA_RUN_VERSION: string | undefined;

/** Options that every command line takes beside those of the table. */
const COMMON = {
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "V" },
} as const;

/**
 * Everything but a launch: subcommands, `--help`, `--version` and the call-backs of completion scripts.
 *
 * @returns the exit status
 * @throws SophiaError (125) for a wrong command line, and where the output cannot be written
 */
export async function runOther(argv: readonly string[], context: Context): Promise<number> {
  try {
    return await dispatch(argv, { ...context, out: (text) => insist(context.out(text)) });
  } catch (error) {
    // Whoever read the output has seen enough: end as a program does that SIGPIPE ends.
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
    hint: "what was written is not complete: make room, or send it elsewhere",
  });
}

async function dispatch(argv: readonly string[], context: Context): Promise<number> {
  const [first = "", ...words] = argv;
  const name = COMMAND_NAMES.find((command) => command === first);
  if (name === undefined) return runGlobal(argv, context);
  const definition = COMMANDS[name];
  const { values, positionals } = parseWords(words, { ...OPTIONS, ...definition.options, ...COMMON }, name);
  if (values["help"] === true) return print(context, await (await helpTexts()).commandHelp(name, definition));
  if (values["version"] === true) return print(context, version());
  const args: CommandArguments = {
    flags: pick(values, OPTION_NAMES),
    own: pick(values, Object.keys(definition.options ?? {})),
    positionals: positionals.map(({ word }) => word),
  };
  checkWords(name, definition, args);
  const run = await definition.load();
  return run(args, context);
}

async function runGlobal(argv: readonly string[], context: Context): Promise<number> {
  if (argv[0] === "--get-yargs-completions") {
    const { complete } = await import("./completion/candidates.ts");
    return print(context, await complete(argv.slice(1), context));
  }
  const { values } = parseWords(argv, { ...OPTIONS, ...COMMON });
  // Where both are given, the help says more.
  return print(context, values["help"] === true ? await (await helpTexts()).mainHelp() : version());
}

/** Loaded only here: laying out takes yargs, which no subcommand needs. */
function helpTexts(): Promise<typeof import("./help.ts")> {
  // yargs asks for the working directory while it loads, and throws where that is deleted. No help depends on it.
  process.chdir("/");
  return import("./help.ts");
}

function version(): string {
  // Put in by the bundler; the sources themselves run in tests.
  return `${typeof SOPHIA_RUN_VERSION === "undefined" ? "0.0.0" : SOPHIA_RUN_VERSION}\n`;
}

function print(context: Context, text: string): number {
  context.out(text);
  return ExitStatus.ok;
}

function pick(values: CommandArguments["own"], names: readonly string[]): CommandArguments["own"] {
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
}

/** @throws SophiaError (usage, 125) for a wrong choice, and for a word too many or too few */
function checkWords(name: CommandName, { options, positional }: CommandDefinition, args: CommandArguments): void {
  for (const [option, { choices }] of Object.entries(options ?? {})) {
    const value = args.own[option];
    for (const given of Array.isArray(value) ? value : [value]) {
      if (given === "") throw usage(name, `option --${option} needs a value`);
      if (typeof given === "string" && choices !== undefined) checkChoice(name, `--${option}`, given, choices);
    }
  }
  const { least = 0, most = 0, kind = [], form = "" } = positional ?? {};
  const excess = args.positionals[most];
  if (excess !== undefined) {
    const names = Object.keys(options ?? {});
    const meant = names.includes(excess) ? excess : suggest(excess, names);
    throw usage(
      name,
      most === 0
        ? `${name} takes no arguments: '${printable(excess)}'`
        : `one argument too many: '${printable(excess)}'`,
      meant === undefined ? undefined : `did you mean --${meant}?`,
    );
  }
  if (args.positionals.length < least) {
    const allowed = typeof kind === "string" ? "" : `: ${kind.join(", ")}`;
    throw usage(name, `${name} needs ${form}${allowed}`);
  }
  if (typeof kind !== "string") for (const word of args.positionals) checkChoice(name, form, word, kind);
}

function checkChoice(name: CommandName, what: string, given: string, choices: readonly string[]): void {
  if (choices.includes(given)) return;
  const meant = suggest(given, choices);
  throw usage(
    name,
    `${what} cannot be '${printable(given)}'`,
    `${meant === undefined ? "" : `did you mean ${meant}? `}allowed: ${choices.join(", ")}`,
  );
}

function usage(name: CommandName, message: string, hint?: string): SophiaError {
  const help = `sophia-run ${name} --help shows what is possible`;
  return new SophiaError({
    code: "usage",
    message,
    hint: hint === undefined ? help : `${hint}${hint.endsWith("?") ? "" : ";"} ${help}`,
  });
}
