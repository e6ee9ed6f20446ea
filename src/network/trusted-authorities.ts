import { loader } from "../system/addon/addon.ts";
import { readNamed } from "../system/bounded-read.ts";
import { systemErrorCode } from "../system/errors.ts";
import { X509Certificate } from "node:crypto";
import * as tls from "node:tls";
import type { NetworkSettings } from "./network-settings.ts";

const MAX_BYTES = 8 * 1024 * 1024;

const REFUSALS: ReadonlyMap<string, string> = new Map([
  ["EISDIR", "is a folder"],
  ["NOT_A_FILE", "is a device or a socket"],
  ["TOO_LARGE", "is larger than 8 MiB"],
  ["NO_END", "is a pipe that did not end within 5 s"],
]);

export interface Trust {
  readonly context: tls.SecureContext;
  readonly remarks: readonly string[];
}

/** The time after which the files are read again: `--watch` runs for months, and they may be replaced. */
const RELOAD_MS = 10_000;

const loaded = new WeakMap<NetworkSettings, { readonly trust: Promise<Trust>; readonly time: number }>();

/**
 * Loads the runtime's own certificates and those that the user adds. Connections within 10 s share them, because OpenSSL
 * would parse each certificate again. Node reads `NODE_EXTRA_CA_CERTS` at its start, for its default trust only, and reads
 * `SSL_CERT_FILE` only with `--use-openssl-ca`. A file that cannot be used is left out with a remark, as by Node.
 */
export function loadTrust(network: NetworkSettings): Promise<Trust> {
  const recent = loaded.get(network);
  if (recent !== undefined && performance.now() - recent.time < RELOAD_MS) return recent.trust;
  const trust = readTrust(network);
  loaded.set(network, { trust, time: performance.now() });
  return trust;
}

async function readTrust(network: NetworkSettings): Promise<Trust> {
  const remarks: string[] = [];
  const added: string[] = [];
  const add = async (variable: string, file: string | undefined): Promise<void> => {
    if (file === undefined) return;
    const read = await readCertificates(file);
    if ("pem" in read) added.push(read.pem);
    else remarks.push(`${variable} is not used: ${file} ${read.why}`);
  };
  // Newer runtimes list their default trust, with NODE_EXTRA_CA_CERTS and the system's store.
  const runtime: {
    readonly rootCertificates: readonly string[];
    readonly getCACertificates?: (type: "default") => readonly string[];
  } = tls;
  await add("SSL_CERT_FILE", network.certificateFile);
  if (!network.extraCertificatesLoaded || (added.length > 0 && runtime.getCACertificates === undefined)) {
    await add("NODE_EXTRA_CA_CERTS", network.extraCertificateFile);
  }
  if (!network.isRuntimeTrusted) {
    return { context: contextTrusting(() => runtime.rootCertificates, added), remarks };
  }
  if (added.length === 0) return { context: tls.createSecureContext(), remarks };
  const own = (): readonly string[] => runtime.getCACertificates?.("default") ?? runtime.rootCertificates;
  return { context: contextTrusting(own, added), remarks };
}

/** @param own returns the certificates that the runtime has */
function contextTrusting(own: () => readonly string[], added: readonly string[]): tls.SecureContext {
  if (loader?.contextTrusting !== undefined) return loader.contextTrusting(added);
  const known = own();
  return tls.createSecureContext({ ca: [...known, ...withoutKnown(added, known)] });
}

/** Removes certificates that the runtime already has: for OpenSSL, parsing each one costs more than all the rest here. */
function withoutKnown(files: readonly string[], known: readonly string[]): readonly string[] {
  const bodies = new Set(known.map(bodyOf));
  return files.flatMap((pem) => {
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    // OpenSSL reads other forms, such as TRUSTED CERTIFICATE.
    if (blocks.length !== pem.split("-----BEGIN ").length - 1) return [pem];
    return blocks.filter((block) => !bodies.has(bodyOf(block)));
  });
}

function bodyOf(pem: string): string {
  return pem.replaceAll(/\s/g, "");
}

async function readCertificates(file: string): Promise<{ readonly pem: string } | { readonly why: string }> {
  let pem: string;
  try {
    pem = (await readNamed(file, { maxBytes: MAX_BYTES })).toString("latin1");
  } catch (error) {
    const code = systemErrorCode(error) ?? "unknown";
    return { why: REFUSALS.get(code) ?? `cannot be read (${code})` };
  }
  try {
    // Checks the first one: `ca` silently accepts a text without a certificate.
    void new X509Certificate(pem);
  } catch {
    return { why: "contains no PEM certificate" };
  }
  return { pem };
}
