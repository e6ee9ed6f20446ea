/**
 * The connecting of sockets in node:net. `beginConnecting` looks up the host, tries its addresses, and reports to the socket.
 *
 * A host may have several addresses. As in Node.js ("happy eyeballs", RFC 8305) they are tried one after the other, IPv4 and
 * IPv6 in turn, and each but the last has 250 ms.
 */
import { codedError } from "../../errors.ts";
import { nextTick } from "../../loop.ts";
import { natives } from "../../native.ts";
import { checkHost, isIP, parsePort } from "./address.ts";
import { addressFailure, allAttemptsFailed, ETIMEDOUT } from "./errors.ts";
import { DescriptorHandle, type SocketFamily } from "./handle.ts";

/** Addresses and families as a flat list, such as "::1", 6, "127.0.0.1", 4; or the code of an error, such as ENOTFOUND. */
type LookUpResult = readonly (string | number)[] | string;

interface Natives {
  readonly lookUpHost: (host: string, callback: (result: LookUpResult) => void) => void;
  /** Calls back with true if each name server cannot be reached, refuses to answer, or fails. */
  readonly askNameServers: (host: string, callback: (haveAllFailed: boolean) => void) => void;
}

const native = natives<Natives>();

export interface ConnectOptions {
  readonly host?: string | null | undefined;
  readonly port?: number | string | undefined;
  /** The path of a local socket. The host and the port are then ignored. */
  readonly path?: string | null | undefined;
  /** 4 or 6: connects only to addresses of that version of IP. Any other number allows both. */
  readonly family?: number | undefined;
  /** If it is false, only the first address of the host is tried. */
  readonly autoSelectFamily?: boolean | undefined;
  /** The milliseconds for which an address is tried before the next one. */
  readonly autoSelectFamilyAttemptTimeout?: number | undefined;
}

/** A socket that connects. It sets `connecting` to false if it is destroyed, which ends all attempts. */
export interface ConnectingSocket {
  connecting: boolean;
  emit(event: string, ...values: unknown[]): boolean;
  destroy(error: Error): unknown;
  /** Uses the handle of the next attempt, and closes the handle of the attempt before. */
  useHandle(handle: DescriptorHandle): void;
  connected(): void;
}

interface HostAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

const ATTEMPT_MS = 250;
const MIN_ATTEMPT_MS = 10;
/** musl waits five seconds for name servers that glibc gives up at once, above all without a network. */
const SLOW_LOOK_UP_MS = 300;
/** The numbers by which libuv reports errors of getaddrinfo(3). */
const LOOK_UP_ERRNOS: Readonly<Record<string, number>> = { ENOTFOUND: -3008, EAI_AGAIN: -3001 };
const OTHER_LOOK_UP_ERRNO = -3004;

/**
 * Connects the socket to a local path, to an address, or to a host. The result is `connected` or `destroy` of the socket.
 *
 * @throws an Error of Node.js for an invalid host or port
 */
export function beginConnecting(socket: ConnectingSocket, options: ConnectOptions): void {
  if (options.path != null) return connectTo(socket, options.path, undefined, 0);
  const host = checkHost(options.host ?? "localhost");
  const port = parsePort(options.port);
  const family = isIP(host);
  if (family === 0) return connectToHost(socket, host, port, options);
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
    const isOneFamily = options.family === 4 || options.family === 6;
    const addresses = isOneFamily ? hostAddresses.filter(({ family }) => family === options.family) : hostAddresses;
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
  let isDone = false;
  const finish = (result: LookUpResult): void => {
    // If the name servers have failed, the look-up still ends some seconds later.
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    if (typeof result === "string") return callback(lookUpFailure(result, host), []);
    const addresses: HostAddress[] = [];
    for (let index = 0; index + 1 < result.length; index += 2) {
      addresses.push({ address: String(result[index]), family: result[index + 1] === 6 ? 6 : 4 });
    }
    callback(undefined, addresses);
  };
  native.lookUpHost(host, finish);
  const timer = setTimeout(
    () => native.askNameServers(host, (haveAllFailed) => haveAllFailed && finish("EAI_AGAIN")),
    SLOW_LOOK_UP_MS,
  );
}

