/** Connecting sockets: names of hosts, and several addresses one after the other, as in Node.js ("happy eyeballs"). */
import { codedError } from "../../errors.ts";
import { nextTick } from "../../loop.ts";
import { natives } from "../../native.ts";
import { isIP, validHost, validPort } from "./address.ts";
import { addressFailure, allFailed, ETIMEDOUT } from "./errors.ts";
import { DescriptorHandle, type Family } from "./handle.ts";

interface Natives {
  /** Calls back with addresses and families in turns, or with the code of an error. */
  readonly lookUpHost: (host: string, callback: (found: readonly (string | number)[] | string) => void) => void;
  /** Calls back with true if each name server cannot be reached, refuses, or fails. */
  readonly askNameServers: (host: string, callback: (allFail: boolean) => void) => void;
}

const native = natives<Natives>();

export interface ConnectOptions {
  readonly host?: string | null | undefined;
  readonly port?: number | string | undefined;
  readonly path?: string | null | undefined;
  /** 4 or 6: only addresses of that family; 0 or none: any. */
  readonly family?: number | undefined;
  readonly autoSelectFamily?: boolean | undefined;
  readonly autoSelectFamilyAttemptTimeout?: number | undefined;
}

/** A socket that is being connected. */
export interface Connecting {
  connecting: boolean;
  emit(event: string, ...given: unknown[]): boolean;
  destroy(error: Error): unknown;
  /** Takes another handle, and closes the former one. */
  useHandle(handle: DescriptorHandle): void;
  connected(): void;
}

interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

const ATTEMPT_MS = 250;
/** musl waits five seconds for name servers that glibc gives up at once, above all without a network. */
const SLOW_LOOK_UP_MS = 300;

export function beginConnecting(socket: Connecting, options: ConnectOptions): void {
  if (options.path != null) return attempt(socket, options.path, undefined, 0);
  const host = validHost(options.host ?? "localhost");
  const port = validPort(options.port);
  const family = isIP(host);
  if (family !== 0) {
    return nextTick(() => {
      if (socket.connecting) attempt(socket, host, port, family);
    });
  }
  lookUp(host, (error, found) => {
    if (!socket.connecting) return;
    const fail = (failure: Error): void => nextTick(() => socket.destroy(failure));
    if (error !== undefined) {
      socket.emit("lookup", error, undefined, undefined, host);
      return fail(error);
    }
    const all = found.filter((one) =>
      options.family !== 4 && options.family !== 6 ? true : one.family === options.family,
    );
    for (const { address, family: its } of all) socket.emit("lookup", null, address, its, host);
    const [first, ...others] = alternating(all);
    if (first === undefined) return fail(unknownHost("ENOTFOUND", host));
    if (others.length === 0 || options.autoSelectFamily === false) {
      return attempt(socket, first.address, port, first.family);
    }
    const ms = Math.max(10, options.autoSelectFamilyAttemptTimeout ?? ATTEMPT_MS);
    attemptAll(socket, [first, ...others], port, ms);
  });
}

function lookUp(host: string, callback: (error: Error | undefined, found: readonly Address[]) => void): void {
  let isDone = false;
  const done = (found: readonly (string | number)[] | string): void => {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    if (typeof found === "string") return callback(unknownHost(found, host), []);
    const all: Address[] = [];
    for (let index = 0; index + 1 < found.length; index += 2) {
      all.push({ address: String(found[index]), family: found[index + 1] === 6 ? 6 : 4 });
    }
    callback(undefined, all);
  };
  native.lookUpHost(host, done);
  const timer = setTimeout(
    () => native.askNameServers(host, (allFail) => allFail && done("EAI_AGAIN")),
    SLOW_LOOK_UP_MS,
  );
}

function unknownHost(code: string, hostname: string): Error {
  const errno = code === "ENOTFOUND" ? -3008 : code === "EAI_AGAIN" ? -3001 : -3004;
  const error = codedError(code, `getaddrinfo ${code} ${hostname}`);
  return Object.assign(error, { errno, syscall: "getaddrinfo", hostname });
}

/** Puts the families in turns, and that of the first address first. */
function alternating(found: readonly Address[]): readonly Address[] {
  const once = found.filter(({ address }, index) => found.findIndex((other) => other.address === address) === index);
  const preferred = once.filter(({ family }) => family === once[0]?.family);
  const others = once.filter(({ family }) => family !== once[0]?.family);
  const longer = Math.max(preferred.length, others.length);
  return Array.from({ length: longer }).flatMap((_, index) =>
    [preferred[index], others[index]].filter((one) => one !== undefined),
  );
}

function attempt(socket: Connecting, address: string, port: number | undefined, family: Family): void {
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

/** Each address has `ms` milliseconds; the last one has as long as the system tries. */
function attemptAll(socket: Connecting, addresses: readonly Address[], port: number, ms: number): void {
  const errors: NodeJS.ErrnoException[] = [];
  let current = -1;
  const next = (): void => {
    if (!socket.connecting) return;
    current += 1;
    const mine = current;
    const target = addresses[mine];
    if (target === undefined) return void socket.destroy(allFailed(errors));
    const { address, family } = target;
    const handle = new DescriptorHandle();
    socket.useHandle(handle);
    socket.emit("connectionAttempt", address, port, family);
    let timer: NodeJS.Timeout | undefined;
    const failed = (status: number, event: string): void => {
      clearTimeout(timer);
      const failure = addressFailure(status, "connect", address, port);
      errors.push(failure);
      socket.emit(event, address, port, family, failure);
      next();
    };
    const error = handle.connect(family, address, port, (status) => {
      if (!socket.connecting || mine !== current) return;
      if (status !== 0) return failed(status, "connectionAttemptFailed");
      clearTimeout(timer);
      socket.connected();
    });
    if (error !== 0) return failed(error, "connectionAttemptFailed");
    if (mine === addresses.length - 1) return;
    timer = setTimeout(() => socket.connecting && failed(ETIMEDOUT, "connectionAttemptTimeout"), ms);
  };
  next();
}
