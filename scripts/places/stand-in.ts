/** The local ESC server at an address that containers reach, over TLS, as ESC itself. */
import { existsSync, readFileSync } from "node:fs";
import { type EscServer, type EscServerOptions, startEscServer } from "../../test/esc-server/index.ts";
import { makeSignedCertificate, type SignedCertificate } from "../../test/esc-server/tls.ts";

/** The authorities that this machine trusts, such as that of its way to npm and PyPI. */
const MACHINE = "/etc/ssl/certs/ca-certificates.crt";

export interface StandIn {
  readonly esc: EscServer;
  /** The certificates, valid for `names`, too, and their authority. */
  readonly certificates: SignedCertificate;
  /** PEM: that authority, and those of this machine, which what is installed in containers needs. */
  readonly authorities: string;
}

/**
 * Starts the server on an address of the space.
 *
 * @param names of further servers, for which the certificate is valid, too
 */
export async function startStandIn(
  address: string,
  names: readonly string[] = [],
  options: EscServerOptions = {},
): Promise<StandIn> {
  const certificates = await makeSignedCertificate([address, ...names]);
  const esc = await startEscServer({ ...options, host: address, tls: certificates.valid });
  const machine = existsSync(MACHINE) ? readFileSync(MACHINE, "utf8") : "";
  return { esc, certificates, authorities: `${certificates.ca}${machine}` };
}
