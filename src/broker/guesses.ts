/**
 * Requests with credentials that are no key of this run, at an address that other machines reach. The answer to each is late,
 * and an address that sends many is refused for a while; pure.
 */

/** How late the answer is, in ms. */
export const GUESS_MS = 250;
/** So many within the period, and the address is refused for as long. */
export const MOST_GUESSES = 100;
const PERIOD_MS = 60_000;
const MOST_ADDRESSES = 1000;

interface Peer {
  /** The times of its guesses in the last period, in ms. */
  readonly times: readonly number[];
  readonly refusedUntil: number;
}

export class Guesses {
  /** By address, the one that guessed last at the end. */
  readonly #peers = new Map<string, Peer>();
  #reportedAt = -PERIOD_MS;

  isRefused(address: string, now: number): boolean {
    return (this.#peers.get(address)?.refusedUntil ?? now) > now;
  }

  /** Counts a guess. @returns true if the user should hear now that the address is refused: once in a period */
  note(address: string, now: number): boolean {
    const { times = [] } = this.#peers.get(address) ?? {};
    const recent = [...times.filter((time) => time > now - PERIOD_MS), now];
    const isTooMany = recent.length >= MOST_GUESSES;
    this.#peers.delete(address);
    this.#peers.set(
      address,
      isTooMany ? { times: [], refusedUntil: now + PERIOD_MS } : { times: recent, refusedUntil: now },
    );
    const [oldest] = this.#peers.keys();
    if (this.#peers.size > MOST_ADDRESSES && oldest !== undefined) this.#peers.delete(oldest);
    if (!isTooMany || now - this.#reportedAt < PERIOD_MS) return false;
    this.#reportedAt = now;
    return true;
  }
}
