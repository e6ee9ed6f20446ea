/**
 * Connects the sockets of node:net. `beginConnecting` looks up the host, tries its addresses, and calls `finishConnecting` or
 * `destroy` of the socket.
 *
 * A host may have several addresses. As in Node.js ("happy eyeballs", RFC 8305), they are tried one after another, IPv4 and IPv6
 * alternately. Each address but the last one gets 250 ms.
 */
import { codedError } from "../../errors.ts";
import { nextTick } from "../../loop.ts";
import { natives } from "../../native.ts";
import { checkHost, isIP, parsePort } from "./address.ts";
import { addressFailure, allAttemptsFailed, ETIMEDOUT } from "./errors.ts";
import { DescriptorHandle, type SocketFamily } from "./handle.ts";

/** A flat list of addresses and IP versions, such as "::1", 6, "127.0.0.1", 4; or the code of an error, such as ENOTFOUND. */
type LookUpResult = readonly (string | number)[] | string;

interface Natives {
  readonly lookUpHost: (host: string, callback: (result: LookUpResult) => void) => void;
  /** Asks all name servers. Calls back with true if each of them cannot be reached, refuses to answer, or fails. */
  readonly askNameServers: (host: string, callback: (haveAllFailed: boolean) => void) => void;
}

const native = natives<Natives>();

export interface ConnectOptions {
  readonly host?: string | null | undefined;
  readonly port?: number | string | undefined;
  /** The path of a Unix domain socket. The host and the port are then ignored. */
  readonly path?: string | null | undefined;
  /** 4 or 6 to connect only to addresses of that version of IP. Any other number allows both versions. */
  readonly family?: number | undefined;
  /** If it is false, only the first address of the host is tried. */
  readonly autoSelectFamily?: boolean | undefined;
  /** The milliseconds for which an address is tried before the next one. */
  readonly autoSelectFamilyAttemptTimeout?: number | undefined;
}

/** The part of a Socket that this file uses. A socket that is destroyed sets `connecting` to false, which ends all attempts. */
export interface ConnectingSocket {
  connecting: boolean;
  emit(event: string, ...values: unknown[]): boolean;
  destroy(error: Error): unknown;
  /** Uses the handle of the next attempt, and closes the handle of the previous attempt. */
  useHandle(handle: DescriptorHandle): void;
  finishConnecting(): void;
}

interface HostAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

// The times of Node.js for an attempt.
const ATTEMPT_MS = 250;
const MIN_ATTEMPT_MS = 10;
/**
 * The time after which the name servers are asked whether a look-up can succeed. musl waits five seconds for name servers that
 * glibc gives up at once, above all without a network.
 */
const SLOW_LOOK_UP_MS = 300;
/** The errnos with which libuv reports errors of getaddrinfo(3). */
const LOOK_UP_ERRNOS: Readonly<Record<string, number>> = { ENOTFOUND: -3008, EAI_AGAIN: -3001 };
/** The errno of libuv for EAI_FAIL, which stands for all other errors. */
const OTHER_LOOK_UP_ERRNO = -3004;

/**
 * Connects the socket to the path of a Unix domain socket, to an address, or to a host.
 *
 * @throws an error such as Node.js throws for an invalid host or port
 */
export function beginConnecting(socket: ConnectingSocket, options: ConnectOptions): void {
  if (options.path != null) return connectTo(socket, options.path, undefined, 0);
  const host = checkHost(options.host ?? "localhost");
  const port = parsePort(options.port);
  const family = isIP(host);
  if (family === 0) return connectToHost(socket, host, port, options);
  // As in Node.js, the caller can still add listeners.
  nextTick(() => {
    if (socket.connecting) connectTo(socket, host, port, family);
  });
}

function connectToHost(socket: ConnectingSocket, host: string, port: number, options: ConnectOptions): void {
  lookUp(host, (error, hostAddresses) => {
    if (!socket.connecting) return;
    const fail = (failure: Error): void => nextTick(() => socket.destroy(failure));
    if (error !== undefined) {
      socket.emit("lookup", error, undefined, undefined, host);
      return fail(error);
    }
    const hasFamily = options.family === 4 || options.family === 6;
    const addresses = hasFamily ? hostAddresses.filter(({ family }) => family === options.family) : hostAddresses;
    for (const { address, family } of addresses) socket.emit("lookup", null, address, family, host);
    const [first, ...others] = alternateFamilies(addresses);
    if (first === undefined) return fail(lookUpFailure("ENOTFOUND", host));
    if (others.length === 0 || options.autoSelectFamily === false) {
      return connectTo(socket, first.address, port, first.family);
    }
    const attemptMs = Math.max(MIN_ATTEMPT_MS, options.autoSelectFamilyAttemptTimeout ?? ATTEMPT_MS);
    new ConnectionAttempts(socket, [first, ...others], port, attemptMs).tryNext();
  });
}

