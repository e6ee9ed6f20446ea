import { writeAll } from "./sink.ts";

const NEWLINE = 10;

/**
 * Writes lines of the launcher's own between the lines that the program writes to the standard error.
 *
 * @param target the standard error, if there is one
 * @param lineEnd a terminal in raw mode needs both characters
 */
export function makeSpeaker(target: number | undefined, lineEnd: "\n" | "\r\n") {
  const waiting: string[] = [];
  let isLineStart = true;
  let canSay = target !== undefined;
  let last: Promise<unknown> = Promise.resolve();
  const sayAll = async (before = ""): Promise<void> => {
    const text = waiting.splice(0).join("");
    if (target === undefined || !canSay || text === "") return;
    last = last.then(() => writeAll(target, Buffer.from(before + text)));
    await last;
  };
  const write = (text: string): void => {
    waiting.push(text.replaceAll("\n", lineEnd));
    if (isLineStart) void sayAll();
  };
  return {
    /** The program has written; `byte` is the last one. */
    wrote: async (byte: number): Promise<void> => {
      isLineStart = byte === NEWLINE;
      if (isLineStart) await sayAll();
    },
    /** Writes a line as soon as a line of the program's has ended, and at the latest at `finish`. */
    say: (line: string): void => write(`sophia-run: ${line}\n`),
    /** As `say`, for whole lines with their own beginning. */
    write,
    /** Nothing can be written any more. */
    mute: (): void => {
      canSay = false;
    },
    finish: async (): Promise<void> => {
      await sayAll(isLineStart ? "" : lineEnd);
      await last;
    },
  };
}
