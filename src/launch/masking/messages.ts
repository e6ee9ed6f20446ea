/**
 * Writes messages of this process to the standard error to which the program writes as well. A message waits until the program has
 * ended its current line, so that no line of either is torn.
 */
import { writeAll } from "./io.ts";

const NEWLINE = 10;

/**
 * Creates a writer of messages.
 *
 * @param target the descriptor to write to; undefined drops all messages
 * @param lineEnd the end of each line; a terminal in raw mode needs both characters
 */
export function createMessageWriter(target: number | undefined, lineEnd: "\n" | "\r\n") {
  const waitingTexts: string[] = [];
  let isLineStart = true;
  let isEnabled = target !== undefined;
  let lastWrite: Promise<unknown> = Promise.resolve();
  const writeWaiting = async (prefix = ""): Promise<void> => {
    const text = waitingTexts.splice(0).join("");
    if (target === undefined || !isEnabled || text === "") return;
    lastWrite = lastWrite.then(() => writeAll(target, Buffer.from(prefix + text)));
    await lastWrite;
  };
  return {
    /** Must be called after each write of the program's output, with the last byte of that write. */
    wrote: async (lastByte: number): Promise<void> => {
      isLineStart = lastByte === NEWLINE;
      if (isLineStart) await writeWaiting();
    },
    /** Writes a text, which must end with a newline, as soon as the program's current line has ended, or when `finish` is called. */
    write: (text: string): void => {
      waitingTexts.push(text.replaceAll("\n", lineEnd));
      if (isLineStart) void writeWaiting();
    },
    /** Drops all later messages. */
    disable: (): void => {
      isEnabled = false;
    },
    /** Writes the messages that wait, on a new line. */
    finish: async (): Promise<void> => {
      await writeWaiting(isLineStart ? "" : lineEnd);
      await lastWrite;
    },
  };
}
