/** Parses URLs, and decides which hosts are this machine, to which secrets may be sent without TLS. */

/** Parses a URL. @returns undefined for a text that is no URL */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/** The hosts that are this machine. The class `URL` has already turned `127.1` and `0x7f.1` into four decimal numbers. */
const LOOPBACK = /^(?:localhost\.?|127(?:\.\d+){3}|\[::1\]|\[::ffff:7f[\da-f]{2}:[\da-f]{1,4}\])$/;

/** Returns true if a host is this machine. @param hostname as `URL.hostname` writes it */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK.test(hostname);
}

/** Returns true if the IP address of a connection, such as `::ffff:127.0.0.1`, is this machine. */
export function isLoopbackAddress(address: string): boolean {
  return /^(?:::ffff:)?127\.|^::1$/i.test(address);
}
