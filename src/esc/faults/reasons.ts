/** Codes of the system, of OpenSSL and of our own in words. */
import type { Fault } from "./fault.ts";

export function connectReason(host: string, code: string): string {
  switch (code) {
    case "ECONNREFUSED":
      return `${host} refused the connection (${code})`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${host} could not be resolved (${code})`;
    case "ENETUNREACH":
    case "EHOSTUNREACH":
    case "EADDRNOTAVAIL":
      return `there is no route to ${host} (${code})`;
    case "ETIMEDOUT":
      return `${host} did not answer (${code})`;
    default:
      return `no connection to ${host} (${code})`;
  }
}

export function tlsReason(code: string): string {
  switch (code) {
    case "CERT_HAS_EXPIRED":
      return `the certificate has expired (${code})`;
    case "CERT_NOT_YET_VALID":
      return `the certificate is not valid yet, or this machine's clock is wrong (${code})`;
    case "ERR_TLS_CERT_ALTNAME_INVALID":
    case "HOSTNAME_MISMATCH":
      return `the certificate is for another host (${code})`;
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return `the certificate's issuer is not trusted (${code})`;
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
      return `what answers does not use TLS (${code})`;
    default:
      return code;
  }
}

export function answerReason(host: string, problem: Extract<Fault, { kind: "answer" }>["problem"]): string {
  switch (problem) {
    case "html":
      return `${host} answered with a web page instead of JSON`;
    case "empty":
      return `${host} answered with an empty body`;
    case "not-json":
      return `the answer of ${host} is truncated or not JSON`;
    case "unexpected":
      return `the answer of ${host} is not an ESC answer`;
    case "encoding":
      return `the answer of ${host} is compressed or not UTF-8`;
  }
}

export function fileReason(code: string): string {
  switch (code) {
    case "ENOENT":
      return `does not exist (${code})`;
    case "EACCES":
    case "EPERM":
      return `cannot be read: permission denied (${code})`;
    case "EISDIR":
      return `is a folder (${code})`;
    case "empty":
      return "is empty";
    case "malformed":
      return "contains more than a token: a space, line break or control character";
    case "NOT_A_FILE":
      return "is a device or a socket";
    case "TOO_LARGE":
      return "is too large to be a token file";
    case "NO_END":
      return "is a pipe that did not end within 5 s";
    default:
      return `cannot be read (${code})`;
  }
}
