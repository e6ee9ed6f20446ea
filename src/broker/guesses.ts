/**
 * Counts the wrong keys that each client address sends, for a broker that other machines can reach. A guess is a request whose
 * credentials are no key of this run. receive.ts delays the answer to a guess, and refuses an address that has sent many for a while.
 * This file reads no clock: the caller passes the time to each function.
 */

/** The delay of the answer to a guess. */
export const GUESS_DELAY_MS = 250;
/** An address that sends this many guesses within `PERIOD_MS` is refused for the same time. */
export const MAX_GUESSES = 100;
/** The period in which guesses are counted, and for which an address is refused. */
const PERIOD_MS = 60_000;
/** Limits the memory. Beyond it, the address whose latest guess is the oldest is forgotten. */
const MAX_ADDRESSES = 1000;

/** An address that has sent guesses. All times are in ms, of one clock that the caller chooses. */
interface GuessingAddress {
  /** The times of its guesses in the last period. */
  readonly times: readonly number[];
  readonly refusedUntil: number;
}

export class GuessCounter {
  /** The addresses that have sent guesses. The address with the latest guess is the last entry. */
  readonly #addresses = new Map<string, GuessingAddress>();
  /** The time of the latest report to the user. */
  #lastReportTime = -PERIOD_MS;

  /** Returns true if requests of an address are refused now. */
  isRefused(address: string, now: number): boolean {
    return (this.#addresses.get(address)?.refusedUntil ?? now) > now;
  }

  /** Counts a guess. @returns true if the user should be warned now that the address is refused: at most once in a period */
  countGuess(address: string, now: number): boolean {
    const { times = [] } = this.#addresses.get(address) ?? {};
    const recentTimes = [...times.filter((time) => time > now - PERIOD_MS), now];
    const hasReachedLimit = recentTimes.length >= MAX_GUESSES;
    this.#addresses.delete(address);
    this.#addresses.set(
      address,
      hasReachedLimit ? { times: [], refusedUntil: now + PERIOD_MS } : { times: recentTimes, refusedUntil: now },
    );
    const [oldestAddress] = this.#addresses.keys();
    if (this.#addresses.size > MAX_ADDRESSES && oldestAddress !== undefined) this.#addresses.delete(oldestAddress);
    if (!hasReachedLimit || now - this.#lastReportTime < PERIOD_MS) return false;
    this.#lastReportTime = now;
    return true;
  }
}
