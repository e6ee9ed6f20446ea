/** The part of a broker's entry that follows from the probe of the variable; pure. */
import { parseUrl } from "../../core/url.ts";
import type { ProbeEntry } from "../generated/document.ts";
import { type Slot, isReserved, slotOf } from "./broker-model.ts";

export interface Probed {
  /** An origin, or `${NAME}` of the variable that holds the address; absent without a request. */
  readonly upstream?: string;
  /** Empty if no header has the key, alone or behind a scheme. */
  readonly slots: readonly Slot[];
}

/** @param name of the variable */
export function readProbe(name: string, probe: ProbeEntry | undefined): Probed {
  // `postgresql` is no request.
  if (typeof probe !== "object") return { slots: [] };
  const slots = Object.entries(probe.headers ?? {}).flatMap(([header, value]) => slotsIn(name, header, value));
  const upstream = originIn(probe.url);
  return upstream === undefined ? { slots } : { upstream, slots };
}

function originIn(url: string): string | undefined {
  const [variable] = /^\$\{[^{}]*\}/.exec(url) ?? [];
  if (variable !== undefined) return variable;
  const [origin = ""] = /^https?:\/\/[^/?#]+/.exec(url) ?? [];
  return originOf(origin);
}

/** Returns the origin as it is used. @returns undefined if the text is no address */
export function originOf(text: string): string | undefined {
  return parseUrl(text)?.origin;
}

/** A value with more in it, such as a second key, is no header that the broker can fill. */
function slotsIn(name: string, header: string, value: string): readonly Slot[] {
  const key = `\${${name}}`;
  if (isReserved(header) || !value.endsWith(key)) return [];
  const before = value.slice(0, -key.length);
  if (before === "") return [slotOf(header)];
  const [, scheme] = /^([A-Za-z][\w-]*) +$/.exec(before) ?? [];
  return scheme === undefined ? [] : [slotOf(`${header}: ${scheme}`)];
}
