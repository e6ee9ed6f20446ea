/**
 * The settings that decide how a connection is made, and which certificates are trusted. `callersNetwork` and `escAccess`
 * make it.
 */
export interface NetworkSettings {
  readonly httpsProxy: string | undefined;
  readonly httpProxy: string | undefined;
  readonly noProxy: string | undefined;
  /** `SSL_CERT_FILE`: PEM certificates to trust in addition to the runtime's own. */
  readonly certificateFile: string | undefined;
  /** `NODE_EXTRA_CA_CERTS`: further PEM certificates to trust. */
  readonly extraCertificateFile: string | undefined;
  /** True if the runtime has read `NODE_EXTRA_CA_CERTS` at its start, and trusts these certificates already. */
  readonly extraCertificatesLoaded: boolean;
  /** True if only the caller decided what the runtime trusts. Otherwise only its built-in certificates are used. */
  readonly isRuntimeTrusted: boolean;
}

/** Returns the host of a URL without the brackets of an IPv6 address. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

/** Returns the port of a URL, or the default port of its scheme. */
export function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}

/** Returns the host and the port of a URL, such as `api.pulumi.com:443`. The port is there even if it is the default. */
export function authority(url: URL): string {
  return `${url.hostname}:${portOf(url)}`;
}
