/**
 * Checks whether a value has a format, such as `"format": "port"` of a contract. contract-words.ts describes the fault
 * for the user. value-schema.ts has the same rules as schemas of Pulumi ESC.
 */
import type { FormatCheck, FormatFault, PatternUse, PatternWork, ValueFormat } from "./contract-model.ts";

/**
 * The longest value, in characters, that is matched with a pattern. No system passes a longer value to a program: Linux
 * limits a variable to 128 KiB, and macOS all variables together to 1 MiB.
 */
const MAX_PATTERN_LENGTH = 1024 * 1024;

/** Creates a count for the steps of patterns. All checks that share a count have one limit together. */
export function createPatternWork(): PatternWork {
  return { steps: 0, maxSteps: 0, slowestVariable: "" };
}

/** Creates a check of formats, in which the patterns of all values share one limit. */
export function createFormatCheck(): FormatCheck {
  const work = createPatternWork();
  return (format, value, name) => findFormatFault(format, value, name, work);
}

/**
 * Returns the fault of a value that does not have the format; undefined if it has the format.
 *
 * @param name the variable, which the error about slow patterns names
 * @throws SophiaError (contract-slow, 125)
 */
export function findFormatFault(
  format: ValueFormat,
  value: string,
  name: string,
  work: PatternWork = createPatternWork(),
): FormatFault | undefined {
  switch (format.kind) {
    case "text":
      return findTextFault(format, value, { name, work });
    case "url":
      return findUrlFault(format.schemes, value);
    case "integer":
      return /^[+-]?\d+$/.test(value) ? findRangeFault(format, value) : { kind: "not-integer" };
    case "number":
      return isNumber(value) ? findRangeFault(format, value) : { kind: "not-number" };
    case "boolean":
      return /^(?:true|false|yes|no|on|off|1|0)$/i.test(value) ? undefined : { kind: "not-boolean" };
    case "port":
      return /^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535
        ? undefined
        : { kind: "not-port" };
    case "enum":
      return format.values.includes(value) ? undefined : { kind: "not-in-enum", values: format.values };
    case "json":
      return isJson(value) ? undefined : { kind: "not-json" };
    case "base64":
      return isBase64(value) ? undefined : { kind: "not-base64" };
    case "email":
      return isEmail(value) ? undefined : { kind: "not-email" };
  }
}

function findTextFault(
  { prefixes, minLength, pattern }: Extract<ValueFormat, { kind: "text" }>,
  value: string,
  use: PatternUse,
): FormatFault | undefined {
  if (prefixes.length > 0 && !prefixes.some((prefix) => value.startsWith(prefix))) return { kind: "prefix", prefixes };
  // `length` counts UTF-16 code units, of which there are never fewer than characters. Counting characters takes more
  // time.
  if (value.length < minLength || Array.from(value).length < minLength) return { kind: "too-short", minLength };
  if (pattern === undefined) return undefined;
  if (value.length > MAX_PATTERN_LENGTH) return { kind: "too-long", maxLength: MAX_PATTERN_LENGTH };
  return pattern.matches(value, use) ? undefined : { kind: "pattern", pattern: pattern.source };
}

/**
 * The schemes whose URLs the parser of `URL` checks completely: the special schemes of the URL standard, without
 * `file`.
 */
const PARSED_SCHEMES: ReadonlySet<string> = new Set(["http", "https", "ws", "wss", "ftp"]);

/** Checks a URL, which must have `scheme://`: otherwise `localhost:6333` would be a URL with the scheme `localhost`. */
function findUrlFault(schemes: readonly string[], value: string): FormatFault | undefined {
  const schemeLength = Math.max(value.indexOf("://"), 0);
  const writtenScheme = value.slice(0, schemeLength);
  const scheme = writtenScheme.toLowerCase();
  const notUrl: FormatFault = { kind: "not-url", schemes };
  const isEmptyAfterScheme = value.length === schemeLength + "://".length;
  if (isEmptyAfterScheme || /\s/.test(value)) return notUrl;
  // Other schemes allow forms that the parser of `URL` refuses, such as several hosts in `mongodb://a:1,b:2/x`.
  const isParsed = PARSED_SCHEMES.has(scheme);
  const isUrl = isParsed ? URL.canParse(value) : /^[A-Za-z][A-Za-z\d+.-]*$/.test(writtenScheme);
  if (!isUrl) return isParsed && isUrlExceptForPort(value) ? { kind: "url-port" } : notUrl;
  return schemes.length === 0 || schemes.includes(scheme) ? undefined : { kind: "scheme", schemes };
}

/** Returns true if only the port prevents a value from being a URL, such as `http://host:80O0`. */
function isUrlExceptForPort(value: string): boolean {
  const authority = /^[a-z]+:\/\/[^/?#\\]*/i.exec(value)?.[0] ?? "";
  const port = /:[^:@\]]*$/.exec(authority)?.[0] ?? "";
  if (port === "") return false;
  const urlWithoutPort = authority.slice(0, -port.length) + value.slice(authority.length);
  return URL.canParse(urlWithoutPort);
}

function isNumber(value: string): boolean {
  return /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(value) && Number.isFinite(Number(value));
}

function findRangeFault(
  // Left out, because the fault has a `kind` of its own.
  { kind: _kind, ...range }: Extract<ValueFormat, { kind: "integer" | "number" }>,
  value: string,
): FormatFault | undefined {
  const { minimum = -Infinity, maximum = Infinity } = range;
  const number = Number(value);
  return number >= minimum && number <= maximum ? undefined : { kind: "out-of-range", ...range };
}

function isJson(value: string): boolean {
  // The error is discarded, because its message quotes the value, which may be secret.
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}

/** Checks base64 in either alphabet (RFC 4648, sections 4 and 5), with or without padding. Ignores line breaks. */
function isBase64(value: string): boolean {
  const text = value.replaceAll(/\r?\n/g, "");
  const digits = /^(?:[A-Za-z\d+/]+|[A-Za-z\d_-]+)(={0,2})$/.exec(text);
  if (digits === null) return false;
  const padding = digits[1]?.length ?? 0;
  // Four digits stand for three bytes. A last group of one digit would stand for less than a byte.
  return padding === 0 ? text.length % 4 !== 1 : text.length % 4 === 0;
}

/** Checks an e-mail address by the rules that HTML has for `<input type=email>`. */
function isEmail(value: string): boolean {
  const separator = value.lastIndexOf("@");
  const localPart = value.slice(0, Math.max(separator, 0));
  const labels = value.slice(separator + 1).split(".");
  return (
    /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}$/.test(localPart) &&
    labels.every((label) => /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i.test(label))
  );
}
