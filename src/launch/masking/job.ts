/**
 * The job of a program that runs on a pseudo-terminal, in a session of its own. For each event `step` returns the next state and the
 * effects, which terminal-session.ts performs. It is pure, since signals, stops and answers come in any order: a table of tests covers
 * them (job.test.ts).
 *
 * - Processes. The shell knows one process group, the job, and this process is in it. The program is in a session of its own,
 *   whose controlling terminal is the pseudo-terminal. The monitor (monitor.inc) leads that session. Without it Ctrl-Z would have no
 *   effect: the kernel stops no process whose parent is in another session.
 * - Keys. In the foreground the real terminal is raw. This process copies keys to the pseudo-terminal, which sends the program
 *   SIGINT, SIGQUIT and SIGTSTP. It also sends the first two to the job, as the real terminal would have done.
 * - Stops. The monitor reports that the program was stopped. This process shows the remaining output, restores the real
 *   terminal, and stops the job by the same signal. When the shell continues the job, the monitor continues the program.
 * - Order. Keys, signals and the monitor's requests take different routes to the program. A stop that comes after SIGCONT must
 *   not be overtaken by it: keys and stop signals wait until the monitor has answered all requests to continue the program.
 * - Foreground. A shell may move the job between foreground and background without a signal. So each event brings the current
 *   state, and in the background this process polls.
 * - Hang-up. When this process closes its side of the pseudo-terminal, or ends, the kernel sends SIGHUP to the monitor, which
 *   sends it to the program.
 */

/** How the program has ended. */
export type End = { readonly status: number } | { readonly signal: number };

export interface State {
  readonly hasStarted: boolean;
  readonly end: End | undefined;
  readonly isForeground: boolean;
  /** The number of requests to continue the program that the monitor has not answered. */
  readonly unanswered: number;
  /** A stop signal that is forwarded after the answers. SIGCONT discards it, as the kernel does. */
  readonly pendingStop: NodeJS.Signals | undefined;
  /** `hung up`: the program has lost its terminal. `detached`: the real terminal is gone, but the program was not hung up. */
  readonly terminal: "there" | "hung up" | "detached";
  /** The real terminal was restored. Nothing changes it any more. */
  readonly isFinished: boolean;
}

export type Event =
  /** `continued` is the monitor's report; `resumed`: the program must continue; `unread`: its output has no reader. */
  | { readonly kind: "executed" | "continued" | "resumed" | "polled" | "unread" | "terminal gone" | "finished" }
  | { readonly kind: "ended"; readonly end: End }
  /** The program was stopped; `shown`: then its output was shown and its keys were collected. */
  | { readonly kind: "stopped" | "shown"; readonly signal: NodeJS.Signals }
  /** A stop of this process has ended; or the kernel has refused it. */
  | {
      readonly kind: "awake";
      readonly signal: NodeJS.Signals;
      readonly isRefused: boolean;
      readonly isOrphaned: boolean;
    }
  /** A signal has reached this process. `isExpected`: this process has sent it. */
  | { readonly kind: "signal"; readonly signal: NodeJS.Signals; readonly isExpected: boolean }
  | { readonly kind: "SIGHUP"; readonly hasTerminal: boolean }
  /**
   * This process has written to the terminal from the background (background.ts). `program`: what the program would do with the signal.
   * `takes` is the default action.
   */
  | { readonly kind: "SIGTTOU"; readonly program: "ignores" | "takes" | "handles" };

export type Effect =
  | { readonly kind: "request stop" | "read keys" | "hold keys" | "close keys" | "resume later" | "dismiss monitor" }
  | { readonly kind: "ignore SIGTTOU" | "accept SIGTTOU" }
  /** `resize` copies the terminal's size, for which the kernel sends the signal. If the size is the same, it forwards the signal. */
  | { readonly kind: "forward" | "resize"; readonly signal: NodeJS.Signals }
  /** Makes the real terminal raw. `adopts`: the program gets the settings that a shell has made. */
  | { readonly kind: "enter foreground"; readonly adopts: boolean }
  /** Leaves the real terminal to other jobs, and polls. Then the real terminal turns newlines into line ends. */
  | { readonly kind: "leave foreground"; readonly hasTerminal: boolean }
  | { readonly kind: "continue"; readonly isForeground: boolean }
  /** Shows the program's output, and collects keys. `certainly`: writing cannot stop the job. */
  | { readonly kind: "show"; readonly certainly: boolean; readonly signal: NodeJS.Signals }
  /** Stops the job. `restores`: the real terminal gets the settings of the program until then. */
  | { readonly kind: "stop"; readonly restores: boolean; readonly signal: NodeJS.Signals }
  /** Closes this process's side of the pseudo-terminal. `detaches`: the program is not hung up. */
  | { readonly kind: "hang up"; readonly detaches: boolean }
  /** Restores the real terminal's former settings; `left`: applies the settings that the program has left. */
  | { readonly kind: "restore terminal"; readonly left: boolean; readonly returnsKeys: boolean };

/** The signals that stop a job, as a terminal sends them. */
const STOPS: ReadonlySet<NodeJS.Signals> = new Set(["SIGTSTP", "SIGTTIN", "SIGTTOU"]);
/** The signals by which the user asks the program to end. */
const STOP_REQUESTS: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGQUIT", "SIGTERM"]);

/** The next state, and what must be done. */
export type Step = readonly [state: State, effects: readonly Effect[]];

