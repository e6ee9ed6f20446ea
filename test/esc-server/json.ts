/** A fragment of JSON text that is written as it stands, so that `1.0` and integers of any length keep every digit. */
export class RawJson {
  readonly text: string;

  /** @throws SyntaxError when `text` is not JSON: a server that writes broken JSON by accident tests nothing. */
  constructor(text: string) {
    JSON.parse(text);
    this.text = text;
  }
}

/** A value that {@link writeJson} can write. Undefined entries of objects are omitted. */
export type Json =
  | null
  | boolean
  | number
  | string
  | RawJson
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** JSON text of `value`, with the text of each {@link RawJson} untouched. */
export function writeJson(value: Json): string {
  if (value instanceof RawJson) return value.text;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isList(value)) return `[${value.map(writeJson).join(",")}]`;
  const entries: string[] = [];
  for (const [key, entry] of Object.entries(value)) {
    if (entry !== undefined) entries.push(`${JSON.stringify(key)}:${writeJson(entry)}`);
  }
  return `{${entries.join(",")}}`;
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}

/** The object that `text` holds, or `undefined` when it is not JSON or not an object. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value));
}
