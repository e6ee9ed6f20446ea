/** The age of a secret in words. */
import { printable } from "../../core/text.ts";
import type { SecretAge } from "./ages.ts";
import { ago, day } from "../../core/day.ts";

/** `❌ NAME: Overdue since 2026-09-01: changed 2026-06-03 by alice (acme/sophia/dev@7)`. */
export function ageLine({ name, change, due, overdue }: SecretAge, now: Date): string {
  const shown = printable(name);
  if (change === undefined) return `➖ ${shown}: Not in ESC`;
  switch (change.kind) {
    case "minted":
      return `✅ ${shown}: Made anew at each opening (${change.environment})`;
    case "unseen":
      return `➖ ${shown}: Not visible to this token`;
    case "changed":
    case "unchanged": {
      const isKnown = change.kind === "changed";
      const { number, created, by } = isKnown ? change.revision : change.since;
      const place = `${change.environment}@${number}`;
      const age = isKnown
        ? `changed ${day(created)}, ${ago(created, now)}${by === "" ? "" : `, by ${by}`} (${place})`
        : `the same since ${day(created)} at least (${place}, the oldest of the revisions that were looked at)`;
      if (overdue === true && due !== undefined) return `❌ ${shown}: Overdue since ${day(due)}; ${age}`;
      return `✅ ${shown}: ${age.charAt(0).toUpperCase()}${age.slice(1)}`;
    }
  }
}

/** For programs. */
export function ageForPrograms({ name, change, due, overdue }: SecretAge): object {
  const changed = change?.kind === "changed" ? change.revision : undefined;
  const since = change?.kind === "unchanged" ? change.since : undefined;
  return {
    name,
    lastChanged: changed?.created.toISOString() ?? null,
    by: changed?.by || null,
    revision: changed?.number ?? null,
    overdue: overdue ?? null,
    state: change?.kind ?? "absent",
    environment: change !== undefined && change.kind !== "unseen" ? change.environment : null,
    due: due?.toISOString() ?? null,
    // The same at least since then.
    unchangedSince: since?.created.toISOString() ?? null,
  };
}
