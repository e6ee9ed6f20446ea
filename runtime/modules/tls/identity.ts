/**
 * Checks that a server's certificate is for the host that the client connects to (RFC 9525), as checkServerIdentity of node:tls does.
 *
 * This file compares only the names in the extension subjectAltName. Node.js uses the common name if there are none. This file does
 * not, because certificate authorities have not signed such certificates for a decade. AWS-LC compares the names as well, and accepts
 * fewer wildcards (runtime/native/verify.c). The certificate is accepted only if both find the host in it.
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
 * @param typesAndNames the names in the certificate: "DNS", "*.example.com", "IP Address", "192.0.2.1"
 * @param hasNativeMatch true if AWS-LC has found the host among the names
 * @returns undefined if the certificate is for the host; otherwise an error such as Node.js creates
 */
export function checkServerIdentity(
  host: string,
  typesAndNames: readonly string[],
  hasNativeMatch: boolean,
): IdentityError | undefined {
  const names = pairTypesAndNames(typesAndNames);
  const name = host.replace(/\.$/, "");
  return isIP(name) === 0 ? checkDnsName(name, names, hasNativeMatch) : checkAddress(name, names, hasNativeMatch);
}

interface CertificateName {
  /** "DNS", "IP Address", or another type, such as "URI". */
  readonly type: string;
  readonly text: string;
}

function pairTypesAndNames(typesAndNames: readonly string[]): readonly CertificateName[] {
  const names: CertificateName[] = [];
  for (let index = 0; index + 1 < typesAndNames.length; index += 2) {
    names.push({ type: typesAndNames[index] ?? "", text: typesAndNames[index + 1] ?? "" });
  }
  return names;
}

type Names = readonly CertificateName[];

function checkAddress(address: string, names: Names, hasNativeMatch: boolean): IdentityError | undefined {
  const addresses = textsOfType(names, "IP Address");
  if (hasNativeMatch && addresses.includes(native.canonicalAddress(address))) return undefined;
  return mismatchError(address, `IP: ${address} is not in the cert's list: ${addresses.join(", ")}`);
}

function checkDnsName(name: string, names: Names, hasNativeMatch: boolean): IdentityError | undefined {
  const patterns = textsOfType(names, "DNS");
  // The error of this case has a text of its own, as in Node.js.
  if (patterns.length === 0) return mismatchError(name, "Cert does not contain a DNS name");
  const hostLabels = splitLabels(name);
  if (hasNativeMatch && patterns.some((pattern) => matchesPattern(hostLabels, pattern))) return undefined;
  const list = names.map(({ type, text }) => `${type}:${text}`);
  // Node.js, too, writes a full stop after the name.
  return mismatchError(name, `Host: ${name}. is not in the cert's altnames: ${list.join(", ")}`);
}

function textsOfType(names: Names, type: string): readonly string[] {
  return names.filter((name) => name.type === type).map(({ text }) => text);
}

function mismatchError(host: string, reason: string): IdentityError {
  const message = `Hostname/IP does not match certificate's altnames: ${reason}`;
  return Object.assign(codedError("ERR_TLS_CERT_ALTNAME_INVALID", message), { reason, host });
}

/** Returns the parts between the dots of a name, with A to Z in lower case. Other letters have no case in DNS (RFC 4343). */
function splitLabels(name: string): readonly string[] {
  return name
    .replace(/\.$/, "")
    .replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
    .split(".");
}

/**
 * Compares a host with a name of a certificate. In the first label of the name, a star matches any characters, but only if the name
 * has at least three labels: `*.example.com` and `w*.example.com`, but not `*.com`.
 */
function matchesPattern(hostLabels: readonly string[], pattern: string): boolean {
  const patternLabels = splitLabels(pattern);
  // The characters that Node.js allows, which include DEL.
  const isAscii = !/[^\x21-\x7f]/.test(pattern);
  if (patternLabels.length !== hostLabels.length || patternLabels.includes("") || !isAscii) return false;
  const [firstPattern = "", ...otherPatterns] = patternLabels;
  const [firstLabel = "", ...otherLabels] = hostLabels;
  if (otherPatterns.some((label, index) => label !== otherLabels[index])) return false;
  const [prefix = "", suffix, ...furtherParts] = firstPattern.split("*");
  // A label of an internationalized name (RFC 5890) is compared as it is, because a star is not a wildcard in it.
  if (suffix === undefined || firstPattern.includes("xn--")) return firstPattern === firstLabel;
  const hasSeveralWildcards = furtherParts.length > 0;
  if (hasSeveralWildcards || patternLabels.length <= 2) return false;
  const isLongEnough = firstLabel.length >= prefix.length + suffix.length;
  return isLongEnough && firstLabel.startsWith(prefix) && firstLabel.endsWith(suffix);
}
