import {
  type Decision,
  decide,
  openBudget,
  readBudget,
  type Situation,
  type Trouble,
} from "../../src/esc/transport/retry.ts";

/** A retry policy: that of src/esc/transport/retry.ts, or one to compare it with. */
export type Policy = (trouble: Trouble, situation: Situation, random: number) => Decision;

export interface Herd {
  readonly clients: number;
  /** Milliseconds over which they start. */
  readonly startsWithinMs: number;
  readonly deadlineMs: number;
  /** Milliseconds from a request to its answer. */
  readonly latencyMs: number;
  /** The rate of the service: a token bucket over all requests. */
  readonly perSecond: number;
  readonly burst: number;
  /** Seconds that the service asks refused clients to wait. */
  readonly retryAfterSeconds?: number;
  readonly policy?: Policy;
}

export interface Outcome {
  /** Clients that read their environment; the others use emergency access. */
  readonly read: number;
  /** The time at which each client can start its program, in milliseconds, sorted. */
  readonly starts: readonly number[];
  /** The arrival of each request at the service. */
  readonly arrivals: readonly number[];
  readonly refused: number;
}

interface Client {
  readonly endMs: number;
  step: "open" | "read";
  retries: number;
}

/** Simulates a herd. The same seed gives the same outcome. */
export function simulate(herd: Herd, seed: number): Outcome {
  const random = generator(seed);
  const queue = new Queue<Client>();
  for (let index = 0; index < herd.clients; index += 1) {
    const start = random() * herd.startsWithinMs;
    queue.push(start, { endMs: start + herd.deadlineMs, step: "open", retries: 0 });
  }
  const admit = tokenBucket(herd);
  const policy = herd.policy ?? decide;
  const starts: number[] = [];
  const arrivals: number[] = [];
  let read = 0;
  let refused = 0;
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { at, item: client } = next;
    arrivals.push(at);
    const answered = at + herd.latencyMs;
    if (admit(at)) {
      if (client.step === "open") queue.push(answered, { ...client, step: "read", retries: 0 });
      else {
        read += 1;
        starts.push(answered);
      }
      continue;
    }
    refused += 1;
    const trouble: Trouble = {
      kind: "rate-limit",
      ...(herd.retryAfterSeconds === undefined ? {} : { retryAfterMs: herd.retryAfterSeconds * 1000 }),
    };
    const { maxRetries } = client.step === "open" ? openBudget() : readBudget();
    const remainingMs = Math.max(0, client.endMs - answered);
    const decision = policy(trouble, { retries: client.retries, maxRetries, remainingMs }, random());
    if (typeof decision === "string") starts.push(answered);
    else queue.push(answered + decision, { ...client, retries: client.retries + 1 });
  }
  return { read, starts: starts.toSorted((a, b) => a - b), arrivals, refused };
}

function tokenBucket({ perSecond, burst }: Herd): (at: number) => boolean {
  let tokens = burst;
  let last = 0;
  return (at) => {
    tokens = Math.min(burst, tokens + ((at - last) * perSecond) / 1000);
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
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
