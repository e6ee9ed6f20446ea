/**
 * Input that was typed before a question appeared. It answers nothing: a `y` that was meant for another program, or is part of
 * pasted lines, must not be a consent.
 */
import { closeSync, constants, openSync, readSync } from "node:fs";
import type { ReadStream } from "node:tty";
import { loadAddon } from "./addon/addon.ts";
import { attempt } from "./errors.ts";

/** A limit on input that never ends. */
const MOST_BYTES = 1_048_576;

/**
 * Discards what the terminal of the standard input holds; a pipe keeps its bytes. Without the addon it is read away from the
 * controlling terminal, in raw mode, since that hands over a line without its end; on Windows nothing is discarded.
 *
 * @param raw the terminal, if it is in raw mode
 */
export function discardPending(raw?: ReadStream): void {
  const { isatty, ReadStream: Terminal } = process.getBuiltinModule("node:tty");
  if (!isatty(0)) return;
  const addon = loadAddon();
  if (addon !== undefined) {
    addon.discardPending(0);
    return;
  }
  if (process.platform === "win32") return;
  if (raw !== undefined) {
    readAway();
    return;
  }
  const terminal = new Terminal(0);
  terminal.unref();
  terminal.setRawMode(true);
  try {
    readAway();
  } finally {
    terminal.setRawMode(false);
  }
}

function readAway(): void {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  const terminal = attempt(() => openSync("/dev/tty", flags));
  if (terminal === undefined) return;
  const bytes = new Uint8Array(4096);
  let length = 0;
  for (let more = -1; more !== 0 && length < MOST_BYTES; length += more) {
    // EAGAIN: nothing is left.
    more = attempt(() => readSync(terminal, bytes)) ?? 0;
  }
  closeSync(terminal);
}
