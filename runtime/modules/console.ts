/**
 * The global `console` of the executable's runtime, for the scripts of tests. sophia-run's own code writes to the descriptors without
 * it.
 */
import { writeSync } from "./fs.ts";

function formatLine(values: readonly unknown[]): string {
  return `${values.map(formatValue).join(" ")}\n`;
}

function formatValue(value: unknown): string {
  if (typeof value === "object" && value !== null && !(value instanceof Error)) return JSON.stringify(value);
  return String(value);
}

const writeToStdout = (...values: readonly unknown[]): void => void writeSync(1, formatLine(values));
const writeToStderr = (...values: readonly unknown[]): void => void writeSync(2, formatLine(values));

export const console = {
  log: writeToStdout,
  info: writeToStdout,
  debug: writeToStdout,
  warn: writeToStderr,
  error: writeToStderr,
};
