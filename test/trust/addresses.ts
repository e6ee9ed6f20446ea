/**
 * Names of variables that hold addresses of services to which a program sends keys, for tests of src/trust and of
 * starts.
 */
import { ADDRESS_NAMES, SERVICES } from "../../src/trust/key-addresses.ts";

/** A variable for the address of each service, and the variables for addresses with other names. */
export const KEY_ADDRESSES: readonly string[] = [
  ...Array.from(SERVICES.keys(), (service) => `${service}_BASE_URL`),
  ...ADDRESS_NAMES,
  "AWS_ENDPOINT_URL",
  "AWS_ENDPOINT_URL_S3",
  "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE",
];
