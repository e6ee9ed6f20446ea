/**
 * The parts of node:tty that the bundle uses. Unlike in Node.js, none of them changes the flags of the open file (such as
 * O_NONBLOCK), because other processes share it.
 */
import { codedError } from "../errors.ts";
import { natives } from "../native.ts";

interface Natives {
  readonly close: (descriptor: number) => void;
  readonly isTerminal: (descriptor: number) => boolean;
  /** The settings of the terminal are restored whenever this process ends. @returns an error number, or 0 */
  readonly setRawMode: (descriptor: number, isRaw: boolean) => number;
  readonly sizeOfTerminal: (descriptor: number) => readonly [columns: number, rows: number] | undefined;
  readonly systemError: (error: number, syscall: string) => Error;
}

const native = natives<Natives>();

export function isatty(descriptor: unknown): boolean {
  return Number.isInteger(descriptor) && native.isTerminal(Number(descriptor));
}

/** A terminal as input. The bundle reads the keys by `readSync`. */
export class ReadStream {
  isRaw = false;
  readonly fd: number;

  constructor(fd: number) {
    this.fd = checkTerminal(fd);
  }

  setRawMode(isRaw: boolean): this {
    const error = native.setRawMode(this.fd, isRaw);
    if (error !== 0) throw native.systemError(error, "setRawMode");
    this.isRaw = isRaw;
    return this;
  }

  /** Does nothing, because this stream never keeps the event loop alive. */
  unref(): this {
    return this;
  }
}

/** A terminal as output, of which the bundle asks for its size. */
export class WriteStream {
  readonly fd: number;
  readonly columns: number | undefined;
  readonly rows: number | undefined;

  constructor(fd: number) {
    this.fd = checkTerminal(fd);
    [this.columns, this.rows] = native.sizeOfTerminal(fd) ?? [];
  }

  destroy(): this {
    native.close(this.fd);
    return this;
  }
}

/** @throws an Error of Node.js unless the descriptor is a terminal */
function checkTerminal(fd: number): number {
  if (isatty(fd)) return fd;
  const message = "TTY initialization failed: uv_tty_init returned EINVAL (invalid argument)";
  throw Object.assign(codedError("ERR_TTY_INIT_FAILED", message), { name: "SystemError" });
}
