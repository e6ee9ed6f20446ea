/** The variables that Rust code reads: by the standard library, dotenvy and clap. */
import { firstMatches, readsBy, type Read, type Reads } from "./reads.ts";

/** Finds `env::var("X")`, `var_os`, `dotenvy::var`, `env!("X")`, `option_env!("X")`, and `env = "X"` and `.env("X")` of clap. */
export function readsOfRust(text: string): Reads {
  return [
    ...readsByCalls(text),
    ...readsBy(text, /(?<!\w)env!\(\s*"([A-Za-z_]\w*)"/g, true),
    ...readsBy(text, /\boption_env!\(\s*"([A-Za-z_]\w*)"/g, false),
    ...readsByClap(text),
  ];
}

/** The rest of a call whose error ends the program, or the function. */
const OR_ENDS =
  /^\s*\)\s*(?:\.(?:map_err|context|with_context|wrap_err|wrap_err_with)\([^;{}]{0,200}?\)\s*){0,3}(?:\.expect\(|\.unwrap\(\s*\)|\?)/;

function readsByCalls(text: string): Reads {
  const calls = /\b(?:env|dotenvy?)::(?:var|var_os)\(\s*"([A-Za-z_]\w*)"/g;
  return firstMatches(text, calls).map((match): Read => {
    const end = match.index + match[0].length;
    return [match[1] ?? "", OR_ENDS.test(text.slice(end, end + 500)), match.index];
  });
}

const ATTRIBUTE = /#\[(?:arg|clap|structopt)\(/g;
/** The text behind an attribute: its end, other attributes, and the field with its type. */
const FIELD = /^\]\s*(?:#\[[^\]]{0,200}\]\s*){0,9}(?:pub(?:\([^()]{0,100}\))?\s+)?(?:r#)?(\w+)\s*:\s*(\w+)/;

function readsByClap(text: string): Reads {
  if (!/\b(?:clap|structopt)\b/.test(text)) return [];
  const fields = firstMatches(text, ATTRIBUTE).flatMap((match): Reads => {
    const start = match.index + match[0].length;
    const rest = text.slice(start, start + 2000);
    const [attribute = ""] = /^[^\]]*/.exec(rest) ?? [];
    const [isRead, isNamed, named] = /(?:^|,)\s*env\b\s*(=\s*(?:"(\w+)")?)?/.exec(attribute) ?? [];
    const [, field = "", type = ""] = (isRead === undefined ? null : FIELD.exec(rest.slice(attribute.length))) ?? [];
    // `env = NAME` of a constant is not a text.
    const name = isNamed === undefined ? field.toUpperCase() : named;
    if (field === "" || name === undefined) return [];
    const isRequired = !/\bdefault_value/.test(attribute) && !/^(?:Option|Vec|bool)$/.test(type);
    return [[name, isRequired, match.index]];
  });
  // With two arguments it is a variable of a child process.
  return [...fields, ...readsBy(text, /\.env\(\s*"([A-Z][A-Z0-9_]*)"\s*\)/g, false)];
}
