/** Finds the environment variables that Rust code reads: with the standard library, dotenvy and clap. */
import { firstMatches, readsByPattern, type VariableRead, type VariableReads } from "./reads.ts";

/**
 * Finds reads such as these:
 *
 *     let url = env::var("DATABASE_URL").expect("no database");
 *     const TARGET: &str = env!("TARGET");
 *     #[arg(long, env = "PORT")]
 */
export function findRustReads(text: string): VariableReads {
  return [
    ...findCallReads(text),
    ...readsByPattern(text, /(?<!\w)env!\(\s*"([A-Za-z_]\w*)"/g, true),
    ...readsByPattern(text, /\boption_env!\(\s*"([A-Za-z_]\w*)"/g, false),
    ...findClapReads(text),
  ];
}

/** The rest of a call whose error ends the program or the function, such as `).context("no URL")?`. */
const FAILS =
  /^\s*\)\s*(?:\.(?:map_err|context|with_context|wrap_err|wrap_err_with)\([^;{}]{0,200}?\)\s*){0,3}(?:\.expect\(|\.unwrap\(\s*\)|\?)/;

/** Finds `env::var("X")`, `env::var_os("X")` and the same functions of dotenvy. */
function findCallReads(text: string): VariableReads {
  const calls = /\b(?:env|dotenvy?)::(?:var|var_os)\(\s*"([A-Za-z_]\w*)"/g;
  return firstMatches(text, calls).map((match): VariableRead => {
    const end = match.index + match[0].length;
    return [match[1] ?? "", FAILS.test(text.slice(end, end + 500)), match.index];
  });
}

const ATTRIBUTE_START = /#\[(?:arg|clap|structopt)\(/g;
const MAX_ATTRIBUTE_LENGTH = 2000;
/** The text after the arguments of an attribute: its closing bracket, other attributes, and the field, as in `pub port: u16`. */
const FIELD = /^\]\s*(?:#\[[^\]]{0,200}\]\s*){0,9}(?:pub(?:\([^()]{0,100}\))?\s+)?(?:r#)?(\w+)\s*:\s*(\w+)/;

/** Finds the fields of clap with `env`, whose variable is either named, as in `env = "PORT"`, or the field in upper case. */
function findClapReads(text: string): VariableReads {
  if (!/\b(?:clap|structopt)\b/.test(text)) return [];
  const fields = firstMatches(text, ATTRIBUTE_START).flatMap((match): VariableReads => {
    const start = match.index + match[0].length;
    const rest = text.slice(start, start + MAX_ATTRIBUTE_LENGTH);
    const [attribute = ""] = /^[^\]]*/.exec(rest) ?? [];
    const env = /(?:^|,)\s*env\b\s*(=\s*(?:"(\w+)")?)?/.exec(attribute);
    if (env === null) return [];
    const [, assignment, literalName] = env;
    const [, fieldName = "", type = ""] = FIELD.exec(rest.slice(attribute.length)) ?? [];
    // The name of `env = NAME` is a constant, which is not followed.
    const name = assignment === undefined ? fieldName.toUpperCase() : literalName;
    if (fieldName === "" || name === undefined) return [];
    const isRequired = !/\bdefault_value/.test(attribute) && !/^(?:Option|Vec|bool)$/.test(type);
    return [[name, isRequired, match.index]];
  });
  // `.env("X")` belongs to clap; with two arguments it sets a variable of a child process.
  return [...fields, ...readsByPattern(text, /\.env\(\s*"([A-Z][A-Z0-9_]*)"\s*\)/g, false)];
}
