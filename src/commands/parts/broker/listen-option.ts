/**
 * Parses the options for the address of the broker, through which the requests of the program go: `--broker-listen`, and
 * `--broker-name`, the host name by which the clients reach that address.
 */
import { isIP } from "node:net";
import { type ListenAddress, LOOPBACK_ADDRESS } from "../../../broker/broker-listen.ts";
import type { Settings } from "../../../command-line/settings.ts";
import { SophiaError } from "../../../core/error.ts";
import { printable } from "../../../core/text.ts";
import { parseUrl } from "../../../core/url.ts";

const ADDRESSES_HINT = "allowed: an address of this machine, such as 172.17.0.1 or 172.17.0.1:8080, or unix:PATH";

/** `[IPv6]`, `[IPv6]:port`, `IPv4` or `IPv4:port`. The groups are the address in brackets, the other address, and the port. */
const ADDRESS_WITH_PORT = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s;

/**
 * Returns the address on which the broker must listen; by default a loopback address. The path of a Unix socket may be relative, as
 * the user wrote it.
 *
 * @throws SophiaError (settings, 125) for a host name, for an address that means all interfaces, and for any other text
 */
export function parseListenOptions({
  brokerListen,
  brokerName,
}: Pick<Settings, "brokerListen" | "brokerName">): ListenAddress {
  const name = brokerName === undefined ? undefined : parseHost(brokerName);
  const address = brokerListen === undefined ? LOOPBACK_ADDRESS : parseAddress(brokerListen);
  if (name === undefined) return address;
  if ("path" in address) {
    throw settingsError(
      "--broker-name has no effect on a socket",
      "leave it out: clients name the service itself in Host",
    );
  }
  return { ...address, name };
}

/** Parses `172.17.0.1:8080`, `[fd00::1]:8080`, `fd00::1` or `unix:/run/broker.sock`. */
function parseAddress(text: string): ListenAddress {
  const socketPath = /^unix:(.*)$/s.exec(text)?.[1];
  if (socketPath !== undefined) return { path: checkSocketPath(text, socketPath) };
  const isBareIpv6 = isIP(text) === 6;
  const [, ipInBrackets, ipWithoutBrackets, digits] = ADDRESS_WITH_PORT.exec(text) ?? [];
  const ip = isBareIpv6 ? text : (ipInBrackets ?? ipWithoutBrackets ?? "");
  const family = isIP(ip);
  const isIpv4InBrackets = ipInBrackets !== undefined && family !== 6;
  if (family === 0 || isIpv4InBrackets) {
    throw listenError(text, "not an address", `${ADDRESSES_HINT}; --broker-name is for the name that clients use`);
  }
  if (ip.includes("%")) throw listenError(text, "URLs cannot have the zone of an address", ADDRESSES_HINT);
  const host = normalizeIp(ip, family);
  if (host.startsWith("::ffff:")) throw listenError(text, "an IPv4 address in the form of IPv6", ADDRESSES_HINT);
  if (host === "0.0.0.0" || host === "::") throw listenError(text, "all interfaces of this machine", ADDRESSES_HINT);
  // Port 0 lets the system choose a free port.
  return { host, port: isBareIpv6 || digits === undefined ? 0 : parsePort(text, digits) };
}

/** Returns an IP address in the form that clients send in the header `Host`, but without brackets: `fd00::1` for `FD00:0::1`. */
function normalizeIp(ip: string, family: number): string {
  const url = parseUrl(`http://${family === 6 ? `[${ip}]` : ip}`);
  return url?.hostname.replaceAll(/[[\]]/g, "") ?? "";
}

function parsePort(text: string, digits: string): number {
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw listenError(text, "not a port", "allowed: a port from 1 to 65535; without one, a free one is used");
}

/** Returns the path. @param text the whole value of the option, for the message */
function checkSocketPath(text: string, path: string): string {
  if (path === "") throw listenError(text, "no path", ADDRESSES_HINT);
  if (process.platform !== "win32") return path;
  throw listenError(text, "not on Windows", "allowed: an address of this machine, such as 127.0.0.1:8080");
}

/** Parses a host without a port, such as `host.docker.internal`, and returns it in the form that URLs have. */
function parseHost(text: string): string {
  const hostInUrl = isIP(text) === 6 ? `[${text}]` : text;
  const url = /^[\w.:[\]-]+$/.test(hostInUrl) ? parseUrl(`http://${hostInUrl}`) : undefined;
  const isHost = url !== undefined && url.host === url.hostname && `http://${url.host}/` === url.href;
  // A parsed URL has neither the default port 80 nor an empty port, so the text shows whether the user wrote one.
  const hasPort = /:\d*$/.test(hostInUrl.replace(/^\[.*\]/, ""));
  if (isHost && !hasPort) return url.host;
  throw settingsError(
    `--broker-name has an invalid value: '${printable(text)}'`,
    "allowed: a host without a port, such as host.docker.internal",
  );
}

function listenError(text: string, reason: string, hint: string): SophiaError {
  return settingsError(`--broker-listen has an invalid value: '${printable(text)}' (${reason})`, hint);
}

function settingsError(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "settings", message, hint });
}
