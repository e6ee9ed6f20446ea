/**
 * Puts a stand-in in the place of `process.stderr`, which opens the real stream once something of it is used.
 *
 * Node compares each socket that it destroys with `process.stderr`. To ask for that is to open it, which loads node:tty
 * and makes a pipe non-blocking: the program's too, and that of all who write to it. What `NODE_OPTIONS` preloads here
 * (an agent that instruments the program, say) and Node's own warnings write to it all the same.
 */
export function postponeStandardError(): void {
  const property = Object.getOwnPropertyDescriptor(process, "stderr");
  // What was preloaded has put another in its place.
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
