/**
 * When credentials are renewed; pure. ESC is opened again at 80 % of their life. After a failure the next try comes after a
 * pause that grows. Near the end a program that asks may have the next try begin at once, but it never waits for one: the SDKs
 * give up after one or two seconds.
 */

export interface Generation {
  /** Milliseconds since 1970: a machine that sleeps does not stop this clock. */
  readonly openedAt: number;
  readonly expiresAt: number;
}

export interface RenewalState {
  readonly generation: Generation;
  /** In a row. */
  readonly failures: number;
  /** When the last try ended; that of the generation, if none has failed. */
  readonly triedAt: number;
}

const RENEWED_AT = 0.8;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** Pauses are longer by up to this part, so that many programs do not ask ESC at the same time. */
const JITTER = 0.2;
const LAST_MS = 5 * 60_000;
const LAST_PART = 0.2;
/** The least time between tries that asks begin. */
const LEAST_PAUSE_MS = 10_000;

/** Returns the time of the next try. @param random from 0 to 1 */
export function nextTry({ generation, failures, triedAt }: RenewalState, random: number): number {
  if (failures > 0) {
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 20), LONGEST_PAUSE_MS);
    return triedAt + pause * (1 + JITTER * random);
  }
  // Credentials that have already expired when they come must not make a loop.
  return Math.max(renewalOf(generation), triedAt + FIRST_PAUSE_MS);
}

/** Returns the time at which credentials are renewed, if nothing fails. */
export function renewalOf({ openedAt, expiresAt }: Generation): number {
  return openedAt + (expiresAt - openedAt) * RENEWED_AT;
}

/** Returns true if an ask may begin a try: in the last five minutes, or the last fifth of the life, whichever is shorter. */
export function mayTryNow({ generation, triedAt }: RenewalState, now: number): boolean {
  const { openedAt, expiresAt } = generation;
  const last = Math.min(LAST_MS, (expiresAt - openedAt) * LAST_PART);
  return now >= expiresAt - last && now >= triedAt + Math.min(LEAST_PAUSE_MS, Math.max(last / 4, FIRST_PAUSE_MS));
}
