/** Formats of contracts, made of what types of code say; pure. */
import type { FormatEntry } from "../../../contract/generated/document.ts";

export interface NumberRange {
  readonly minimum?: number;
  readonly maximum?: number;
}

const HIGHEST_PORT = 65_535;

/** Returns true for the name of a port: `PORT`, `SMTP_PORT`. */
export function isPortName(name: string): boolean {
  return /(?:^|_)PORT$/i.test(name);
}

/** Returns the format of a number; that of a port if the name says so, and each bound is absent or that of ports. */
export function numeric(type: "integer" | "number", range: NumberRange, name: string): FormatEntry {
  const { minimum, maximum } = range;
  const isWhole = (minimum ?? 1) === 1 && (maximum ?? HIGHEST_PORT) === HIGHEST_PORT;
  if (isPortName(name) && isWhole) return "port";
  if (minimum === undefined && maximum === undefined) return type;
  // A contract without a value that it admits is an error.
  if ((minimum ?? -Infinity) > (maximum ?? Infinity)) return type;
  return { type, ...(minimum === undefined ? {} : { minimum }), ...(maximum === undefined ? {} : { maximum }) };
}

const LONGEST = 65_536;

/** Returns the format of a text with a prefix or a length. An empty value is unset, so that one character says nothing. */
export function textOf(prefix: string | undefined, minLength: number | undefined): FormatEntry | undefined {
  const least = minLength ?? 0;
  const isLong = Number.isInteger(least) && least > 1 && least <= LONGEST;
  const begins = prefix === undefined || prefix === "" ? undefined : { prefix };
  if (begins === undefined && !isLong) return undefined;
  return { type: "text", ...begins, ...(isLong ? { minLength: least } : {}) };
}

/** Returns the format of a choice of texts; undefined if one is empty, or if there are none. */
export function enumOf(values: readonly string[] | undefined): FormatEntry | undefined {
  const distinct = [...new Set(values)];
  return distinct.length === 0 || distinct.includes("") ? undefined : { type: "enum", values: distinct };
}
