/** node:assert, as far as packages use it. */
import { inspect } from "../inspect.ts";

interface Comparison {
  readonly message?: string | Error | undefined;
  readonly actual: unknown;
  readonly expected: unknown;
  readonly operator: string;
}

export class AssertionError extends Error {
  readonly code = "ERR_ASSERTION";
  readonly generatedMessage: boolean;
  readonly actual: unknown;
  readonly expected: unknown;
  readonly operator: string;

  constructor({ message, actual, expected, operator }: Comparison) {
    super(String(message ?? `${inspect(actual)} ${operator} ${inspect(expected)}`));
    this.name = "AssertionError";
    this.generatedMessage = message === undefined;
    this.actual = actual;
    this.expected = expected;
    this.operator = operator;
  }
}

function fail(comparison: Comparison): never {
  if (comparison.message instanceof Error) throw comparison.message;
  throw new AssertionError(comparison);
}

export function ok(value: unknown, message?: string | Error): void {
  if (!value) fail({ message, actual: value, expected: true, operator: "==" });
}

export function strictEqual(actual: unknown, expected: unknown, message?: string | Error): void {
  if (!Object.is(actual, expected)) fail({ message, actual, expected, operator: "strictEqual" });
}

export function notStrictEqual(actual: unknown, expected: unknown, message?: string | Error): void {
  if (Object.is(actual, expected)) fail({ message, actual, expected, operator: "notStrictEqual" });
}
