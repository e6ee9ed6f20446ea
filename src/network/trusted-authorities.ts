/**
 * The certificate authorities that connections trust: the runtime's own, and those of SSL_CERT_FILE and NODE_EXTRA_CA_CERTS.
 * The files are in PEM: `-----BEGIN CERTIFICATE-----`, base64, `-----END CERTIFICATE-----`.
 */
import { loader } from "../system/addon/addon.ts";
import { readNamed } from "../system/bounded-read.ts";
import { systemErrorCode } from "../system/errors.ts";
import { X509Certificate } from "node:crypto";
import * as tls from "node:tls";
import type { NetworkSettings } from "./network-settings.ts";

const MAX_BYTES = 8 * 1024 * 1024;

const REFUSAL_WORDS: ReadonlyMap<string, string> = new Map([
  ["EISDIR", "is a folder"],
  ["NOT_A_FILE", "is a device or a socket"],
  ["TOO_LARGE", "is larger than 8 MiB"],
  ["NO_END", "is a pipe that did not end within 5 s"],
]);

/** A context for `tls.connect`, and warnings about files that are not used. */
export interface Trust {
  readonly context: tls.SecureContext;
  readonly remarks: readonly string[];
}

/** The age at which the files are read again. `--watch` runs for months, and the user may replace them. */
const RELOAD_MS = 10_000;

const trustBySettings = new WeakMap<NetworkSettings, { readonly trust: Promise<Trust>; readonly time: number }>();

/**
 * Loads the certificates that the runtime has, and those that the user adds. Connections within 10 s share the result, because
 * OpenSSL parses each certificate again for each context. A file that cannot be used is left out with a remark, as by Node.js.
 *
 * Node.js itself reads `NODE_EXTRA_CA_CERTS` at its start, and only for its default trust. It reads `SSL_CERT_FILE` only with
 * `--use-openssl-ca`.
 */
export function loadTrust(network: NetworkSettings): Promise<Trust> {
  const recent = trustBySettings.get(network);
  if (recent !== undefined && performance.now() - recent.time < RELOAD_MS) return recent.trust;
  const trust = readTrust(network);
  trustBySettings.set(network, { trust, time: performance.now() });
  return trust;
}

async function readTrust(network: NetworkSettings): Promise<Trust> {
  const remarks: string[] = [];
  const addedPems: string[] = [];
  const add = async (variable: string, file: string | undefined): Promise<void> => {
    if (file === undefined) return;
    const read = await readCertificates(file);
    if ("pem" in read) addedPems.push(read.pem);
    else remarks.push(`${variable} is not used: ${file} ${read.why}`);
  };
  // Newer runtimes list their default trust by this function. It includes NODE_EXTRA_CA_CERTS and the system's store.
  const runtime: {
    readonly rootCertificates: readonly string[];
    readonly getCACertificates?: (type: "default") => readonly string[];
  } = tls;
  await add("SSL_CERT_FILE", network.certificateFile);
  if (!network.extraCertificatesLoaded || (addedPems.length > 0 && runtime.getCACertificates === undefined)) {
    await add("NODE_EXTRA_CA_CERTS", network.extraCertificateFile);
  }
  if (!network.isRuntimeTrusted) {
    return { context: createContext(() => runtime.rootCertificates, addedPems), remarks };
  }
  if (addedPems.length === 0) return { context: tls.createSecureContext(), remarks };
  const runtimePems = (): readonly string[] => runtime.getCACertificates?.("default") ?? runtime.rootCertificates;
  return { context: createContext(runtimePems, addedPems), remarks };
}

/** @param runtimePems returns the certificates that the runtime has; the executable for Linux does not need them */
function createContext(runtimePems: () => readonly string[], addedPems: readonly string[]): tls.SecureContext {
  if (loader?.contextTrusting !== undefined) return loader.contextTrusting(addedPems);
  const knownPems = runtimePems();
  return tls.createSecureContext({ ca: [...knownPems, ...withoutKnown(addedPems, knownPems)] });
}

/** Removes certificates that the runtime already has. For OpenSSL, parsing them again costs more than all the rest here. */
function withoutKnown(addedPems: readonly string[], knownPems: readonly string[]): readonly string[] {
  const knownBodies = new Set(knownPems.map(bodyOf));
  return addedPems.flatMap((pem) => {
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    // OpenSSL also reads blocks of other names, such as TRUSTED CERTIFICATE. A file that has one is passed on whole.
    if (blocks.length !== pem.split("-----BEGIN ").length - 1) return [pem];
    return blocks.filter((block) => !knownBodies.has(bodyOf(block)));
  });
}

/** Returns the text of a certificate without spaces and line breaks, for comparisons. */
function bodyOf(pem: string): string {
  return pem.replaceAll(/\s/g, "");
}

async function readCertificates(file: string): Promise<{ readonly pem: string } | { readonly why: string }> {
  let pem: string;
  try {
    pem = (await readNamed(file, { maxBytes: MAX_BYTES })).toString("latin1");
  } catch (error) {
    const code = systemErrorCode(error) ?? "unknown";
    return { why: REFUSAL_WORDS.get(code) ?? `cannot be read (${code})` };
  }
  try {
    // Checks the first certificate, because `ca` silently accepts a text without one.
    void new X509Certificate(pem);
  } catch {
    return { why: "contains no PEM certificate" };
  }
  return { pem };
}
