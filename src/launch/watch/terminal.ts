import { AS_GIVEN } from "../../../native/shared.ts";
import { readProcessStat } from "../proc/process-stat.ts";
import { loadRedactAddon } from "../redact/addon.ts";

/**
 * Keeps the terminal between two programs, as a shell does. A killed program may have left it in raw mode, with a process
 * group of its own in the foreground. @returns the undo; undefined without a terminal, in the background, without the addon
 */
export async function keepTerminal(): Promise<((end: NodeJS.Signals | number) => void) | undefined> {
  const { isatty } = process.getBuiltinModule("node:tty");
  const terminal = [0, 1, 2].find((descriptor) => isatty(descriptor));
  const addon = terminal === undefined ? undefined : loadRedactAddon();
  const ownGroup = readProcessStat("self")?.group;
  if (terminal === undefined || addon === undefined || ownGroup === undefined) return undefined;
  if (addon.foregroundGroup(terminal) !== ownGroup) return undefined;
  const settings = addon.settingsOf(terminal);
  return (end) => {
    if (addon.foregroundGroup(terminal) !== ownGroup) addon.takeForeground(terminal, ownGroup);
    if (typeof end === "string" && settings !== undefined) addon.applySettings(terminal, settings, AS_GIVEN);
  };
}
