/** Parses options and other words: `-qq --mode=auto --timeout 1s --include A,B program argument`. */
import type { OptionForm, Values } from "./options.ts";

/** A word that is not an option, with its index among all words. */
export interface Positional {
  readonly word: string;
  readonly index: number;
}

/** A mistake in an option. `at` is the index of its word. */
export type Problem =
  /** `shown` is the option as the user typed it, without its value. */
  | { readonly kind: "unknown"; readonly shown: string; readonly at: number }
  | { readonly kind: "takes-no-value"; readonly name: string; readonly at: number }
  | { readonly kind: "needs-value"; readonly name: string; readonly at: number };

/** The result. An option with a problem has no value in `values`. */
export interface Parsed {
  readonly values: Values;
  readonly positionals: readonly Positional[];
  /** The problems in the order of the words. */
  readonly problems: readonly Problem[];
}

/**
 * Parses long and short options (POSIX, XBD 12.2). A value that begins with a dash must follow `=`. The result is that of
 * util.parseArgs, as a test checks, which would take 0.5 ms to load.
 *
 * @param options `stopAtWord`: the first word that is no option ends the parsing, and is the only positional
 */
export function parse(
  words: readonly string[],
  options: Readonly<Record<string, OptionForm>>,
  { stopAtWord = false } = {},
): Parsed {
  const values = new Map<string, boolean | string | readonly string[]>();
  const positionals: Positional[] = [];
  const problems: Problem[] = [];
  const optionNamed = (name: string): OptionForm | undefined =>
    Object.hasOwn(options, name) ? options[name] : undefined;

  /**
   * Reads an option and its value.
   * @param inline the value behind `=`, or behind a letter @returns the index of the last word that was read
   */
  const readOption = (name: string, shown: string, inline: string | undefined, index: number): number => {
    const option = optionNamed(name);
    if (option === undefined) {
      problems.push({ kind: "unknown", shown, at: index });
      return index;
    }
    if (option.alone !== undefined && inline === undefined) {
      const nextWord = words[index + 1] ?? "";
      const isNextWordValue = option.choices?.includes(nextWord) === true;
      values.set(name, isNextWordValue ? nextWord : option.alone);
      return isNextWordValue ? index + 1 : index;
    }
    if (option.type === "boolean") {
      if (inline === undefined) values.set(name, true);
      else problems.push({ kind: "takes-no-value", name, at: index });
      return index;
    }
    const value = inline ?? words[index + 1];
    const looksLikeOption = inline === undefined && value !== undefined && value.length > 1 && value.startsWith("-");
    if (value === undefined || looksLikeOption) {
      problems.push({ kind: "needs-value", name, at: index });
    } else {
      const earlierValue = values.get(name);
      const items = option.choices === undefined ? [value] : value.split(",");
      values.set(
        name,
        option.type === "list" ? [...(Array.isArray(earlierValue) ? earlierValue : []), ...items] : value,
      );
    }
    return inline === undefined && value !== undefined ? index + 1 : index;
  };

  /** Reads a word of several letters, such as `-qv`. The rest of the word is the value of a letter that needs one. */
  const readLetters = (word: string, index: number): number => {
    for (let position = 1; ; position++) {
      const letter = word.charAt(position);
      const name = Object.keys(options).find((candidate) => options[candidate]?.short === letter) ?? letter;
      const option = optionNamed(name);
      const rest = word.slice(position + 1);
      const takesRest = rest !== "" && option !== undefined && option.type !== "boolean" && option.alone === undefined;
      const lastIndex = readOption(name, `-${letter}`, takesRest ? rest : undefined, index);
      if (takesRest || rest === "") return lastIndex;
    }
  };

  let areOptionsOver = false;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (areOptionsOver || word === "-" || !word.startsWith("-")) {
      positionals.push({ word, index });
      if (stopAtWord) break;
    } else if (word === "--") {
      areOptionsOver = true;
    } else if (word.startsWith("--")) {
      const equals = word.indexOf("=", 3);
      const shown = equals === -1 ? word : word.slice(0, equals);
      index = readOption(shown.slice(2), shown, equals === -1 ? undefined : word.slice(equals + 1), index);
    } else {
      index = readLetters(word, index);
    }
  }
  return { values: Object.fromEntries(values), positionals, problems };
}
