/**
 * Makes formats of a contract from what the types of code say about a value. schema-formats.ts and pydantic-formats.ts use it
 * for the libraries of JavaScript and Python; pure.
 */
import type { FormatEntry } from "../../../contract/generated/document.ts";

/** The bounds of a number, both inclusive. An absent bound is unknown. */
export interface NumberRange {
  readonly minimum?: number;
  readonly maximum?: number;
}

const MAX_PORT = 65_535;

/** Returns true for the name of a port: `PORT`, `SMTP_PORT`. */
export function isPortName(name: string): boolean {
  return /(?:^|_)PORT$/i.test(name);
}

/**
 * Returns the format of a number. It is the format of a port if the variable has the name of one, and each bound is absent or
 * the bound of ports.
 */
export function numberFormat(type: "integer" | "number", range: NumberRange, name: string): FormatEntry {
  const { minimum, maximum } = range;
  const admitsAllPorts = (minimum ?? 1) === 1 && (maximum ?? MAX_PORT) === MAX_PORT;
  if (isPortName(name) && admitsAllPorts) return "port";
  if (minimum === undefined && maximum === undefined) return type;
  // A contract that admits no value is an error, so a range without a number is left out.
  if ((minimum ?? -Infinity) > (maximum ?? Infinity)) return type;
  return { type, ...(minimum === undefined ? {} : { minimum }), ...(maximum === undefined ? {} : { maximum }) };
}

/** The largest minLength that a contract may state. */
const MAX_MIN_LENGTH = 65_536;

/**
 * Returns the format of a text with a prefix or a minimum length; undefined if it has neither. An empty value is the same as
 * none, so that a minimum length of one character says nothing.
 */
export function textFormat(prefix: string | undefined, minLength = 0): FormatEntry | undefined {
  const hasLength = Number.isInteger(minLength) && minLength > 1 && minLength <= MAX_MIN_LENGTH;
  const hasPrefix = prefix !== undefined && prefix !== "";
  if (!hasPrefix && !hasLength) return undefined;
  return { type: "text", ...(hasPrefix ? { prefix } : {}), ...(hasLength ? { minLength } : {}) };
}

/** Returns the format of a choice of texts; undefined if one of them is empty, or if there are none. */
export function enumFormat(values: readonly string[] | undefined): FormatEntry | undefined {
  const distinct = [...new Set(values)];
  return distinct.length === 0 || distinct.includes("") ? undefined : { type: "enum", values: distinct };
}
