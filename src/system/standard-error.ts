/**
 * Replaces `process.stderr` by a stand-in that opens the real stream when something of it is used.
 *
 * Node compares each socket that it destroys with `process.stderr`, and reading that property opens the stream: this loads
 * node:tty and makes a pipe non-blocking, for the program too and for all who write to it. Code that `NODE_OPTIONS`
 * preloads (such as an agent that instruments the program) and Node's own warnings can still write to it.
 */
export function postponeStandardError(): void {
  const property = Object.getOwnPropertyDescriptor(process, "stderr");
  // Preloaded code has replaced it already.
  if (property?.get === undefined) return;
  const open = (): NodeJS.WriteStream => {
    Object.defineProperty(process, "stderr", property);
    return process.stderr;
  };
  const standIn = new Proxy(
    {},
    {
      get: (_, key) => {
        const stream = open();
        const value: unknown = Reflect.get(stream, key);
        return typeof value === "function" ? (value.bind(stream) as unknown) : value;
      },
      set: (_, key, value) => Reflect.set(open(), key, value),
      has: (_, key) => Reflect.has(open(), key),
      getPrototypeOf: () => Reflect.getPrototypeOf(open()),
    },
  );
  Object.defineProperty(process, "stderr", { value: standIn, configurable: true });
}
