/** Encoders that choose for each character one of its forms, plain or escaped. */

/** Returns a whole number that is at least 0 and less than the limit. */
type Choose = (limit: number) => number;
export type Mixture = (text: string, choose: Choose) => string;

/** Encodes each character in one of its forms. */
function encodeEach(text: string, listForms: (character: string) => readonly string[], choose: Choose): string {
  return Array.from(text, (character) => {
    const forms = listForms(character);
    return forms[choose(forms.length)] ?? "";
  }).join("");
}

const hex = (value: number, width: number): string => value.toString(16).padStart(width, "0");
const bothCases = (text: string): readonly string[] => [
  text,
  text.replaceAll(/[\da-f]+/g, (digits) => digits.toUpperCase()),
];
const escapeUnits = (character: string): readonly string[] =>
  bothCases(
    Array.from({ length: character.length }, (_, position) => hex(character.charCodeAt(position), 4)).join(" "),
  ).map((codes) => codes.replaceAll(/(\w{4}) ?/g, String.raw`\u$1`));
const isControl = (character: string): boolean => character < " ";
const LETTERS: Readonly<Record<string, string>> = { "\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f" };

function jsonForms(character: string): readonly string[] {
  const letter = LETTERS[character];
  const escaped = letter === undefined ? [] : [`\\${letter}`];
  if (isControl(character)) return [...escaped, ...escapeUnits(character)];
  if (character === '"' || character === "\\") return [`\\${character}`, ...escapeUnits(character)];
  return character === "/" ? ["/", String.raw`\/`, ...escapeUnits(character)] : [character, ...escapeUnits(character)];
}

function urlForms(character: string): readonly string[] {
  const bytes = [...Buffer.from(character)];
  const codes = ["%", "%"].map((sign, index) =>
    bytes.map((byte) => sign + (index === 0 ? hex(byte, 2) : hex(byte, 2).toUpperCase())).join(""),
  );
  if (character === "%" || character === "+" || bytes.length > 1) return codes;
  return character === " " ? ["+", ...codes] : [character, ...codes];
}

function xmlForms(character: string): readonly string[] {
  const code = character.codePointAt(0) ?? 0;
  const namedEntities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&apos;",
  };
  const name = namedEntities[character];
  const escapedForms = [
    `&#${code};`,
    `&#x${hex(code, 2)};`,
    `&#X${hex(code, 4).toUpperCase()};`,
    ...(name === undefined ? [] : [name]),
  ];
  return character === "&" ? escapedForms : [character, ...escapedForms];
}

function ansiForms(character: string): readonly string[] {
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

function literalForms(character: string): readonly string[] {
  const code = character.codePointAt(0) ?? 0;
  const longForms = [
    `\\U${hex(code, 8)}`,
    `\\u{${hex(code, 2)}}`,
    ...(code < 0x100 ? [`\\x${hex(code, 2)}`] : escapeUnits(character)),
  ];
  return character === "\\" ? ["\\\\", ...longForms] : isControl(character) ? longForms : [character, ...longForms];
}

const quoteForms = (character: string): readonly string[] =>
  character === "'" ? [String.raw`'\''`, `'"'"'`] : [character];

const json: Mixture = (text, choose) => encodeEach(text, jsonForms, choose);
const url: Mixture = (text, choose) => encodeEach(text, urlForms, choose);
const xml: Mixture = (text, choose) => encodeEach(text, xmlForms, choose);
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
  "$'…'": (text, choose) => encodeEach(text, ansiForms, choose),
  "literals of Python and Go": (text, choose) => encodeEach(text, literalForms, choose),
  "single quotes": (text, choose) => encodeEach(text, quoteForms, choose),
};
