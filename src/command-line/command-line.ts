import { COMMON_OPTIONS, OPTIONS, type Values } from "./options.ts";
import { parse, type Problem } from "./parse.ts";

/** What the command line asks for. Only `run` is worked on at once; the code of all others is loaded for them. */
export type Invocation =
  /** `sophia-run [options] -- command [arguments…]`; the command is byte for byte what the caller wrote. */
  | { readonly kind: "run"; readonly flags: Values; readonly command: readonly [string, ...string[]] }
  /** `sophia-run check --json`: its own words, and options of the run that stood in front of its name. */
  | { readonly kind: "subcommand"; readonly name: CommandName; readonly words: readonly string[] }
  | { readonly kind: "help"; readonly of?: CommandName }
  | { readonly kind: "version" }
  /** A completion script calls back with the words of a command line. */
  | { readonly kind: "completion"; readonly words: readonly string[] }
  | { readonly kind: "mistake"; readonly mistake: Mistake };

/** A command line that asks for nothing that can be done. */
export type Mistake =
  | { readonly kind: "option"; readonly problem: Problem }
  /** An option of Node.js, which has read the file of it before this program began. */
  | { readonly kind: "node-option" }
  | { readonly kind: "no-command"; readonly hasDashes: boolean }
  /** A word that is neither an option nor a subcommand, and the command line that would run it. */
  | { readonly kind: "stray-word"; readonly word: string; readonly intended: readonly string[] };

/** The subcommands: words that are not mistaken for a command to launch. */
export const COMMAND_NAMES = ["check", "explain", "export", "docs", "init", "completion"] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

/** The word by which completion scripts call the program back. */
export const COMPLETION_CALL = "--get-yargs-completions";

/**
 * What Node.js looks for in its whole command line, up to the first `--`: also behind the name of the script. It sets
 * `NODE_OPTIONS` from the file, and so lets the file choose code that runs in this process.
 */
const READ_BY_NODE = /^--env-file(?:-if-exists)?(?:=|$)/;

/** Reads the command line. Of what stands after the first `--` nothing is read: it is the program's. */
export function parseCommandLine(argv: readonly string[]): Invocation {
  const cut = argv.indexOf("--");
  const before = cut === -1 ? argv : argv.slice(0, cut);
  const [command, ...rest] = cut === -1 ? [] : argv.slice(cut + 1);
  if (before.length === 0 && command !== undefined) return { kind: "run", flags: {}, command: [command, ...rest] };
  if (before.some((word) => READ_BY_NODE.test(word))) return mistaken({ kind: "node-option" });
  const first = before[0];
  if (first === COMPLETION_CALL) return { kind: "completion", words: argv.slice(1) };

  const { values, positionals, problems } = parse(before, { ...OPTIONS, ...COMMON_OPTIONS });
  // Help is given rather than an error, and where both are asked for it says more than the version.
  if (values["help"] === true) {
    const name = positionals.map(({ word }) => word).find(isCommandName);
    return { kind: "help", ...(name === undefined ? {} : { of: name }) };
  }
  const stray = positionals[0];
  if (stray !== undefined && isCommandName(stray.word)) {
    // The options of the run may stand in front of the subcommand: what is wrong with them is its business, too.
    const words = [...before.slice(0, stray.index), ...argv.slice(stray.index + 1)];
    return { kind: "subcommand", name: stray.word, words };
  }
  if (values["version"] === true) return { kind: "version" };
  const [problem] = problems;
  if (problem !== undefined) return mistaken({ kind: "option", problem });
  if (stray !== undefined) {
    const { word, index } = stray;
    const after = command === undefined ? [] : [command, ...rest];
    const intended = [...before.slice(0, index), "--", ...before.slice(index), ...after];
    return mistaken({ kind: "stray-word", word, intended });
  }
  if (command === undefined) return mistaken({ kind: "no-command", hasDashes: cut !== -1 });
  return { kind: "run", flags: values, command: [command, ...rest] };
}

function isCommandName(word: string): word is CommandName {
  return COMMAND_NAMES.some((name) => name === word);
}

function mistaken(mistake: Mistake): Invocation {
  return { kind: "mistake", mistake };
}
