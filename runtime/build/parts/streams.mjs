// node:stream of the runtime is the package readable-stream, on the runtime's own modules instead of packages like them.
import { join } from "node:path";

/** A call of the log of NODE_DEBUG, which the runtime has not. Each has a line of its own, and no effect. */
const LOG = /^ *debug\(.*\)$/gm;
/** Uses of flags by their names, which are getters and setters of one number. */
const FLAG =
  /\bstate\.(objectMode|ended|endEmitted|reading|constructed|sync|needReadable|emittedReadable|resumeScheduled|errorEmitted|autoDestroy|destroyed|closeEmitted|multiAwaitDrain|readingMore|dataEmitted)\b(?: = (true|false)$|(?! =[^=]))/gm;

/**
 * Returns a plugin for the bundler. The engine does not compile what runs often, so that a call costs as much each time: those of
 * logs and flags took a twentieth of a request through the broker.
 */
export function withoutLogs() {
  return {
    name: "without-logs",
    transform(code, path) {
      if (!path.endsWith("/readable-stream/lib/internal/streams/readable.js")) return undefined;
      const count = { log: 0, flag: 0 };
      const changed = code
        .replaceAll(/^ *\/\/.*$/gm, "")
        .replaceAll(LOG, () => {
          count.log += 1;
          return ";";
        })
        .replaceAll(FLAG, (_, name, value) => {
          count.flag += 1;
          const flag = `k${name[0].toUpperCase()}${name.slice(1)}`;
          if (value === undefined) return `((state.state & ${flag}) !== 0)`;
          return value === "true" ? `state.state |= ${flag}` : `state.state &= ~${flag}`;
        });
      if (count.log !== 35 || count.flag !== 67) {
        throw new Error(`readable.js has another form now: ${JSON.stringify(count)}`);
      }
      return changed;
    },
  };
}

/** @returns aliases for the bundler: modules of packages, and what stands for them */
export function streamAliases(root) {
  const file = (name) => join(root, "runtime", name);
  return {
    buffer: file("modules/buffer.ts"),
    events: file("modules/events.ts"),
    "process/": file("modules/process.ts"),
    "string_decoder/": file("modules/string-decoder.ts"),
    "abort-controller": file("modules/abort.ts"),
    "./duplexify": file("duplexify.ts"),
  };
}
