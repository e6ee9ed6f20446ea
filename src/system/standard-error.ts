/**
 * Replaces `process.stderr` by a stand-in that opens the real stream when something of it is used.
 *
 * Node compares each socket that it destroys with `process.stderr`, and reading that property opens the stream: this loads
 * node:tty and makes a pipe non-blocking, for the program too and for all who write to it. Code that `NODE_OPTIONS`
 * preloads (such as an agent that instruments the program) and Node's own warnings can still write to it.
 *
 * @param dropsDebugging drops what Node.js writes for `NODE_DEBUG`: the variable is meant for the program, and here it would
 *   show the program's whole environment (`child_process`) and tokens (`http`)
 */
export function postponeStandardError(dropsDebugging: boolean): void {
  const property = Object.getOwnPropertyDescriptor(process, "stderr");
  // Preloaded code has replaced it already.
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
        // Asked to choose colours.
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

/** True of a line of `util.debuglog`: a section, this process and a message. */
function isDebugging(text: unknown): boolean {
  return typeof text === "string" && new RegExp(`^\\S+ ${process.pid}: `).test(text);
}
