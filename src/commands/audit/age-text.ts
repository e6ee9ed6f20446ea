/** The ages of secrets as lines for the user and as JSON. */
import { describeAge, formatDay } from "../../core/day.ts";
import { grouped } from "../../core/grouped.ts";
import { printable } from "../../core/text.ts";
import type { LastChange } from "../../esc/api/history.ts";
import type { SecretAge } from "./ages.ts";

/** Returns a line for each thing that the token may not see, with the secrets whose ages are unknown for that reason. */
export function describeUnseenAges(ages: readonly SecretAge[]): readonly string[] {
  const unseen = ages.flatMap(({ name, change }) => (change?.kind === "unseen" ? [{ name, what: change.what }] : []));
  return Array.from(
    grouped(unseen, ({ what }) => what),
    ([what, secrets]) => {
      const names = secrets.map(({ name }) => printable(name)).join(", ");
      return `${printable(what)}: not visible to this token (${names})`;
    },
  );
}

export function ageLine({ name, change, due, overdue }: SecretAge, now: Date): string {
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

/** Returns the age for the JSON report. All fields are present in each state. */
export function ageJson({ name, change, due, overdue }: SecretAge): object {
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
