/**
 * Replaces `process.stderr` by a stand-in (a Proxy) that opens the real stream only when it is used. Node.js reads
 * `process.stderr` whenever it destroys a socket. Opening the stream loads node:tty, and makes a pipe non-blocking for all
 * of its writers, the program included.
 *
 * @param dropsDebugging true to drop the output of `NODE_DEBUG`. The user sets that variable for the program. Here it would
 * show the program's environment (`child_process`) and tokens (`http`).
 */
export function openStandardErrorLazily(dropsDebugging: boolean): void {
  const property = Object.getOwnPropertyDescriptor(process, "stderr");
  // There is no getter if preloaded code has replaced the property.
  if (property?.get === undefined) return;
  const open = (): NodeJS.WriteStream => {
    Object.defineProperty(process, "stderr", property);
    const stream = process.stderr;
    // The stand-in goes on to drop debugging output.
    if (dropsDebugging) installStandIn();
    return stream;
  };
  const writeUnlessDebugging = (...args: Parameters<NodeJS.WriteStream["write"]>): boolean =>
    isDebugging(args[0]) || open().write(...args);
  const standIn = new Proxy(
    {},
    {
      get: (_, key) => {
        if (dropsDebugging && key === "write") return writeUnlessDebugging;
        // Node.js reads this property to choose colours, also for output that is dropped.
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
  const installStandIn = (): void =>
    void Object.defineProperty(process, "stderr", { value: standIn, configurable: true });
  installStandIn();
}

/** Returns true for a line of `util.debuglog`, such as `HTTP 1234: outgoing message end`, with the PID of this process. */
function isDebugging(text: unknown): boolean {
  return typeof text === "string" && new RegExp(`^\\S+ ${process.pid}: `).test(text);
}
