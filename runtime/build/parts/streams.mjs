// node:stream of the runtime is the package readable-stream, on the runtime's own modules instead of packages like them.
import { join } from "node:path";

/** @returns aliases for the bundler: modules of packages, and what stands for them */
export function streamAliases(root) {
  const own = (name) => join(root, "runtime", name);
  return {
    buffer: own("modules/buffer.ts"),
    events: own("modules/events.ts"),
    "process/": own("modules/process.ts"),
    "string_decoder/": own("modules/string-decoder.ts"),
    "abort-controller": own("modules/abort.ts"),
    "./duplexify": own("duplexify.ts"),
  };
}
