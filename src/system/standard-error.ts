/**
 * Replaces `process.stderr` by a stand-in that opens the real stream at its first use. Node reads `process.stderr` whenever
 * it destroys a socket; opening it loads node:tty and makes a pipe non-blocking for all its writers, the program included.
 *
 * `dropsDebugging` drops the output of `NODE_DEBUG`: the variable is meant for the program, and here it would show the
 * program's environment (`child_process`) and tokens (`http`).
 */
export function postponeStandardError(dropsDebugging: boolean): void {
  const property = Object.getOwnPropertyDescriptor(process, "stderr");
  // Absent if preloaded code has replaced it.
  if (property?.get === undefined) return;
  const open = (): NodeJS.WriteStream => {
    Object.defineProperty(process, "stderr", property);
    const stream = process.stderr;
    if (dropsDebugging) standInForIt();
    return stream;
  };
  const writeUnlessDebugging = (...args: Parameters<NodeJS.WriteStream["write"]>): boolean =>
    isDebugging(args[0]) || open().write(...args);
  const standIn = new Proxy(
    {},
    {
      get: (_, key) => {
        if (dropsDebugging && key === "write") return writeUnlessDebugging;
        // Node asks it for the choice of colours.
        if (dropsDebugging && key === "isTTY") return false;
        const stream = open();
        const value: unknown = Reflect.get(stream, key);
        return typeof value === "function" ? (value.bind(stream) as unknown) : value;
      },
      set: (_, key, value) => Reflect.set(open(), key, value),
      has: (_, key) => Reflect.has(open(), key),
      getPrototypeOf: () => Reflect.getPrototypeOf(open()),
    },
  );
  const standInForIt = (): void =>
    void Object.defineProperty(process, "stderr", { value: standIn, configurable: true });
  standInForIt();
}

/** Returns true for a line of `util.debuglog`: a section, this PID and a message. */
function isDebugging(text: unknown): boolean {
  return typeof text === "string" && new RegExp(`^\\S+ ${process.pid}: `).test(text);
}
