import { CONTINUE_CALL } from "../launch/redact/call.ts";
import { COMMON_OPTIONS, OPTIONS, type Values } from "./options.ts";
import { parse, type Problem } from "./parse.ts";

/** Meaning of a command line. Only `run` is worked on at once; the code of all others is loaded for them. */
export type Invocation =
  | Run
  /** `sophia-run check --json`: its own words, and options of the run that stood in front of its name. */
  | { readonly kind: "subcommand"; readonly name: CommandName; readonly words: readonly string[] }
  /** `asked` is the value of `--help`: empty, or `all`, or else wrong. */
  | { readonly kind: "help"; readonly of?: CommandName; readonly asked: string }
  /** `sophia-run help check`, with the words behind `help`. */
  | { readonly kind: "help-word"; readonly words: readonly string[] }
  | { readonly kind: "version" }
  /** A completion script calls back with the words of a command line. */
  | { readonly kind: "completion"; readonly words: readonly string[] }
  | { readonly kind: "continue-masking" }
  | { readonly kind: "mistake"; readonly mistake: Mistake };

/** `sophia-run [options] [--] command [arguments…]` */
export interface Run {
  readonly kind: "run";
  readonly flags: Values;
  /** Word for word what the caller wrote. */
  readonly command: readonly [string, ...string[]];
  /** `--` stood before the command; without it the command may be a subcommand that was mistyped. */
  readonly hasDashes: boolean;
}

export type Mistake =
  | { readonly kind: "option"; readonly problem: Problem }
  /** An option that Node.js has acted on before this program began: ours by its old name, or one of the command. */
  | { readonly kind: "node-option"; readonly of: "sophia-run" | "command" }
  | { readonly kind: "no-command"; readonly hasDashes: boolean };

/** The subcommands: words that are not mistaken for a command to launch. */
export const COMMAND_NAMES = [
  "check",
  "explain",
  "export",
  "scan",
  "set",
  "import",
  "rotate",
  "request",
  "audit",
  "docs",
  "init",
  "completion",
] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

export const HELP_WORD = "help";

export const COMPLETION_CALL = "--get-yargs-completions";

/**
 * What Node.js looks for in its whole command line, up to the first `--`: also behind the name of the script. It sets
 * `NODE_OPTIONS` from the file, and so lets the file choose code that runs in this process.
 */
const READ_BY_NODE = /^--env-file(?:-if-exists)?(?:=|$)/;

/**
 * Reads the command line as env(1) does: options end at `--`, or at the first word that is none, which without `--`
 * may be a subcommand. Package managers and shells remove a `--` now and then (bun, deno, Yarn 1, `npm exec`,
 * PowerShell). Of what follows the command nothing is read.
 */
export function parseCommandLine(argv: readonly string[]): Invocation {
  const cut = argv.indexOf("--");
  if (cut === 0) return toRun({}, argv.slice(1), true);
  if (argv[0] === CONTINUE_CALL) return { kind: "continue-masking" };
  if (argv[0] === COMPLETION_CALL) return { kind: "completion", words: argv.slice(argv[1] === "--" ? 2 : 1) };

  const before = cut === -1 ? argv : argv.slice(0, cut);
  const { values, positionals, problems } = parse(before, { ...OPTIONS, ...COMMON_OPTIONS }, { stopAtWord: true });
  const [first] = positionals;
  const name = first === undefined ? undefined : COMMAND_NAMES.find((one) => one === first.word);
  const forNode = before.findIndex((word) => READ_BY_NODE.test(word));
  if (forNode !== -1) {
    const isOfCommand = first !== undefined && name === undefined && first.index < forNode;
    return mistaken({ kind: "node-option", of: isOfCommand ? "command" : "sophia-run" });
  }
  // Help is given rather than an error, and where both are asked for it says more than the version.
  const { help } = values;
  if (typeof help === "string") return { kind: "help", asked: help, ...(name === undefined ? {} : { of: name }) };
  if (values["version"] === true && name === undefined) return { kind: "version" };
  if (first !== undefined && name !== undefined) {
    // The options of the run may stand in front of the subcommand: what is wrong with them is its business, too.
    return { kind: "subcommand", name, words: [...before.slice(0, first.index), ...argv.slice(first.index + 1)] };
  }
  if (first?.word === HELP_WORD) return { kind: "help-word", words: argv.slice(first.index + 1) };
  const [problem] = problems;
  if (problem !== undefined) return mistaken({ kind: "option", problem });
  if (first !== undefined) return toRun(values, argv.slice(first.index), false);
  return toRun(values, cut === -1 ? [] : argv.slice(cut + 1), cut !== -1);
}

function toRun(flags: Values, [command, ...rest]: readonly string[], hasDashes: boolean): Invocation {
  if (command === undefined) return mistaken({ kind: "no-command", hasDashes });
  return { kind: "run", flags, command: [command, ...rest], hasDashes };
}

function mistaken(mistake: Mistake): Invocation {
  return { kind: "mistake", mistake };
}
