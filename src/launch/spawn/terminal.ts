import { readProcessStat } from "../proc/process-stat.ts";

/** Tells which signals the kernel has already sent to the program, by this process's controlling terminal. */
export interface Terminal {
  /** Returns true in the foreground, where the kernel signals the program, too. A signal to this process looks the same. */
  readonly deliversToGroup: () => boolean;
  /** The same for INT, QUIT and INFO, for which ps(1) is called without /proc. */
  readonly sendsKeys: () => boolean;
  /** Returns true if the HUP that has just arrived was sent to the whole group, since the terminal has hung up. */
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
  // The number of hang-ups that kernel and shell will still send to the whole group.
  let expected = start.terminal !== 0 && leader !== process.pid ? 2 : 0;
  const deliversToGroup = (): boolean => {
    const now = readProcessStat("self");
    return now !== undefined && now.terminal !== 0 && now.foregroundGroup === now.group;
  };
  return {
    deliversToGroup,
    sendsKeys: deliversToGroup,
    hungUp: () => {
      // When a terminal hangs up, the kernel signals only the session leader. A shell then signals its jobs, and at its end
      // the kernel signals the foreground group: one hang-up while the leader lives, one after.
      if (expected === 0 || readProcessStat("self")?.terminal !== 0) return false;
      const state = readProcessStat(leader)?.state;
      expected = state === undefined || state === "Z" || state === "X" ? 0 : expected - 1;
      return true;
    },
  };
}

/**
 * Replaces /proc by ps(1). For CONT and a resize, of which a moved window sends dozens, that would take too long: a terminal
 * among the standard streams (`attached`) is taken for the controlling one.
 */
export function withoutProc(attached: boolean, state: () => string | undefined): Terminal {
  return {
    deliversToGroup: () => attached,
    // The mark of the foreground on macOS, the BSDs and Linux.
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
