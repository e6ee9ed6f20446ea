/** The values of the Sophia contract, as ESC has them. */
import { secret } from "../esc-server/index.ts";
import { CONTRACT_VALUES } from "./sophia.ts";

const { QDRANT_URL, ...secrets } = CONTRACT_VALUES;

/** The values of an ESC environment with CONTRACT_VALUES. All are secrets but the URL. */
export const ESC_VALUES = {
  ...Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, secret(value)])),
  QDRANT_URL,
};
