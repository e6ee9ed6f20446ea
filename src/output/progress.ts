import type { Context } from "../core/context.ts";
import type { ReadingProgress } from "../resolve/start.ts";
import type { Settings } from "../command-line/settings.ts";
import { printable } from "../core/text.ts";

const DELAY_MS = 1000;
const CLEAR_LINE = "\r\u001B[K";

/** Shows a request that takes longer than a second; with `--verbose`, prints a line for each retry and source. */
export async function makeProgress(context: Context, { verbose }: Pick<Settings, "verbose">): Promise<ReadingProgress> {
  // Most launches that load this file print nothing.
  const printLines = verbose ? (await import("./stderr.ts")).printLines : undefined;
  let what: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let shown = false;
  let width = 0;
  const clear = (): void => {
    if (shown) context.err(CLEAR_LINE);
    shown = false;
  };
  const show = (): void => {
    clear();
    context.err(`${fitting(`sophia-run: ${what ?? ""}`, width)}…`);
    shown = true;
  };
  const showFitting = async (): Promise<void> => {
    const { layoutFor } = await import("./layout.ts");
    width = layoutFor(context, 2).width - 1;
    if (timer !== undefined) show();
  };
  const update = (text: string): void => {
    what = printable(text);
    if (shown) show();
    // Checked only then, since it loads node:tty.
    timer ??= setTimeout(() => {
      if (context.isTerminal(2)) void showFitting();
    }, DELAY_MS);
    // The request keeps the process alive.
    timer.unref();
  };
  const printLine = (line: string): void => {
    if (printLines === undefined) return;
    clear();
    printLines(context, [printable(line)]);
  };
  return {
    waiting: update,
    retrying: ({ what: action, reason, attempt, delayMs }) => {
      const line = `${action} again in ${delayMs} ms (attempt ${attempt}): ${reason}`;
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

/** Shortens a text at a space. A line that wraps could not be cleared. */
function fitting(text: string, width: number): string {
  if (text.length <= width) return text;
  const end = text.lastIndexOf(" ", width);
  return text.slice(0, end <= 0 ? width : end);
}
