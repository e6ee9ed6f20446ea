/** Encoders that choose for each character between its escaped and its plain form. */

/** Returns a number from 0 to below a limit. */
type Choose = (limit: number) => number;
export type Mixture = (text: string, choose: Choose) => string;

function each(text: string, ways: (character: string) => readonly string[], choose: Choose): string {
  return Array.from(text, (character) => {
    const all = ways(character);
    return all[choose(all.length)] ?? "";
  }).join("");
}

const hex = (value: number, width: number): string => value.toString(16).padStart(width, "0");
const bothCases = (text: string): readonly string[] => [text, text.replaceAll(/[\da-f]+/g, (one) => one.toUpperCase())];
const units = (character: string): readonly string[] =>
  bothCases(Array.from({ length: character.length }, (_, at) => hex(character.charCodeAt(at), 4)).join(" ")).map(
    (one) => one.replaceAll(/(\w{4}) ?/g, String.raw`\u$1`),
  );
const isControl = (character: string): boolean => character < " ";
const LETTERS: Readonly<Record<string, string>> = { "\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f" };

function jsonWays(character: string): readonly string[] {
  const letter = LETTERS[character];
  const escaped = letter === undefined ? [] : [`\\${letter}`];
  if (isControl(character)) return [...escaped, ...units(character)];
  if (character === '"' || character === "\\") return [`\\${character}`, ...units(character)];
  return character === "/" ? ["/", String.raw`\/`, ...units(character)] : [character, ...units(character)];
}

function urlWays(character: string): readonly string[] {
  const bytes = [...Buffer.from(character)];
  const codes = ["%", "%"].map((sign, index) =>
    bytes.map((byte) => sign + (index === 0 ? hex(byte, 2) : hex(byte, 2).toUpperCase())).join(""),
  );
  if (character === "%" || character === "+" || bytes.length > 1) return codes;
  return character === " " ? ["+", ...codes] : [character, ...codes];
}

function xmlWays(character: string): readonly string[] {
  const code = character.codePointAt(0) ?? 0;
  const named: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&apos;",
  };
  const name = named[character];
  const all = [
    `&#${code};`,
    `&#x${hex(code, 2)};`,
    `&#X${hex(code, 4).toUpperCase()};`,
    ...(name === undefined ? [] : [name]),
  ];
  return character === "&" ? all : [character, ...all];
}

function ansiWays(character: string): readonly string[] {
  const bytes = [...Buffer.from(character)];
  const codes = [
    bytes.map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join(""),
    bytes.map((byte) => `\\x${hex(byte, 2)}`).join(""),
  ];
  if (character === "\\") return ["\\\\", ...codes];
  if (isControl(character)) return codes;
  return /[^\w]/.test(character) && bytes.length === 1
    ? [character, `\\${character}`, ...codes]
    : [character, ...codes];
}

function literalWays(character: string): readonly string[] {
  const code = character.codePointAt(0) ?? 0;
  const wide = [
    `\\U${hex(code, 8)}`,
    `\\u{${hex(code, 2)}}`,
    ...(code < 0x100 ? [`\\x${hex(code, 2)}`] : units(character)),
  ];
  return character === "\\" ? ["\\\\", ...wide] : isControl(character) ? wide : [character, ...wide];
}

const quoteWays = (character: string): readonly string[] =>
  character === "'" ? [String.raw`'\''`, `'"'"'`] : [character];

const json: Mixture = (text, choose) => each(text, jsonWays, choose);
const url: Mixture = (text, choose) => each(text, urlWays, choose);
const xml: Mixture = (text, choose) => each(text, xmlWays, choose);
const component = (text: string): string => encodeURIComponent(text);

export const MIXTURES: Readonly<Record<string, Mixture>> = {
  JSON: json,
  "JSON in JSON": (text, choose) => json(json(text, choose), () => 0),
  "JSON in JSON in JSON": (text, choose) =>
    json(
      json(json(text, choose), () => 0),
      () => 0,
    ),
  URL: url,
  "URL in a URL": (text, choose) => component(url(text, choose)),
  "JSON in a URL": (text, choose) => url(json(text, choose), choose),
  XML: xml,
  "JSON in XML": (text, choose) => xml(json(text, choose), choose),
  "$'…'": (text, choose) => each(text, ansiWays, choose),
  "literals of Python and Go": (text, choose) => each(text, literalWays, choose),
  "single quotes": (text, choose) => each(text, quoteWays, choose),
};
