/** How one sophia-run tells the next what is not the caller's word: no file decides where a caller's secrets go. */
import type { Environment, Origin } from "../../core/model.ts";

/**
 * The variable by which sophia-run tells another one, started by its program, which variables of the environment came
 * from files: their names with commas between. Whoever else sets it can only take trust away.
 */
export const FROM_FILES = "SOPHIA_FROM_FILES";

/**
 * Programs need these, and may have them from a file. To a sophia-run they say where secrets are sent and whom they are
 * shown to, so that they are passed on with a mark. (`NODE_TLS_REJECT_UNAUTHORIZED` counts for no connection of ours.)
 */
export const MARKED_VARIABLES: readonly string[] = [
  ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"],
  ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"],
  ["PULUMI_BACKEND_URL", "PULUMI_DEFAULT_ORGANIZATION"],
  ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
].flat();

/** By these Node.js builds its own trust before our first line: where a file set one, only what is built in counts. */
export const TRUST_OF_RUNTIME = ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"] as const;

/** Stands for whatever files an outer sophia-run read: what two of them set does not belong together. */
export const OUTER_FILE = "a file that an outer sophia-run read";

/** The variables of an environment that an outer sophia-run had from a file. */
export function namesFromFiles(environment: Environment): { readonly has: (name: string) => boolean } {
  const names = environment.get(FROM_FILES);
  const marked = new Set(names === undefined || names === "" ? [] : names.split(","));
  if (environment.foldsCase !== true) return marked;
  const folded = new Set(Array.from(marked, (name) => name.toUpperCase()));
  return { has: (name) => folded.has(name.toUpperCase()) };
}

/** Whether the caller or ESC gave the value; a contract decides which variable an alias becomes. */
export function isCallersWord(origin: Origin): boolean {
  if (origin.alias !== undefined) return false;
  return origin.source === "esc" || (origin.source === "environment" && origin.fromFile !== true);
}
