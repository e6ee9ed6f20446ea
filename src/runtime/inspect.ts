/** util.inspect and util.format as far as yargs uses them: for texts of its own, and values in errors of programmers. */

export function inspect(value: unknown): string {
  return typeof value === "object" && !(value instanceof Error) ? JSON.stringify(value) : String(value);
}

/** Replaces %s; further values follow after a space. */
export function format(text: string, ...values: unknown[]): string {
  const whole = text.replaceAll(/%s/g, (directive) => (values.length > 0 ? String(values.shift()) : directive));
  return [whole, ...values.map(String)].join(" ");
}