function lookUpFailure(code: string, hostname: string): Error {
  const errno = LOOK_UP_ERRNOS[code] ?? OTHER_LOOK_UP_ERRNO;
  const error = codedError(code, `getaddrinfo ${code} ${hostname}`);
  return Object.assign(error, { errno, syscall: "getaddrinfo", hostname });
}

/** Removes duplicates, and arranges IPv4 and IPv6 in turn. The family of the first address comes first. */
function alternateFamilies(addresses: readonly HostAddress[]): readonly HostAddress[] {
  const unique = addresses.filter(
    ({ address }, index) => addresses.findIndex((other) => other.address === address) === index,
  );
  const preferred = unique.filter(({ family }) => family === unique[0]?.family);
  const others = unique.filter(({ family }) => family !== unique[0]?.family);
  const rounds = Math.max(preferred.length, others.length);
  return Array.from({ length: rounds }).flatMap((_, index) =>
    [preferred[index], others[index]].filter((address) => address !== undefined),
  );
}

/** Connects to a single address. The system decides how long it tries. */
function connectTo(socket: ConnectingSocket, address: string, port: number | undefined, family: SocketFamily): void {
  socket.emit("connectionAttempt", address, port, family || undefined);
  const handle = new DescriptorHandle();
  socket.useHandle(handle);
  const error = handle.connect(family, address, port ?? 0, (status) => {
    if (!socket.connecting) return;
    if (status === 0) return socket.connected();
    const failure = addressFailure(status, "connect", address, port);
    socket.emit("connectionAttemptFailed", address, port, family || undefined, failure);
    socket.destroy(failure);
  });
  if (error !== 0) socket.destroy(addressFailure(error, "connect", address, port));
}

/** Tries addresses one after the other. Each has a time limit, but the last is tried for as long as the system tries. */
class ConnectionAttempts {
  readonly #socket: ConnectingSocket;
  readonly #addresses: readonly HostAddress[];
  readonly #port: number;
  readonly #attemptMs: number;
  readonly #failures: NodeJS.ErrnoException[] = [];
  #current = -1;

  constructor(socket: ConnectingSocket, addresses: readonly HostAddress[], port: number, attemptMs: number) {
    this.#socket = socket;
    this.#addresses = addresses;
    this.#port = port;
    this.#attemptMs = attemptMs;
  }

  tryNext(): void {
    const socket = this.#socket;
    if (!socket.connecting) return;
    this.#current += 1;
    const attempt = this.#current;
    const target = this.#addresses[attempt];
    if (target === undefined) return void socket.destroy(allAttemptsFailed(this.#failures));
    const handle = new DescriptorHandle();
    socket.useHandle(handle);
    socket.emit("connectionAttempt", target.address, this.#port, target.family);
    let timer: NodeJS.Timeout | undefined;
    const error = handle.connect(target.family, target.address, this.#port, (status) => {
      // The attempt was given up for the next one.
      if (!socket.connecting || attempt !== this.#current) return;
      clearTimeout(timer);
      if (status === 0) socket.connected();
      else this.#giveUp(target, status, "connectionAttemptFailed");
    });
    if (error !== 0) return this.#giveUp(target, error, "connectionAttemptFailed");
    const isLast = attempt === this.#addresses.length - 1;
    if (isLast) return;
    timer = setTimeout(() => {
      if (socket.connecting) this.#giveUp(target, ETIMEDOUT, "connectionAttemptTimeout");
    }, this.#attemptMs);
  }

  #giveUp({ address, family }: HostAddress, status: number, event: string): void {
    const failure = addressFailure(status, "connect", address, this.#port);
    this.#failures.push(failure);
    this.#socket.emit(event, address, this.#port, family, failure);
    this.tryNext();
  }
}
