import { ReadStream } from "node:tty";
import { readByte } from "./read-line.ts";
import { write } from "./write.ts";

const MOST_BYTES = 131_072;
const [INTERRUPT, END, BACKSPACE, LINE_FEED, RETURN, KILL, DELETE] = [0x03, 0x04, 0x08, 0x0a, 0x0d, 0x15, 0x7f];

/**
 * Terminals mark what is pasted once they are asked to (xterm's bracketed paste): its line breaks then belong to it.
 * Without the marks the first line of a pasted key would be the value, and the shell would get the others.
 */
const MARK_PASTES = "\u001B[?2004h";
const MARK_NO_PASTES = "\u001B[?2004l";
const PASTE_BEGINS = Buffer.from("\u001B[200~");
const PASTE_ENDS = Buffer.from("\u001B[201~");

/**
 * Reads one line of the terminal on the standard input, which does not show it; pasted, it may have several lines, and one
 * line break at its end is dropped. The prompt goes to the standard error. Ctrl-C ends the program by SIGINT; whatever
 * ends it, Node.js gives the terminal its state back.
 *
 * @param marksPastes the terminal knows escape sequences
 * @returns undefined at the end of the input (Ctrl-D), or if it cannot be read
 */
export function readHidden(prompt: string, marksPastes: boolean): string | undefined {
  const terminal = new ReadStream(0);
  terminal.setRawMode(true);
  // Not before: what is typed in answer to it must not be shown.
  write(2, (marksPastes ? MARK_PASTES : "") + prompt);
  let line: string | typeof INTERRUPT | undefined;
  try {
    line = readBytes();
  } finally {
    terminal.setRawMode(false);
    terminal.unref();
    write(2, `${marksPastes ? MARK_NO_PASTES : ""}\n`);
  }
  if (typeof line !== "number") return line;
  process.kill(process.pid, "SIGINT");
  return undefined;
}

/** @returns INTERRUPT for Ctrl-C */
function readBytes(): string | typeof INTERRUPT | undefined {
  let bytes: number[] = [];
  let isPasted = false;
  let before = 0;
  while (bytes.length < MOST_BYTES) {
    const byte = readByte();
    if (byte === undefined || byte === "end") return undefined;
    if (isPasted) {
      // Terminals send a carriage return for each line break, as for the key; some leave the two of Windows as they are.
      if (byte !== LINE_FEED || before !== RETURN) bytes.push(byte === RETURN ? LINE_FEED : byte);
      before = byte;
      if (!endsWith(bytes, PASTE_ENDS)) continue;
      isPasted = false;
      bytes.length -= PASTE_ENDS.length;
      if (bytes.at(-1) === LINE_FEED) bytes.pop();
      continue;
    }
    if (byte === INTERRUPT) return INTERRUPT;
    if (byte === END && bytes.length === 0) return undefined;
    if (byte === LINE_FEED || byte === RETURN || byte === END) return Buffer.from(bytes).toString("utf8");
    if (byte === KILL) bytes = [];
    else if (byte === BACKSPACE || byte === DELETE) bytes = withoutLast(bytes);
    else bytes.push(byte);
    if (endsWith(bytes, PASTE_BEGINS)) {
      isPasted = true;
      bytes.length -= PASTE_BEGINS.length;
    }
  }
  return undefined;
}

function endsWith(bytes: readonly number[], mark: Uint8Array): boolean {
  return bytes.length >= mark.length && mark.every((byte, index) => bytes.at(index - mark.length) === byte);
}

/** Without the last character, all its bytes in UTF-8. */
function withoutLast(bytes: readonly number[]): number[] {
  let end = bytes.length - 1;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.slice(0, Math.max(end, 0));
}
