/**
 * The state machine of a program at a terminal whose output is masked. The program runs on a pseudo-terminal, so that this process can
 * replace secrets in its output. Signals, stops and the terminal's settings must then be passed on by this process. For each event
 * `step` returns the next state and the effects, which terminal-session.ts performs. It is pure, so that tests cover the events in any
 * order (job.test.ts).
 *
 *     shell ── this process ── session leader ── program
 *       real terminal     │      pseudo-terminal
 *
 * - Processes. The shell knows one process group, the job, and this process is in it. The program is in a session of its own,
 *   whose controlling terminal is the pseudo-terminal. The session leader (native/masking/monitor.inc) is the program's parent in
 *   that session. Without such a parent the program's group would be orphaned, and the kernel would ignore Ctrl-Z.
 * - Keys. In the foreground the real terminal is raw. This process copies keys to the pseudo-terminal, which sends SIGINT, SIGQUIT
 *   and SIGTSTP to the program. This process also sends SIGINT and SIGQUIT to the job, as the real terminal would have done.
 * - Stops. The session leader reports that the program was stopped. This process shows the remaining output, restores the real
 *   terminal, and stops the job by the same signal. When the shell continues the job, the session leader continues the program.
 * - Order. Keys, signals and the requests to continue take different routes to the program. A stop that was sent after a SIGCONT
 *   must not reach the program before it, because the SIGCONT would then undo the stop. So keys and stop signals wait until the
 *   session leader has answered all requests to continue the program.
 * - Foreground. A shell may move the job between foreground and background without a signal. So each event brings the current
 *   state, and in the background this process polls.
 * - Hang-up. When this process closes its side of the pseudo-terminal, or ends, the kernel sends SIGHUP to the session leader,
 *   which sends it to the program.
 */

/** How the program has ended. */
export type End = { readonly status: number } | { readonly signal: number };

export interface State {
  readonly hasStarted: boolean;
  /** The end of the program; undefined while it runs. */
  readonly end: End | undefined;
  /** True if the terminals are set up for a job in the foreground. A shell may have moved the job since. */
  readonly isForeground: boolean;
  /** The number of requests to continue the program that the session leader has not answered. */
  readonly unansweredRequests: number;
  /** A stop signal that is forwarded once all requests are answered. A SIGCONT discards it, as in the kernel. */
  readonly pendingStop: NodeJS.Signals | undefined;
  /**
   * `hung up`: this process has closed its side, and the kernel has sent SIGHUP. `detached`: the real terminal is gone, but the
   * program was in the background and keeps running.
   */
  readonly terminal: "there" | "hung up" | "detached";
  /** True once the event `finished` was handled. Later events are ignored. */
  readonly isFinished: boolean;
}

export type Event =
  /**
   * - `executed`: the program was started.
   * - `continued`: the session leader has answered a request to continue the program.
   * - `resumed`: the program must continue, since a stop was refused some time ago, or stopped this process without the program.
   * - `polled`: the polling interval in the background has passed.
   * - `unread`: the program's output has no reader any more.
   * - `terminal gone`: the real terminal was closed.
   * - `finished`: the program has ended, and its output was shown.
   */
  | { readonly kind: "executed" | "continued" | "resumed" | "polled" | "unread" | "terminal gone" | "finished" }
  | { readonly kind: "ended"; readonly end: End }
  /** `stopped`: the program was stopped. `shown`: its output has been shown since, so that the job can stop, too. */
  | { readonly kind: "stopped" | "shown"; readonly signal: NodeJS.Signals }
  /**
   * The call that stops the job has returned: the job was continued, or the kernel has refused to stop it (`isRefused`). `isOrphaned`:
   * the reason is that the process group is orphaned (background.ts).
   */
  | {
      readonly kind: "awake";
      readonly signal: NodeJS.Signals;
      readonly isRefused: boolean;
      readonly isOrphaned: boolean;
    }
  /** A signal has reached this process. `isExpected`: this process has sent it. */
  | { readonly kind: "signal"; readonly signal: NodeJS.Signals; readonly isExpected: boolean }
  /** `hasTerminal`: this process still has a controlling terminal, so that another process has sent the signal. */
  | { readonly kind: "SIGHUP"; readonly hasTerminal: boolean }
  /**
   * This process has written to the terminal from the background (background.ts). `program` says how the program reacts to the
   * signal; `takes` is the default action, a stop.
   */
  | { readonly kind: "SIGTTOU"; readonly program: "ignores" | "takes" | "handles" };

