/**
 * Loads the certificate authorities that connections trust: those of the runtime (Node.js, Bun or the executable for Linux), and
 * those of the files that SSL_CERT_FILE and NODE_EXTRA_CA_CERTS name. The files are in PEM:
 *
 *     -----BEGIN CERTIFICATE-----
 *     MIIFazCCA1OgAwIBAgIRAIIQz7DSQONZRGPgu2OCiwAwDQYJKoZIhvcNAQELBQAw
 *     -----END CERTIFICATE-----
 */
import { loader } from "../system/addon/addon.ts";
import { readNamedFile } from "../system/bounded-read.ts";
import { systemErrorCode } from "../system/errors.ts";
import { X509Certificate } from "node:crypto";
import * as tls from "node:tls";
import type { NetworkSettings } from "./network-settings.ts";

/** The limit on a file. The bundles of operating systems have about 250 kB. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Describes the errors of `readNamedFile` by their codes. */
const REFUSAL_WORDS: ReadonlyMap<string, string> = new Map([
  ["EISDIR", "is a folder"],
  ["NOT_A_FILE", "is a device or a socket"],
  ["TOO_LARGE", "is larger than 8 MiB"],
  ["NO_END", "is a pipe that did not end within 5 s"],
]);

/** The trusted authorities as a context for `tls.connect`, and warnings about files that are not used. */
export interface TrustedAuthorities {
  readonly context: tls.SecureContext;
  readonly warnings: readonly string[];
}

/** After this time the files are read again, because `--watch` may run for months, and the user may replace the files. */
const RELOAD_AFTER_MS = 10_000;

/** The results of `loadTrust`, with the time of `performance.now()` when each was loaded. */
const authoritiesBySettings = new WeakMap<
  NetworkSettings,
  { readonly trust: Promise<TrustedAuthorities>; readonly loadedAt: number }
>();

/**
 * Loads the certificates that the runtime has, and those that the user adds. Connections within 10 s share the result, because
 * OpenSSL parses each certificate again for each context. Like Node.js, this function ignores a file that cannot be used, and
 * warns of it.
 *
 * Node.js itself does not suffice: it reads `NODE_EXTRA_CA_CERTS` only at its start, and `SSL_CERT_FILE` only with the option
 * `--use-openssl-ca`.
 */
export function loadTrust(network: NetworkSettings): Promise<TrustedAuthorities> {
  const cached = authoritiesBySettings.get(network);
  if (cached !== undefined && performance.now() - cached.loadedAt < RELOAD_AFTER_MS) return cached.trust;
  const trust = readAuthorities(network);
  authoritiesBySettings.set(network, { trust, loadedAt: performance.now() });
  return trust;
}

async function readAuthorities(network: NetworkSettings): Promise<TrustedAuthorities> {
  const warnings: string[] = [];
  const addedPems: string[] = [];
  const addCertificates = async (variable: string, file: string | undefined): Promise<void> => {
    if (file === undefined) return;
    const read = await readCertificates(file);
    if ("pem" in read) addedPems.push(read.pem);
    else warnings.push(`${variable} is not used: ${file} ${read.faultReason}`);
  };
  // Newer versions of Node.js have getCACertificates. Its list includes NODE_EXTRA_CA_CERTS and the system's certificates.
  const runtime: {
    readonly rootCertificates: readonly string[];
    readonly getCACertificates?: (type: "default") => readonly string[];
  } = tls;
  await addCertificates("SSL_CERT_FILE", network.certificateFile);
  // If other certificates are added, the context below replaces the runtime's own, which has these certificates.
  if (!network.areExtraCertificatesLoaded || (addedPems.length > 0 && runtime.getCACertificates === undefined)) {
    await addCertificates("NODE_EXTRA_CA_CERTS", network.extraCertificateFile);
  }
  if (!network.isRuntimeTrusted) {
    return { context: createContext(() => runtime.rootCertificates, addedPems), warnings };
  }
  if (addedPems.length === 0) return { context: tls.createSecureContext(), warnings };
  const runtimePems = (): readonly string[] => runtime.getCACertificates?.("default") ?? runtime.rootCertificates;
  return { context: createContext(runtimePems, addedPems), warnings };
}

/**
 * Returns a context that trusts the runtime's certificates and the added ones.
 *
 * @param runtimePems returns the runtime's certificates. It is not called in the executable for Linux, whose C code adds to its
 *   own certificates
 */
function createContext(runtimePems: () => readonly string[], addedPems: readonly string[]): tls.SecureContext {
  if (loader?.contextTrusting !== undefined) return loader.contextTrusting(addedPems);
  const knownPems = runtimePems();
  return tls.createSecureContext({ ca: [...knownPems, ...removeKnownCertificates(addedPems, knownPems)] });
}

/** Removes certificates that the runtime already has, because OpenSSL would take long to parse them again. */
function removeKnownCertificates(addedPems: readonly string[], knownPems: readonly string[]): readonly string[] {
  const knownBodies = new Set(knownPems.map(extractPemBody));
  return addedPems.flatMap((pem) => {
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    // OpenSSL also reads blocks of other types, such as TRUSTED CERTIFICATE. A file with such a block is returned unchanged.
    if (blocks.length !== pem.split("-----BEGIN ").length - 1) return [pem];
    return blocks.filter((block) => !knownBodies.has(extractPemBody(block)));
  });
}

/** Returns the text of a certificate without spaces and line breaks, for comparisons. */
function extractPemBody(pem: string): string {
  return pem.replaceAll(/\s/g, "");
}

/** Reads a file of certificates. @returns its text, or why the file is not used, such as `is a folder` */
async function readCertificates(file: string): Promise<{ readonly pem: string } | { readonly faultReason: string }> {
  let pem: string;
  try {
    pem = (await readNamedFile(file, { maxBytes: MAX_BYTES })).toString("latin1");
  } catch (error) {
    const code = systemErrorCode(error) ?? "unknown";
    return { faultReason: REFUSAL_WORDS.get(code) ?? `cannot be read (${code})` };
  }
  try {
    // Checks the first certificate, because `ca` silently accepts a text without one.
    void new X509Certificate(pem);
  } catch {
    return { faultReason: "contains no PEM certificate" };
  }
  return { pem };
}
