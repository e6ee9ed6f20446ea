import type { Context } from "../core/context.ts";
import type { ReadingProgress } from "../resolve/assessment.ts";
import type { Settings } from "../command-line/settings.ts";
import { printable } from "../core/text.ts";

/** How long a terminal shows nothing, in milliseconds: most answers come sooner. */
const PATIENCE_MS = 1000;
const CLEAR_LINE = "\r\u001B[K";

/**
 * Shows on a terminal what is waited for, once it takes longer than a second. Elsewhere, and with `--verbose`,
 * there is a line for each retry and for what was read; without `--verbose` a log is left alone.
 */
export function makeProgress(context: Context, { verbose }: Pick<Settings, "verbose">): ReadingProgress {
  let what: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let shown = false;
  const clear = (): void => {
    if (shown) context.err(CLEAR_LINE);
    shown = false;
  };
  const show = (): void => {
    clear();
    context.err(`sophia-run: ${what ?? ""}…`);
    shown = true;
  };
  const update = (text: string): void => {
    what = printable(text);
    if (shown) show();
    // Asked only then, since that loads node:tty.
    timer ??= setTimeout(() => {
      if (context.isTerminal(2)) show();
    }, PATIENCE_MS);
    // The wait itself keeps the process alive.
    timer.unref();
  };
  const tell = (line: string): void => {
    if (!verbose) return;
    clear();
    // Not by `sayLines`: a launch that reads ESC loads this, and has nothing else to say.
    context.err(`sophia-run: ${printable(line)}\n`);
  };
  return {
    waiting: update,
    retrying: ({ what: action, reason, attempt, delayMs }) => {
      const line = `${action} again in ${delayMs} ms (attempt ${attempt}): ${reason}`;
      tell(line);
      update(line);
    },
    tell,
    done: () => {
      clearTimeout(timer);
      timer = undefined;
      clear();
    },
  };
}
