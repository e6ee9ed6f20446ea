/** The parts of node:tty that the bundle uses. None of them changes an open file that others share. */
import { codedError } from "../errors.ts";
import { natives } from "../native.ts";

interface Natives {
  readonly close: (descriptor: number) => void;
  readonly isTerminal: (descriptor: number) => boolean;
  /** Restores the terminal's settings at any end of this process. @returns an error number, or 0 */
  readonly setRawMode: (descriptor: number, isRaw: boolean) => number;
  readonly sizeOfTerminal: (descriptor: number) => readonly [columns: number, rows: number] | undefined;
  readonly systemError: (error: number, syscall: string) => Error;
}

const native = natives<Natives>();

export function isatty(descriptor: unknown): boolean {
  return Number.isInteger(descriptor) && native.isTerminal(Number(descriptor));
}

/** A terminal whose keys are read by `readSync`. */
export class ReadStream {
  isRaw = false;
  readonly fd: number;

  constructor(fd: number) {
    this.fd = checked(fd);
  }

  setRawMode(isRaw: boolean): this {
    const error = native.setRawMode(this.fd, isRaw);
    if (error !== 0) throw native.systemError(error, "setRawMode");
    this.isRaw = isRaw;
    return this;
  }

  /** It never keeps the event loop alive. */
  unref(): this {
    return this;
  }
}

/** A terminal of which the size is asked for. */
export class WriteStream {
  readonly fd: number;
  readonly columns: number | undefined;
  readonly rows: number | undefined;

  constructor(fd: number) {
    this.fd = checked(fd);
    [this.columns, this.rows] = native.sizeOfTerminal(fd) ?? [];
  }

  destroy(): this {
    native.close(this.fd);
    return this;
  }
}

function checked(fd: number): number {
  if (isatty(fd)) return fd;
  const message = "TTY initialization failed: uv_tty_init returned EINVAL (invalid argument)";
  throw Object.assign(codedError("ERR_TTY_INIT_FAILED", message), { name: "SystemError" });
}
