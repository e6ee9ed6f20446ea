import { readProcessStat } from "../proc/process-stat.ts";

/** This process and its controlling terminal: which signals has the kernel sent to the program already? */
export interface Terminal {
  /**
   * A signal of the keyboard or the window (INT, QUIT, TSTP, WINCH) reached this process through the terminal: the
   * kernel sends those to the whole foreground group, and the program is in the same group. A signal
   * that was sent to the launcher alone while it is in the foreground looks the same without siginfo_t.
   */
  readonly deliversToGroup: () => boolean;
  /** The HUP that has just arrived was sent to the whole group because the terminal is gone. */
  readonly hungUp: () => boolean;
}

export function watchTerminal(): Terminal {
  const start = readProcessStat("self");
  if (start === undefined) {
    // Without /proc, a terminal among the standard streams is taken for the controlling one.
    const { isatty } = process.getBuiltinModule("node:tty");
    const attached = process.platform !== "linux" && [0, 1, 2].some((descriptor) => isatty(descriptor));
    return { deliversToGroup: () => attached, hungUp: () => false };
  }
  const leader = start.session;
  // How many hang-ups the kernel and the shell are still going to send to the whole group.
  let expected = start.terminal !== 0 && leader !== process.pid ? 2 : 0;
  return {
    deliversToGroup: () => {
      const now = readProcessStat("self");
      return now !== undefined && now.terminal !== 0 && now.foregroundGroup === now.group;
    },
    hungUp: () => {
      // When a terminal vanishes, the kernel signals the session leader alone. A shell then signals its jobs, and when
      // it ends, the kernel signals the foreground group: one hang-up while the leader lives, one after, none later.
      if (expected === 0 || readProcessStat("self")?.terminal !== 0) return false;
      const state = readProcessStat(leader)?.state;
      expected = state === undefined || state === "Z" || state === "X" ? 0 : expected - 1;
      return true;
    },
  };
}
