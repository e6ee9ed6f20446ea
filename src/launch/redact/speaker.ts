import { writeAll } from "./sink.ts";

const NEWLINE = 10;

/** Says something of the launcher's own between the lines that the program writes. */
export interface Speaker {
  /** The program has written to the standard error; `last` is the last byte. */
  readonly wrote: (last: number) => Promise<void>;
  /** Says a line where a line of the program's has ended, and at the latest at `finish`. */
  readonly say: (line: string) => void;
  /** As `say`, of whole lines that say themselves whose they are. */
  readonly write: (text: string) => void;
  /** Nothing can be said any more. */
  readonly mute: () => void;
  readonly finish: () => Promise<void>;
}

/**
 * @param target where the standard error goes; undefined: nowhere
 * @param lineEnd a terminal in raw mode needs both characters
 */
export function makeSpeaker(target: number | undefined, lineEnd: "\n" | "\r\n"): Speaker {
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
    wrote: async (byte) => {
      isLineStart = byte === NEWLINE;
      if (isLineStart) await sayAll();
    },
    say: (line) => write(`sophia-run: ${line}\n`),
    write,
    mute: () => {
      canSay = false;
    },
    finish: async () => {
      await sayAll(isLineStart ? "" : lineEnd);
      await last;
    },
  };
}
