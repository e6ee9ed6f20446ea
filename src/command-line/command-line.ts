import { suggest } from "../core/suggest.ts";
import { SophiaError } from "../core/error.ts";
import { OPTIONS, type Flags } from "./options.ts";
import { shellWord } from "../core/shell.ts";
import { printable } from "../core/text.ts";
import { parseWords } from "./parse.ts";

/** What the command line asks for. */
export type Invocation =
  /** `sophia-run [options] -- command [arguments…]`; the command is byte for byte what the caller wrote. */
  | { readonly kind: "run"; readonly flags: Flags; readonly command: readonly [string, ...string[]] }
  /** Everything else: a subcommand, `--help`, `--version`. Their code is loaded only then. */
  | { readonly kind: "other"; readonly argv: readonly string[] };

/** The first words that are not a mistake for a command to launch. */
export const COMMAND_NAMES = ["check", "explain", "export", "docs", "init", "completion"] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

/**
 * Reads the command line. Everything after the first `--` is cut off before any parser sees it: parsers turn
 * `sleep 1e3` into 1000 and drop a second `--`.
 *
 * @throws SophiaError (usage, 125)
 */
export function parseCommandLine(argv: readonly string[]): Invocation {
  const cut = argv.indexOf("--");
  const before = cut === -1 ? argv : argv.slice(0, cut);
  const [name, ...rest] = cut === -1 ? [] : argv.slice(cut + 1);
  if (before.length === 0 && name !== undefined) return { kind: "run", flags: {}, command: [name, ...rest] };

  const first = before[0];
  if (first !== undefined && isCommandName(first)) return { kind: "other", argv };
  if (before.some((word) => word === "--help" || word === "-h" || word === "--version" || word === "-V")) {
    // Of which subcommand, wherever it stands among the options: help is given rather than an error.
    const subcommand = before.find(isCommandName);
    const isHelp = before.includes("--help") || before.includes("-h");
    return { kind: "other", argv: isHelp && subcommand !== undefined ? [subcommand, "--help"] : before };
  }
  // Completion scripts call the program back like this.
  if (first === "--get-yargs-completions") return { kind: "other", argv };

  const { values, positionals } = parseWords(before, OPTIONS);
  const stray = positionals[0];
  if (stray !== undefined) {
    const options = before.slice(0, stray.index);
    const others = before.slice(stray.index);
    // `sophia-run --env-file x check`: the options may stand in front of the subcommand.
    if (isCommandName(stray.word)) {
      return { kind: "other", argv: [stray.word, ...options, ...argv.slice(stray.index + 1)] };
    }
    throw strayWord(stray.word, [...options, "--", ...others, ...argv.slice(before.length + 1)]);
  }
  if (name === undefined) {
    throw new SophiaError({
      code: "usage",
      message: cut === -1 ? "no command to run" : "no command after --",
      hint: "write it after two dashes, for example: sophia-run -- node app.js (sophia-run --help shows more)",
    });
  }
  return { kind: "run", flags: values, command: [name, ...rest] };
}

function isCommandName(word: string): word is CommandName {
  return COMMAND_NAMES.some((name) => name === word);
}

/** @param right the command line that would run it */
function strayWord(stray: string, right: readonly string[]): SophiaError {
  const meant = stray === "help" || stray === "version" ? `--${stray}` : suggest(stray, COMMAND_NAMES);
  return new SophiaError({
    code: "usage",
    message: `'${printable(stray)}' is neither an option nor a command of sophia-run`,
    hint:
      (meant === undefined ? "" : `did you mean sophia-run ${meant}? `) +
      `to run it, write two dashes in front: sophia-run ${right.map((word) => shellWord(printable(word))).join(" ")}`,
  });
}
