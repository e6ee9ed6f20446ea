/** Dates and ages in texts for the user. */

export const DAY_MS = 86_400_000;

/** Returns the date in UTC, as `2026-11-28`. */
export function formatDay(time: Date): string {
  return time.toISOString().slice(0, 10);
}

/** Returns a time in UTC to the second, as RFC 3339 writes it: `2026-11-28T07:30:00Z`. @param time in milliseconds since 1970 */
export function formatSecond(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Describes the age of a time in whole days: `today`, `1 day ago`, `12 days ago`. */
export function describeAge(time: Date, now: Date): string {
  const days = Math.max(0, Math.floor((now.getTime() - time.getTime()) / DAY_MS));
  if (days === 0) return "today";
  return days === 1 ? "1 day ago" : `${days} days ago`;
}
