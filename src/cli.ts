import type { ParseArgsConfig } from "node:util";
import { suggest } from "./contract/suggest.ts";
import { SophiaError } from "./error.ts";
import { OPTIONS, type Flags } from "./options.ts";
import { printable } from "./text.ts";

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

/** What the command line parser needs to know of an option. */
export interface OptionShape {
  readonly type: "boolean" | "string" | "list";
  readonly short?: string;
}

/**
 * Reads options and other words; a word after `--` is never an option.
 *
 * @throws SophiaError (usage, 125)
 */
export function parseWords(
  words: readonly string[],
  shapes: Readonly<Record<string, OptionShape>>,
  command?: CommandName,
): { readonly values: Values; readonly positionals: readonly { readonly word: string; readonly index: number }[] } {
  const options: NonNullable<ParseArgsConfig["options"]> = {};
  for (const [name, { type, short }] of Object.entries(shapes)) {
    options[name] = {
      type: type === "boolean" ? "boolean" : "string",
      multiple: type === "list",
      ...(short === undefined ? {} : { short }),
    };
  }
  try {
    // Loaded only where there is an option.
    const { values, tokens } = process.getBuiltinModule("node:util").parseArgs({
      args: [...words],
      options,
      strict: true,
      allowPositionals: true,
      tokens: true,
    });
    return {
      // parseArgs built this object by the shapes: booleans, strings and, where `multiple` is set, lists of strings.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      values: values as Values,
      positionals: tokens.flatMap((token) =>
        token.kind === "positional" ? [{ word: token.value, index: token.index }] : [],
      ),
    };
  } catch (error) {
    throw usageError(error, words, Object.keys(shapes), command);
  }
}

/** Options as the command line sets them; choices are not yet checked. */
export type Values = { readonly [name: string]: boolean | string | readonly string[] | undefined };

/** @param right the command line that would run it */
function strayWord(stray: string, right: readonly string[]): SophiaError {
  const meant = stray === "help" || stray === "version" ? `--${stray}` : suggest(stray, COMMAND_NAMES);
  return new SophiaError({
    code: "usage",
    message: `'${printable(stray)}' is neither an option nor a command of sophia-run`,
    hint:
      (meant === undefined ? "" : `did you mean sophia-run ${meant}? `) +
      `to run it, write two dashes in front: sophia-run ${right.map(shellWord).join(" ")}`,
  });
}

/** Words what `parseArgs` found; its own messages advise what is wrong here. */
function usageError(
  error: unknown,
  words: readonly string[],
  names: readonly string[],
  command: CommandName | undefined,
): SophiaError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const text = error instanceof Error ? error.message : "";
  // parseArgs quotes the option as '--name', '-n' or '-q, --quiet'.
  const quoted = /'(?:-\w, )?(-{1,2}[^' ]*)/.exec(text)?.[1] ?? words.find((word) => word.startsWith("-")) ?? "";
  const option = printable(quoted);
  const hint = `sophia-run ${command === undefined ? "" : `${command} `}--help lists the options`;
  switch (code) {
    case "ERR_PARSE_ARGS_UNKNOWN_OPTION": {
      const near = nearest(quoted.replace(/^-+/, ""), names);
      return new SophiaError({
        code: "usage",
        message: `unknown option ${option}${command === undefined ? "" : ` of ${command}`}`,
        hint: near === undefined ? hint : `did you mean --${near}? ${hint}`,
      });
    }
    case "ERR_PARSE_ARGS_INVALID_OPTION_VALUE":
      return new SophiaError({
        code: "usage",
        message: /does not take/.test(text) ? `option ${option} takes no value` : `option ${option} needs a value`,
        hint,
      });
    default:
      throw error;
  }
}

/** The option that a mistyped one is nearest to, or that shares its start or contains it. */
function nearest(typed: string, names: readonly string[]): string | undefined {
  if (typed.length < 3) return undefined;
  return (
    suggest(typed, names) ??
    names.find((name) => name.startsWith(typed.slice(0, 4)) || name.includes(typed) || typed.includes(name))
  );
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${printable(word).replaceAll("'", `'\\''`)}'`;
}
