/**
 * Messages of this process between the lines that the program writes. A message waits until the program has ended its current line, so
 * that neither is torn.
 */
import { writeAll } from "./io.ts";

const NEWLINE = 10;

/**
 * Creates a writer of messages.
 *
 * @param target the descriptor; undefined if messages are dropped
 * @param lineEnd a terminal in raw mode needs both characters
 */
export function messageWriter(target: number | undefined, lineEnd: "\n" | "\r\n") {
  const waiting: string[] = [];
  let isLineStart = true;
  let isEnabled = target !== undefined;
  let lastWrite: Promise<unknown> = Promise.resolve();
  const writeWaiting = async (prefix = ""): Promise<void> => {
    const text = waiting.splice(0).join("");
    if (target === undefined || !isEnabled || text === "") return;
    lastWrite = lastWrite.then(() => writeAll(target, Buffer.from(prefix + text)));
    await lastWrite;
  };
  return {
    /** Must be called after each write of the program's output, with its last byte. */
    wrote: async (byte: number): Promise<void> => {
      isLineStart = byte === NEWLINE;
      if (isLineStart) await writeWaiting();
    },
    /** Writes whole lines as soon as the program's current line has ended; at the latest when `finish` is called. */
    write: (text: string): void => {
      waiting.push(text.replaceAll("\n", lineEnd));
      if (isLineStart) void writeWaiting();
    },
    /** Drops all later messages. */
    disable: (): void => {
      isEnabled = false;
    },
    /** Writes the messages that wait, in a new line. */
    finish: async (): Promise<void> => {
      await writeWaiting(isLineStart ? "" : lineEnd);
      await lastWrite;
    },
  };
}
