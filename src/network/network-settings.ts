/** Describes the user's settings of proxies and certificates, and returns the parts of a URL that a connection needs. */

/**
 * The settings that decide how a connection is opened, and which certificates are trusted. `readCallerNetwork` and
 * `findAccessSettings` read them from variables.
 */
export interface NetworkSettings {
  /** `HTTPS_PROXY`: the URL of the proxy for https. */
  readonly httpsProxy: string | undefined;
  /** `HTTP_PROXY`: the URL of the proxy for http. */
  readonly httpProxy: string | undefined;
  /** `NO_PROXY`: the hosts that are reached without a proxy. */
  readonly noProxy: string | undefined;
  /** `SSL_CERT_FILE`: the path of a file with PEM certificates to trust in addition to those of the runtime (Node.js or Bun). */
  readonly certificateFile: string | undefined;
  /** `NODE_EXTRA_CA_CERTS`: the path of a file with further PEM certificates to trust. */
  readonly extraCertificateFile: string | undefined;
  /** True if the runtime has read `NODE_EXTRA_CA_CERTS` at its start, and trusts these certificates already. */
  readonly areExtraCertificatesLoaded: boolean;
  /**
   * True if no variable of a file has decided which certificates the runtime trusts. Otherwise only its built-in certificates are
   * used.
   */
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
export function hostAndPortOf(url: URL): string {
  return `${url.hostname}:${portOf(url)}`;
}
