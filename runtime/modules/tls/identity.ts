/**
 * Checks that a server's certificate is for the host that the client connects to (RFC 9525), as checkServerIdentity of node:tls does.
 *
 * Only the names of the extension subjectAltName count. Node.js falls back to the common name if there are none. This file does not,
 * because certificate authorities have not signed such certificates for a decade. AWS-LC compares the names as well, and accepts fewer
 * wildcards (runtime/native/verify.c). A certificate is accepted only if both find the host in it.
 */
import { isIP } from "../net/address.ts";
import { codedError } from "../../errors.ts";
import { natives } from "../../native.ts";

interface Natives {
  /** Returns the one normal spelling of an IP address. */
  readonly canonicalAddress: (address: string) => string;
}

const native = natives<Natives>();

type IdentityError = Error & { readonly code: string };

/**
 * @param certificateNames a flat list of types and names: "DNS", "*.example.com", "IP Address", "192.0.2.1"
 * @param matchesHost true if AWS-LC has found the host among the names
 * @returns undefined if the certificate is for the host, or the error of Node.js
 */
export function checkServerIdentity(
  host: string,
  certificateNames: readonly string[],
  matchesHost: boolean,
): IdentityError | undefined {
  const name = host.replace(/\.$/, "");
  return isIP(name) === 0
    ? checkDnsName(name, certificateNames, matchesHost)
    : checkAddress(name, certificateNames, matchesHost);
}

function checkAddress(address: string, names: readonly string[], matchesHost: boolean): IdentityError | undefined {
  const addresses = namesOfType(names, "IP Address");
  if (matchesHost && addresses.includes(native.canonicalAddress(address))) return undefined;
  return mismatch(address, `IP: ${address} is not in the cert's list: ${addresses.join(", ")}`);
}

function checkDnsName(name: string, names: readonly string[], matchesHost: boolean): IdentityError | undefined {
  const patterns = namesOfType(names, "DNS");
  if (patterns.length === 0) return mismatch(name, "Cert does not contain a DNS name");
  const hostLabels = splitLabels(name);
  if (matchesHost && patterns.some((pattern) => matchesPattern(hostLabels, pattern))) return undefined;
  const list = names.flatMap((text, index) => (index % 2 === 0 ? [] : [`${names[index - 1] ?? ""}:${text}`]));
  // Node.js, too, writes a full stop behind the name.
  return mismatch(name, `Host: ${name}. is not in the cert's altnames: ${list.join(", ")}`);
}

/** @param names a flat list of types and names */
function namesOfType(names: readonly string[], type: string): readonly string[] {
  return names.filter((_, index) => index % 2 === 1 && names[index - 1] === type);
}

function mismatch(host: string, reason: string): IdentityError {
  const message = `Hostname/IP does not match certificate's altnames: ${reason}`;
  return Object.assign(codedError("ERR_TLS_CERT_ALTNAME_INVALID", message), { reason, host });
}

/** Returns the parts between the dots of a name, with A to Z in lower case. */
function splitLabels(name: string): readonly string[] {
  return name
    .replace(/\.$/, "")
    .replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
    .split(".");
}

/**
 * Compares a host with a name of a certificate. The name may have a wildcard, which stands for any characters within the first label,
 * and only in a name of at least three labels: `*.example.com` and `w*.example.com`, but not `*.com`.
 */
function matchesPattern(hostLabels: readonly string[], pattern: string): boolean {
  const patternLabels = splitLabels(pattern);
  const isPrintableAscii = !/[^\x21-\x7f]/.test(pattern);
  if (patternLabels.length !== hostLabels.length || patternLabels.includes("") || !isPrintableAscii) return false;
  const [firstPattern = "", ...otherPatterns] = patternLabels;
  const [firstLabel = "", ...otherLabels] = hostLabels;
  if (otherPatterns.some((label, index) => label !== otherLabels[index])) return false;
  const [prefix = "", suffix, ...furtherParts] = firstPattern.split("*");
  // In a label of an internationalized name (RFC 5890) a star is no wildcard.
  if (suffix === undefined || firstPattern.includes("xn--")) return firstPattern === firstLabel;
  const hasSeveralWildcards = furtherParts.length > 0;
  if (hasSeveralWildcards || patternLabels.length <= 2) return false;
  const isLongEnough = firstLabel.length >= prefix.length + suffix.length;
  return isLongEnough && firstLabel.startsWith(prefix) && firstLabel.endsWith(suffix);
}
