/** `--broker-listen` and `--broker-name`: the address of the broker, checked; pure. */
import { isIP } from "node:net";
import type { ListenAddress } from "../../../broker/own-address.ts";
import { LOOPBACK_ADDRESS } from "../../../broker/own-address.ts";
import type { Settings } from "../../../command-line/settings.ts";
import { SophiaError } from "../../../core/error.ts";
import { printable } from "../../../core/text.ts";
import { parseUrl } from "../../../core/url.ts";

const ADDRESSES = "allowed: an address of this machine, such as 172.17.0.1 or 172.17.0.1:8080, or unix:PATH";

/**
 * Returns the address on which the broker shall listen. A relative path of a socket is as the user has written it.
 *
 * @throws SophiaError (settings, 125) for names, for addresses of all interfaces, and for other text
 */
export function listenAddress({
  brokerListen,
  brokerName,
}: Pick<Settings, "brokerListen" | "brokerName">): ListenAddress {
  const name = brokerName === undefined ? undefined : hostIn(brokerName);
  const address = brokerListen === undefined ? LOOPBACK_ADDRESS : addressIn(brokerListen);
  if (name === undefined) return address;
  if ("path" in address) {
    throw invalid("--broker-name has no effect on a socket", "leave it out: clients name the service itself in Host");
  }
  return { ...address, name };
}

function addressIn(text: string): ListenAddress {
  const path = /^unix:(.*)$/s.exec(text)?.[1];
  if (path !== undefined) return { path: socketPath(text, path) };
  const [, inBrackets, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s.exec(text) ?? [];
  const isBare = isIP(text) === 6;
  const written = isBare ? text : (inBrackets ?? plain ?? "");
  const family = isIP(written);
  if (family === 0 || (inBrackets !== undefined && family !== 6)) {
    throw wrong(text, "not an address", `${ADDRESSES}; --broker-name is for the name that clients use`);
  }
  if (written.includes("%")) throw wrong(text, "URLs cannot have the zone of an address", ADDRESSES);
  // In its usual form, as clients send it.
  const host = parseUrl(`http://${family === 6 ? `[${written}]` : written}`)?.hostname.replaceAll(/[[\]]/g, "") ?? "";
  if (host.startsWith("::ffff:")) throw wrong(text, "an IPv4 address in the form of IPv6", ADDRESSES);
  if (host === "0.0.0.0" || host === "::") throw wrong(text, "all interfaces of this machine", ADDRESSES);
  return { host, port: isBare || digits === undefined ? 0 : portIn(text, digits) };
}

function portIn(text: string, digits: string): number {
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw wrong(text, "not a port", "allowed: a port from 1 to 65535; without one, a free one is used");
}

function socketPath(text: string, path: string): string {
  if (path === "") throw wrong(text, "no path", ADDRESSES);
  if (process.platform !== "win32") return path;
  throw wrong(text, "not on Windows", "allowed: an address of this machine, such as 127.0.0.1:8080");
}

/** Returns the host as URLs have it. */
function hostIn(text: string): string {
  const written = isIP(text) === 6 ? `[${text}]` : text;
  const url = /^[\w.:[\]-]+$/.test(written) ? parseUrl(`http://${written}`) : undefined;
  const isHost = url !== undefined && url.host === url.hostname && `http://${url.host}/` === url.href;
  if (isHost && !/:\d*$/.test(written.replace(/^\[.*\]/, ""))) return url.host;
  throw invalid(
    `--broker-name has an invalid value: '${printable(text)}'`,
    "allowed: a host without a port, such as host.docker.internal",
  );
}

function wrong(text: string, reason: string, hint: string): SophiaError {
  return invalid(`--broker-listen has an invalid value: '${printable(text)}' (${reason})`, hint);
}

function invalid(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "settings", message, hint });
}
