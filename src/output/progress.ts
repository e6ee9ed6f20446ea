import type { Context } from "../core/context.ts";
import type { ReadingProgress } from "../resolve/assessment.ts";
import type { Settings } from "../command-line/settings.ts";
import { printable } from "../core/text.ts";

const PATIENCE_MS = 1000;
const CLEAR_LINE = "\r\u001B[K";

/**
 * Shows on a terminal what is waited for, once it takes longer than a second. With `--verbose` there is a line for each
 * retry and for what was read; without it a log is left alone.
 */
export async function makeProgress(context: Context, { verbose }: Pick<Settings, "verbose">): Promise<ReadingProgress> {
  // A launch that reads ESC loads this file, and mostly has nothing to print.
  const sayLines = verbose ? (await import("./stderr.ts")).sayLines : undefined;
  let what: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let shown = false;
  let room = 0;
  const clear = (): void => {
    if (shown) context.err(CLEAR_LINE);
    shown = false;
  };
  const show = (): void => {
    clear();
    context.err(`${fitting(`sophia-run: ${what ?? ""}`, room)}…`);
    shown = true;
  };
  const showFitting = async (): Promise<void> => {
    const { layoutFor } = await import("./layout.ts");
    room = layoutFor(context, 2).width - 1;
    if (timer !== undefined) show();
  };
  const update = (text: string): void => {
    what = printable(text);
    if (shown) show();
    // Asked only then, since that loads node:tty.
    timer ??= setTimeout(() => {
      if (context.isTerminal(2)) void showFitting();
    }, PATIENCE_MS);
    // The wait itself keeps the process alive.
    timer.unref();
  };
  const tell = (line: string): void => {
    if (sayLines === undefined) return;
    clear();
    sayLines(context, [printable(line)]);
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

/** The beginning of a text, without its last word where that would be cut: a line that wraps cannot be cleared. */
function fitting(text: string, room: number): string {
  if (text.length <= room) return text;
  const end = text.lastIndexOf(" ", room);
  return text.slice(0, end <= 0 ? room : end);
}
