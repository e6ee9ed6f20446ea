import { writeAll } from "./io.ts";

const NEWLINE = 10;

/** Writes messages between the program's lines. @param lineEnd a terminal in raw mode needs both characters */
export function messageWriter(target: number | undefined, lineEnd: "\n" | "\r\n") {
  const waiting: string[] = [];
  let isLineStart = true;
  let isEnabled = target !== undefined;
  let lastWrite: Promise<unknown> = Promise.resolve();
  const writeWaiting = async (before = ""): Promise<void> => {
    const text = waiting.splice(0).join("");
    if (target === undefined || !isEnabled || text === "") return;
    lastWrite = lastWrite.then(() => writeAll(target, Buffer.from(before + text)));
    await lastWrite;
  };
  return {
    wrote: async (byte: number): Promise<void> => {
      isLineStart = byte === NEWLINE;
      if (isLineStart) await writeWaiting();
    },
    /** Writes whole lines as soon as the program's current line has ended, at the latest at `finish`. */
    write: (text: string): void => {
      waiting.push(text.replaceAll("\n", lineEnd));
      if (isLineStart) void writeWaiting();
    },
    disable: (): void => {
      isEnabled = false;
    },
    finish: async (): Promise<void> => {
      await writeWaiting(isLineStart ? "" : lineEnd);
      await lastWrite;
    },
  };
}
