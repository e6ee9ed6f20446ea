/** The headers of a key as a contract writes them: `api-key`, or `Authorization: Bearer`; pure. */
import type { Slot } from "./model.ts";

/** Returns the slot of a text that has the form of the schema. */
export function slotOf(text: string): Slot {
  const [header = "", scheme] = text.toLowerCase().split(": ");
  return scheme === undefined ? { header } : { header, scheme };
}

/**
 * Headers of one connection or of the body, those that browsers set, and cookies, which hold more than a key. The broker drops,
 * replaces or refuses them.
 */
const RESERVED =
  /^(?:host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|http2-settings|expect|origin|referer|(?:set-)?cookie2?|(?:content|proxy|sec)-.*)$/i;

/** Returns true if no key may stand in a header of this name. */
export function isReserved(header: string): boolean {
  return RESERVED.test(header);
}
