/**
 * Reads the standard input for commands such as `set` and `login`: the user's answers to questions at a terminal, a secret
 * that the terminal does not show, and data from a pipe. The file is loaded only if there is something to read.
 */
import { readSync } from "node:fs";
import { SophiaError } from "../core/error.ts";
import { systemErrorCode } from "./errors.ts";
import { write, sleep } from "./blocking.ts";
import { discardPendingInput } from "./pending-input.ts";

/**
 * The limit on an input, because Linux allows no longer environment variable. Outside of raw mode, a terminal hands over at most
 * 4,096 bytes of a line.
 */
const MAX_BYTES = 131_072;
/** The time limit on a whole input. Its writer may ask the user first. */
const TIME_LIMIT_MS = 120_000;
/** The bytes that a terminal in raw mode sends for keys; END_OF_INPUT is Ctrl-D, and ERASE_LINE is Ctrl-U. */
const [END_OF_INPUT, BACKSPACE, LINE_FEED, RETURN, ERASE_LINE, DELETE] = [0x04, 0x08, 0x0a, 0x0d, 0x15, 0x7f];
/**
 * The keys for which a terminal that is not in raw mode sends a signal: Ctrl-C, Ctrl-Z and Ctrl-\. Windows has only Ctrl-C.
 */
const SIGNALS: ReadonlyMap<number, NodeJS.Signals> = new Map(
  process.platform === "win32"
    ? [[0x03, "SIGINT"]]
    : [
        [0x03, "SIGINT"],
        [0x1a, "SIGTSTP"],
        [0x1c, "SIGQUIT"],
      ],
);

/**
 * Bracketed paste of xterm: the terminal puts marks around pasted text. Without them the first line break would end the
 * answer, and the shell would get the other lines.
 */
const ENABLE_PASTE_MARKS = "\u001B[?2004h";
const DISABLE_PASTE_MARKS = "\u001B[?2004l";
const PASTE_BEGIN = Buffer.from("\u001B[200~");
const PASTE_END = Buffer.from("\u001B[201~");

/**
 * Asks a question, and reads one line without its line break. Input that was typed before the question is discarded.
 * @returns undefined at the end of the input, or if the input cannot be read or is too long
 */
export function readLine(question: string): string | undefined {
  discardPendingInput();
  write(2, question);
  const bytes: number[] = [];
  while (bytes.length < MAX_BYTES) {
    const byte = readByte();
    if (byte === undefined || (byte === "end" && bytes.length === 0)) return undefined;
    // The last line of a pipe may lack its line break.
    if (byte === "end") return Buffer.from(bytes).toString("utf8");
    if (byte === LINE_FEED) return Buffer.from(bytes).toString("utf8").replace(/\r$/, "");
    bytes.push(byte);
  }
  return undefined;
}

/** Holds one byte, because a longer read could take input that the program or the shell must get. */
const byteBuffer = new Uint8Array(1);

/** Waits for the next byte. @returns "end" at the end of the input, undefined if the input cannot be read */
function readByte(): number | "end" | undefined {
  for (;;) {
    try {
      return readSync(0, byteBuffer) === 0 ? "end" : byteBuffer[0];
    } catch (error) {
      if (systemErrorCode(error) !== "EAGAIN") return undefined;
      // EAGAIN: another process has made the terminal non-blocking, and there is no input yet.
      sleep(10);
    }
  }
}

/**
 * Reads one line from the terminal without showing it, as getpass(3) does. Input that was typed before the prompt is discarded,
 * since the terminal has shown it. Pasted text may have several lines, of which a last line break is removed.
 *
 * For Ctrl-C, Ctrl-Z and Ctrl-\ the process group gets the signal that a terminal would send. If this process goes on
 * afterwards, it asks again. Node.js resets the terminal however the process ends.
 *
 * @param marksPastes true if the terminal knows escape sequences
 * @returns undefined at the end of the input (Ctrl-D), or if the input cannot be read or is too long
 */
export function readHidden(prompt: string, marksPastes: boolean): string | undefined {
  const terminal = new (process.getBuiltinModule("node:tty").ReadStream)(0);
  // The stream must not keep this process running.
  terminal.unref();
  for (;;) {
    terminal.setRawMode(true);
    discardPendingInput(terminal);
    // The prompt is written after the switch to raw mode, so that an answer that is typed at once is not shown either.
    write(2, (marksPastes ? ENABLE_PASTE_MARKS : "") + prompt);
    let line: ReturnType<typeof readKeys>;
    try {
      line = readKeys();
    } finally {
      terminal.setRawMode(false);
      write(2, `${marksPastes ? DISABLE_PASTE_MARKS : ""}\n`);
    }
    if (typeof line !== "object") return line;
    // 0 stands for this process's own group (kill(2)). If the signal only stops the process, the loop asks again afterwards.
    process.kill(0, line.signal);
  }
}