export type Effect =
  /**
   * - `request stop`: the user wants the program to end, which starts the time of `--kill-after`.
   * - `read keys`: keys are copied to the program. `hold keys`: they wait. `close keys`: no more keys are read, and polling ends.
   * - `resume later`: the event `resumed` follows after a pause.
   * - `dismiss monitor`: the session leader ends.
   */
  | { readonly kind: "request stop" | "read keys" | "hold keys" | "close keys" | "resume later" | "dismiss monitor" }
  /** `ignore SIGTTOU`: this process may then write from the background. `accept SIGTTOU`: the kernel stops this process, too. */
  | { readonly kind: "ignore SIGTTOU" | "accept SIGTTOU" }
  /** `resize` copies the real terminal's size, and the kernel sends the signal. If the size was the same, it forwards the signal. */
  | { readonly kind: "forward" | "resize"; readonly signal: NodeJS.Signals }
  /** Makes the real terminal raw. `adoptsSettings`: the pseudo-terminal first gets the settings that a shell has made meanwhile. */
  | { readonly kind: "enter foreground"; readonly adoptsSettings: boolean }
  /** Leaves the real terminal to other jobs, and polls. The pseudo-terminal then does not convert `\n` to `\r\n`; the real one does. */
  | { readonly kind: "leave foreground"; readonly hasTerminal: boolean }
  | { readonly kind: "continue"; readonly isForeground: boolean }
  /** Shows the program's output, and collects keys. `cannotStop`: the writing cannot stop this process. */
  | { readonly kind: "show"; readonly cannotStop: boolean; readonly signal: NodeJS.Signals }
  /** Stops the job. `restoresTerminal`: the real terminal has the settings of the pseudo-terminal while the job is stopped. */
  | { readonly kind: "stop"; readonly restoresTerminal: boolean; readonly signal: NodeJS.Signals }
  /** Closes this process's side of the pseudo-terminal. `detaches`: the program is not hung up. */
  | { readonly kind: "hang up"; readonly detaches: boolean }
  /**
   * Restores the former settings of the real terminal. `keepsSettings`: it gets the settings that the program has made instead.
   * `returnsKeys`: the keys that the program has not read are typed into it.
   */
  | { readonly kind: "restore terminal"; readonly keepsSettings: boolean; readonly returnsKeys: boolean };

/** The signals that stop a job, as a terminal sends them. */
const JOB_STOP_SIGNALS: ReadonlySet<NodeJS.Signals> = new Set(["SIGTSTP", "SIGTTIN", "SIGTTOU"]);
/** The signals by which the user asks the program to end. */
const TERMINATION_SIGNALS: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGQUIT", "SIGTERM"]);

/** The next state, and what must be done. */
export type Step = readonly [state: State, effects: readonly Effect[]];

/** Returns the state before the program is started, and what must be done for it. */
export function begin(isForeground: boolean): Step {
  const state = { hasStarted: false, end: undefined, isForeground, unansweredRequests: 0, isFinished: false };
  return [
    { ...state, pendingStop: undefined, terminal: "there" },
    isForeground ? [] : [{ kind: "leave foreground", hasTerminal: true }],
  ];
}

/**
 * Handles an event.
 *
 * @param isForegroundNow true if the job is in the foreground now, whatever `state.isForeground` says
 */
