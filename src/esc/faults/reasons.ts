/** Codes of the system, of OpenSSL and of our own in words. */
import type { Fault } from "./fault.ts";

export function connectReason(host: string, code: string): string {
  switch (code) {
    case "ECONNREFUSED":
      return `${host} refuses connections (${code})`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `the name of ${host} cannot be looked up (${code})`;
    case "ENETUNREACH":
    case "EHOSTUNREACH":
    case "EADDRNOTAVAIL":
      return `there is no way to ${host} (${code})`;
    case "ETIMEDOUT":
      return `${host} does not answer (${code})`;
    default:
      return `no connection to ${host} (${code})`;
  }
}

export function tlsReason(code: string): string {
  switch (code) {
    case "CERT_HAS_EXPIRED":
      return `it has expired (${code})`;
    case "CERT_NOT_YET_VALID":
      return `it is not valid yet; is the clock right? (${code})`;
    case "ERR_TLS_CERT_ALTNAME_INVALID":
    case "HOSTNAME_MISMATCH":
      return `it is for another host (${code})`;
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return `its issuer is not known (${code})`;
    default:
      return code;
  }
}

export function answerReason(host: string, problem: Extract<Fault, { kind: "answer" }>["problem"]): string {
  switch (problem) {
    case "html":
      return `${host} answers with a web page in place of data`;
    case "empty":
      return `${host} answers with nothing`;
    case "not-json":
      return `the answer of ${host} is cut off or no JSON`;
    case "unexpected":
      return `the answer of ${host} is not one of ESC`;
    case "encoding":
      return `the answer of ${host} is compressed or not in UTF-8`;
  }
}

export function fileReason(code: string): string {
  switch (code) {
    case "ENOENT":
      return `does not exist (${code})`;
    case "EACCES":
    case "EPERM":
      return `may not be read (${code})`;
    case "EISDIR":
      return `is a folder (${code})`;
    case "empty":
      return "is empty";
    case "malformed":
      return "holds more than a token: a space, line break or control character is in it";
    case "too large":
      return "is too large to hold a token";
    default:
      return `cannot be read (${code})`;
  }
}
