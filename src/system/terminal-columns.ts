import { fstatSync, openSync } from "node:fs";

/**
 * Returns the columns of the terminal that a descriptor is; undefined if it is none, or its size is not known.
 *
 * The terminal is opened a second time. libuv (uv_tty_init) puts a description of its own in the place of the descriptor
 * that it is given and makes it non-blocking, which must not happen to one that the program inherits.
 */
export function terminalColumns(descriptor: 1 | 2): number | undefined {
  try {
    // Elsewhere node:tty, which takes milliseconds, is not loaded.
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
    // Another user's, or one that has hung up.
    return undefined;
  }
}
