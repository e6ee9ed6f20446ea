import type { Contract, Declaration, Interval } from "./contract-model.ts";

const DEFAULT: Interval = { count: 90, unit: "day" };

/** Returns how often a value must be replaced; undefined for never. */
export function rotationOf(
  { rotateEvery: usual = DEFAULT }: Pick<Contract, "rotateEvery">,
  { secret, rotateEvery }: Pick<Declaration, "secret" | "rotateEvery">,
): Interval | undefined {
  const rotation = rotateEvery ?? (secret ? usual : "never");
  return rotation === "never" ? undefined : rotation;
}

/** Returns the time by which a value must be replaced, in UTC and by the lengths of months. */
export function dueAt(since: Date, { count, unit }: Interval): Date {
  const due = new Date(since);
  switch (unit) {
    case "day":
      due.setUTCDate(due.getUTCDate() + count);
      break;
    case "week":
      due.setUTCDate(due.getUTCDate() + 7 * count);
      break;
    case "month":
    case "year": {
      const day = due.getUTCDate();
      due.setUTCMonth(due.getUTCMonth() + (unit === "year" ? 12 : 1) * count);
      if (due.getUTCDate() !== day) due.setUTCDate(0);
      break;
    }
  }
  return due;
}
