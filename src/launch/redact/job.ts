/**
 * The job of a program that runs on a pseudo-terminal, in a session of its own, as a state and a pure step.
 *
 * The shell knows this process's group alone, the job. The monitor leads the program's session, and reports when the
 * program stops: the job then stops by the same signal, and the program goes on when the job does. Keys that send signals
 * are read here, and sent to the job as well. The real terminal is raw as long as the job is in the foreground; a change
 * of that is noticed at each event, and by polling in the background, since a shell may put the job there without a
 * signal. The kernel hangs up when this process has closed its side of the pseudo-terminal.
 */
export type End = { readonly status: number } | { readonly signal: number };

export interface State {
  /** The program was executed. */
  readonly hasStarted: boolean;
  readonly end: End | undefined;
  /** As last noticed. */
  readonly isForeground: boolean;
  /** How often the monitor was told to continue the program and has not reported yet that it did. */
  readonly unanswered: number;
  /** The real terminal for the program; `forsaken`: it is gone, and the program is not hung up for it. */
  readonly terminal: "there" | "hung up" | "forsaken";
  /** The real terminal is in order and stays so, whatever happens then. */
  readonly isFinished: boolean;
}

export type Event =
  /** `continued` is the monitor's report; `resumed`: the program must go on; `unread`: its output is not shown any more. */
  | { readonly kind: "executed" | "continued" | "resumed" | "polled" | "unread" | "terminal gone" | "finished" }
  | { readonly kind: "ended"; readonly end: End }
  /** The program was stopped; then its output and keys were passed on. */
  | { readonly kind: "stopped" | "shown"; readonly signal: NodeJS.Signals }
  /** The job was continued after a stop, or the kernel has refused the stop. */
  | {
      readonly kind: "awoken";
      readonly signal: NodeJS.Signals;
      readonly isRefused: boolean;
      readonly isOrphaned: boolean;
    }
  /** A signal has reached this process; `isExpected`: this process has caused that. */
  | { readonly kind: "signal"; readonly signal: NodeJS.Signals; readonly isExpected: boolean }
  | { readonly kind: "SIGHUP"; readonly hasTerminal: boolean }
  /** By which the kernel stops a job that writes to the terminal from the background. */
  | { readonly kind: "SIGTTOU"; readonly program: "ignores" | "takes" | "handles" };

export type Effect =
  | { readonly kind: "request stop" | "read keys" | "close keys" | "resume later" | "dismiss monitor" }
  /** Writes from the background in spite of SIGTTOU, or is stopped by it. */
  | { readonly kind: "ignore access" | "undergo access" }
  /** `resize`: gives the program the size of the terminal. The kernel sends the signal, unless the size is the same. */
  | { readonly kind: "forward" | "resize"; readonly signal: NodeJS.Signals }
  /** Makes the real terminal raw. `adopts`: the program gets the settings that a shell has made meanwhile. */
  | { readonly kind: "enter foreground"; readonly adopts: boolean }
  /** Leaves the real terminal to others, which turns newlines into line ends then, and polls. */
  | { readonly kind: "leave foreground"; readonly hasTerminal: boolean }
  | { readonly kind: "continue"; readonly isForeground: boolean }
  /** Passes on output and keys. `certainly`: showing it cannot stop the job. */
  | { readonly kind: "show"; readonly certainly: boolean; readonly signal: NodeJS.Signals }
  /** Stops the job. `restores`: the real terminal has the settings of the program meanwhile. */
  | { readonly kind: "stop"; readonly restores: boolean; readonly signal: NodeJS.Signals }
  /** Closes this process's side of the pseudo-terminal. `forsakes`: the monitor does not hang the program up. */
  | { readonly kind: "hang up"; readonly forsakes: boolean }
  /** Gives the terminal the settings that the program has left, or those from before. */
  | { readonly kind: "restore terminal"; readonly left: boolean; readonly returnsKeys: boolean };

const ASK_FOR_THE_END: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGQUIT", "SIGTERM"]);

export type Step = readonly [state: State, effects: readonly Effect[]];

/** @param isForeground if the job is in the foreground now */
export function begin(isForeground: boolean): Step {
  const state: State = {
    hasStarted: false,
    end: undefined,
    isForeground,
    unanswered: 0,
    terminal: "there",
    isFinished: false,
  };
  return [state, isForeground ? [] : [{ kind: "leave foreground", hasTerminal: true }]];
}

/** @param isInFront if the job is in the foreground at the time of the event */
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
      // Keys that were passed on before would be read by no program.
      return [{ ...state, unanswered: state.unanswered - 1 }, state.isForeground ? [{ kind: "read keys" }] : []];
    case "stopped":
      // Otherwise the program goes on already: the monitor has yet to read that.
      return [state, state.unanswered === 0 ? [{ kind: "show", certainly: isInFront, signal: event.signal }] : []];
    case "shown": {
      if (state.end !== undefined) return [state, []];
      const restores = state.isForeground && isInFront;
      return [{ ...state, isForeground: false }, [{ kind: "stop", restores, signal: event.signal }]];
    }
    case "awoken":
      if (!event.isRefused) return resume(state, isInFront);
      // In an orphaned group the kernel lets an access fail. The program would otherwise stop again, and for ever.
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
      // Otherwise the monitor hangs the program up.
      return [next, next.terminal === "hung up" ? effects : [...effects, { kind: "forward", signal: "SIGHUP" }]];
    }
    case "SIGTTOU":
      if (!isInFront && event.program === "ignores") return [state, [{ kind: "ignore access" }]];
      return [
        state,
        [
          { kind: "forward", signal: "SIGTTOU" },
          ...(!isInFront && event.program === "takes" ? ([{ kind: "undergo access" }] as const) : []),
        ],
      ];
    case "unread":
      // The kernel does not hang up a job in the background.
      return hangUp(state, state.isForeground);
    case "terminal gone":
      return hangUp(state, true);
    case "finished": {
      // To others a raw terminal is of no use.
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
  return [state, ASK_FOR_THE_END.has(signal) ? [forward, { kind: "request stop" }] : [forward]];
}

/** Notices whether the job is in the foreground, and continues the program there. */
function resume(state: State, isInFront: boolean): Step {
  const hasTerminal = state.terminal === "there";
  const entered: readonly Effect[] = hasTerminal ? [{ kind: "enter foreground", adopts: !state.isForeground }] : [];
  const effects: readonly Effect[] = isInFront ? entered : [{ kind: "leave foreground", hasTerminal }];
  const next = { ...state, isForeground: isInFront };
  if (!state.hasStarted) return [next, effects];
  return [{ ...next, unanswered: state.unanswered + 1 }, [...effects, { kind: "continue", isForeground: isInFront }]];
}

function hangUp(state: State, isHungUp: boolean): Step {
  if (state.terminal !== "there") return [state, []];
  return [{ ...state, terminal: isHungUp ? "hung up" : "forsaken" }, [{ kind: "hang up", forsakes: !isHungUp }]];
}
