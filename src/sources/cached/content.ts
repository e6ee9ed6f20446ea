import type { Layer } from "../../core/model.ts";
import type { EscEnvironment } from "../esc-failure.ts";

export interface Content {
  /** The start of the reading, in milliseconds since the epoch. */
  readonly readAt: number;
  /** The time when credentials in it may end. */
  readonly until?: number;
  readonly environments: readonly EscEnvironment[];
  readonly layers: readonly Layer[];
}

export function contentText({ readAt, until, environments, layers }: Content): string {
  return JSON.stringify({ readAt, until, environments, layers });
}

/** @returns undefined for a text of another form than that of {@link contentText} */
export function parseContent(text: string): Content | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isContent(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isContent(value: unknown): value is Content {
  if (!isObject(value)) return false;
  const { readAt, until, environments, layers } = value;
  return (
    typeof readAt === "number" &&
    (until === undefined || typeof until === "number") &&
    isListOf(environments, (one) => typeof one["name"] === "string") &&
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

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOf(value: unknown, is: (one: Fields) => boolean): boolean {
  return Array.isArray(value) && value.every((one) => isObject(one) && is(one));
}
