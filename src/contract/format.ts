import type { FormatCheck, FormatFault, PatternUse, PatternWork, ValueFormat } from "./contract-model.ts";

/** No system passes a longer value to a program: the limit of Linux is 128 KiB, that of macOS 1 MiB for all together. */
const MAX_LENGTH = 1024 * 1024;

/** Returns a new count of the steps of patterns, whose limit holds for all checks that share it. */
export function noWork(): PatternWork {
  return { steps: 0, most: 0, slowest: "" };
}

/** Returns a check of formats, all of whose patterns share one limit. */
export function formatCheck(): FormatCheck {
  const work = noWork();
  return (format, value, name) => formatFault(format, value, name, work);
}

/** Returns the part of a format that the value does not meet, if any. @throws SophiaError (contract-slow, 125) */
export function formatFault(
  format: ValueFormat,
  value: string,
  name: string,
  work: PatternWork = noWork(),
): FormatFault | undefined {
  switch (format.kind) {
    case "text":
      return textFault(format, value, { name, work });
    case "url":
      return urlFault(format.schemes, value);
    case "integer":
      return /^[+-]?\d+$/.test(value) ? rangeFault(format, value) : { kind: "not-integer" };
    case "number":
      return isNumber(value) ? rangeFault(format, value) : { kind: "not-number" };
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

function textFault(
  { prefixes, minLength, pattern }: Extract<ValueFormat, { kind: "text" }>,
  value: string,
  use: PatternUse,
): FormatFault | undefined {
  if (prefixes.length > 0 && !prefixes.some((prefix) => value.startsWith(prefix))) return { kind: "prefix", prefixes };
  // Code units first: counting them is free, and there are never fewer than characters.
  if (value.length < minLength || Array.from(value).length < minLength) return { kind: "too-short", minLength };
  if (pattern === undefined) return undefined;
  if (value.length > MAX_LENGTH) return { kind: "too-long", maxLength: MAX_LENGTH };
  return pattern.matches(value, use) ? undefined : { kind: "pattern", pattern: pattern.source };
}

/** The special schemes of the WHATWG, without `file`. */
const PARSED_SCHEMES: ReadonlySet<string> = new Set(["http", "https", "ws", "wss", "ftp"]);

/** Requires `scheme://`: else `localhost:6333` would be a URL of the scheme `localhost`. */
function urlFault(schemes: readonly string[], value: string): FormatFault | undefined {
  const end = value.indexOf("://");
  const written = value.slice(0, Math.max(end, 0));
  const scheme = written.toLowerCase();
  const notUrl: FormatFault = { kind: "not-url", schemes };
  if (end + 3 === value.length || /\s/.test(value)) return notUrl;
  // Other schemes allow forms that the WHATWG parser rejects, such as several hosts in `mongodb://a:1,b:2/x`.
  const isUrl = PARSED_SCHEMES.has(scheme) ? URL.canParse(value) : /^[A-Za-z][A-Za-z\d+.-]*$/.test(written);
  if (!isUrl) return PARSED_SCHEMES.has(scheme) && isUrlButForPort(value) ? { kind: "url-port" } : notUrl;
  return schemes.length === 0 || schemes.includes(scheme) ? undefined : { kind: "scheme", schemes };
}

function isUrlButForPort(value: string): boolean {
  const authority = /^[a-z]+:\/\/[^/?#\\]*/i.exec(value)?.[0] ?? "";
  const port = /:[^:@\]]*$/.exec(authority)?.[0] ?? "";
  return port !== "" && URL.canParse(authority.slice(0, -port.length) + value.slice(authority.length));
}

function isNumber(value: string): boolean {
  return /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(value) && Number.isFinite(Number(value));
}

function rangeFault(
  { kind: _kind, ...range }: Extract<ValueFormat, { kind: "integer" | "number" }>,
  value: string,
): FormatFault | undefined {
  const { minimum = -Infinity, maximum = Infinity } = range;
  const number = Number(value);
  return number >= minimum && number <= maximum ? undefined : { kind: "out-of-range", ...range };
}

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}

/** RFC 4648, section 4 or 5 (URL-safe), with or without padding; line breaks, as of base64(1), are ignored. */
function isBase64(value: string): boolean {
  const text = value.replaceAll(/\r?\n/g, "");
  const digits = /^(?:[A-Za-z\d+/]+|[A-Za-z\d_-]+)(={0,2})$/.exec(text);
  if (digits === null) return false;
  const padding = digits[1]?.length ?? 0;
  return padding === 0 ? text.length % 4 !== 1 : text.length % 4 === 0;
}

/** An address as in HTML's `<input type=email>`. */
function isEmail(value: string): boolean {
  const at = value.lastIndexOf("@");
  return (
    /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}$/.test(value.slice(0, Math.max(at, 0))) &&
    value
      .slice(at + 1)
      .split(".")
      .every((label) => /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i.test(label))
  );
}
