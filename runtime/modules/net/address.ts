/** Checks IP addresses, ports and host names for node:net, and has the class BlockList of node:net, a set of networks. */
import { codedError, invalidValue } from "../../errors.ts";
import { natives } from "../../native.ts";

interface Natives {
  /** Returns the 4 bytes of an IPv4 address or the 16 bytes of an IPv6 address; undefined for any other text. */
  readonly bytesOfAddress: (address: string) => readonly number[] | undefined;
}

const native = natives<Natives>();

const IPV4_BYTES = 4;
const IPV6_BYTES = 16;

/** Returns 4 or 6 for an IP address of that version, and 0 for any other text. */
export function isIP(text: string): 0 | 4 | 6 {
  // An IPv6 address may end with a zone, the name of a network interface, as in fe80::1%eth0.
  const [, address = text, zone] = /^([^%]*)%([0-9a-zA-Z-.:]+)$/.exec(text) ?? [];
  const length = native.bytesOfAddress(address)?.length;
  if (length === IPV6_BYTES) return 6;
  return length === IPV4_BYTES && zone === undefined ? 4 : 0;
}

export function isIPv6(text: string): boolean {
  return isIP(text) === 6;
}

type FamilyName = "ipv4" | "ipv6";

function parseAddress(address: string, family: FamilyName): readonly number[] {
  const bytes = native.bytesOfAddress(address);
  if (bytes?.length !== (family === "ipv4" ? IPV4_BYTES : IPV6_BYTES)) {
    throw codedError("ERR_INVALID_ADDRESS", "Invalid address");
  }
  return bytes;
}

/** The first bytes of an IPv4 address that is written as an IPv6 address, as in ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2). */
const IPV4_MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255];
const IPV4_MAPPED_PREFIX_BITS = 96;

function mapToIPv6(bytes: readonly number[]): readonly number[] {
  return bytes.length === IPV6_BYTES ? bytes : [...IPV4_MAPPED_PREFIX, ...bytes];
}

interface Subnet {
  /** The 16 bytes of the network's address, as an IPv6 address. */
  readonly bytes: readonly number[];
  /** The number of bits at the beginning of `bytes` that all addresses of the network have in common. */
  readonly prefixBits: number;
}

/** A set of networks. Both versions of IP are compared as IPv6 addresses, so that ::ffff:192.0.2.1 is in 192.0.2.0/24. */
export class BlockList {
  readonly #subnets: Subnet[] = [];

  /**
   * Adds a network such as 192.0.2.0/24, whose prefix is 24.
   *
   * @throws an error such as Node.js throws for an invalid address, or for a prefix that is longer than an address
   */
  addSubnet(network: string, prefix: number, family: FamilyName = "ipv4"): void {
    const maxPrefix = family === "ipv4" ? 32 : 128;
    if (!(Number.isInteger(prefix) && prefix >= 0 && prefix <= maxPrefix)) {
      throw codedError("ERR_OUT_OF_RANGE", 'The value of "prefix" is out of range.', RangeError);
    }
    const prefixBits = family === "ipv4" ? IPV4_MAPPED_PREFIX_BITS + prefix : prefix;
    this.#subnets.push({ bytes: mapToIPv6(parseAddress(network, family)), prefixBits });
  }

  /** Returns true if the address is in one of the networks. @throws an error such as Node.js throws for an invalid address */
  check(address: string, family: FamilyName = "ipv4"): boolean {
    const bytes = mapToIPv6(parseAddress(address, family));
    return this.#subnets.some((subnet) => isInSubnet(bytes, subnet));
  }
}

function isInSubnet(address: readonly number[], { bytes, prefixBits }: Subnet): boolean {
  return address.every((byte, index) => {
    const comparedBits = Math.min(8, Math.max(0, prefixBits - 8 * index));
    const differentBits = byte ^ (bytes[index] ?? 0);
    return differentBits >> (8 - comparedBits) === 0;
  });
}

/** Returns the number of a port that is given as a number or as text. @throws an error such as Node.js throws for anything else */
export function parsePort(port: unknown): number {
  const number = typeof port === "string" && port.trim() !== "" ? Number(port) : port;
  if (typeof number === "number" && Number.isInteger(number) && number >= 0 && number < 65_536) return number;
  const received = typeof port === "string" ? `'${port}'` : String(port);
  const message = `Port should be >= 0 and < 65536. Received ${received}.`;
  throw codedError("ERR_SOCKET_BAD_PORT", message, RangeError);
}

/** Returns the host. @throws if it contains a null byte, because the C library would look up only the part before the byte */
export function checkHost(host: string): string {
  if (host.includes("\0")) throw invalidValue("options.host", host, "must be a string without null bytes");
  return host;
}
