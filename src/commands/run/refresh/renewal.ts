/**
 * When credentials are renewed; pure. ESC is opened again at 80 % of the shortest life. After a failure the next try comes after
 * a pause that grows. Near the end a program that asks may have the next try begin at once, but it never waits for one: the SDKs
 * give up after one or two seconds.
 */

/** The life of credentials, in milliseconds of one clock (`steady-clock.ts`). */
export interface Generation {
  readonly openedAt: number;
  readonly expiresAt: number;
  /** The time before the end at which long-lived credentials must have been renewed, since SDKs keep what they have read. */
  readonly leadMs?: number | undefined;
}

export interface RenewalState {
  readonly generation: Generation;
  /** In a row. */
  readonly failures: number;
  /** When the last try ended; that of the generation, if none has failed. */
  readonly triedAt: number;
  /** ESC was read, and gave the same credentials again. */
  readonly isSame?: boolean;
}

const RENEWED_AT = 0.8;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** Once credentials have expired that ESC gives again and again, it is not expected to have others soon. */
const LONGEST_PAUSE_FOR_SAME_MS = 15 * 60_000;
/** Pauses are longer by up to this part, so that many programs do not ask ESC at the same time. */
const JITTER = 0.2;
const LAST_MS = 5 * 60_000;
const LAST_PART = 0.2;
/** The least time between tries that asks begin. */
const LEAST_PAUSE_MS = 10_000;

/** azure-identity keeps what it has read from the file for ten minutes (Python) or five (Node.js). */
const AZURE_LEAD_MS = 15 * 60_000;

/** Returns the `leadMs` of the credentials of a cloud. */
export function leadOf(cloud: string): number | undefined {
  return cloud === "azure" ? AZURE_LEAD_MS : undefined;
}

/** Returns the time of the next try. @param random from 0 to 1 */
export function nextTry(state: RenewalState, random: number): number {
  const { generation, failures, triedAt, isSame = false } = state;
  if (failures > 0) {
    const hasExpired = triedAt >= generation.expiresAt;
    const longest = isSame && hasExpired ? LONGEST_PAUSE_FOR_SAME_MS : LONGEST_PAUSE_MS;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 20), longest);
    return triedAt + pause * (1 + JITTER * random);
  }
  // Credentials that have already expired when they come must not make a loop.
  return Math.max(renewalOf(generation), triedAt + FIRST_PAUSE_MS);
}

/** Returns the time at which credentials are renewed, if nothing fails. */
export function renewalOf({ openedAt, expiresAt, leadMs = 0 }: Generation): number {
  const life = expiresAt - openedAt;
  const usual = openedAt + life * RENEWED_AT;
  // If they live shorter, the lead would leave little or nothing.
  return life >= 2 * leadMs ? Math.min(usual, expiresAt - leadMs) : usual;
}

/** Returns true if an ask may begin a try: in the last five minutes, or the last fifth of the life, whichever is shorter. */
export function mayTryNow({ generation, triedAt }: RenewalState, now: number): boolean {
  const { openedAt, expiresAt } = generation;
  const last = Math.min(LAST_MS, (expiresAt - openedAt) * LAST_PART);
  return now >= expiresAt - last && now >= triedAt + Math.min(LEAST_PAUSE_MS, Math.max(last / 4, FIRST_PAUSE_MS));
}

/** Returns true if credentials should be new by now: a failure to renew them is one of theirs. */
export function isDue(state: RenewalState, now: number): boolean {
  return state.failures > 0 || now >= renewalOf(state.generation) || mayTryNow(state, now);
}
