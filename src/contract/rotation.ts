/** Decides when the value of a variable must be replaced (`"rotateEvery": "90 days"`); pure. */
import type { Contract, Declaration, Interval } from "./contract-model.ts";

const DEFAULT_INTERVAL: Interval = { count: 90, unit: "day" };

/**
 * Returns the interval at which a value must be replaced; undefined if it never must be. Without a member, only secrets
 * must be.
 */
export function rotationOf(
  { rotateEvery: contractInterval = DEFAULT_INTERVAL }: Pick<Contract, "rotateEvery">,
  { secret, rotateEvery }: Pick<Declaration, "secret" | "rotateEvery">,
): Interval | undefined {
  const rotation = rotateEvery ?? (secret ? contractInterval : "never");
  return rotation === "never" ? undefined : rotation;
}

/** Returns the time by which a value must be replaced. Months and years are those of the calendar, in UTC. */
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
      const monthsPerUnit = unit === "year" ? 12 : 1;
      due.setUTCMonth(due.getUTCMonth() + monthsPerUnit * count);
      // If the month has no such day, `Date` has gone on to the next month: day 0 is the last day of the month before.
      if (due.getUTCDate() !== day) due.setUTCDate(0);
      break;
    }
  }
  return due;
}
