/**
 * Parses the command line of sophia-run into an `Invocation`: a program to start (`sophia-run -- node app.js`), a command
 * (`sophia-run check`), or help. main.ts calls `parseCommandLine` first.
 */
import { CONTINUE_CALL } from "../launch/types.ts";
import { COMMON_OPTIONS, OPTIONS, type Values } from "./options.ts";
import { parse, type Problem } from "./parse.ts";

/** The meaning of a command line. The code for `run` is loaded at once, and that of all other kinds when it is needed. */
export type Invocation =
  | Run
  /** `sophia-run check --json`. `words` are those after the name of the command, and options that stood before it. */
  | { readonly kind: "subcommand"; readonly name: CommandName; readonly words: readonly string[] }
  /** `sophia-run check --help=all`. `of` is the command, and `asked` the value of `--help`: empty, `all`, or an invalid one. */
  | { readonly kind: "help"; readonly of?: CommandName; readonly asked: string }
  /** `sophia-run help check`. `words` are those after `help`. */
  | { readonly kind: "help-word"; readonly words: readonly string[] }
  | { readonly kind: "version" }
  /** The call of a completion script, with the words of the command line to complete. */
  | { readonly kind: "completion"; readonly words: readonly string[] }
  /** A launcher that ends starts this process, which goes on to mask the program's output. */
  | { readonly kind: "continue-masking" }
  | { readonly kind: "mistake"; readonly mistake: Mistake };

/** A program to start: `sophia-run [options] -- command`. */
export interface Run {
  readonly kind: "run";
  readonly flags: Values;
  readonly command: readonly [string, ...string[]];
  /** False if no `--` stood before the command. The command may then be a mistyped name of a command of sophia-run. */
  readonly hasDashes: boolean;
}

/** A command line that cannot be carried out. */
export type Mistake =
  | { readonly kind: "option"; readonly problem: Problem }
  /** An `--env-file` that Node.js has already read. The user meant `--dotenv`, or an option of the program. */
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

/** The option with which a completion script of the shell calls sophia-run. It has the same name as in yargs, whose scripts also work. */
const COMPLETION_CALL = "--get-yargs-completions";

/**
 * Matches options that Node.js itself reads if they stand before the first `--`, even after the script. They are refused, because
 * NODE_OPTIONS in such a file can run code.
 */
const READ_BY_NODE = /^--env-file(?:-if-exists)?(?:=|$)/;

/**
 * Parses the command line as env(1) does: options end at `--`, or at the first word that is no option, which may be the name of a
 * command of sophia-run. `--` is optional, since bun, deno, Yarn 1, `npm exec` and PowerShell may remove it.
 *
 * @param argv the words after `sophia-run`
 */
export function parseCommandLine(argv: readonly string[]): Invocation {
  const dashesIndex = argv.indexOf("--");
  if (dashesIndex === 0) return toRun({}, argv.slice(1), true);
  if (argv[0] === CONTINUE_CALL) return { kind: "continue-masking" };
  if (argv[0] === COMPLETION_CALL) return { kind: "completion", words: argv.slice(argv[1] === "--" ? 2 : 1) };

  const beforeDashes = dashesIndex === -1 ? argv : argv.slice(0, dashesIndex);
  const options = { ...OPTIONS, ...COMMON_OPTIONS };
  const { values, positionals, problems } = parse(beforeDashes, options, { stopAtWord: true });
  const [first] = positionals;
  const name = first === undefined ? undefined : COMMAND_NAMES.find((commandName) => commandName === first.word);
  const nodeOptionIndex = beforeDashes.findIndex((word) => READ_BY_NODE.test(word));
  if (nodeOptionIndex !== -1) {
    const isOfProgram = first !== undefined && name === undefined && first.index < nodeOptionIndex;
    const of = isOfProgram ? { of: "command" as const, command: first.word } : { of: "sophia-run" as const };
    return mistaken({ kind: "node-option", ...of });
  }
  // A user who asks for help gets it even if the command line has one of the mistakes below.
  const { help } = values;
  if (typeof help === "string") return { kind: "help", asked: help, ...(name === undefined ? {} : { of: name }) };
  if (values["version"] === true && name === undefined) return { kind: "version" };
  if (first !== undefined && name !== undefined) {
    // The command also checks the options that stood before its name.
    return { kind: "subcommand", name, words: [...beforeDashes.slice(0, first.index), ...argv.slice(first.index + 1)] };
  }
  if (first?.word === HELP_WORD) return { kind: "help-word", words: argv.slice(first.index + 1) };
  const [problem] = problems;
  if (problem !== undefined) return mistaken({ kind: "option", problem });
  if (first !== undefined) return toRun(values, argv.slice(first.index), false);
  return toRun(values, dashesIndex === -1 ? [] : argv.slice(dashesIndex + 1), dashesIndex !== -1);
}

function toRun(flags: Values, [command, ...rest]: readonly string[], hasDashes: boolean): Invocation {
  if (command === undefined) return mistaken({ kind: "no-command", hasDashes });
  return { kind: "run", flags, command: [command, ...rest], hasDashes };
}

function mistaken(mistake: Mistake): Invocation {
  return { kind: "mistake", mistake };
}
