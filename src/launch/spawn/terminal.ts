/**
 * Finds out whether the kernel has sent a signal to the program as well, so that forward-signals.ts must not forward it.
 *
 * For a key such as Ctrl-C the kernel signals each process of the terminal's foreground group. The program is in the same group as this
 * process, so that the signal must not be forwarded then. A signal that another process sends to this process alone must be forwarded.
 * Both look the same here. So a signal is taken for a signal of the terminal if this process is in the foreground group.
 */
import { readProcessStat } from "../proc/process-stat.ts";

/** The controlling terminal of this process. */
export interface Terminal {
  /** Returns true if this process is in the foreground, where the kernel sends signals of the terminal to the program, too. */
  readonly deliversToGroup: () => boolean;
  /** Returns the same for the signals of keys (INT, QUIT and INFO). Without /proc it calls ps(1), which takes longer. */
  readonly sendsKeys: () => boolean;
  /** Handles HUP. Returns true if it was sent to the whole group, because the terminal has hung up. */
  readonly hungUp: () => boolean;
}

/** Returns the controlling terminal. Must be called before the terminal can hang up, since it records the session of this process. */
export function watchTerminal(): Terminal {
  const statAtStart = readProcessStat("self");
  if (statAtStart === undefined) {
    const { isatty } = process.getBuiltinModule("node:tty");
    const hasTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
    return withoutProc(hasTerminal, readStateByPs);
  }
  const sessionLeader = statAtStart.session;
  /** The number of HUPs that the kernel and a shell may still send to the whole group. */
  let expectedHangUps = statAtStart.terminal !== 0 && sessionLeader !== process.pid ? 2 : 0;
  const deliversToGroup = (): boolean => {
    const stat = readProcessStat("self");
    return stat !== undefined && stat.terminal !== 0 && stat.foregroundGroup === stat.group;
  };
  return {
    deliversToGroup,
    sendsKeys: deliversToGroup,
    hungUp: () => {
      // When a terminal hangs up, the kernel sends HUP only to the session leader, usually a shell. The shell sends it to its jobs.
      // When the shell ends, the kernel sends HUP to the foreground group. So one HUP comes while the leader lives, and one after that.
      if (expectedHangUps === 0 || readProcessStat("self")?.terminal !== 0) return false;
      const state = readProcessStat(sessionLeader)?.state;
      const hasLeaderEnded = state === undefined || state === "Z" || state === "X";
      expectedHangUps = hasLeaderEnded ? 0 : expectedHangUps - 1;
      return true;
    },
  };
}

/**
 * Returns a terminal for systems without /proc, by ps(1). For CONT and for a resize, of which a moved window causes dozens, that would
 * take too long.
 *
 * @param hasTerminal true if one of the standard streams is a terminal, which is taken for the controlling one
 * @param readState returns the process's state as ps(1) prints it
 */
export function withoutProc(hasTerminal: boolean, readState: () => string | undefined): Terminal {
  return {
    deliversToGroup: () => hasTerminal,
    // ps(1) of macOS, the BSDs and Linux marks a process in the foreground by `+`.
    sendsKeys: () => readState()?.includes("+") ?? hasTerminal,
    hungUp: () => false,
  };
}

/** Returns this process's state as ps(1) prints it, such as `Ss+`; undefined if there is no ps(1). */
export function readStateByPs(): string | undefined {
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  const { status, stdout } = spawnSync("/bin/ps", ["-o", "stat=", "-p", String(process.pid)], {
    encoding: "utf8",
    env: {},
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 1000,
  });
  return status === 0 ? stdout : undefined;
}
