import { ReadStream } from "node:tty";
import { readByte } from "./read-byte.ts";
import { write } from "./write.ts";

const MOST_BYTES = 131_072;
const [INTERRUPT, END, BACKSPACE, LINE_FEED, RETURN, KILL, DELETE] = [0x03, 0x04, 0x08, 0x0a, 0x0d, 0x15, 0x7f];

/**
 * One line of the terminal on the standard input, which does not show it. The prompt goes to the standard error. Ctrl-C
 * ends the program by SIGINT, as it always does; whatever ends it, Node.js gives the terminal its state back.
 *
 * @returns undefined at the end of the input (Ctrl-D), or where it cannot be read
 */
export function readHidden(prompt: string): string | undefined {
  const terminal = new ReadStream(0);
  terminal.setRawMode(true);
  // Not before: what is typed in answer to it must not be shown.
  write(2, prompt);
  let line: string | undefined;
  let interrupted = false;
  try {
    line = readBytes(() => {
      interrupted = true;
    });
  } finally {
    terminal.setRawMode(false);
    terminal.unref();
    write(2, "\n");
  }
  if (interrupted) process.kill(process.pid, "SIGINT");
  return line;
}

function readBytes(interrupt: () => void): string | undefined {
  let bytes: number[] = [];
  while (bytes.length < MOST_BYTES) {
    const byte = readByte();
    if (byte === INTERRUPT) {
      interrupt();
      return undefined;
    }
    if (byte === undefined || byte === "end" || (byte === END && bytes.length === 0)) return undefined;
    if (byte === LINE_FEED || byte === RETURN || byte === END) return Buffer.from(bytes).toString("utf8");
    if (byte === KILL) bytes = [];
    else if (byte === BACKSPACE || byte === DELETE) bytes = withoutLast(bytes);
    else bytes.push(byte);
  }
  return undefined;
}

/** Without the last character, all its bytes in UTF-8. */
function withoutLast(bytes: readonly number[]): number[] {
  let end = bytes.length - 1;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.slice(0, Math.max(end, 0));
}
