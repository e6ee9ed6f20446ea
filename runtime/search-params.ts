/**
 * The class URLSearchParams of the executable's runtime (WHATWG URL). It is a global, modules/url.ts exports it, and the property
 * `searchParams` of a URL is an object of this class.
 */
import { codedError, invalidType } from "./errors.ts";
import { natives } from "./native.ts";

interface Natives {
  /** Returns the decoded names and values: alternately a name and a value. */
  readonly parseQuery: (text: string) => string[];
}

const native = natives<Natives>();

type Pair = readonly [name: string, value: string];

/** Returns the pairs of a query such as "?a=1&b=2". The question mark may be missing. */
export function parseQuery(query: string): Pair[] {
  const texts = native.parseQuery(query);
  return Array.from({ length: texts.length / 2 }, (_, index) => [texts[2 * index] ?? "", texts[2 * index + 1] ?? ""]);
}

/** Encodes a name or a value as application/x-www-form-urlencoded, which escapes more than encodeURIComponent does. */
function encodeText(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(/[!'()~]|%20/g, (match) =>
    match === "%20" ? "+" : `%${match.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Returns the pairs of a query, of a list of pairs, or of an object, whose properties are the pairs. */
function pairsOf(source: unknown): Pair[] {
  if (typeof source !== "object" || source === null) return parseQuery(String(source));
  if (!(Symbol.iterator in source)) return Object.entries(source).map(([name, value]) => toPair(name, value));
  return Array.from(checkIterable(source, "ERR_ARG_NOT_ITERABLE", "Query pairs must be iterable"), (element) => {
    const parts = Array.from(checkIterable(element, "ERR_INVALID_TUPLE", TUPLE_MESSAGE));
    if (parts.length !== 2) throw codedError("ERR_INVALID_TUPLE", TUPLE_MESSAGE, TypeError);
    return toPair(parts[0], parts[1]);
  });
}

const TUPLE_MESSAGE = "Each query pair must be an iterable [name, value] tuple";

/** Returns the value if it is iterable. @throws a TypeError with this code and message for anything else */
function checkIterable(value: unknown, code: string, message: string): Iterable<unknown> {
  const isIterable = typeof value === "object" && value !== null && Symbol.iterator in value;
  if (!isIterable || typeof value[Symbol.iterator] !== "function") throw codedError(code, message, TypeError);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has the method that the type requires
  return value as Iterable<unknown>;
}

/** Converts a name and a value to strings. As the standard requires, each unpaired surrogate becomes U+FFFD. */
function toPair(name: unknown, value: unknown): Pair {
  return [String(name).toWellFormed(), String(value).toWellFormed()];
}

export class URLSearchParams implements Iterable<Pair> {
  #pairs: Pair[];
  #onChange: (query: string) => void = () => {};

  constructor(source?: unknown) {
    this.#pairs = source === undefined ? [] : source instanceof URLSearchParams ? Array.from(source) : pairsOf(source);
  }

  /** Sets the function that is called after each change. The URL to which these parameters belong changes its query by it. */
  onChange(listener: (query: string) => void): void {
    this.#onChange = listener;
  }

  /** Replaces all pairs after the query of the URL has changed. It does not call the listener, which would change the URL again. */
  replaceAll(pairs: Pair[]): void {
    this.#pairs = pairs;
  }

  #change(pairs: Pair[]): void {
    this.#pairs = pairs;
    this.#onChange(this.toString());
  }

  get size(): number {
    return this.#pairs.length;
  }

  append(name: unknown, value: unknown): void {
    this.#change([...this.#pairs, toPair(name, value)]);
  }

  delete(name: unknown, value?: unknown): void {
    const [removedName, removedValue] = toPair(name, value);
    const isKept = ([pairName, pairValue]: Pair): boolean =>
      pairName !== removedName || (value !== undefined && pairValue !== removedValue);
    this.#change(this.#pairs.filter(isKept));
  }

  get(name: unknown): string | null {
    const [soughtName] = toPair(name, "");
    return this.#pairs.find(([pairName]) => pairName === soughtName)?.[1] ?? null;
  }

  getAll(name: unknown): string[] {
    const [soughtName] = toPair(name, "");
    return this.#pairs.flatMap(([pairName, value]) => (pairName === soughtName ? [value] : []));
  }

  has(name: unknown, value?: unknown): boolean {
    const [soughtName, soughtValue] = toPair(name, value);
    return this.#pairs.some(
      ([pairName, pairValue]) => pairName === soughtName && (value === undefined || pairValue === soughtValue),
    );
  }

  /** Replaces the first pair with this name, and removes the others; adds a pair if there is none. */
  set(name: unknown, value: unknown): void {
    const newPair = toPair(name, value);
    const [newName] = newPair;
    const index = this.#pairs.findIndex(([pairName]) => pairName === newName);
    if (index === -1) return this.#change([...this.#pairs, newPair]);
    const pairsBefore = this.#pairs.slice(0, index);
    const pairsAfter = this.#pairs.slice(index + 1).filter(([pairName]) => pairName !== newName);
    return this.#change([...pairsBefore, newPair, ...pairsAfter]);
  }

  /** Sorts by the code units of the names. Pairs with equal names keep their order. */
  sort(): void {
    this.#change(this.#pairs.toSorted(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)));
  }

  forEach(callback: (value: string, name: string, parameters: URLSearchParams) => void, receiver?: unknown): void {
    if (typeof callback !== "function") throw invalidType("callback", "of type function", callback);
    for (const [name, value] of this) callback.call(receiver, value, name, this);
  }

  *entries(): IterableIterator<Pair> {
    // By index, because pairs may be added or deleted during the iteration.
    for (let index = 0; index < this.#pairs.length; index++) {
      const pair = this.#pairs[index];
      if (pair !== undefined) yield [pair[0], pair[1]];
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
    return this.#pairs.map(([name, value]) => `${encodeText(name)}=${encodeText(value)}`).join("&");
  }
}
