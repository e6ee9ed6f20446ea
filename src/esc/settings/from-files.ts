/**
 * The mark by which a nested sophia-run knows which variables of its environment came from files:
 *
 *     SOPHIA_FROM_FILES=HTTPS_PROXY,PULUMI_BACKEND_URL
 *
 * An outer sophia-run read the variables from a file such as `.env`, and set the mark for its program, which started the nested
 * one. Those variables are trusted no more than the file itself. Another program that sets the mark can only reduce trust.
 */
import type { Environment, Origin } from "../../core/model.ts";

/** The variable that names variables from files, for a nested sophia-run. */
export const FROM_FILES = "SOPHIA_FROM_FILES";

/** The variables that decide where a nested sophia-run sends secrets. Programs get them from files, but marked. */
export const MARKED_VARIABLES: readonly string[] = [
  ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"],
  ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"],
  ["PULUMI_BACKEND_URL", "PULUMI_DEFAULT_ORGANIZATION"],
  ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
  // A nested sophia-run reads secrets from this folder.
  ["CREDENTIALS_DIRECTORY"],
].flat();

/** Node.js reads these at its start. If a file has set one of them, only the built-in certificates are trusted. */
export const TRUST_OF_RUNTIME = ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"] as const;

/**
 * Stands for all files of an outer sophia-run, whose names are unknown. Two settings with this file may be of different
 * files.
 */
export const OUTER_FILE = "a file that an outer sophia-run read";

/** Returns the names in a mark of an outer sophia-run. @param mark the name of a variable whose value is names between commas */
export function namesInMark(environment: Environment, mark: string): readonly string[] {
  return (environment.get(mark) ?? "").split(",").filter((name) => name !== "");
}

/** Returns the variables that an outer sophia-run took from files; on Windows they match in any case. */
export function namesFromFiles(environment: Environment): { readonly has: (name: string) => boolean } {
  const marked = new Set(namesInMark(environment, FROM_FILES));
  if (environment.foldsCase !== true) return marked;
  const folded = new Set(Array.from(marked, (name) => name.toUpperCase()));
  return { has: (name) => folded.has(name.toUpperCase()) };
}

/**
 * Returns true if the caller or ESC set the value under this very name, not under an alias of a contract. If the credential
 * of a file that was found has opened the ESC environment, the authors of that file may have written its values. They are
 * then trusted no more than the file.
 */
export function isTrustedOrigin(origin: Origin): boolean {
  if (origin.alias !== undefined) return false;
  if (origin.source === "esc") return origin.openedBy === undefined;
  return origin.source === "environment" && origin.fromFile !== true;
}
