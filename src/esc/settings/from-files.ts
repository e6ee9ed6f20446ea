import type { Environment, Origin } from "../../core/model.ts";

/**
 * Names the variables that came from files, with commas between, to a sophia-run that the program starts: no file decides
 * where a caller's secrets go. Set by another program, it can only take trust away.
 */
export const FROM_FILES = "SOPHIA_FROM_FILES";

/** Programs may have these from a file. They decide where a nested sophia-run sends secrets, and so they are marked. */
export const MARKED_VARIABLES: readonly string[] = [
  ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"],
  ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"],
  ["PULUMI_BACKEND_URL", "PULUMI_DEFAULT_ORGANIZATION"],
  ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
].flat();

/** Node.js builds its own trust by these before our first line; if a file set one, only the built-in trust counts. */
export const TRUST_OF_RUNTIME = ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"] as const;

/** Stands for the files that an outer sophia-run read; two of them do not trust each other. */
export const OUTER_FILE = "a file that an outer sophia-run read";

/** The variables that an outer sophia-run had from a file. */
export function namesFromFiles(environment: Environment): { readonly has: (name: string) => boolean } {
  const names = environment.get(FROM_FILES);
  const marked = new Set(names === undefined || names === "" ? [] : names.split(","));
  if (environment.foldsCase !== true) return marked;
  const folded = new Set(Array.from(marked, (name) => name.toUpperCase()));
  return { has: (name) => folded.has(name.toUpperCase()) };
}

/** Returns true for a value of the caller or of ESC under its own name: a contract decides what an alias becomes. */
export function isCallersWord(origin: Origin): boolean {
  if (origin.alias !== undefined) return false;
  return origin.source === "esc" || (origin.source === "environment" && origin.fromFile !== true);
}
