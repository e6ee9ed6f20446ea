/** A text as it stands in XML and HTML; pure. */

type Reference = (character: string) => string;

const NAMES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&apos;"],
]);

const named: Reference = (character) => NAMES.get(character) ?? character;
const decimal: Reference = (character) => `&#${character.codePointAt(0) ?? 0};`;
const lower: Reference = (character) => `&#x${(character.codePointAt(0) ?? 0).toString(16)};`;
const upper: Reference = (character) => `&#x${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()};`;

/** By name, but for some characters. */
function namedBut(characters: string, reference: Reference): Reference {
  return (character) => (characters.includes(character) ? reference(character) : named(character));
}

/** Which characters are written as references, and how, by each of the encoders that are in use. */
const ENCODERS: readonly (readonly [escaped: RegExp, reference: Reference])[] = [
  [/[&<]/g, named],
  [/[&<>]/g, named],
  [/[&<>"]/g, named],
  [/[&<"]/g, named],
  [/[&<>"']/g, named],
  // lodash, Ruby; Python, React; PHP; Go.
  [/[&<>"']/g, namedBut("'", () => "&#39;")],
  [/[&<>"']/g, namedBut("'", () => "&#x27;")],
  [/[&<>"']/g, namedBut("'", () => "&#039;")],
  [/[&<>"']/g, namedBut(`'"`, decimal)],
  // Attributes keep line breaks by references (XML 1.0, 3.3.3).
  [/[&<>"\t\n\r]/g, namedBut("\t\n\r", decimal)],
  [/[&<>"\t\n\r]/g, namedBut("\t\n\r", upper)],
  // Numbers alone, and with what is not ASCII.
  [/[&<>"']/g, decimal],
  [/[&<>"']/g, lower],
  [/[&<>"']/g, upper],
  // oxlint-disable-next-line no-control-regex -- all but ASCII
  [/[&<>"']|[^\u0000-\u007F]/gu, namedBut(`'"`, decimal)],
  // oxlint-disable-next-line no-control-regex -- all but ASCII
  [/[&<>]|[^\u0000-\u007F]/gu, (character) => NAMES.get(character) ?? decimal(character)],
  // oxlint-disable-next-line no-control-regex -- all but ASCII
  [/[&<>"']|[^\u0000-\u007F]/gu, decimal],
  // oxlint-disable-next-line no-control-regex -- all but ASCII
  [/[&<>"']|[^\u0000-\u007F]/gu, lower],
  // oxlint-disable-next-line no-control-regex -- all but ASCII
  [/[&<>"']|[^\u0000-\u007F]/gu, upper],
];

/** What no encoder changes. */
const PLAIN = /^[ !#-%(-;=?-~]*$/;

/** The forms of a text in XML and HTML, with references by name and by number; none where it is the same. */
export function xmlForms(text: string): readonly string[] {
  return PLAIN.test(text) ? [] : ENCODERS.map(([escaped, reference]) => text.replaceAll(escaped, reference));
}
