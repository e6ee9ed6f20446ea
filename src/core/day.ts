export const DAY_MS = 86_400_000;

export function day(at: Date): string {
  return at.toISOString().slice(0, 10);
}

export function ago(at: Date, now: Date): string {
  const days = Math.max(0, Math.floor((now.getTime() - at.getTime()) / DAY_MS));
  if (days === 0) return "today";
  return days === 1 ? "1 day ago" : `${days} days ago`;
}
