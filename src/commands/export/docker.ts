import { isIdentifier, type VariableFormat } from "./format.ts";

/** The longest line that Docker reads is one byte shorter (Go's bufio.MaxScanTokenSize). */
const LINE_LIMIT_BYTES = 64 * 1024;

/** `NAME=value` as `docker run --env-file` reads it (docker/cli, pkg/kvfile): no quoting and no escapes. */
export const docker: VariableFormat = {
  fault: ({ name, value }) => {
    if (!isIdentifier(name)) return "its name is not one of letters, digits and _";
    if (value.includes("\n")) return "its value has a line break, which docker --env-file cannot hold";
    if (value.endsWith("\r")) return "its value ends with a carriage return, which docker --env-file drops";
    if (Buffer.byteLength(name) + 1 + Buffer.byteLength(value) >= LINE_LIMIT_BYTES) {
      return "its line would have 64 KiB or more, which docker --env-file does not read";
    }
    return undefined;
  },
  write: (variables) => variables.map(({ name, value }) => `${name}=${value}\n`).join(""),
};
