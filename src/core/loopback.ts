/** Addresses of this machine itself; pure. */

/** Returns true for a host, as `URL.hostname` writes it, that is this machine. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname === "localhost." ||
    // URL has turned every spelling of an IPv4 address (`127.1`, `0x7f.1`) into four decimal numbers.
    /^127\.\d+\.\d+\.\d+$/.test(hostname) ||
    hostname === "[::1]" ||
    /^\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\]$/.test(hostname)
  );
}

/** Without user, backslash or blank: of these two parsers read another host than a third one. */
const PLAIN_URL = /^https?:\/\/([\w.-]+|\[[\da-f:]+\])(?::\d{1,5})?(?:[/?#][^\\@\s]*)?$/i;

/** Returns true for a URL whose host every parser of every language takes for this machine. */
export function isLoopbackUrl(text: string): boolean {
  const host = PLAIN_URL.exec(text.trim())?.[1];
  return host !== undefined && isLoopback(host.toLowerCase());
}
