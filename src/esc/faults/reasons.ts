/** Codes of the system, of OpenSSL and of our own in words. */
import type { Fault } from "./fault.ts";

type Words = Readonly<Record<string, string>>;

const CONNECT: Words = {
  ECONNREFUSED: "HOST refused the connection",
  ENOTFOUND: "HOST could not be resolved",
  EAI_AGAIN: "HOST could not be resolved",
  ENETUNREACH: "there is no route to HOST",
  EHOSTUNREACH: "there is no route to HOST",
  EADDRNOTAVAIL: "there is no route to HOST",
  ETIMEDOUT: "HOST did not answer",
};

const OTHER_HOST = "the certificate is for another host";
const UNKNOWN_ISSUER = "the certificate's issuer is not trusted";
const NO_TLS = "what answers does not use TLS";
const TLS: Words = {
  CERT_HAS_EXPIRED: "the certificate has expired",
  CERT_NOT_YET_VALID: "the certificate is not valid yet, or this machine's clock is wrong",
  ERR_TLS_CERT_ALTNAME_INVALID: OTHER_HOST,
  HOSTNAME_MISMATCH: OTHER_HOST,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_ISSUER,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_ISSUER,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_ISSUER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_ISSUER,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_ISSUER,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
};

const ANSWER: Readonly<Record<Extract<Fault, { kind: "answer" }>["problem"], string>> = {
  html: "HOST answered with a web page instead of JSON",
  empty: "HOST answered with an empty body",
  "not-json": "the answer of HOST is truncated or not JSON",
  unexpected: "the answer of HOST is not an ESC answer",
  encoding: "the answer of HOST is compressed or not UTF-8",
};

const FILE: Words = {
  ENOENT: "does not exist (ENOENT)",
  EACCES: "cannot be read: permission denied (EACCES)",
  EPERM: "cannot be read: permission denied (EPERM)",
  EISDIR: "is a folder (EISDIR)",
  empty: "is empty",
  malformed: "contains more than a token: a space, line break or control character",
  NOT_A_FILE: "is a device or a socket",
  TOO_LARGE: "is too large to be a token file",
  NO_END: "is a pipe that did not end within 5 s",
};

export function connectReason(host: string, code: string): string {
  return `${(CONNECT[code] ?? "no connection to HOST").replace("HOST", () => host)} (${code})`;
}

export function tlsReason(code: string): string {
  const words = TLS[code];
  return words === undefined ? code : `${words} (${code})`;
}

export function answerReason(host: string, problem: keyof typeof ANSWER): string {
  return ANSWER[problem].replace("HOST", () => host);
}

export function fileReason(code: string): string {
  return FILE[code] ?? `cannot be read (${code})`;
}

export const BACKEND_HINT =
  "check PULUMI_BACKEND_URL; a proxy or a network that requires a sign-in may answer for the service";

export function tlsHint(code: string): string {
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
    return "check this machine's clock; if it is right, the service has to renew its certificate";
  }
  if (TLS[code] === OTHER_HOST || TLS[code] === NO_TLS) return BACKEND_HINT;
  return "for a private certificate authority set SSL_CERT_FILE or NODE_EXTRA_CA_CERTS to its PEM file";
}
