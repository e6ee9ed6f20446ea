/**
 * Finds where Rust code reads environment variables: with the standard library, and with the libraries dotenvy and clap. `init`
 * proposes a contract with these variables, and `check --code` reports those that the contract lacks.
 *
 * The limits in the patterns, such as `{0,200}`, bound the time that they take on code of any kind.
 */
import { findMatches, findReadsByPattern, type VariableReads } from "./reads.ts";

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
    ...findReadsByPattern(text, /(?<!\w)env!\(\s*"([A-Za-z_]\w*)"/g, { isRequired: true }),
    ...findReadsByPattern(text, /\boption_env!\(\s*"([A-Za-z_]\w*)"/g, { isRequired: false }),
    ...findClapReads(text),
  ];
}

/** `env::var("X`, `env::var_os("X` and the same functions of dotenvy. */
const ENV_VAR_CALL = /\b(?:env|dotenvy?)::(?:var|var_os)\(\s*"([A-Za-z_]\w*)"/g;
/**
 * The rest of a call whose error ends the program or the function, such as `).expect("no URL")`, or `).context("no URL")?`. Up to
 * three methods may change the error.
 */
const FAILURE_AFTER =
  /^\s*\)\s*(?:\.(?:map_err|context|with_context|wrap_err|wrap_err_with)\([^;{}]{0,200}?\)\s*){0,3}(?:\.expect\(|\.unwrap\(\s*\)|\?)/;

function findCallReads(text: string): VariableReads {
  return findMatches(text, ENV_VAR_CALL).map(({ 0: matchedText, 1: name = "", index }) => {
    const end = index + matchedText.length;
    return { name, isRequired: FAILURE_AFTER.test(text.slice(end, end + 500)), offset: index };
  });
}

/** An attribute of clap or of its predecessor structopt, up to its arguments. */
const ATTRIBUTE_START = /#\[(?:arg|clap|structopt)\(/g;
const MAX_ATTRIBUTE_LENGTH = 2000;
/** The argument `env`, also with a value: `env = "PORT"`. The groups are the value with its `=`, and the literal in it. */
const ENV_ARGUMENT = /(?:^|,)\s*env\b\s*(=\s*(?:"(\w+)")?)?/;
/**
 * The code after the arguments of an attribute: its closing bracket, other attributes, and the field, as in `pub port: u16`. The
 * groups are the name of the field, and the first word of its type.
 */
const FIELD_AFTER = /^\]\s*(?:#\[[^\]]{0,200}\]\s*){0,9}(?:pub(?:\([^()]{0,100}\))?\s+)?(?:r#)?(\w+)\s*:\s*(\w+)/;

/** Finds the fields of clap with `env`, whose variable is either named, as in `env = "PORT"`, or the field in upper case. */
function findClapReads(text: string): VariableReads {
  if (!/\b(?:clap|structopt)\b/.test(text)) return [];
  const fieldReads = findMatches(text, ATTRIBUTE_START).flatMap((match) => {
    const start = match.index + match[0].length;
    const textAfter = text.slice(start, start + MAX_ATTRIBUTE_LENGTH);
    const [argumentText = ""] = /^[^\]]*/.exec(textAfter) ?? [];
    const env = ENV_ARGUMENT.exec(argumentText);
    if (env === null) return [];
    const [, assignment, literalName] = env;
    const [, fieldName = "", type = ""] = FIELD_AFTER.exec(textAfter.slice(argumentText.length)) ?? [];
    // The name is unknown in `env = NAME`, since constants are not followed.
    const name = assignment === undefined ? fieldName.toUpperCase() : literalName;
    if (fieldName === "" || name === undefined) return [];
    const isRequired = !/\bdefault_value/.test(argumentText) && !/^(?:Option|Vec|bool)$/.test(type);
    return [{ name, isRequired, offset: match.index }];
  });
  // `.env("X")` belongs to clap; `.env("X", value)` sets a variable of a child process.
  return [...fieldReads, ...findReadsByPattern(text, /\.env\(\s*"([A-Z][A-Z0-9_]*)"\s*\)/g, { isRequired: false })];
}
