/** Parses URLs, and recognizes this machine as a host. Secrets may be sent to this machine without TLS. */

/** Parses a URL. @returns undefined for a text that is no URL */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/**
 * Matches the hosts that are this machine, as the class `URL` writes them: it turns `127.1` and `0x7f.1` into `127.0.0.1`, and
 * `::ffff:127.0.0.1` into `::ffff:7f00:1`.
 */
const LOOPBACK = /^(?:localhost\.?|127(?:\.\d+){3}|\[::1\]|\[::ffff:7f[\da-f]{2}:[\da-f]{1,4}\])$/;

/** Returns true if a host is this machine. @param hostname as `URL.hostname` writes it */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK.test(hostname);
}

/** Returns true if the IP address of a connection, such as `::ffff:127.0.0.1`, is this machine. */
export function isLoopbackAddress(address: string): boolean {
  return /^(?:::ffff:)?127\.|^::1$/i.test(address);
}
