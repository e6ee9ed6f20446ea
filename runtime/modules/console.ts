/** A console for scripts of tests; the bundle writes by itself. */
import { writeSync } from "./fs.ts";

function text(values: readonly unknown[]): string {
  return `${values.map((value) => (typeof value === "object" && value !== null && !(value instanceof Error) ? JSON.stringify(value) : String(value))).join(" ")}\n`;
}

const toOutput = (...values: readonly unknown[]): void => void writeSync(1, text(values));
const toErrors = (...values: readonly unknown[]): void => void writeSync(2, text(values));

export const console = { log: toOutput, info: toOutput, debug: toOutput, warn: toErrors, error: toErrors };
