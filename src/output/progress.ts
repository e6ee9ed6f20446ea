/** Shows on the terminal what a start is waiting for, such as an answer of ESC, in one line that is cleared afterwards. */
import type { Context } from "../core/context.ts";
import type { ReadingProgress } from "../resolve/start.ts";
import type { Settings } from "../command-line/settings.ts";
import { printable } from "../core/text.ts";

/** A request that is answered within this time is not shown, so that most starts print nothing. */
const DELAY_MS = 1000;
/** Moves to the beginning of the line and erases it (ECMA-48, EL). */
const CLEAR_LINE = "\r\u001B[K";

/**
 * Returns functions that show a request that takes longer than a second. With `--verbose` they also print a line for each retry.
 * The caller must call `done` at the end, which clears the line and stops the timer.
 */
export async function createProgress(
  context: Context,
  { verbose }: Pick<Settings, "verbose">,
): Promise<ReadingProgress> {
  // The code that prints lines is loaded only with `--verbose`. Most starts that load this file print nothing.
  const printLines = verbose ? (await import("./stderr.ts")).printLines : undefined;
  let action: string | undefined;
  /** Set by the first report. `done` removes it, and without it `showInWidth` shows nothing. */
  let timer: NodeJS.Timeout | undefined;
  /** True while the line is on the terminal, where the next output must clear it. */
  let isShown = false;
  /** The columns for the line. `showInWidth` finds them before the line is shown for the first time. */
  let width = 0;
  const clear = (): void => {
    if (isShown) context.err(CLEAR_LINE);
    isShown = false;
  };
  const show = (): void => {
    clear();
    context.err(`${shorten(`sophia-run: ${action ?? ""}`, width)}…`);
    isShown = true;
  };
  /** Shows the line when the width of the terminal is known, unless `done` was called meanwhile. */
  const showInWidth = async (): Promise<void> => {
    const { layoutFor } = await import("./layout.ts");
    width = layoutFor(context, 2).width - 1;
    if (timer !== undefined) show();
  };
  const update = (text: string): void => {
    action = printable(text);
    if (isShown) show();
    // The terminal is checked only after the delay, because that loads node:tty.
    timer ??= setTimeout(() => {
      if (context.isTerminal(2)) void showInWidth();
    }, DELAY_MS);
    // The timer need not keep the process alive, because the request does.
    timer.unref();
  };
  const printLine = (line: string): void => {
    if (printLines === undefined) return;
    clear();
    printLines(context, [printable(line)]);
  };
  return {
    waiting: update,
    retrying: ({ what, reason, attempt, delayMs }) => {
      const line = `${what} again in ${delayMs} ms (attempt ${attempt}): ${reason}`;
      printLine(line);
      update(line);
    },
    printLine,
    done: () => {
      clearTimeout(timer);
      timer = undefined;
      clear();
    },
  };
}

/** Shortens a text at a space, so that it takes one line. A line that the terminal wraps could not be cleared. */
function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  const end = text.lastIndexOf(" ", width);
  return text.slice(0, end <= 0 ? width : end);
}
