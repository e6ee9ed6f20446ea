/** Errors of Node.js and of the system, with their codes and messages. */
import { natives } from "./native.ts";

type ErrorClass = new (message: string) => Error;

/** @returns an error that says its code, as Node.js prints it */
export function codedError(code: string, message: string, Class: ErrorClass = Error): Error & { code: string } {
  const error = Object.assign(new Class(message), { code });
  Object.defineProperty(error, "toString", {
    value: () => `${error.name} [${code}]: ${error.message}`,
    configurable: true,
    writable: true,
  });
  return error;
}

/** @param name of the argument, or a property (`options.x`), or the whole subject such as `first argument` */
export function invalidType(name: string, expected: string, value: unknown): Error {
  return codedError("ERR_INVALID_ARG_TYPE", `The ${subject(name)} must be ${expected}.${received(value)}`, TypeError);
}

export function invalidValue(name: string, value: unknown, reason = "is invalid"): Error {
  const text = shortly(value);
  const kind = name.includes(".") ? "property" : "argument";
  return codedError("ERR_INVALID_ARG_VALUE", `The ${kind} '${name}' ${reason}. Received ${text}`, TypeError);
}

export function outOfRange(name: string, range: string, value: unknown): Error {
  const isBig = (typeof value === "bigint" || Number.isInteger(value)) && Math.abs(Number(value)) > 2 ** 32;
  const number = `${isBig ? grouped(String(value)) : String(value)}${typeof value === "bigint" ? "n" : ""}`;
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${number}`;
  return codedError("ERR_OUT_OF_RANGE", message, RangeError);
}

/** Throws unless it is an integer in a range. */
export function checkInteger(name: string, value: unknown, minimum: number, maximum: number): asserts value is number {
  if (typeof value !== "number") throw invalidType(name, "of type number", value);
  if (!Number.isInteger(value)) throw outOfRange(name, "an integer", value);
  if (value < minimum || value > maximum) throw outOfRange(name, `>= ${minimum} && <= ${maximum}`, value);
}

export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== "function") throw invalidType(name, "of type function", value);
}

function subject(name: string): string {
  if (name.endsWith(" argument")) return name;
  return `"${name}" ${name.includes(".") ? "property" : "argument"}`;
}

function received(value: unknown): string {
  if (value === null || value === undefined) return ` Received ${String(value)}`;
  if (typeof value === "function") return ` Received function ${value.name}`;
  if (typeof value === "object") {
    const name = value.constructor?.name ?? "";
    return name === "" ? " Received [Object: null prototype] {}" : ` Received an instance of ${name}`;
  }
  return ` Received type ${typeof value} (${shortly(value)})`;
}

function shortly(value: unknown): string {
  const text = typeof value === "string" ? `'${value}'` : String(value);
  const whole = typeof value === "bigint" ? `${text}n` : text;
  return whole.length > 28 ? `${whole.slice(0, 25)}...` : whole;
}

/** Separates thousands. */
function grouped(digits: string): string {
  return digits.replaceAll(/\B(?=(?:\d{3})+$)/g, "_");
}

/** The error of what was aborted, by Node.js's own functions. */
export class AbortError extends Error {
  readonly code = "ABORT_ERR";

  constructor(cause?: unknown) {
    super("The operation was aborted", cause === undefined ? undefined : { cause });
    this.name = "AbortError";
  }
}

interface Natives {
  /** @param error the system's number */
  readonly errorName: (error: number) => string;
}

const native = natives<Natives>();

/**
 * Returns an error as libuv's parts of Node.js report it, with the call and the code alone.
 *
 * @param error the negative number of the system's error
 */
export function systemFailure(error: number, syscall: string, details = ""): NodeJS.ErrnoException {
  const code = native.errorName(-error);
  return Object.assign(new Error(`${syscall} ${code}${details}`), { errno: error, code, syscall });
}
