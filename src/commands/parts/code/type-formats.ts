/**
 * Creates the formats that a contract has for numbers, texts and choices from what source code states about a value, such as the
 * bounds of a number. schema-formats.ts uses these functions for the schema libraries of JavaScript, and pydantic-formats.ts for
 * those of Python.
 */
import type { FormatEntry } from "../../../contract/generated/document.ts";

/** The bounds of a number, both inclusive. A bound is absent if the code does not state it. */
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
 * Returns the format of a number. It is `port` if the variable has the name of a port, and the range is that of ports or is not
 * limited.
 *
 * @param name the name of the variable
 */
export function createNumberFormat(type: "integer" | "number", range: NumberRange, name: string): FormatEntry {
  const { minimum, maximum } = range;
  const admitsAllPorts = (minimum ?? 1) === 1 && (maximum ?? MAX_PORT) === MAX_PORT;
  if (isPortName(name) && admitsAllPorts) return "port";
  if (minimum === undefined && maximum === undefined) return type;
  // The bounds contradict each other. A format that admits no value would be an error in the contract.
  if ((minimum ?? -Infinity) > (maximum ?? Infinity)) return type;
  return { type, ...(minimum === undefined ? {} : { minimum }), ...(maximum === undefined ? {} : { maximum }) };
}

/** The largest minLength that a contract may state. */
const MAX_MIN_LENGTH = 65_536;

/**
 * Returns the format of a text with a prefix or a minimum length, in characters; undefined if it has neither. A contract takes an
 * empty value for no value, so that a minimum length of 1 adds nothing.
 */
export function createTextFormat(prefix: string | undefined, minLength = 0): FormatEntry | undefined {
  const hasLength = Number.isInteger(minLength) && minLength > 1 && minLength <= MAX_MIN_LENGTH;
  const hasPrefix = prefix !== undefined && prefix !== "";
  if (!hasPrefix && !hasLength) return undefined;
  return { type: "text", ...(hasPrefix ? { prefix } : {}), ...(hasLength ? { minLength } : {}) };
}

/** Returns the format of a choice of texts; undefined if one of them is empty, or if there are none. */
export function createEnumFormat(values: readonly string[] | undefined): FormatEntry | undefined {
  const distinctValues = [...new Set(values)];
  if (distinctValues.length === 0 || distinctValues.includes("")) return undefined;
  return { type: "enum", values: distinctValues };
}
