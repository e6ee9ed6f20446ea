/**
 * Writes and parses the content of an entry of the cache, which is encrypted as this JSON:
 *
 *     {"readAt":1796000000000,"environments":[{"name":"acme/sophia/dev"}],"layers":[{"source":"esc","variables":[…]}]}
 */
import type { Layer } from "../../core/model.ts";
import type { EscEnvironment } from "../esc-failure.ts";

/** The values that ESC returned, as the cache stores them. */
export interface CacheContent {
  /** The time at which the reading of ESC began, in milliseconds since 1970. */
  readonly readAt: number;
  /** The time at which credentials among the values may expire, in milliseconds since 1970; absent if there are none. */
  readonly until?: number;
  readonly environments: readonly EscEnvironment[];
  readonly layers: readonly Layer[];
}

/** Returns the JSON of an entry. */
export function contentText({ readAt, until, environments, layers }: CacheContent): string {
  return JSON.stringify({ readAt, until, environments, layers });
}

/** Parses the text that {@link contentText} returned. @returns undefined for any other text, such as that of another version */
export function parseContent(text: string): CacheContent | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isContent(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Checks the fields that the reader uses, because another version of sophia-run may have written the entry. */
function isContent(value: unknown): value is CacheContent {
  if (!isObject(value)) return false;
  const { readAt, until, environments, layers } = value;
  return (
    typeof readAt === "number" &&
    (until === undefined || typeof until === "number") &&
    isListOf(environments, (environment) => typeof environment["name"] === "string") &&
    isListOf(layers, ({ source, variables }) => source === "esc" && isListOf(variables, isVariable))
  );
}

function isVariable({ name, value, secret, origin, delivery }: Fields): boolean {
  return (
    typeof name === "string" &&
    typeof value === "string" &&
    typeof secret === "boolean" &&
    (delivery === "value" || delivery === "file") &&
    isObject(origin) &&
    origin["source"] === "esc" &&
    typeof origin["environment"] === "string"
  );
}

/** A JSON object whose fields were not checked yet. */
type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOf(value: unknown, isItem: (item: Fields) => boolean): boolean {
  return Array.isArray(value) && value.every((item) => isObject(item) && isItem(item));
}
