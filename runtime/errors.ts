/**
 * Creates errors with the codes and messages of Node.js, and checks arguments. The modules of the executable's runtime throw these
 * errors, because sophia-run's code and its libraries expect those of Node.js.
 */
import { natives } from "./native.ts";

type ErrorClass = new (message: string) => Error;

/** Returns an error whose text contains its code, as in Node.js: "TypeError [ERR_INVALID_URL]: Invalid URL". */
export function codedError(code: string, message: string, Class: ErrorClass = Error): Error & { code: string } {
  const error = Object.assign(new Class(message), { code });
  Object.defineProperty(error, "toString", {
    value: () => `${error.name} [${code}]: ${error.message}`,
    configurable: true,
    writable: true,
  });
  return error;
}

/**
 * Returns the error for a value of a wrong type.
 *
 * @param name the name of an argument or of a property (`options.x`), or a text that ends with " argument" (`first argument`)
 * @param expected what the value must be, such as `of type string`
 */
export function invalidType(name: string, expected: string, value: unknown): Error {
  return codedError(
    "ERR_INVALID_ARG_TYPE",
    `The ${describeSubject(name)} must be ${expected}.${describeReceived(value)}`,
    TypeError,
  );
}

/** Returns the error for a value of the right type that is not allowed. */
export function invalidValue(name: string, value: unknown, reason = "is invalid"): Error {
  const text = abbreviate(value);
  const kind = name.includes(".") ? "property" : "argument";
  return codedError("ERR_INVALID_ARG_VALUE", `The ${kind} '${name}' ${reason}. Received ${text}`, TypeError);
}

/** Returns the error for a number outside of its range. */
export function outOfRange(name: string, range: string, value: unknown): Error {
  const isInteger = typeof value === "bigint" || Number.isInteger(value);
  // Node.js separates the thousands of such numbers.
  const isLong = isInteger && Math.abs(Number(value)) > 2 ** 32;
  const digits = isLong ? groupThousands(String(value)) : String(value);
  const number = typeof value === "bigint" ? `${digits}n` : digits;
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${number}`;
  return codedError("ERR_OUT_OF_RANGE", message, RangeError);
}

/** @throws the error that Node.js throws, unless the value is an integer from the minimum to the maximum */
export function checkInteger(name: string, value: unknown, minimum: number, maximum: number): asserts value is number {
  if (typeof value !== "number") throw invalidType(name, "of type number", value);
  if (!Number.isInteger(value)) throw outOfRange(name, "an integer", value);
  if (value < minimum || value > maximum) throw outOfRange(name, `>= ${minimum} && <= ${maximum}`, value);
}

/** @throws the error that Node.js throws, unless the value is a function */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== "function") throw invalidType(name, "of type function", value);
}

/** Returns the name with its kind, such as `"path" argument` or `"options.mode" property`. */
function describeSubject(name: string): string {
  if (name.endsWith(" argument")) return name;
  return `"${name}" ${name.includes(".") ? "property" : "argument"}`;
}

/** Returns the end of a message, with a space in front: ` Received an instance of Map`, or ` Received type number (1)`. */
function describeReceived(value: unknown): string {
  if (value === null || value === undefined) return ` Received ${String(value)}`;
  if (typeof value === "function") return ` Received function ${value.name}`;
  if (typeof value === "object") {
    const name = value.constructor?.name ?? "";
    return name === "" ? " Received [Object: null prototype] {}" : ` Received an instance of ${name}`;
  }
  return ` Received type ${typeof value} (${abbreviate(value)})`;
}

/** Describes a value as Node.js does, in 28 characters at most. */
function abbreviate(value: unknown): string {
  const literal = typeof value === "string" ? `'${value}'` : `${String(value)}${typeof value === "bigint" ? "n" : ""}`;
  return literal.length > 28 ? `${literal.slice(0, 25)}...` : literal;
}

/** Separates thousands: 1_000_000. */
function groupThousands(digits: string): string {
  return digits.replaceAll(/\B(?=(?:\d{3})+$)/g, "_");
}

/** The error that Node.js throws for an operation that an AbortSignal has ended. */
export class AbortError extends Error {
  readonly code = "ABORT_ERR";

  constructor(cause?: unknown) {
    super("The operation was aborted", cause === undefined ? undefined : { cause });
    this.name = "AbortError";
  }
}

interface Natives {
  /** Returns a name such as ENOENT. @param error an error number (errno) */
  readonly errorName: (error: number) => string;
}

const native = natives<Natives>();

/**
 * Returns an error for a failed system call with a short message, such as "read ECONNRESET". Node.js throws such errors for
 * sockets and processes; for files it throws errors with a longer message.
 *
 * @param error a negated error number (errno) @param details a text that follows the name, with a space in front
 */
export function systemFailure(error: number, syscall: string, details = ""): NodeJS.ErrnoException {
  const code = native.errorName(-error);
  return Object.assign(new Error(`${syscall} ${code}${details}`), { errno: error, code, syscall });
}
