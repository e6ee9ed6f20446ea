/**
 * Parses durations in the syntax of Go, such as `1h30m`, in which clients name the lifetime of an opened environment.
 */

const UNITS: ReadonlyMap<string, number> = new Map([
  ["ns", 1e-6],
  ["us", 1e-3],
  ["µs", 1e-3],
  ["μs", 1e-3],
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/**
 * Milliseconds of a duration as Go's `time.ParseDuration` reads it (`1h30m`, `1.5h`, `90s`), or `undefined` when
 * the text is none. A bare number has no unit and is none, `0` excepted.
 */
export function parseGoDuration(text: string): number | undefined {
  const match = /^([-+]?)(.+)$/.exec(text);
  if (match === null) return undefined;
  const sign = match[1] === "-" ? -1 : 1;
  const rest = match[2] ?? "";
  if (rest === "0") return 0;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return undefined;
  let total = 0;
  for (const [, amount, unit] of rest.matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(amount) * (UNITS.get(unit ?? "") ?? Number.NaN);
  }
  return sign * total;
}
