/** Describes the ages of secrets in ESC, as lines for the user and as JSON, for `audit` and `check --overdue`. */
import { describeAge, formatDay } from "../../core/day.ts";
import { groupBy } from "../../core/group-by.ts";
import { printable } from "../../core/text.ts";
import type { LastChange } from "../../esc/api/history.ts";
import type { SecretAge } from "./ages.ts";

/**
 * Returns a line for each definition or history that the token may not see, with the secrets whose ages are therefore
 * unknown.
 */
export function describeUnseenAges(ages: readonly SecretAge[]): readonly string[] {
  const unseen = ages.flatMap(({ name, change }) => (change?.kind === "unseen" ? [{ name, what: change.what }] : []));
  return Array.from(
    groupBy(unseen, ({ what }) => what),
    ([what, secrets]) => {
      const names = secrets.map(({ name }) => printable(name)).join(", ");
      return `${printable(what)}: not visible to this token (${names})`;
    },
  );
}

/** Returns the line of the report about one secret. */
export function describeSecretAge({ name, change, due, overdue }: SecretAge, now: Date): string {
  const shownName = printable(name);
  if (change === undefined) return `➖ ${shownName}: Not in ESC`;
  switch (change.kind) {
    case "minted":
      return `✅ ${shownName}: New on every open (${change.environment})`;
    case "unseen":
      return `➖ ${shownName}: Not visible to this token`;
    case "changed":
    case "unchanged": {
      const age = describeChange(change, now);
      if (overdue === true && due !== undefined) return `❌ ${shownName}: Overdue since ${formatDay(due)}; ${age}`;
      return `✅ ${shownName}: ${age.charAt(0).toUpperCase()}${age.slice(1)}`;
    }
  }
}

function describeChange(change: Extract<LastChange, { kind: "changed" | "unchanged" }>, now: Date): string {
  if (change.kind === "unchanged") {
    const { number, created } = change.since;
    const version = `${change.environment}@${number}`;
    return `unchanged since ${formatDay(created)} or earlier (${version}, the oldest revision that was read)`;
  }
  const { number, created, by } = change.revision;
  const author = by === "" ? "" : `, by ${by}`;
  return `changed ${formatDay(created)}, ${describeAge(created, now)}${author} (${change.environment}@${number})`;
}

/** Returns the age of a secret for the JSON report. Every object has all fields; those that are not known are null. */
export function createAgeJson({ name, change, due, overdue }: SecretAge): object {
  const revision = change?.kind === "changed" ? change.revision : undefined;
  const oldestRead = change?.kind === "unchanged" ? change.since : undefined;
  return {
    name,
    lastChanged: revision?.created.toISOString() ?? null,
    by: revision?.by || null,
    revision: revision?.number ?? null,
    overdue: overdue ?? null,
    state: change?.kind ?? "absent",
    environment: change !== undefined && change.kind !== "unseen" ? change.environment : null,
    due: due?.toISOString() ?? null,
    unchangedSince: oldestRead?.created.toISOString() ?? null,
  };
}
