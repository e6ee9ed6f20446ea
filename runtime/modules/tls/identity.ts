/** Comparison of a certificate with a host (RFC 9525), as checkServerIdentity of node:tls. */
import { isIP } from "../net/address.ts";
import { codedError } from "../../errors.ts";
import { natives } from "../../native.ts";

interface Natives {
  /** Returns the same text for the same address. */
  readonly canonicalAddress: (address: string) => string;
}

const native = natives<Natives>();

/**
 * Only names of the extension subjectAltName are compared. Node.js falls back to the common name if there are none, which
 * certificate authorities have not signed for a decade. AWS-LC compares as well, and knows fewer wildcards
 * (runtime/native/verify.c): both must find the host.
 *
 * @param names types ("DNS" or "IP Address") and names in turns
 * @param isForHost AWS-LC has found the host among them
 * @returns the problem, if there is one
 */
export function problemOfIdentity(
  host: string,
  names: readonly string[],
  isForHost: boolean,
): (Error & { readonly code: string }) | undefined {
  const name = host.replace(/\.$/, "");
  const ofType = (type: string): readonly string[] =>
    names.filter((_, index) => index % 2 === 1 && names[index - 1] === type);
  if (isIP(name) !== 0) {
    const addresses = ofType("IP Address");
    if (isForHost && addresses.includes(native.canonicalAddress(name))) return undefined;
    return mismatch(name, `IP: ${name} is not in the cert's list: ${addresses.join(", ")}`);
  }
  const [parts, patterns] = [labels(name), ofType("DNS")];
  if (patterns.length === 0) return mismatch(name, "Cert does not contain a DNS name");
  if (isForHost && patterns.some((pattern) => matches(parts, pattern))) return undefined;
  const all = names.flatMap((text, index) => (index % 2 === 0 ? [] : [`${names[index - 1] ?? ""}:${text}`]));
  return mismatch(name, `Host: ${name}. is not in the cert's altnames: ${all.join(", ")}`);
}

function mismatch(host: string, reason: string): Error & { readonly code: string } {
  const message = `Hostname/IP does not match certificate's altnames: ${reason}`;
  return Object.assign(codedError("ERR_TLS_CERT_ALTNAME_INVALID", message), { reason, host });
}

function labels(name: string): readonly string[] {
  return name
    .replace(/\.$/, "")
    .replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
    .split(".");
}

/** A wildcard stands for letters of the first label alone, of a name with at least three. */
function matches(host: readonly string[], pattern: string): boolean {
  const parts = labels(pattern);
  if (parts.length !== host.length || parts.includes("") || /[^\x21-\x7f]/.test(pattern)) return false;
  const [first = "", ...rest] = parts;
  const [own = "", ...others] = host;
  if (rest.some((part, index) => part !== others[index])) return false;
  const [prefix = "", suffix, ...more] = first.split("*");
  if (suffix === undefined || first.includes("xn--")) return first === own;
  if (more.length > 0 || parts.length <= 2) return false;
  return own.length >= prefix.length + suffix.length && own.startsWith(prefix) && own.endsWith(suffix);
}
