import { CONTINUE_CALL } from "../launch/types.ts";
import { COMMON_OPTIONS, OPTIONS, type Values } from "./options.ts";
import { parse, type Problem } from "./parse.ts";

/** Meaning of a command line. Only `run` is worked on at once; the code of all others is loaded for them. */
export type Invocation =
  | Run
  /** `sophia-run check --json`: its own words, preceded by options of the run that stood before its name. */
  | { readonly kind: "subcommand"; readonly name: CommandName; readonly words: readonly string[] }
  /** `asked` is the value of `--help`; valid are none (empty) and `all`. */
  | { readonly kind: "help"; readonly of?: CommandName; readonly asked: string }
  | { readonly kind: "help-word"; readonly words: readonly string[] }
  | { readonly kind: "version" }
  /** Sent by a completion script, with the words of a command line. */
  | { readonly kind: "completion"; readonly words: readonly string[] }
  | { readonly kind: "continue-masking" }
  | { readonly kind: "mistake"; readonly mistake: Mistake };

export interface Run {
  readonly kind: "run";
  readonly flags: Values;
  readonly command: readonly [string, ...string[]];
  /** False if no `--` stood before the command, which may then be a mistyped subcommand. */
  readonly hasDashes: boolean;
}

export type Mistake =
  | { readonly kind: "option"; readonly problem: Problem }
  /** An `--env-file` that Node.js has already read: meant as `--dotenv`, or an option of the command. */
  | { readonly kind: "node-option"; readonly of: "sophia-run" }
  | { readonly kind: "node-option"; readonly of: "command"; readonly command: string }
  | { readonly kind: "no-command"; readonly hasDashes: boolean };

export const COMMAND_NAMES = [
  "check",
  "explain",
  "get",
  "export",
  "scan",
  "mask",
  "hook",
  "set",
  "import",
  "rotate",
  "enforce",
  "request",
  "audit",
  "docs",
  "init",
  "allow",
  "login",
  "link",
  "completion",
] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

export const HELP_WORD = "help";

/** The call of completion scripts, by the name that yargs gives it: a script of yargs works as well. */
const COMPLETION_CALL = "--get-yargs-completions";

/** Options that Node.js reads before the first `--`, even after the script. The file's NODE_OPTIONS can run code. */
const READ_BY_NODE = /^--env-file(?:-if-exists)?(?:=|$)/;

/**
 * Reads the command line as env(1) does: options end at `--`, or at the first other word, which may be a subcommand.
 * `--` is optional since bun, deno, Yarn 1, `npm exec` and PowerShell may remove it.
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
    const of = isOfCommand ? { of: "command" as const, command: first.word } : { of: "sophia-run" as const };
    return mistaken({ kind: "node-option", ...of });
  }
  // Help has precedence over mistakes and over the version.
  const { help } = values;
  if (typeof help === "string") return { kind: "help", asked: help, ...(name === undefined ? {} : { of: name }) };
  if (values["version"] === true && name === undefined) return { kind: "version" };
  if (first !== undefined && name !== undefined) {
    // The subcommand also checks the options that stood before its name.
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