/**
 * Reads keys up to the end of a line, and applies keys that delete.
 *
 * @returns the line, or the signal of a key; undefined at the end of the input, or if the input cannot be read or is too long
 */
function readKeys(): string | { readonly signal: NodeJS.Signals } | undefined {
  let bytes: number[] = [];
  while (bytes.length < MAX_BYTES) {
    const byte = readByte();
    if (byte === undefined || byte === "end") return undefined;
    const signal = SIGNALS.get(byte);
    if (signal !== undefined) return { signal };
    if (byte === END_OF_INPUT && bytes.length === 0) return undefined;
    if (byte === LINE_FEED || byte === RETURN || byte === END_OF_INPUT) return Buffer.from(bytes).toString("utf8");
    if (byte === ERASE_LINE) bytes = [];
    else if (byte === BACKSPACE || byte === DELETE) bytes = removeLastCharacter(bytes);
    else bytes.push(byte);
    if (endsWith(bytes, PASTE_BEGIN)) {
      bytes.length -= PASTE_BEGIN.length;
      if (!readPaste(bytes)) return undefined;
    }
  }
  return undefined;
}

/**
 * Reads pasted text, and appends it to the bytes of the line. In pasted text, line breaks and control characters have no special
 * meaning.
 *
 * @returns false if the input ends or is too long before the mark at the end of the paste, or if the input cannot be read
 */
function readPaste(bytes: number[]): boolean {
  let previousByte = 0;
  while (bytes.length < MAX_BYTES) {
    const byte = readByte();
    if (byte === undefined || byte === "end") return false;
    // Terminals send a carriage return for each line break of pasted text, but some send CRLF as it is.
    const isSecondOfLineBreak = byte === LINE_FEED && previousByte === RETURN;
    if (!isSecondOfLineBreak) bytes.push(byte === RETURN ? LINE_FEED : byte);
    previousByte = byte;
    if (!endsWith(bytes, PASTE_END)) continue;
    bytes.length -= PASTE_END.length;
    if (bytes.at(-1) === LINE_FEED) bytes.pop();
    return true;
  }
  return false;
}

function endsWith(bytes: readonly number[], mark: Uint8Array): boolean {
  return bytes.length >= mark.length && mark.every((byte, index) => bytes.at(index - mark.length) === byte);
}

/**
 * Removes the last character, which may have several bytes in UTF-8. All of its bytes but the first begin with the bits 10.
 */
function removeLastCharacter(bytes: readonly number[]): number[] {
  let end = bytes.length - 1;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.slice(0, Math.max(end, 0));
}

/**
 * Reads all of the standard input.
 * @throws SophiaError (input, 125) if it is longer than any variable, does not end within two minutes, or cannot be read
 */
export async function readInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  const timer = setTimeout(() => process.stdin.destroy(inputError("did not end within 2 minutes")), TIME_LIMIT_MS);
  try {
    for await (const chunk of process.stdin) {
      const bytes = Buffer.from(chunk);
      length += bytes.length;
      if (length > MAX_BYTES) throw inputError("is longer than 128 KiB, the most that a variable may have");
      chunks.push(bytes);
    }
  } catch (error) {
    if (error instanceof SophiaError) throw error;
    throw inputError(`cannot be read (${systemErrorCode(error) ?? "UNKNOWN"})`);
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks);
}

/** Yields the standard input as it arrives, without limits. @throws SophiaError (input, 125) if it cannot be read */
export async function* readChunks(): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of process.stdin) yield Buffer.from(chunk);
  } catch (error) {
    const code = systemErrorCode(error) ?? "UNKNOWN";
    throw new SophiaError({ code: "input", message: `the standard input cannot be read (${code})` });
  }
}

/** @param predicate the rest of a sentence about the standard input, such as `cannot be read (EIO)` */
function inputError(predicate: string): SophiaError {
  return new SophiaError({
    code: "input",
    message: `the standard input ${predicate}`,
    hint: "write only the value to it",
  });
}
