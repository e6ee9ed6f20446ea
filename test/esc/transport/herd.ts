/**
 * A thousand starts at once against a service with a rate limit, on a virtual clock. Each opens an ESC environment and reads it,
 * and retries as src/esc/transport/retry.ts decides.
 */
import { decideRetry, createOpenBudget, createReadBudget, type FaultClass } from "../../../src/esc/transport/retry.ts";

const CLIENTS = 1000;
/** Milliseconds over which they start. */
const STARTS_WITHIN_MS = 200;
const DEADLINE_MS = 30_000;
/** Milliseconds from a request to its answer. */
const LATENCY_MS = 50;
const SEED = 1;

export interface HerdResult {
  /** Clients that read their environment; the others use emergency access. */
  readonly read: number;
  /** The time at which each client can start its program, in milliseconds, sorted. */
  readonly starts: readonly number[];
  /** The arrival of each request at the service. */
  readonly arrivals: readonly number[];
}

interface Client {
  readonly endMs: number;
  step: "open" | "read";
  retries: number;
}

/**
 * Simulates them. The outcome is the same each time.
 * @param perSecond the rate of the service: a token bucket over all requests, which holds those of one second
 * @param retryAfterSeconds what the service asks refused clients to wait
 */
export function simulateHerd(perSecond: number, retryAfterSeconds?: number): HerdResult {
  const random = createGenerator(SEED);
  const queue = new Queue<Client>();
  for (let index = 0; index < CLIENTS; index += 1) {
    const start = random() * STARTS_WITHIN_MS;
    queue.push(start, { endMs: start + DEADLINE_MS, step: "open", retries: 0 });
  }
  const trouble: FaultClass = {
    kind: "rate-limit",
    ...(retryAfterSeconds === undefined ? {} : { retryAfterMs: retryAfterSeconds * 1000 }),
  };
  const admit = tokenBucket(perSecond);
  const starts: number[] = [];
  const arrivals: number[] = [];
  let read = 0;
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { at, item: client } = next;
    arrivals.push(at);
    const answered = at + LATENCY_MS;
    if (admit(at)) {
      if (client.step === "open") queue.push(answered, { ...client, step: "read", retries: 0 });
      else {
        read += 1;
        starts.push(answered);
      }
      continue;
    }
    const { maxRetries } = client.step === "open" ? createOpenBudget() : createReadBudget();
    const remainingMs = Math.max(0, client.endMs - answered);
    const decision = decideRetry(trouble, { retries: client.retries, maxRetries, remainingMs }, random());
    if (typeof decision === "string") starts.push(answered);
    else queue.push(answered + decision, { ...client, retries: client.retries + 1 });
  }
  return { read, starts: starts.toSorted((a, b) => a - b), arrivals };
}

function tokenBucket(perSecond: number): (at: number) => boolean {
  let tokens = perSecond;
  let last = 0;
  return (at) => {
    tokens = Math.min(perSecond, tokens + ((at - last) * perSecond) / 1000);
    last = at;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}

/** Events by their time, the earliest first: a binary heap. */
class Queue<T> {
  readonly #heap: { readonly at: number; readonly item: T }[] = [];

  push(at: number, item: T): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push({ at, item });
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#at(parent) <= at) break;
      this.#swap(index, parent);
      index = parent;
    }
  }

  pop(): { readonly at: number; readonly item: T } | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let index = 0; ;) {
      let least = index;
      for (const child of [2 * index + 1, 2 * index + 2]) if (this.#at(child) < this.#at(least)) least = child;
      if (least === index) return first;
      this.#swap(index, least);
      index = least;
    }
  }

  #at(index: number): number {
    return this.#heap[index]?.at ?? Infinity;
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (first === undefined || second === undefined) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}

/** Pseudo-random numbers from 0 to 1 (mulberry32, in the public domain). */
function createGenerator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
