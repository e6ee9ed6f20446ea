/**
 * The reasons for which the user must agree before `check --live` sends a value. A cloned repository could name a host of an
 * attacker: in its contract, or in a file with values. Each function returns a reason for the user, or undefined if the caller or
 * the source of the value itself names the destination. Pure.
 */
import { isOfLine, type Origin, type Resolved } from "../../../core/model.ts";
import { printable } from "../../../core/text.ts";
import { isTrustedOrigin } from "../../../esc/settings/from-files.ts";
import type { EscStatus } from "../../../resolve/start.ts";

/** Judges a value that is sent to a host of the built-in contract. @param host the variable with the address, if there is one */
export function reasonForHost(host: Resolved | undefined, value: Resolved, esc: EscStatus): string | undefined {
  if (host !== undefined && !isHostTrusted(host.origin, value.origin, esc)) {
    return `a file sets ${printable(host.name)}`;
  }
  return reasonForAlias(value);
}

/** Judges the URL of a database, which names its own destination. */
export function reasonForDefaultUrl(value: Resolved, where: string): string | undefined {
  return value.origin.source === "contract" ? `the contract's default names ${where}` : reasonForAlias(value);
}

/** With an alias, only the contract says that the value is meant for this variable. */
function reasonForAlias({ name, origin: { alias } }: Resolved): string | undefined {
  return alias === undefined ? undefined : `the contract makes ${printable(alias)} an alias of ${printable(name)}`;
}

/** Returns true if an address comes from the caller, or from the same source as the value that is sent there. */
function isHostTrusted(host: Origin, value: Origin, esc: EscStatus): boolean {
  // The caller or the system names the secrets folder.
  if (host.source === "secrets" && host.alias === undefined) return true;
  if (isOfLine(host) && isOfLine(value)) return host.file === value.file;
  if (host.source !== "esc" || host.alias !== undefined) return isTrustedOrigin(host);
  // If a file holds the token, its author chooses the environment, and with it the address.
  const isCallersCredential = !("settings" in esc) || esc.settings.credentialFrom.file === undefined;
  return value.source === "esc" || isCallersCredential;
}
