/** Reads parameters from the query of a request to the ESC server. */
import type { ApiRequest } from "../world.ts";

/** A positive integer of the query, `fallback` when it is absent, `undefined` (and a violation) when it is not a positive integer. */
export function positiveInteger(request: ApiRequest, name: string, fallback: number): number | undefined {
  const text = request.query.get(name);
  if (text === null) return fallback;
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  request.violate(`${request.operation}: ${name}=${text} is not a positive integer`);
  return undefined;
}
