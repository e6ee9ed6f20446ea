/**
 * Computes when the credentials and files of a program are renewed (`--refresh`). renewer.ts calls it. A try opens ESC again:
 *
 *     opened                                    80 % of the lifetime          expires
 *     |-----------------------------------------|-----------------------------|
 *                                               first try; after a failure further ones, with growing pauses
 *
 * Near the end, an SDK that asks for credentials may begin a try at once, in spite of the pause. The SDK does not wait for the
 * result, since SDKs give up after one or two seconds.
 */

/** The lifetime of credentials or files, in milliseconds of one clock (`steady-clock.ts`). */
export interface Lifetime {
  readonly openedAt: number;
  readonly expiresAt: number;
  /** The time before the end at which they must have been renewed, because SDKs cache what they have read. */
  readonly leadMs?: number | undefined;
}

export interface RenewalState {
  readonly lifetime: Lifetime;
  /** The number of tries that failed since the last success. */
  readonly failures: number;
  /** The time at which the last try ended; if none has failed, the time at which the lifetime was recorded. */
  readonly triedAt: number;
  /** True if the last try failed because ESC gave the same credentials again. */
  readonly hasSameCredentials?: boolean;
}

/** The part of a lifetime after which the first try begins. */
const RENEWAL_PART = 0.8;
/** The pause after the first failure. It doubles after each further failure. */
const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 60_000;
/** The limit of the exponent, so that the pause after any number of failures is a finite number. */
const MAX_DOUBLINGS = 20;
/** The longest pause if ESC returns the same credentials even after they have expired: it will hardly have others soon. */
const MAX_PAUSE_FOR_SAME_MS = 15 * 60_000;
/** A pause is extended by a random part of its length, up to this part, so that many programs do not all ask ESC at once. */
const MAX_JITTER = 0.2;
/** Requests of SDKs may begin a try in the last five minutes, or in the last fifth of a shorter lifetime. */
const FINAL_MS = 5 * 60_000;
const FINAL_PART = 0.2;
/** The shortest time between tries that requests of SDKs begin. */
const MIN_TRY_INTERVAL_MS = 10_000;

/** Returns the time of the next try. @param random a random number from 0 to 1 */
export function computeNextTry(state: RenewalState, random: number): number {
  const { lifetime, failures, triedAt, hasSameCredentials = false } = state;
  if (failures === 0) {
    // Without the pause, credentials that have already expired when ESC returns them would be renewed in a busy loop.
    return Math.max(computeFirstTry(lifetime), triedAt + FIRST_PAUSE_MS);
  }
  const hasExpired = triedAt >= lifetime.expiresAt;
  const maxPauseMs = hasSameCredentials && hasExpired ? MAX_PAUSE_FOR_SAME_MS : MAX_PAUSE_MS;
  const doubledMs = FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, MAX_DOUBLINGS);
  return triedAt + Math.min(doubledMs, maxPauseMs) * (1 + MAX_JITTER * random);
}

/** Returns the time of the first try for a lifetime. */
export function computeFirstTry({ openedAt, expiresAt, leadMs = 0 }: Lifetime): number {
  const lifeMs = expiresAt - openedAt;
  const usualRenewal = openedAt + lifeMs * RENEWAL_PART;
  // In a shorter lifetime the lead would put the first try into the first half of the lifetime, or before it.
  const hasRoomForLead = lifeMs >= 2 * leadMs;
  return hasRoomForLead ? Math.min(usualRenewal, expiresAt - leadMs) : usualRenewal;
}

/** Returns true if the request of an SDK may begin a try now, because the end is near and the last try long enough ago. */
export function mayTryNow({ lifetime, triedAt }: RenewalState, now: number): boolean {
  const { openedAt, expiresAt } = lifetime;
  const finalMs = Math.min(FINAL_MS, (expiresAt - openedAt) * FINAL_PART);
  // Even a short lifetime must have time for several tries.
  const intervalMs = Math.min(MIN_TRY_INTERVAL_MS, Math.max(finalMs / 4, FIRST_PAUSE_MS));
  return now >= expiresAt - finalMs && now >= triedAt + intervalMs;
}

/** Returns true if something should have been renewed by now. Only then does a failure of ESC concern it. */
export function isDue(state: RenewalState, now: number): boolean {
  return state.failures > 0 || now >= computeFirstTry(state.lifetime) || mayTryNow(state, now);
}
