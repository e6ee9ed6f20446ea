import { secret } from "../esc-server/index.ts";
import { CONTRACT_VALUES } from "./sophia.ts";

const { QDRANT_URL, ...secrets } = CONTRACT_VALUES;

/** CONTRACT_VALUES as an environment of ESC has them: all of them are secrets but the URL. */
export const ESC_VALUES = {
  ...Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, secret(value)])),
  QDRANT_URL,
};
