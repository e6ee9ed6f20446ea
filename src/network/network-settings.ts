export interface NetworkSettings {
  readonly httpsProxy: string | undefined;
  readonly httpProxy: string | undefined;
  readonly noProxy: string | undefined;
  /** `SSL_CERT_FILE`: PEM certificates to trust besides the runtime's own. */
  readonly certificateFile: string | undefined;
  /** `NODE_EXTRA_CA_CERTS`: the same, by Node's variable. */
  readonly extraCertificateFile: string | undefined;
  readonly extraCertificatesLoaded: boolean;
  /** Only the caller decided what the runtime trusts; else only its built-in certificates are used. */
  readonly isRuntimeTrusted: boolean;
}

/** Returns the host of a URL without the brackets of an IPv6 address. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

export function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}

/** Returns host and port of a URL, also the usual port. */
export function authority(url: URL): string {
  return `${url.hostname}:${portOf(url)}`;
}
