/** XML and HTML: references by name and by number; pure. */
import { either, same, type Encoder } from "./encoder.ts";

const NAMES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&apos;"],
]);

const named: Encoder = (character) => NAMES.get(character) ?? character;
const decimal: Encoder = (character) => `&#${character.codePointAt(0) ?? 0};`;
const lower: Encoder = (character) => `&#x${(character.codePointAt(0) ?? 0).toString(16)};`;
const upper: Encoder = (character) => `&#x${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()};`;

/** A single quote as HTML has it, which knew no name for it. */
function withQuote(reference: string): Encoder {
  return either(/'/, () => reference, named);
}

const SPECIAL = /[&<>"']/;
// oxlint-disable-next-line no-control-regex -- all but ASCII
const SPECIAL_OR_NOT_ASCII = /[&<>"']|[^\u0000-\u007F]/u;
// oxlint-disable-next-line no-control-regex -- all but ASCII
const NOT_ASCII = /[^\u0000-\u007F]/u;

export const XML_ENCODERS: readonly Encoder[] = [
  either(/[&<]/, named, same),
  either(/[&<>]/, named, same),
  either(/[&<>"]/, named, same),
  either(/[&<"]/, named, same),
  named,
  // lodash and Ruby; Python and React; PHP; Go.
  withQuote("&#39;"),
  withQuote("&#x27;"),
  withQuote("&#039;"),
  either(/['"]/, decimal, named),
  // Attributes keep line breaks by references (XML 1.0, 3.3.3).
  either(/[\t\n\r]/, decimal, either(/[&<>"]/, named, same)),
  either(/[\t\n\r]/, upper, either(/[&<>"]/, named, same)),
  // Underscore's and OWASP's; Mustache's; of a backtick, too.
  either(/\//, () => "&#x2F;", withQuote("&#x27;")),
  either(/[/`=]/, upper, withQuote("&#39;")),
  either(/`/, lower, withQuote("&#x27;")),
  // By numbers alone.
  ...[decimal, lower, upper].flatMap((reference) => [
    reference,
    either(SPECIAL, reference, same),
    either(SPECIAL_OR_NOT_ASCII, reference, same),
    either(NOT_ASCII, reference, either(/[&<>]/, named, same)),
    either(NOT_ASCII, reference, named),
  ]),
];
