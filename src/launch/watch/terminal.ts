import { AS_GIVEN } from "../../system/shared.ts";
import { readProcessStat } from "../proc/process-stat.ts";
import { loadRedactAddon } from "../redact/addon.ts";

/**
 * Keeps the terminal as a shell does between its jobs: what a killed program has left behind (raw mode, a group of its
 * own in the foreground) is put back before another takes its place.
 *
 * @returns puts it back; undefined without a terminal, and where the system's calls are not available
 */
export async function keepTerminal(): Promise<((end: NodeJS.Signals | number) => void) | undefined> {
  const { isatty } = process.getBuiltinModule("node:tty");
  const terminal = [0, 1, 2].find((descriptor) => isatty(descriptor));
  const addon = terminal === undefined ? undefined : await loadRedactAddon();
  const own = readProcessStat("self")?.group;
  if (terminal === undefined || addon === undefined || own === undefined) return undefined;
  // In the background it belongs to others.
  if (addon.foregroundGroup(terminal) !== own) return undefined;
  const found = addon.settingsOf(terminal);
  return (end) => {
    if (addon.foregroundGroup(terminal) !== own) addon.takeForeground(terminal, own);
    if (typeof end === "string" && found !== undefined) addon.applySettings(terminal, found, AS_GIVEN);
  };
}
