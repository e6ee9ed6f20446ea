/** Addresses of hosts. */
import { codedError, invalidValue } from "../../errors.ts";
import { natives } from "../../native.ts";

interface Natives {
  readonly bytesOfAddress: (address: string) => readonly number[] | undefined;
}

const native = natives<Natives>();

/** Returns 4, 6, or 0 for anything else. */
export function isIP(text: string): 0 | 4 | 6 {
  // IPv6 addresses may name an interface.
  const [, address = text, zone] = /^([^%]*)%([0-9a-zA-Z-.:]+)$/.exec(text) ?? [];
  const length = native.bytesOfAddress(address)?.length ?? 0;
  return length === 16 ? 6 : length === 4 && zone === undefined ? 4 : 0;
}

export function isIPv6(text: string): boolean {
  return isIP(text) === 6;
}

type Family = "ipv4" | "ipv6";

function bytesOf(address: string, family: Family): readonly number[] {
  const bytes = native.bytesOfAddress(address);
  if (bytes?.length !== (family === "ipv4" ? 4 : 16)) {
    throw codedError("ERR_INVALID_ADDRESS", "Invalid address");
  }
  return bytes;
}

/** An IPv4 address in IPv6 has these bytes before it. */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255];

function asIPv6(bytes: readonly number[]): readonly number[] {
  return bytes.length === 16 ? bytes : [...MAPPED, ...bytes];
}

export class BlockList {
  readonly #subnets: { readonly bytes: readonly number[]; readonly bits: number }[] = [];

  addSubnet(network: string, prefix: number, family: Family = "ipv4"): void {
    if (!(Number.isInteger(prefix) && prefix >= 0 && prefix <= (family === "ipv4" ? 32 : 128))) {
      throw codedError("ERR_OUT_OF_RANGE", 'The value of "prefix" is out of range.', RangeError);
    }
    const bits = family === "ipv4" ? prefix + 96 : prefix;
    this.#subnets.push({ bytes: asIPv6(bytesOf(network, family)), bits });
  }

  check(address: string, family: Family = "ipv4"): boolean {
    const bytes = asIPv6(bytesOf(address, family));
    return this.#subnets.some((subnet) =>
      bytes.every((byte, index) => {
        const bits = Math.min(8, Math.max(0, subnet.bits - 8 * index));
        return (byte ^ (subnet.bytes[index] ?? 0)) >> (8 - bits) === 0;
      }),
    );
  }
}

/** @throws for a number that is no port */
export function validPort(port: unknown): number {
  const number = typeof port === "string" && port.trim() !== "" ? Number(port) : port;
  if (typeof number === "number" && Number.isInteger(number) && number >= 0 && number < 65_536) return number;
  throw codedError(
    "ERR_SOCKET_BAD_PORT",
    `Port should be >= 0 and < 65536. Received ${typeof port === "string" ? `'${port}'` : String(port)}.`,
    RangeError,
  );
}

/** @throws for a name that the C library would cut */
export function validHost(host: string): string {
  if (host.includes("\0")) throw invalidValue("options.host", host, "must be a string without null bytes");
  return host;
}
