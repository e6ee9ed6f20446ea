import { fstatSync, openSync } from "node:fs";

/**
 * Returns the width of a terminal. Opens it again: libuv (uv_tty_init) replaces a descriptor's open file description and
 * makes it non-blocking, which must not happen to one that the program inherits.
 */
export function terminalColumns(descriptor: 1 | 2): number | undefined {
  try {
    // Before node:tty is loaded, which takes milliseconds.
    if (!fstatSync(descriptor).isCharacterDevice()) return undefined;
    const { isatty, WriteStream } = process.getBuiltinModule("node:tty");
    if (!isatty(descriptor)) return undefined;
    if (process.platform === "win32") return (descriptor === 1 ? process.stdout : process.stderr).columns;
    const { O_RDWR, O_NOCTTY, O_NONBLOCK } = process.getBuiltinModule("node:fs").constants;
    const stream = new WriteStream(openSync(`/dev/fd/${descriptor}`, O_RDWR | O_NOCTTY | O_NONBLOCK));
    const { columns } = stream;
    stream.destroy();
    return columns > 0 ? columns : undefined;
  } catch {
    // The terminal belongs to another user or has hung up.
    return undefined;
  }
}
