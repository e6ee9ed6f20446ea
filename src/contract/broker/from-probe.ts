/**
 * Derives where a key goes from the probe of its variable, so that the contract need not say it twice; pure. This probe
 * yields the origin `https://api.example.com` and the header `Authorization: Bearer`:
 *
 *     "probe": { "url": "https://api.example.com/me", "headers": { "Authorization": "Bearer ${EXAMPLE_KEY}" } }
 */
import { parseUrl } from "../../core/url.ts";
import type { ProbeEntry } from "../generated/document.ts";
import { type Slot, isReserved, slotOf } from "./broker-model.ts";

/** The origin and the headers of a key, as far as its probe has them. */
export interface ProbedKey {
  /** An origin, or `${NAME}` of the variable that holds the address; absent if the probe sends no HTTP request. */
  readonly upstream?: string;
  /** Empty if no header of the probe has the key, alone or behind a scheme. */
  readonly slots: readonly Slot[];
}

/** Derives what a probe says about the key in a variable. @param name the name of the variable */
export function deriveFromProbe(name: string, probe: ProbeEntry | undefined): ProbedKey {
  // The other form of a probe, `"postgresql"`, sends no HTTP request.
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

/** Returns the origin in its normal form. @returns undefined if the text is no URL */
export function originOf(text: string): string | undefined {
  return parseUrl(text)?.origin;
}

/** Returns the slot of a header. There is none if the value has more than a scheme and the key: the broker cannot fill it. */
function slotsIn(name: string, header: string, value: string): readonly Slot[] {
  const keyReference = `\${${name}}`;
  if (isReserved(header) || !value.endsWith(keyReference)) return [];
  const before = value.slice(0, -keyReference.length);
  if (before === "") return [slotOf(header)];
  const [, scheme] = /^([A-Za-z][\w-]*) +$/.exec(before) ?? [];
  return scheme === undefined ? [] : [slotOf(`${header}: ${scheme}`)];
}