/** Returns the state before the program is started. */
export function begin(isForeground: boolean): Step {
  const state = { hasStarted: false, end: undefined, isForeground, unanswered: 0, isFinished: false };
  return [
    { ...state, pendingStop: undefined, terminal: "there" },
    isForeground ? [] : [{ kind: "leave foreground", hasTerminal: true }],
  ];
}

/** Handles an event. @param isInFront true if the job is in the foreground now; `state.isForeground` is what was known before */
export function step(state: State, event: Event, isInFront: boolean): Step {
  if (state.isFinished) return [state, []];
  switch (event.kind) {
    case "executed": {
      const started = { ...state, hasStarted: true };
      const keys: readonly Effect[] = state.isForeground ? [{ kind: "read keys" }] : [];
      if (isInFront === state.isForeground) return [started, keys];
      const [next, effects] = resume(started, isInFront);
      return [next, [...keys, ...effects]];
    }
    case "continued":
      return onAnswer({ ...state, unanswered: state.unanswered - 1 });
    case "stopped":
      // With an unanswered request the program will be continued anyway.
      return [state, state.unanswered === 0 ? [{ kind: "show", certainly: isInFront, signal: event.signal }] : []];
    case "shown": {
      if (state.end !== undefined) return [state, []];
      const restores = state.isForeground && isInFront;
      return [{ ...state, isForeground: false }, [{ kind: "stop", restores, signal: event.signal }]];
    }
    case "awake":
      if (!event.isRefused) return resume(state, isInFront);
      // In an orphaned group an access to the terminal must fail. It does so if there is no terminal. Otherwise the program would wait
      // for ever.
      if (event.isOrphaned && (event.signal === "SIGTTIN" || event.signal === "SIGTTOU")) return hangUp(state, true);
      return [state, [{ kind: "resume later" }]];
    case "resumed":
      return resume(state, isInFront);
    case "polled":
      return isInFront && !state.isForeground ? resume(state, isInFront) : [state, []];
    case "ended":
      return [{ ...state, end: event.end }, []];
    case "signal":
      return event.isExpected ? [state, []] : onSignal(state, event.signal, isInFront);
    case "SIGHUP": {
      const [next, effects] = event.hasTerminal ? ([state, []] as const) : hangUp(state, true);
      // After a hang-up the monitor sends SIGHUP to the program.
      return [next, next.terminal === "hung up" ? effects : [...effects, { kind: "forward", signal: "SIGHUP" }]];
    }
    case "SIGTTOU":
      if (!isInFront && event.program === "ignores") return [state, [{ kind: "ignore SIGTTOU" }]];
      return forwardStop(state, "SIGTTOU", !isInFront && event.program === "takes" ? [{ kind: "accept SIGTTOU" }] : []);
    case "unread":
      // The kernel does not hang up a job in the background.
      return hangUp(state, state.isForeground);
    case "terminal gone":
      return hangUp(state, true);
    case "finished": {
      // A program that was killed may have left settings such as raw mode, which the shell cannot use.
      const left = isInFront && state.end !== undefined && "status" in state.end;
      const restored: readonly Effect[] =
        state.terminal === "there" && state.isForeground
          ? [{ kind: "restore terminal", left, returnsKeys: isInFront }]
          : [];
      return [{ ...state, isFinished: true }, [{ kind: "close keys" }, ...restored, { kind: "dismiss monitor" }]];
    }
  }
}

function onSignal(state: State, signal: NodeJS.Signals, isInFront: boolean): Step {
  const forward: Effect = { kind: "forward", signal };
  if (signal === "SIGCONT") return resume(state, isInFront);
  if (signal === "SIGWINCH") return [state, [state.terminal === "there" ? { kind: "resize", signal } : forward]];
  if (STOPS.has(signal)) return forwardStop(state, signal, []);
  return [state, STOP_REQUESTS.has(signal) ? [forward, { kind: "request stop" }] : [forward]];
}

/** Adopts the current foreground, and lets the monitor continue the program. Keys wait for its answer. */
function resume(state: State, isInFront: boolean): Step {
  const hasTerminal = state.terminal === "there";
  const entered: readonly Effect[] = hasTerminal ? [{ kind: "enter foreground", adopts: !state.isForeground }] : [];
  const effects: readonly Effect[] = isInFront ? entered : [{ kind: "leave foreground", hasTerminal }];
  const next = { ...state, isForeground: isInFront };
  if (!state.hasStarted) return [next, effects];
  const unanswered = state.unanswered + 1;
  return [
    { ...next, unanswered, pendingStop: undefined },
    [...effects, { kind: "hold keys" }, { kind: "continue", isForeground: isInFront }],
  ];
}

/** Handles an answer of the monitor. After the last one, what has waited is sent. */
function onAnswer(state: State): Step {
  if (state.unanswered > 0) return [state, []];
  const { pendingStop } = state;
  return [
    { ...state, pendingStop: undefined },
    [
      ...(pendingStop === undefined ? [] : ([{ kind: "forward", signal: pendingStop }] as const)),
      ...(state.isForeground ? ([{ kind: "read keys" }] as const) : []),
    ],
  ];
}

function forwardStop(state: State, signal: NodeJS.Signals, furtherEffects: readonly Effect[]): Step {
  if (state.unanswered > 0) return [{ ...state, pendingStop: signal }, furtherEffects];
  return [state, [{ kind: "forward", signal }, ...furtherEffects]];
}

function hangUp(state: State, isHungUp: boolean): Step {
  if (state.terminal !== "there") return [state, []];
  return [{ ...state, terminal: isHungUp ? "hung up" : "detached" }, [{ kind: "hang up", detaches: !isHungUp }]];
}
