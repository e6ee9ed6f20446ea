/** util.inspect and util.format as far as yargs uses them: for texts of its own, and values in errors of programmers. */

export function inspect(value: unknown): string {
  return value instanceof Error ? String(value) : (JSON.stringify(value) ?? typeof value);
}

/** Replaces %s; further values follow after a space. */
export function format(text: string, ...values: string[]): string {
  const whole = text.replaceAll("%s", () => values.shift() ?? "%s");
  return [whole, ...values].join(" ");
}
