import type { OptionForm, Values } from "./options.ts";

/** A word that is not an option, and where it stands. */
export interface Positional {
  readonly word: string;
  readonly index: number;
}

/** What is wrong with an option; `at` is the index of its word. */
export type Problem =
  /** `shown` is the option as it was typed, without a value. */
  | { readonly kind: "unknown"; readonly shown: string; readonly at: number }
  | { readonly kind: "takes-no-value"; readonly name: string; readonly at: number }
  | { readonly kind: "needs-value"; readonly name: string; readonly at: number };

/** A command line that was read. */
export interface Parsed {
  readonly values: Values;
  readonly positionals: readonly Positional[];
  /** In the order of the words; an option with a problem has no value. */
  readonly problems: readonly Problem[];
}

/**
 * Reads options and other words, by util.parseArgs: `--name value`, `--name=value`, `-n value`, `-nvalue` and several
 * letters behind one dash (POSIX, XBD 12.2). A value that begins with a dash has to follow `=`. A word after `--` is
 * never an option.
 *
 * @param stopAtWord the first word that is not an option is the last one that is read
 */
export function parse(
  words: readonly string[],
  options: Readonly<Record<string, OptionForm>>,
  { stopAtWord = false } = {},
): Parsed {
  const { parseArgs } = process.getBuiltinModule("node:util");
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(
      Object.entries(options).map(([name, { type, short, alone }]) => [
        name,
        {
          type: type === "boolean" || alone !== undefined ? "boolean" : "string",
          ...(short === undefined ? {} : { short }),
        },
      ]),
    ),
    // Problems are told by us, with a suggestion, and not where help is asked for.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, boolean | string | readonly string[]>();
  const positionals: Positional[] = [];
  const problems: Problem[] = [];
  /** The word that is the value of the option in front of it. */
  let taken = -1;
  for (const token of tokens) {
    const at = token.index;
    if (at === taken) continue;
    if (token.kind === "positional") {
      positionals.push({ word: token.value, index: at });
      if (stopAtWord) break;
    }
    if (token.kind !== "option") continue;
    const { name, rawName: shown, value, inlineValue } = token;
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined) {
      problems.push({ kind: "unknown", shown, at });
    } else if (option.alone !== undefined && value === undefined) {
      const next = words[at + 1] ?? "";
      const isValue = option.choices?.includes(next) === true;
      if (isValue) taken = at + 1;
      values.set(name, isValue ? next : option.alone);
    } else if (option.type === "boolean") {
      if (value === undefined) values.set(name, true);
      else problems.push({ kind: "takes-no-value", name, at });
    } else if (value === undefined || (!inlineValue && /^-./s.test(value))) {
      problems.push({ kind: "needs-value", name, at });
    } else {
      const former = values.get(name);
      values.set(name, option.type === "list" ? [...(Array.isArray(former) ? former : []), value] : value);
    }
  }
  return { values: Object.fromEntries(values), positionals, problems };
}
