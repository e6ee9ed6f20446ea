import { readSync } from "node:fs";
import { SophiaError } from "../core/error.ts";
import { systemErrorCode } from "./errors.ts";
import { write, sleep } from "./blocking.ts";
import { discardPending } from "./pending-input.ts";

/** The longest environment variable in Linux; a terminal hands over at most 4,096 bytes of a line. */
const MAX_BYTES = 131_072;
/** The limit on a whole input, whose writer may ask the user first. */
const LIMIT_MS = 120_000;
const [END, BACKSPACE, LINE_FEED, RETURN, KILL, DELETE] = [0x04, 0x08, 0x0a, 0x0d, 0x15, 0x7f];
/** The keys for which a terminal sends a signal, if it is not in raw mode: Ctrl-C, Ctrl-Z, Ctrl-\. Windows has the first. */
const SIGNALS: ReadonlyMap<number, NodeJS.Signals> = new Map(
  process.platform === "win32"
    ? [[0x03, "SIGINT"]]
    : [
        [0x03, "SIGINT"],
        [0x1a, "SIGTSTP"],
        [0x1c, "SIGQUIT"],
      ],
);

/** Without these marks (xterm's bracketed paste) the shell would get all lines of pasted text but the first. */
const MARK_PASTES = "\u001B[?2004h";
const MARK_NO_PASTES = "\u001B[?2004l";
const PASTE_BEGINS = Buffer.from("\u001B[200~");
const PASTE_ENDS = Buffer.from("\u001B[201~");

/**
 * Asks a question, and reads one line without its line break. What was typed before the question is discarded.
 * @returns undefined at the end of the input, or if it cannot be read
 */
export function readLine(question: string): string | undefined {
  discardPending();
  write(2, question);
  const bytes: number[] = [];
  while (bytes.length < MAX_BYTES) {
    const byte = readByte();
    if (byte === undefined || (byte === "end" && bytes.length === 0)) return undefined;
    if (byte === "end") return Buffer.from(bytes).toString("utf8");
    if (byte === LINE_FEED) return Buffer.from(bytes).toString("utf8").replace(/\r$/, "");
    bytes.push(byte);
  }
  return undefined;
}

const buffer = new Uint8Array(1);

/** Waits for the next byte. @returns "end" at the end of the input, undefined if it cannot be read */
function readByte(): number | "end" | undefined {
  for (;;) {
    try {
      return readSync(0, buffer) === 0 ? "end" : buffer[0];
    } catch (error) {
      if (systemErrorCode(error) !== "EAGAIN") return undefined;
      // Another process has made the terminal non-blocking.
      sleep(10);
    }
  }
}

/**
 * Reads one line of the terminal, which does not show it, as getpass(3) does: what was typed before the prompt, and was shown,
 * is discarded. Pasted text may have several, less a last line break. For Ctrl-C,
 * Ctrl-Z and Ctrl-\ the process group gets the signal that a terminal sends; a process that then goes on asks again. Node.js
 * resets the terminal at any end. `marksPastes`: the terminal knows escape sequences.
 * @returns undefined at the end of the input (Ctrl-D), or if it cannot be read
 */
export function readHidden(prompt: string, marksPastes: boolean): string | undefined {
  const terminal = new (process.getBuiltinModule("node:tty").ReadStream)(0);
  terminal.unref();
  for (;;) {
    terminal.setRawMode(true);
    discardPending(terminal);
    // After the switch to raw mode, so that no answer is shown.
    write(2, (marksPastes ? MARK_PASTES : "") + prompt);
    let line: ReturnType<typeof readKeys>;
    try {
      line = readKeys();
    } finally {
      terminal.setRawMode(false);
      write(2, `${marksPastes ? MARK_NO_PASTES : ""}\n`);
    }
    if (typeof line !== "object") return line;
    process.kill(0, line.signal);
  }
}

function readKeys(): string | { readonly signal: NodeJS.Signals } | undefined {
  let bytes: number[] = [];
  let isPasted = false;
  let before = 0;
  while (bytes.length < MAX_BYTES) {
    const byte = readByte();
    if (byte === undefined || byte === "end") return undefined;
    if (isPasted) {
      // Terminals send a carriage return for each line break; some leave CRLF as it is.
      if (byte !== LINE_FEED || before !== RETURN) bytes.push(byte === RETURN ? LINE_FEED : byte);
      before = byte;
      if (!endsWith(bytes, PASTE_ENDS)) continue;
      isPasted = false;
      bytes.length -= PASTE_ENDS.length;
      if (bytes.at(-1) === LINE_FEED) bytes.pop();
      continue;
    }
    const signal = SIGNALS.get(byte);
    if (signal !== undefined) return { signal };
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

/** Removes the last character, which may have several bytes in UTF-8. */
function withoutLast(bytes: readonly number[]): number[] {
  let end = bytes.length - 1;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.slice(0, Math.max(end, 0));
}

/** @throws SophiaError (input, 125) if it is longer than any variable, does not end in two minutes or cannot be read */
export async function readInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  const timer = setTimeout(() => process.stdin.destroy(failure("did not end within 2 minutes")), LIMIT_MS);
  try {
    for await (const chunk of process.stdin) {
      const bytes = Buffer.from(chunk);
      length += bytes.length;
      if (length > MAX_BYTES) throw failure("is longer than 128 KiB, the most that a variable may have");
      chunks.push(bytes);
    }
  } catch (error) {
    if (error instanceof SophiaError) throw error;
    throw failure(`cannot be read (${systemErrorCode(error) ?? "UNKNOWN"})`);
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks);
}

/** Yields what comes, as it comes. @throws SophiaError (input, 125) if it cannot be read */
export async function* readChunks(): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of process.stdin) yield Buffer.from(chunk);
  } catch (error) {
    const code = systemErrorCode(error) ?? "UNKNOWN";
    throw new SophiaError({ code: "input", message: `the standard input cannot be read (${code})` });
  }
}

function failure(what: string): SophiaError {
  return new SophiaError({
    code: "input",
    message: `the standard input ${what}`,
    hint: "write only the value to it",
  });
}
