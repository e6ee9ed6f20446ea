/**
 * Decides whether the user must agree before `check --live` sends a value to a host. The contract or a file with values in
 * a cloned repository could name the host of an attacker. Each function returns the reason for the question. It returns
 * undefined if there is no need to ask, since the caller or the source of the value itself names the destination.
 */
import { isLineLocation, type Origin, type ResolvedVariable } from "../../../core/model.ts";
import { printable } from "../../../core/text.ts";
import { isTrustedOrigin } from "../../../esc/settings/from-files.ts";
import type { EscStatus } from "../../../resolve/start.ts";

/**
 * Judges the host of a probe that the built-in contract declares.
 *
 * @param host the variable that holds the host; undefined if the built-in contract itself names the host
 * @param value the value that would be sent
 */
export function findReasonForHost(
  host: ResolvedVariable | undefined,
  value: ResolvedVariable,
  esc: EscStatus,
): string | undefined {
  if (host !== undefined && !isHostTrusted(host.origin, value.origin, esc)) {
    return `a file sets ${printable(host.name)}`;
  }
  return findReasonForAlias(value);
}

/** Judges the URL of a database. Its source names the destination itself, unless the URL is the contract's default. */
export function findReasonForDefaultUrl(value: ResolvedVariable, destination: string): string | undefined {
  return value.origin.source === "contract" ? `the contract's default names ${destination}` : findReasonForAlias(value);
}

/** Judges a value that its source has under another name. Only the contract says that it is meant for this variable. */
function findReasonForAlias({ name, origin: { alias } }: ResolvedVariable): string | undefined {
  return alias === undefined ? undefined : `the contract makes ${printable(alias)} an alias of ${printable(name)}`;
}

/** Returns true if an address comes from the caller, or from the same source as the value that is sent there. */
function isHostTrusted(host: Origin, value: Origin, esc: EscStatus): boolean {
  // The files of a secrets folder are as trusted as the caller or the system, which names the folder.
  if (host.source === "secrets" && host.alias === undefined) return true;
  if (isLineLocation(host) && isLineLocation(value)) return host.file === value.file;
  if (host.source !== "esc" || host.alias !== undefined) return isTrustedOrigin(host);
  // If a file holds the token, its author chooses the environment, and with it the address.
  const isCallersCredential = !("settings" in esc) || esc.settings.credentialFrom.file === undefined;
  return value.source === "esc" || isCallersCredential;
}