function lookUp(host: string, callback: (error: Error | undefined, addresses: readonly HostAddress[]) => void): void {
  let hasResult = false;
  const finish = (result: LookUpResult): void => {
    // After the failure of the name servers, the result of getaddrinfo(3) comes seconds later.
    if (hasResult) return;
    hasResult = true;
    clearTimeout(timer);
    if (typeof result === "string") return callback(lookUpFailure(result, host), []);
    const addresses: HostAddress[] = [];
    for (let index = 0; index + 1 < result.length; index += 2) {
      addresses.push({ address: String(result[index]), family: result[index + 1] === 6 ? 6 : 4 });
    }
    callback(undefined, addresses);
  };
  // `finish` is never called before `timer` is set, because another thread looks up the host.
  native.lookUpHost(host, finish);
  const timer = setTimeout(() => {
    native.askNameServers(host, (haveAllFailed) => {
      if (haveAllFailed) finish("EAI_AGAIN");
    });
  }, SLOW_LOOK_UP_MS);
}

function lookUpFailure(code: string, hostname: string): Error {
  const errno = LOOK_UP_ERRNOS[code] ?? OTHER_LOOK_UP_ERRNO;
  const error = codedError(code, `getaddrinfo ${code} ${hostname}`);
  return Object.assign(error, { errno, syscall: "getaddrinfo", hostname });
}

/** Removes duplicates, and returns addresses of IPv4 and IPv6 alternately, beginning with the family of the first address. */
function alternateFamilies(addresses: readonly HostAddress[]): readonly HostAddress[] {
  const uniqueAddresses = addresses.filter(
    ({ address }, index) => addresses.findIndex((other) => other.address === address) === index,
  );
  const firstFamily = uniqueAddresses[0]?.family;
  const firstFamilyAddresses = uniqueAddresses.filter(({ family }) => family === firstFamily);
  const otherAddresses = uniqueAddresses.filter(({ family }) => family !== firstFamily);
  const pairCount = Math.max(firstFamilyAddresses.length, otherAddresses.length);
  return Array.from({ length: pairCount }).flatMap((_, index) =>
    [firstFamilyAddresses[index], otherAddresses[index]].filter((address) => address !== undefined),
  );
}

/** Connects to a single address or path. The kernel decides how long it tries. @param port undefined for a path */
function connectTo(socket: ConnectingSocket, address: string, port: number | undefined, family: SocketFamily): void {
  socket.emit("connectionAttempt", address, port, family || undefined);
  const handle = new DescriptorHandle();
  socket.useHandle(handle);
  const error = handle.connect(family, address, port ?? 0, (status) => {
    if (!socket.connecting) return;
    if (status === 0) return socket.finishConnecting();
    const failure = addressFailure(status, "connect", address, port);
    socket.emit("connectionAttemptFailed", address, port, family || undefined, failure);
    socket.destroy(failure);
  });
  if (error !== 0) socket.destroy(addressFailure(error, "connect", address, port));
}

/** Tries addresses one after another. Each of them has a time limit, except the last one, for which the kernel decides. */
class ConnectionAttempts {
  readonly #socket: ConnectingSocket;
  readonly #addresses: readonly HostAddress[];
  readonly #port: number;
  readonly #attemptMs: number;
  readonly #failures: NodeJS.ErrnoException[] = [];
  /** The index of the address that is being tried. */
  #currentIndex = -1;

  constructor(socket: ConnectingSocket, addresses: readonly HostAddress[], port: number, attemptMs: number) {
    this.#socket = socket;
    this.#addresses = addresses;
    this.#port = port;
    this.#attemptMs = attemptMs;
  }

  tryNext(): void {
    const socket = this.#socket;
    if (!socket.connecting) return;
    this.#currentIndex += 1;
    const index = this.#currentIndex;
    const hostAddress = this.#addresses[index];
    if (hostAddress === undefined) return void socket.destroy(allAttemptsFailed(this.#failures));
    const { address, family } = hostAddress;
    const handle = new DescriptorHandle();
    socket.useHandle(handle);
    socket.emit("connectionAttempt", address, this.#port, family);
    let timer: NodeJS.Timeout | undefined;
    const error = handle.connect(family, address, this.#port, (status) => {
      // The socket was destroyed, or the next address is being tried.
      if (!socket.connecting || index !== this.#currentIndex) return;
      clearTimeout(timer);
      if (status === 0) socket.finishConnecting();
      else this.#giveUp(hostAddress, status, "connectionAttemptFailed");
    });
    if (error !== 0) return this.#giveUp(hostAddress, error, "connectionAttemptFailed");
    const isLast = index === this.#addresses.length - 1;
    if (isLast) return;
    timer = setTimeout(() => {
      if (socket.connecting) this.#giveUp(hostAddress, ETIMEDOUT, "connectionAttemptTimeout");
    }, this.#attemptMs);
  }

  /** Gives up an address, and tries the next one. @param errno a negative errno */
  #giveUp({ address, family }: HostAddress, errno: number, event: string): void {
    const failure = addressFailure(errno, "connect", address, this.#port);
    this.#failures.push(failure);
    this.#socket.emit(event, address, this.#port, family, failure);
    this.tryNext();
  }
}
