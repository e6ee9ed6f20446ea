export const DAY_MS = 86_400_000;

/** Returns the date in UTC, as `2026-11-28`. */
export function day(at: Date): string {
  return at.toISOString().slice(0, 10);
}

/** Words the whole days between two times. */
export function ago(at: Date, now: Date): string {
  const days = Math.max(0, Math.floor((now.getTime() - at.getTime()) / DAY_MS));
  if (days === 0) return "today";
  return days === 1 ? "1 day ago" : `${days} days ago`;
}
