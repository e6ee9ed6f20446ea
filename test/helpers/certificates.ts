/** Certificates for the tests of a file that talk TLS. */
import { afterAll, beforeAll } from "vitest";
import { type Certificates, makeCertificates } from "../esc-server/tls.ts";
import { missingCommand, skipBecause } from "./skip.ts";

/** The reason why no certificates can be made; undefined if they can. */
export const noCertificates: string | undefined = missingCommand("openssl");

/**
 * Makes certificates before the tests of the file that calls this function, and removes them after the tests. Without openssl the
 * tests of the file are skipped.
 *
 * @param names further DNS names and addresses of the certificates
 * @param prepare starts what the tests need besides, such as a server, and returns a function that ends it after the tests
 * @returns a function that returns the certificates once the tests have begun
 */
export function useCertificates(
  names: readonly string[] = [],
  prepare?: (certificates: Certificates) => Promise<() => Promise<void>>,
): () => Certificates {
  let certificates: Certificates | undefined;
  let end: (() => Promise<void>) | undefined;
  skipBecause(noCertificates);
  beforeAll(async () => {
    if (noCertificates !== undefined) return;
    certificates = await makeCertificates(names);
    end = await prepare?.(certificates);
  });
  afterAll(async () => {
    await end?.();
    await certificates?.remove();
  });
  return () => {
    if (certificates === undefined) throw new TypeError("the certificates are made before the first test");
    return certificates;
  };
}
