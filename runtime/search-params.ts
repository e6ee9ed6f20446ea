/** URLSearchParams (WHATWG). */
import { codedError, invalidType } from "./errors.ts";
import { natives } from "./native.ts";

const native = natives<{ readonly parseQuery: (text: string) => string[] }>();

type Pair = readonly [name: string, value: string];

/** Returns the pairs of a query, with or without its question mark. */
export function listOf(query: string): Pair[] {
  const flat = native.parseQuery(query);
  return Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index] ?? "", flat[2 * index + 1] ?? ""]);
}

/** The form of application/x-www-form-urlencoded. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(/[!'()~]|%20/g, (one) =>
    one === "%20" ? "+" : `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function pairsOf(source: unknown): Pair[] {
  if (typeof source === "object" && source !== null) {
    if (!(Symbol.iterator in source)) return Object.entries(source).map(([name, value]) => pair(name, value));
    return Array.from(iterableOf(source, "ERR_ARG_NOT_ITERABLE", "Query pairs must be iterable"), (one) => {
      const parts = Array.from(iterableOf(one, "ERR_INVALID_TUPLE", TUPLE));
      if (parts.length !== 2) throw codedError("ERR_INVALID_TUPLE", TUPLE, TypeError);
      return pair(parts[0], parts[1]);
    });
  }
  return listOf(String(source));
}

const TUPLE = "Each query pair must be an iterable [name, value] tuple";

function iterableOf(value: unknown, code: string, message: string): Iterable<unknown> {
  const isIterable = typeof value === "object" && value !== null && Symbol.iterator in value;
  if (!isIterable || typeof value[Symbol.iterator] !== "function") throw codedError(code, message, TypeError);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has the method
  return value as Iterable<unknown>;
}

function pair(name: unknown, value: unknown): Pair {
  return [String(name).toWellFormed(), String(value).toWellFormed()];
}

export class URLSearchParams implements Iterable<Pair> {
  #pairs: Pair[];
  #changed: (text: string) => void = () => {};

  constructor(source?: unknown) {
    this.#pairs = source === undefined ? [] : source instanceof URLSearchParams ? Array.from(source) : pairsOf(source);
  }

  /** For the URL that it belongs to. */
  onChange(changed: (text: string) => void): void {
    this.#changed = changed;
  }

  replaceAll(pairs: Pair[]): void {
    this.#pairs = pairs;
  }

  #set(pairs: Pair[]): void {
    this.#pairs = pairs;
    this.#changed(this.toString());
  }

  get size(): number {
    return this.#pairs.length;
  }

  append(name: unknown, value: unknown): void {
    this.#set([...this.#pairs, pair(name, value)]);
  }

  delete(name: unknown, value?: unknown): void {
    const [sought, wanted] = pair(name, value);
    this.#set(this.#pairs.filter(([one, other]) => one !== sought || (value !== undefined && other !== wanted)));
  }

  get(name: unknown): string | null {
    const [sought] = pair(name, "");
    return this.#pairs.find(([one]) => one === sought)?.[1] ?? null;
  }

  getAll(name: unknown): string[] {
    const [sought] = pair(name, "");
    return this.#pairs.flatMap(([one, value]) => (one === sought ? [value] : []));
  }

  has(name: unknown, value?: unknown): boolean {
    const [sought, wanted] = pair(name, value);
    return this.#pairs.some(([one, other]) => one === sought && (value === undefined || other === wanted));
  }

  set(name: unknown, value: unknown): void {
    const added = pair(name, value);
    const index = this.#pairs.findIndex(([one]) => one === added[0]);
    if (index === -1) return this.#set([...this.#pairs, added]);
    return this.#set([
      ...this.#pairs.slice(0, index),
      added,
      ...this.#pairs.slice(index + 1).filter(([one]) => one !== added[0]),
    ]);
  }

  /** By code units of the names; equal ones keep their order. */
  sort(): void {
    this.#set(this.#pairs.toSorted(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0)));
  }

  forEach(callback: (value: string, name: string, all: URLSearchParams) => void, receiver?: unknown): void {
    if (typeof callback !== "function") throw invalidType("callback", "of type function", callback);
    for (const [name, value] of this) callback.call(receiver, value, name, this);
  }

  *entries(): IterableIterator<Pair> {
    for (let index = 0; index < this.#pairs.length; index++) {
      const found = this.#pairs[index];
      if (found !== undefined) yield [found[0], found[1]];
    }
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this) yield name;
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this) yield value;
  }

  [Symbol.iterator](): IterableIterator<Pair> {
    return this.entries();
  }

  toString(): string {
    return this.#pairs.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join("&");
  }
}
