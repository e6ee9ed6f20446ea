/**
 * Parses options and other words of a command line (POSIX, XBD 12.2): `-qq --mode=auto --timeout 1s --include A,B program argument`.
 * sophia-run parses its own command line with it, and each command its options.
 */
import type { OptionForm, Values } from "./options.ts";

/** A word that is not an option, with its index among all words. */
export interface Positional {
  readonly word: string;
  readonly index: number;
}

/** A mistake in an option. `at` is the index of the word with the option. */
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

type OptionForms = Readonly<Record<string, OptionForm>>;

/**
 * Parses long and short options. A value that begins with a dash must follow `=`. The result is that of util.parseArgs, as a test
 * checks, which would take 0.5 ms to load.
 *
 * @param options `stopAtWord`: the first word that is no option ends the parsing, and is the only positional
 */
export function parse(words: readonly string[], options: OptionForms, { stopAtWord = false } = {}): Parsed {
  const reader = new OptionReader(words, options);
  const positionals: Positional[] = [];
  let areOptionsOver = false;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (areOptionsOver || word === "-" || !word.startsWith("-")) {
      positionals.push({ word, index });
      if (stopAtWord) break;
    } else if (word === "--") {
      areOptionsOver = true;
    } else {
      // An option may take the next word as its value.
      index = word.startsWith("--") ? reader.readLong(word, index) : reader.readLetters(word, index);
    }
  }
  return { values: Object.fromEntries(reader.values), positionals, problems: reader.problems };
}

/** Collects the values of options. Each method returns the index of the last word that it has read. */
class OptionReader {
  readonly values = new Map<string, boolean | string | readonly string[]>();
  readonly problems: Problem[] = [];
  readonly #words: readonly string[];
  readonly #options: OptionForms;

  constructor(words: readonly string[], options: OptionForms) {
    this.#words = words;
    this.#options = options;
  }

  /** Reads a word such as `--mode=auto` or `--mode`. */
  readLong(word: string, index: number): number {
    // The search begins after the first letter of the name, so that `--=` is an unknown option.
    const equalsIndex = word.indexOf("=", 3);
    const shown = equalsIndex === -1 ? word : word.slice(0, equalsIndex);
    const inlineValue = equalsIndex === -1 ? undefined : word.slice(equalsIndex + 1);
    return this.#readOption(shown.slice(2), shown, inlineValue, index);
  }

  /** Reads a word of several letters, such as `-qv`. The rest of the word is the value of a letter that needs one. */
  readLetters(word: string, index: number): number {
    for (let position = 1; ; position++) {
      const letter = word.charAt(position);
      const names = Object.keys(this.#options);
      const name = names.find((candidate) => this.#options[candidate]?.short === letter) ?? letter;
      const option = this.#optionNamed(name);
      const rest = word.slice(position + 1);
      const takesRest = rest !== "" && option !== undefined && option.type !== "boolean" && option.alone === undefined;
      const lastIndex = this.#readOption(name, `-${letter}`, takesRest ? rest : undefined, index);
      if (takesRest || rest === "") return lastIndex;
    }
  }

  /**
   * Reads an option and its value.
   *
   * @param shown the option as the user typed it
   * @param inlineValue the value in the same word, after `=` or after a letter; undefined if there is none
   */
  #readOption(name: string, shown: string, inlineValue: string | undefined, index: number): number {
    const option = this.#optionNamed(name);
    if (option === undefined) {
      this.problems.push({ kind: "unknown", shown, at: index });
      return index;
    }
    const nextWord = this.#words[index + 1];
    if (option.alone !== undefined && inlineValue === undefined) {
      const isNextWordValue = nextWord !== undefined && option.choices?.includes(nextWord) === true;
      this.values.set(name, isNextWordValue ? nextWord : option.alone);
      return isNextWordValue ? index + 1 : index;
    }
    if (option.type === "boolean") {
      if (inlineValue === undefined) this.values.set(name, true);
      else this.problems.push({ kind: "takes-no-value", name, at: index });
      return index;
    }
    if (inlineValue !== undefined) {
      this.#addValue(name, option, inlineValue);
      return index;
    }
    if (nextWord === undefined) {
      this.problems.push({ kind: "needs-value", name, at: index });
      return index;
    }
    // A word that looks like an option is not parsed as one: the user may have meant it as the value.
    const looksLikeOption = nextWord.length > 1 && nextWord.startsWith("-");
    if (looksLikeOption) this.problems.push({ kind: "needs-value", name, at: index });
    else this.#addValue(name, option, nextWord);
    return index + 1;
  }

  /** Sets the value of an option. A list gets the value in addition to earlier ones. */
  #addValue(name: string, { type, choices }: OptionForm, value: string): void {
    if (type !== "list") {
      this.values.set(name, value);
      return;
    }
    const earlierValue = this.values.get(name);
    // Choices have no commas, so that a comma separates several. Other items may contain commas.
    const items = choices === undefined ? [value] : value.split(",");
    this.values.set(name, [...(Array.isArray(earlierValue) ? earlierValue : []), ...items]);
  }

  #optionNamed(name: string): OptionForm | undefined {
    return Object.hasOwn(this.#options, name) ? this.#options[name] : undefined;
  }
}
