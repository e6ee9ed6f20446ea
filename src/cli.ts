import { parseArgs, type ParseArgsConfig } from "node:util";
import { SophiaError } from "./error.ts";
import { definition, OPTION_NAMES, type Flags } from "./options.ts";
import { printable } from "./text.ts";

/** What the command line asks for. */
export type Invocation =
  /** `sophia-run [options] -- command [arguments…]`; the command is byte for byte what the caller wrote. */
  | { readonly kind: "run"; readonly flags: Flags; readonly command: readonly [string, ...string[]] }
  /** Everything else: a subcommand, `--help`, `--version`. Read by the full parser, which is loaded only then. */
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
  if (first !== undefined && COMMAND_NAMES.some((command) => command === first)) return { kind: "other", argv };
  if (before.some((word) => word === "--help" || word === "-h" || word === "--version" || word === "-V")) {
    return { kind: "other", argv: before };
  }
  // Completion scripts call the program back like this.
  if (first === "--get-yargs-completions") return { kind: "other", argv };

  const flags = parseFlags(before, name === undefined ? [] : [name, ...rest]);
  if (name === undefined) {
    throw new SophiaError({
      code: "usage",
      message: cut === -1 ? "no command to run" : "no command after --",
      hint: "write it after two dashes, for example: sophia-run -- node app.js (sophia-run --help shows more)",
    });
  }
  return { kind: "run", flags, command: [name, ...rest] };
}

function parseFlags(words: readonly string[], command: readonly string[]): Flags {
  const options: NonNullable<ParseArgsConfig["options"]> = {};
  for (const name of OPTION_NAMES) {
    const { type, short } = definition(name);
    options[name] = {
      type: type === "boolean" ? "boolean" : "string",
      multiple: type === "list",
      ...(short === undefined ? {} : { short }),
    };
  }
  let parsed;
  try {
    parsed = parseArgs({ args: [...words], options, strict: true, allowPositionals: true });
  } catch (error) {
    throw usageError(error, words);
  }
  const stray = parsed.positionals[0];
  if (stray !== undefined) {
    const start = words.indexOf(stray);
    const right = [...words.slice(0, start), "--", ...words.slice(start), ...command].map(shellWord).join(" ");
    throw new SophiaError({
      code: "usage",
      message: `'${printable(stray)}' is neither an option nor a command of sophia-run`,
      hint: `to run it, write two dashes in front: sophia-run ${right}`,
    });
  }
  // parseArgs built this object from the names in OPTIONS and with their types.
  return parsed.values as Flags;
}

/** Words what `parseArgs` found; its own messages advise what is wrong here. */
function usageError(error: unknown, words: readonly string[]): SophiaError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const text = error instanceof Error ? error.message : "";
  // parseArgs quotes the option as '--name', '-n' or '-q, --quiet'.
  const quoted = /'(?:-\w, )?(-{1,2}[^' ]*)/.exec(text)?.[1] ?? words.find((word) => word.startsWith("-")) ?? "";
  const option = printable(quoted);
  const hint = "sophia-run --help lists the options";
  switch (code) {
    case "ERR_PARSE_ARGS_UNKNOWN_OPTION": {
      const near = nearest(quoted.replace(/^-+/, ""));
      return new SophiaError({
        code: "usage",
        message: `unknown option ${option}`,
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

/** The option that shares the longest start with a mistyped one, or contains it. */
function nearest(typed: string): string | undefined {
  if (typed.length < 3) return undefined;
  return OPTION_NAMES.find(
    (name) => name.startsWith(typed.slice(0, 4)) || name.includes(typed) || typed.includes(name),
  );
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${printable(word).replaceAll("'", `'\\''`)}'`;
}
