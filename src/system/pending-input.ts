/**
 * Discards input that the user typed before a question appeared. Such input is not an answer: a `y` that was meant for another
 * program, or is part of pasted lines, must not become a consent.
 */
import { closeSync, constants, openSync, readSync } from "node:fs";
import type { ReadStream } from "node:tty";
import { loadAddon } from "./addon/addon.ts";
import { attempt } from "./errors.ts";

/** The limit on input that never ends. */
const MAX_BYTES = 1_048_576;

/**
 * Discards the input that the terminal of the standard input holds. Input from a pipe is kept. On Windows, without the addon,
 * nothing is discarded.
 *
 * Without the addon, the input is read from the controlling terminal, which must be in raw mode. Otherwise the terminal would
 * hold back a line that has no end yet.
 *
 * @param rawTerminal the terminal, if it is already in raw mode
 */
export function discardPendingInput(rawTerminal?: ReadStream): void {
  const { isatty, ReadStream: TerminalStream } = process.getBuiltinModule("node:tty");
  if (!isatty(0)) return;
  const addon = loadAddon();
  if (addon !== undefined) {
    addon.discardPending(0);
    return;
  }
  if (process.platform === "win32") return;
  if (rawTerminal !== undefined) {
    readPending();
    return;
  }
  const terminal = new TerminalStream(0);
  terminal.unref();
  terminal.setRawMode(true);
  try {
    readPending();
  } finally {
    terminal.setRawMode(false);
  }
}

/** Reads what the controlling terminal holds, without waiting for more. */
function readPending(): void {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  const terminal = attempt(() => openSync("/dev/tty", flags));
  if (terminal === undefined) return;
  const buffer = new Uint8Array(4096);
  let totalBytes = 0;
  for (let readBytes = -1; readBytes !== 0 && totalBytes < MAX_BYTES; totalBytes += readBytes) {
    // The system reports EAGAIN if nothing is left.
    readBytes = attempt(() => readSync(terminal, buffer)) ?? 0;
  }
  closeSync(terminal);
}
