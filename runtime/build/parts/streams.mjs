// Bundles the package readable-stream as node:stream of the runtime. It is Node.js's own code. The bundle takes modules of the runtime
// in place of the packages on which readable-stream depends, and makes its hot code faster.
import { join } from "node:path";

/** A call of the log that NODE_DEBUG turns on. The runtime does not have this log. Each call has a line of its own, and no effect. */
const LOG_CALL = /^ *debug\(.*\)$/gm;
const EXPECTED_LOG_CALLS = 35;
/**
 * A read or a write of a flag by its name. The flags are bits of one number, and have getters and setters: `state.ended = true`
 * becomes `state.state |= kEnded`.
 */
const FLAG_ACCESS =
  /\bstate\.(objectMode|ended|endEmitted|reading|constructed|sync|needReadable|emittedReadable|resumeScheduled|errorEmitted|autoDestroy|destroyed|closeEmitted|multiAwaitDrain|readingMore|dataEmitted)\b(?: = (true|false)$|(?! =[^=]))/gm;
const EXPECTED_FLAG_ACCESSES = 67;

/**
 * Returns a plugin for the bundler that removes the calls of the log from readable.js, and replaces the calls of the flags' getters
 * and setters by operations on bits. The engine has no compiler for hot code, so that each call costs its full time: these calls took
 * a twentieth of the time of a request through the broker.
 */
export function createStreamPlugin() {
  return {
    name: "without-logs",
    transform(code, path) {
      if (!path.endsWith("/readable-stream/lib/internal/streams/readable.js")) return undefined;
      const count = { log: 0, flag: 0 };
      const changed = code
        .replaceAll(/^ *\/\/.*$/gm, "")
        .replaceAll(LOG_CALL, () => {
          count.log += 1;
          return ";";
        })
        .replaceAll(FLAG_ACCESS, (_, name, newValue) => {
          count.flag += 1;
          return flagOperation(name, newValue);
        });
      if (count.log !== EXPECTED_LOG_CALLS || count.flag !== EXPECTED_FLAG_ACCESSES) {
        throw new Error(`readable.js has another form now: ${JSON.stringify(count)}`);
      }
      return changed;
    },
  };
}

/** Returns the code that reads a flag or, if there is a new value, writes it. readable.js defines a constant for each flag: `kEnded`. */
function flagOperation(name, newValue) {
  const flag = `k${name[0].toUpperCase()}${name.slice(1)}`;
  if (newValue === undefined) return `((state.state & ${flag}) !== 0)`;
  return newValue === "true" ? `state.state |= ${flag}` : `state.state &= ~${flag}`;
}

/**
 * Returns the aliases for the bundler: for each module that readable-stream requires, the file of the runtime that replaces it.
 *
 * @param root the repository
 */
export function streamAliases(root) {
  const runtimeFile = (name) => join(root, "runtime", name);
  return {
    buffer: runtimeFile("modules/buffer.ts"),
    events: runtimeFile("modules/events.ts"),
    "process/": runtimeFile("modules/process.ts"),
    "string_decoder/": runtimeFile("modules/string-decoder.ts"),
    "abort-controller": runtimeFile("modules/abort.ts"),
    "./duplexify": runtimeFile("duplexify.ts"),
  };
}
