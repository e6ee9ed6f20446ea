/**
 * Describes formats and their faults, for messages and generated documents. The texts never contain a part of a value.
 */
import { enumerate, printable } from "../core/text.ts";
import type { FormatFault } from "./contract-model.ts";

/** Joins words by commas and "or": `a, b or c`. */
export function joinAlternatives(words: readonly string[]): string {
  return enumerate(words, "or");
}

/** Describes a fault, as the end of a sentence that begins with the variable: `must be a URL such as https://host`. */
export function describeFormatFault(fault: FormatFault): string {
  switch (fault.kind) {
    case "prefix":
      return `must begin with ${joinAlternatives(fault.prefixes.map(printable))}`;
    case "too-short":
      return `must have at least ${fault.minLength} characters`;
    case "too-long":
      return `must have at most ${fault.maxLength} characters: no system passes more to a program`;
    case "pattern":
      return `must match ${printable(fault.pattern)}`;
    case "not-url":
      return `must be a URL such as ${fault.schemes[0] ?? "https"}://host`;
    case "url-port":
      return "must be a URL with a port from 0 to 65535";
    case "scheme":
      return `must be a URL that begins with ${joinAlternatives(fault.schemes.map((scheme) => `${scheme}://`))}`;
    case "not-integer":
      return "must be a whole number";
    case "not-number":
      return "must be a number";
    case "not-boolean":
      return "must be true or false (or yes, no, on, off, 1, 0)";
    case "not-port":
      return "must be a port: a whole number from 1 to 65535";
    case "not-json":
      return "must be JSON";
    case "not-base64":
      return "must be base64";
    case "not-email":
      return "must be an e-mail address";
    case "not-in-enum":
      return `must be ${joinAlternatives(fault.values.map(printable))}`;
    case "out-of-range":
      return `must be ${describeRange(fault)}`;
  }
}

/** Describes a range of numbers, which has at least one bound: `from 1 to 9`. */
export function describeRange({ minimum, maximum }: { readonly minimum?: number; readonly maximum?: number }): string {
  if (minimum === undefined) return `at most ${maximum}`;
  return maximum === undefined ? `at least ${minimum}` : `from ${minimum} to ${maximum}`;
}
