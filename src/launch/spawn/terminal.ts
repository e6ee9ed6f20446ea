import { readProcessStat } from "../proc/process-stat.ts";

/** This process and its controlling terminal: which signals has the kernel sent to the program already? */
export interface Terminal {
  /**
   * This process is in the foreground: the kernel sends signals of keyboard and window to the program as well. One that
   * was sent to the launcher alone looks the same without siginfo_t.
   */
  readonly deliversToGroup: () => boolean;
  /** The same of INT, QUIT and INFO, which are worth asking the system for where it has no /proc. */
  readonly sendsKeys: () => boolean;
  /** The HUP that has just arrived was sent to the whole group because the terminal is gone. */
  readonly hungUp: () => boolean;
}

export function watchTerminal(): Terminal {
  const start = readProcessStat("self");
  if (start === undefined) {
    const { isatty } = process.getBuiltinModule("node:tty");
    const attached = [0, 1, 2].some((descriptor) => isatty(descriptor));
    return withoutProc(attached, stateByPs);
  }
  const leader = start.session;
  // Counts the hang-ups that the kernel and the shell will still send to the whole group.
  let expected = start.terminal !== 0 && leader !== process.pid ? 2 : 0;
  const deliversToGroup = (): boolean => {
    const now = readProcessStat("self");
    return now !== undefined && now.terminal !== 0 && now.foregroundGroup === now.group;
  };
  return {
    deliversToGroup,
    sendsKeys: deliversToGroup,
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

/**
 * Without /proc ps(1) is asked. For a resize, of which a moved window sends dozens, and CONT that is not worth it: a
 * terminal among the standard streams is taken for the controlling one.
 *
 * @param attached one of the standard streams is a terminal
 * @param state what ps calls this process's state; undefined where it does not tell
 */
export function withoutProc(attached: boolean, state: () => string | undefined): Terminal {
  return {
    deliversToGroup: () => attached,
    // With it macOS, the BSDs and Linux mark the foreground.
    sendsKeys: () => state()?.includes("+") ?? attached,
    hungUp: () => false,
  };
}

function stateByPs(): string | undefined {
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  const { status, stdout } = spawnSync("/bin/ps", ["-o", "stat=", "-p", String(process.pid)], {
    encoding: "utf8",
    env: {},
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 1000,
  });
  return status === 0 ? stdout : undefined;
}
