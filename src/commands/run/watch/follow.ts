/** When it is looked whether ESC gives something else, and what is done about it. It knows no values. */
import type { Known, Look } from "../../../esc/api/follow.ts";
import { enumerateFew } from "../../../core/lines.ts";
import { printable } from "../../../core/text.ts";
import { differing, type Prints } from "./prints.ts";

/** What all sources give now. */
export type Resolved<Renewal> =
  | { readonly kind: "ready"; readonly prints: Prints; readonly renewal: Renewal }
  /** ESC or another source cannot be read. The lines say why. */
  | { readonly kind: "trouble"; readonly lines: Lines }
  /** The contract is not met by it. */
  | { readonly kind: "unmet"; readonly lines: Lines };

export type Lines = readonly [string, ...string[]];

/** Time, so that tests need not wait for it. */
export interface Clock {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** From 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
  /** Resolves after so long, or when the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface Following<Renewal> {
  /** What the program was started with. */
  readonly prints: Prints;
  readonly everyMs: number;
  /** How long what was opened lives, and credentials that providers made for it. */
  readonly sessionMs: number;
  readonly look: (before: Known | undefined) => Promise<Look>;
  readonly resolve: () => Promise<Resolved<Renewal>>;
  /** Starts the program anew. @returns why not */
  readonly restart: (renewal: Renewal, names: readonly string[]) => Promise<Lines | undefined>;
  readonly tell: (lines: Lines) => void;
  /** Tells what `--quiet` drops. */
  readonly inform: (lines: Lines) => void;
  /** For `--verbose`. */
  readonly detail: (line: string) => void;
  readonly clock: Clock;
}

/** Where not every revision can be seen, all is opened again so often, and it is asked again which can be. */
const OPEN_EVERY_MS = 15 * 60_000;
/** With trouble the pauses grow up to this, or to what was asked for if that is longer. */
const LONGEST_PAUSE_MS = 5 * 60_000;
/** When of its life a session is renewed: before what lives no longer than it ends. */
const RENEWAL = { from: 0.8, to: 0.9 } as const;
/** Pauses are longer by up to this part, so that many launchers do not ask at the same time. */
const JITTER = 0.2;

/** Follows until the signal is aborted. It throws nothing but bugs. */
export async function follow<Renewal>(it: Following<Renewal>, signal: AbortSignal): Promise<void> {
  const { clock, everyMs, sessionMs } = it;
  const expiry = (): number => clock.now() + sessionMs * (RENEWAL.from + (RENEWAL.to - RENEWAL.from) * clock.random());
  let { prints } = it;
  /** Those that are another each time: what providers make. */
  const volatile = new Set<string>();
  let known: Known | undefined;
  let expiresAt = expiry();
  let opensAt = clock.now() + OPEN_EVERY_MS;
  let troubles = 0;
  let retryAfterMs = 0;
  /** Environments that were seen and are refused now. */
  let lost: ReadonlyMap<string, number> = new Map();
  const told = new Set<string>();

  /** Once, until it is over. */
  const complain = (lines: Lines): void => {
    troubles += 1;
    const text = lines.join("\n");
    if (!told.has(text)) it.tell(lines);
    told.add(text);
  };
  const relax = (): void => {
    if (lost.size > 0) return;
    if (told.size > 0) it.inform(["ESC is followed again"]);
    told.clear();
    troubles = 0;
  };
  const pause = (): number => {
    const grown = Math.min(everyMs * 2 ** Math.min(troubles, 20), Math.max(everyMs, LONGEST_PAUSE_MS));
    return Math.max(grown, retryAfterMs) * (1 + JITTER * clock.random());
  };

  /** @returns whether all is as it is to be, or has been asked for */
  const settle = async (isExpiring: boolean): Promise<boolean> => {
    let resolved = await it.resolve();
    const isNews = (name: string): boolean => isExpiring || !volatile.has(name);
    if (resolved.kind === "ready" && !isExpiring && differing(prints, resolved.prints).some(isNews)) {
      // What providers make is another each time it is asked for: no reason for a restart.
      const before = resolved.prints;
      resolved = await it.resolve();
      if (resolved.kind === "ready") for (const name of differing(before, resolved.prints)) volatile.add(name);
    }
    if (signal.aborted) return true;
    if (resolved.kind === "unmet") {
      it.tell(resolved.lines);
      return true;
    }
    if (resolved.kind === "trouble") {
      complain(resolved.lines);
      return false;
    }
    const names = differing(prints, resolved.prints).filter(isNews);
    if (names.length === 0) {
      it.detail("what ESC gives the program is the same");
      return true;
    }
    const refusal = await it.restart(resolved.renewal, names);
    if (refusal === undefined) ({ prints } = resolved);
    else it.tell(refusal);
    expiresAt = expiry();
    return true;
  };

  for (;;) {
    const left = expiresAt - clock.now();
    await clock.wait(Math.min(pause(), left > 0 ? left : Infinity), signal);
    if (signal.aborted) return;
    retryAfterMs = 0;
    const isExpiring = clock.now() >= expiresAt;
    const isDue = clock.now() >= opensAt && known !== undefined && known.hidden.size + lost.size > 0;
    const isVisible = known === undefined || known.seen.size > 0 || isDue;
    let seen: Known | undefined;
    if (isVisible) {
      // One refusal need not be the last: what is hidden is asked for again.
      const looked = await it.look(known !== undefined && isDue ? { ...known, hidden: new Set() } : known);
      if (signal.aborted) return;
      if (looked.kind !== "seen") {
        retryAfterMs = looked.retryAfterMs ?? 0;
        complain([`warning: ESC cannot be followed: ${looked.failure.message}; the program runs on`]);
        continue;
      }
      seen = looked.known;
      ({ lost } = looked);
      if (lost.size > 0) complain(lostLines(lost));
      if (known === undefined) tellHidden(seen, it);
      // Not where nothing can be seen: what has changed since the start is found when it is opened.
      const hasChanged = looked.hasChanged && (known !== undefined || seen.seen.size > 0);
      if (hasChanged) volatile.clear();
      if (!hasChanged && !isExpiring && !isDue) {
        known = seen;
        relax();
        continue;
      }
    } else if (!isExpiring && !isDue) {
      continue;
    }
    if (!(await settle(isExpiring))) continue;
    relax();
    known = seen ?? known;
    opensAt = clock.now() + OPEN_EVERY_MS;
    if (isExpiring) expiresAt = expiry();
  }
}

function lostLines(lost: ReadonlyMap<string, number>): Lines {
  const names = enumerateFew(
    Array.from(lost, ([name, status]) => `${printable(name)} (HTTP ${status})`),
    3,
  );
  return [
    `warning: ESC no longer lets this token see the revision of ${names}`,
    "until it does, ESC is opened every 15 minutes to compare",
  ];
}

function tellHidden<Renewal>({ hidden }: Known, it: Following<Renewal>): void {
  if (hidden.size === 0) return;
  it.detail(
    `the revision of ${[...hidden].join(", ")} is not visible to this token: opened again every 15 minutes to compare`,
  );
}
