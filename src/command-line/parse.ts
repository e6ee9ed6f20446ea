import { suggest } from "../core/suggest.ts";
import { SophiaError } from "../core/error.ts";
import { printable } from "../core/text.ts";

/** What the command line parser needs to know of an option. */
export interface OptionShape {
  readonly type: "boolean" | "string" | "list";
  readonly short?: string;
}

/** Options as the command line sets them; choices are not yet checked. */
export type Values = { readonly [name: string]: boolean | string | readonly string[] | undefined };

/** A word that is no option, and where it stands. */
export interface Positional {
  readonly word: string;
  readonly index: number;
}

/**
 * Reads options and other words as util.parseArgs does in its strict mode, which takes a millisecond to load and to
 * compile: `--name value`, `--name=value`, `-n value`, `-nvalue` and several letters behind one dash. A value that
 * begins with a dash has to follow `=`. A word after `--` is never an option.
 *
 * @param command the subcommand whose words they are
 * @throws SophiaError (usage, 125)
 */
export function parseWords(
  words: readonly string[],
  shapes: Readonly<Record<string, OptionShape>>,
  command?: string,
): { readonly values: Values; readonly positionals: readonly Positional[] } {
  const values: Record<string, boolean | string | string[]> = {};
  const positionals: Positional[] = [];
  let at = 0;
  const take = (name: string | undefined, shown: string, attached: string | undefined): void => {
    const shape = name !== undefined && Object.hasOwn(shapes, name) ? shapes[name] : undefined;
    if (name === undefined || shape === undefined) throw unknownOption(shown, Object.keys(shapes), command);
    if (shape.type === "boolean") {
      if (attached !== undefined) throw wrongValue(`option --${name} takes no value`, command);
      values[name] = true;
      return;
    }
    const next = words[at];
    const value = attached ?? (next === "-" || next?.startsWith("-") === false ? next : undefined);
    if (value === undefined) throw wrongValue(`option --${name} needs a value`, command);
    if (attached === undefined) at += 1;
    const former = values[name];
    values[name] = shape.type === "list" ? [...(Array.isArray(former) ? former : []), value] : value;
  };
  while (at < words.length) {
    const index = at++;
    const word = words[index] ?? "";
    if (word === "--") {
      words.slice(at).forEach((rest, offset) => positionals.push({ word: rest, index: at + offset }));
      break;
    }
    const equals = word.indexOf("=", 3);
    if (word === "-" || !word.startsWith("-")) positionals.push({ word, index });
    else if (!word.startsWith("--")) takeLetters(word, shapes, take);
    else if (equals === -1) take(word.slice(2), word, undefined);
    else take(word.slice(2, equals), word.slice(0, equals), word.slice(equals + 1));
  }
  return { values, positionals };
}

/** `-q`, `-qv`; a letter that wants a value has the rest of the word as such. */
function takeLetters(
  word: string,
  shapes: Readonly<Record<string, OptionShape>>,
  take: (name: string | undefined, shown: string, attached: string | undefined) => void,
): void {
  for (let at = 1; at < word.length; at++) {
    const letter = word.charAt(at);
    const name = Object.keys(shapes).find((one) => shapes[one]?.short === letter);
    const rest = word.slice(at + 1);
    const wantsValue = name !== undefined && shapes[name]?.type !== "boolean";
    take(name, `-${letter}`, wantsValue && rest !== "" ? rest : undefined);
    if (wantsValue) return;
  }
}

function unknownOption(shown: string, names: readonly string[], command: string | undefined): SophiaError {
  const near = nearest(shown.replace(/^-+/, ""), names);
  return new SophiaError({
    code: "usage",
    message: `unknown option ${printable(shown)}${command === undefined ? "" : ` of ${command}`}`,
    hint: near === undefined ? helpHint(command) : `did you mean --${near}? ${helpHint(command)}`,
  });
}

function wrongValue(message: string, command: string | undefined): SophiaError {
  return new SophiaError({ code: "usage", message, hint: helpHint(command) });
}

function helpHint(command: string | undefined): string {
  return `sophia-run ${command === undefined ? "" : `${command} `}--help lists the options`;
}

/** The option that a mistyped one is nearest to, or that shares its start or contains it. */
function nearest(typed: string, names: readonly string[]): string | undefined {
  if (typed.length < 3) return undefined;
  return (
    suggest(typed, names) ??
    names.find((name) => name.startsWith(typed.slice(0, 4)) || name.includes(typed) || typed.includes(name))
  );
}
