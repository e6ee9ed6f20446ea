/**
 * Derives the service of a key, and the headers for the key, from the probe of the variable. So a contract with a probe
 * need not repeat them in a `broker` member. This probe yields the origin `https://api.example.com` and the header
 * `Authorization: Bearer`:
 *
 *     "probe": { "url": "https://api.example.com/me", "headers": { "Authorization": "Bearer ${EXAMPLE_KEY}" } }
 */
import { parseUrl } from "../../core/url.ts";
import type { ProbeEntry } from "../generated/document.ts";
import { type Slot, isReservedHeader, parseSlot } from "./broker-model.ts";

/** The facts about a key that its probe shows. */
export interface ProbedKey {
  /** An origin, or `${NAME}` of the variable that holds the address; absent if the probe sends no HTTP request. */
  readonly upstream?: string;
  /** The headers in which the probe sends the key; empty if the key is elsewhere, such as in the URL. */
  readonly slots: readonly Slot[];
}

/** Derives the origin and the headers of a key. @param name the variable of the key */
export function deriveFromProbe(name: string, probe: ProbeEntry | undefined): ProbedKey {
  // The only other probe, `"postgresql"`, sends no HTTP request.
  if (typeof probe !== "object") return { slots: [] };
  const slots = Object.entries(probe.headers ?? {}).flatMap(([header, value]) => findSlots(name, header, value));
  const upstream = findUpstream(probe.url);
  return upstream === undefined ? { slots } : { upstream, slots };
}

/** Returns the origin of a URL, or the reference `${NAME}` with which it begins; undefined for any other text. */
function findUpstream(url: string): string | undefined {
  const [variable] = /^\$\{[^{}]*\}/.exec(url) ?? [];
  if (variable !== undefined) return variable;
  const [origin = ""] = /^https?:\/\/[^/?#]+/.exec(url) ?? [];
  return parseOrigin(origin);
}

/** Returns the origin of a URL in its normal form; undefined if the text is not a URL. */
export function parseOrigin(text: string): string | undefined {
  return parseUrl(text)?.origin;
}

/**
 * Returns a header as a list of one slot. The list is empty if the value is not the key alone, or the key after a
 * scheme.
 */
function findSlots(name: string, header: string, value: string): readonly Slot[] {
  const keyReference = `\${${name}}`;
  if (isReservedHeader(header) || !value.endsWith(keyReference)) return [];
  const textBeforeKey = value.slice(0, -keyReference.length);
  if (textBeforeKey === "") return [parseSlot(header)];
  const [, scheme] = /^([A-Za-z][\w-]*) +$/.exec(textBeforeKey) ?? [];
  return scheme === undefined ? [] : [parseSlot(`${header}: ${scheme}`)];
}