export function step(state: State, event: Event, isForegroundNow: boolean): Step {
  if (state.isFinished) return [state, []];
  switch (event.kind) {
    case "executed": {
      const started = { ...state, hasStarted: true };
      const keys: readonly Effect[] = state.isForeground ? [{ kind: "read keys" }] : [];
      if (isForegroundNow === state.isForeground) return [started, keys];
      const [next, effects] = continueProgram(started, isForegroundNow);
      return [next, [...keys, ...effects]];
    }
    case "continued":
      return onAnswer({ ...state, unansweredRequests: state.unansweredRequests - 1 });
    case "stopped":
      // A request that is not answered is on its way, and will continue the program.
      if (state.unansweredRequests > 0) return [state, []];
      return [state, [{ kind: "show", cannotStop: isForegroundNow, signal: event.signal }]];
    case "shown": {
      if (state.end !== undefined) return [state, []];
      const restoresTerminal = state.isForeground && isForegroundNow;
      return [{ ...state, isForeground: false }, [{ kind: "stop", restoresTerminal, signal: event.signal }]];
    }
    case "awake":
      if (!event.isRefused) return continueProgram(state, isForegroundNow);
      // In an orphaned group POSIX makes an access to the terminal fail with EIO. The program gets the same error if its terminal is
      // closed; otherwise it would wait for ever.
      if (event.isOrphaned && (event.signal === "SIGTTIN" || event.signal === "SIGTTOU")) return hangUp(state, true);
      return [state, [{ kind: "resume later" }]];
    case "resumed":
      return continueProgram(state, isForegroundNow);
    case "polled":
      return isForegroundNow && !state.isForeground ? continueProgram(state, isForegroundNow) : [state, []];
    case "ended":
      return [{ ...state, end: event.end }, []];
    case "signal":
      return event.isExpected ? [state, []] : onSignal(state, event.signal, isForegroundNow);
    case "SIGHUP": {
      const [next, effects] = event.hasTerminal ? ([state, []] as const) : hangUp(state, true);
      // After a hang-up the session leader sends SIGHUP to the program.
      return [next, next.terminal === "hung up" ? effects : [...effects, { kind: "forward", signal: "SIGHUP" }]];
    }
    case "SIGTTOU":
      if (!isForegroundNow && event.program === "ignores") return [state, [{ kind: "ignore SIGTTOU" }]];
      if (!isForegroundNow && event.program === "takes")
        return forwardStop(state, "SIGTTOU", [{ kind: "accept SIGTTOU" }]);
      return forwardStop(state, "SIGTTOU", []);
    case "unread":
      // When a terminal disappears, the kernel sends SIGHUP to the foreground job alone. So a program in the background keeps running.
      return hangUp(state, state.isForeground);
    case "terminal gone":
      return hangUp(state, true);
    case "finished": {
      // Only a program that has ended by itself may leave its settings. A killed program may leave raw mode, which no shell can use.
      const keepsSettings = isForegroundNow && state.end !== undefined && "status" in state.end;
      const restored: readonly Effect[] =
        state.terminal === "there" && state.isForeground
          ? [{ kind: "restore terminal", keepsSettings, returnsKeys: isForegroundNow }]
          : [];
      return [{ ...state, isFinished: true }, [{ kind: "close keys" }, ...restored, { kind: "dismiss monitor" }]];
    }
  }
}

function onSignal(state: State, signal: NodeJS.Signals, isForegroundNow: boolean): Step {
  const forward: Effect = { kind: "forward", signal };
  if (signal === "SIGCONT") return continueProgram(state, isForegroundNow);
  if (signal === "SIGWINCH") return [state, [state.terminal === "there" ? { kind: "resize", signal } : forward]];
  if (JOB_STOP_SIGNALS.has(signal)) return forwardStop(state, signal, []);
  return [state, TERMINATION_SIGNALS.has(signal) ? [forward, { kind: "request stop" }] : [forward]];
}

/** Follows the job into the foreground or background, and asks the session leader to continue the program. Keys wait for its answer. */
function continueProgram(state: State, isForegroundNow: boolean): Step {
  const hasTerminal = state.terminal === "there";
  const entered: readonly Effect[] = hasTerminal
    ? [{ kind: "enter foreground", adoptsSettings: !state.isForeground }]
    : [];
  const effects: readonly Effect[] = isForegroundNow ? entered : [{ kind: "leave foreground", hasTerminal }];
  const next = { ...state, isForeground: isForegroundNow };
  if (!state.hasStarted) return [next, effects];
  const unansweredRequests = state.unansweredRequests + 1;
  return [
    { ...next, unansweredRequests, pendingStop: undefined },
    [...effects, { kind: "hold keys" }, { kind: "continue", isForeground: isForegroundNow }],
  ];
}

/** Handles an answer of the session leader. After the last answer the delayed stop is forwarded, and keys are read again. */
function onAnswer(state: State): Step {
  if (state.unansweredRequests > 0) return [state, []];
  const { pendingStop } = state;
  return [
    { ...state, pendingStop: undefined },
    [
      ...(pendingStop === undefined ? [] : ([{ kind: "forward", signal: pendingStop }] as const)),
      ...(state.isForeground ? ([{ kind: "read keys" }] as const) : []),
    ],
  ];
}

/** Forwards a stop signal, or delays it until the session leader has answered all requests to continue the program. */
function forwardStop(state: State, signal: NodeJS.Signals, furtherEffects: readonly Effect[]): Step {
  if (state.unansweredRequests > 0) return [{ ...state, pendingStop: signal }, furtherEffects];
  return [state, [{ kind: "forward", signal }, ...furtherEffects]];
}

/** Closes the pseudo-terminal. @param isHungUp true if the program gets SIGHUP */
function hangUp(state: State, isHungUp: boolean): Step {
  if (state.terminal !== "there") return [state, []];
  return [{ ...state, terminal: isHungUp ? "hung up" : "detached" }, [{ kind: "hang up", detaches: !isHungUp }]];
}
