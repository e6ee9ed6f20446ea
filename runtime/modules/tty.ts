/**
 * The module node:tty of the executable's runtime. It has only what sophia-run's code uses. Unlike the module of Node.js, it does not
 * change the flags of the open file, such as O_NONBLOCK, because other processes share the file.
 */
import { codedError } from "../errors.ts";
import { natives } from "../native.ts";

interface Natives {
  readonly close: (descriptor: number) => void;
  readonly isTerminal: (descriptor: number) => boolean;
  /** Turns raw mode on or off. The C code restores the terminal's settings whenever this process ends. @returns an errno, or 0 */
  readonly setRawMode: (descriptor: number, isRaw: boolean) => number;
  readonly sizeOfTerminal: (descriptor: number) => readonly [columns: number, rows: number] | undefined;
  readonly systemError: (error: number, syscall: string) => Error;
}

const native = natives<Natives>();

export function isatty(descriptor: unknown): boolean {
  return Number.isInteger(descriptor) && native.isTerminal(Number(descriptor));
}

/** A terminal as input. It has no methods for reading, because sophia-run reads keys by `readSync` of node:fs. */
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

/** A terminal as output, whose size is read once. It has no methods for writing, because sophia-run uses `writeSync` of node:fs. */
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

/** Returns the descriptor if it is a terminal. @throws the error that Node.js throws for any other descriptor */
function checkTerminal(fd: number): number {
  if (isatty(fd)) return fd;
  const message = "TTY initialization failed: uv_tty_init returned EINVAL (invalid argument)";
  throw Object.assign(codedError("ERR_TTY_INIT_FAILED", message), { name: "SystemError" });
}
