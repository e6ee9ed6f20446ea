import type { Environment, Origin } from "../../core/model.ts";

/** Names variables from files, for a nested sophia-run. Another program that sets it can only reduce trust. */
export const FROM_FILES = "SOPHIA_FROM_FILES";

/** Variables that decide where a nested sophia-run sends secrets. Programs get them from files, but marked. */
export const MARKED_VARIABLES: readonly string[] = [
  ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"],
  ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"],
  ["PULUMI_BACKEND_URL", "PULUMI_DEFAULT_ORGANIZATION"],
  ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
  // From it secrets are read.
  ["CREDENTIALS_DIRECTORY"],
].flat();

/** Node.js reads these at its start. If a file set one, only the built-in certificates are trusted. */
export const TRUST_OF_RUNTIME = ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"] as const;

/** Replaces the unknown names of the files of an outer sophia-run; they may be different files. */
export const OUTER_FILE = "a file that an outer sophia-run read";

export function namesFromFiles(environment: Environment): { readonly has: (name: string) => boolean } {
  const names = environment.get(FROM_FILES);
  const marked = new Set(names === undefined || names === "" ? [] : names.split(","));
  if (environment.foldsCase !== true) return marked;
  const folded = new Set(Array.from(marked, (name) => name.toUpperCase()));
  return { has: (name) => folded.has(name.toUpperCase()) };
}

/**
 * Returns true for a value of the caller or of ESC under its own name, not by an alias of a contract. An ESC environment that
 * the credential of a found file has opened may be of that file's authors; it counts as the file.
 */
export function isCallersWord(origin: Origin): boolean {
  if (origin.alias !== undefined) return false;
  if (origin.source === "esc") return origin.openedBy === undefined;
  return origin.source === "environment" && origin.fromFile !== true;
}
