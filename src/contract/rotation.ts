/** How often values ought to be replaced; pure. */
import type { Contract, Declaration, Interval } from "./model.ts";

const DEFAULT: Interval = { count: 90, unit: "day" };

export function rotationOf(
  { rotateEvery: usual = DEFAULT }: Pick<Contract, "rotateEvery">,
  { secret, rotateEvery }: Pick<Declaration, "secret" | "rotateEvery">,
): Interval | undefined {
  const rotation = rotateEvery ?? (secret ? usual : "never");
  return rotation === "never" ? undefined : rotation;
}

/** The moment at which a value of this age ought to have been replaced: in UTC, where months have their own lengths. */
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
      // A month after the 31st of January is the end of February.
      if (due.getUTCDate() !== day) due.setUTCDate(0);
      break;
    }
  }
  return due;
}
