import { ADDRESS_NAMES, SERVICES } from "../../src/trust/key-addresses.ts";

/** An address of each service, and those that have a name of their own. */
export const KEY_ADDRESSES: readonly string[] = [
  ...Array.from(SERVICES.keys(), (service) => `${service}_BASE_URL`),
  ...ADDRESS_NAMES,
  "AWS_ENDPOINT_URL",
  "AWS_ENDPOINT_URL_S3",
  "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE",
];
