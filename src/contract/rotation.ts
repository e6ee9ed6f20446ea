/**
 * Decides when the value of a variable must be rotated, that is, replaced by a new one (`"rotateEvery": "90 days"`).
 * `sophia-run check` reports values that are overdue.
 */
import type { Contract, Declaration, Interval } from "./contract-model.ts";

const DEFAULT_INTERVAL: Interval = { count: 90, unit: "day" };

/**
 * Returns the interval at which a value must be rotated; undefined if it need not be. Without `rotateEvery` in its
 * declaration, a secret has the interval of the contract, and any other variable has none.
 */
export function rotationIntervalOf(
  { rotateEvery: contractInterval = DEFAULT_INTERVAL }: Pick<Contract, "rotateEvery">,
  { secret, rotateEvery }: Pick<Declaration, "secret" | "rotateEvery">,
): Interval | undefined {
  const rotation = rotateEvery ?? (secret ? contractInterval : "never");
  return rotation === "never" ? undefined : rotation;
}

/** Returns the time by which a value must be rotated. Months and years are those of the calendar, in UTC. */
export function calculateDueDate(since: Date, { count, unit }: Interval): Date {
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
      // If the month has no such day, `Date` has gone on to the next month. Day 0 is the last day of the month before.
      if (due.getUTCDate() !== day) due.setUTCDate(0);
      break;
    }
  }
  return due;
}
