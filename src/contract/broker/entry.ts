import type { Declaration } from "../model.ts";
import type { BrokerEntry } from "./model.ts";
import { PROVIDERS } from "./providers.ts";

/** @returns undefined for a key that is never brokered */
export function brokerEntryOf({ name }: Declaration): BrokerEntry | undefined {
  return Object.hasOwn(PROVIDERS, name) ? {} : undefined;
}
