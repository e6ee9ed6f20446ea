/** A text as it stands between the quotes of a JSON string; pure. */

/** What an encoder escapes beyond what JSON demands, and in which form. */
interface Escaping {
  /** Characters that it writes as `\uXXXX`. */
  readonly escaped?: RegExp;
  readonly upper?: boolean;
  /** `/` becomes `\/`. */
  readonly slash?: boolean;
}

// oxlint-disable-next-line no-control-regex -- all but ASCII
const NOT_ASCII = /[^\u0000-\u007F]/g;

const ESCAPINGS: readonly Escaping[] = [
  // JSON.stringify, jq, serde_json.
  {},
  // PHP with JSON_UNESCAPED_UNICODE, and as it is by default.
  { slash: true },
  { escaped: NOT_ASCII, slash: true },
  // Python, jq -a.
  { escaped: NOT_ASCII },
  { escaped: NOT_ASCII, upper: true },
  // Go, Rails.
  { escaped: /[<>&\u2028\u2029]/g },
  // Flask and Django in HTML, and PHP with JSON_HEX_*.
  // oxlint-disable-next-line no-control-regex -- all but ASCII
  { escaped: /[<>&']|[^\u0000-\u007F]/g },
  // oxlint-disable-next-line no-control-regex -- all but ASCII
  { escaped: /[<>&'"]|[^\u0000-\u007F]/g, upper: true, slash: true },
  // Gson.
  { escaped: /[<>&'=\u2028\u2029]/g },
  // System.Text.Json.
  // oxlint-disable-next-line no-control-regex -- all but ASCII
  { escaped: /[<>&'"+`\u007F]|[^\u0000-\u007F]/g, upper: true },
];

/** What no encoder changes. */
const PLAIN = /^[\w .:,;@#$%^*()!?~|{}[\]-]*$/;

/** The forms of a text in JSON, and in JSON that is a string in JSON. None where it is the same. */
export function jsonForms(text: string): readonly string[] {
  if (PLAIN.test(text)) return [];
  const forms = ESCAPINGS.map((escaping) => escape(text, escaping));
  return [...forms, ...forms.slice(0, 2).map((form) => escape(form, {}))];
}

function escape(text: string, { escaped, upper = false, slash = false }: Escaping): string {
  // Between what is written as \uXXXX stands what JSON.stringify would write; it escapes none of what it is given here.
  let form = "";
  let done = 0;
  for (const match of escaped === undefined ? [] : text.matchAll(escaped)) {
    form += quoted(text.slice(done, match.index)) + unicodeEscape(match[0], upper);
    done = match.index + match[0].length;
  }
  form += quoted(text.slice(done));
  return slash ? form.replaceAll("/", String.raw`\/`) : form;
}

function quoted(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** One UTF-16 code unit as `\u00e9`. */
function unicodeEscape(unit: string, upper: boolean): string {
  const digits = unit.charCodeAt(0).toString(16).padStart(4, "0");
  return String.raw`\u` + (upper ? digits.toUpperCase() : digits);
}
