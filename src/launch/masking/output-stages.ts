/**
 * Decides what happens to the masked outputs of one program when a write fails, when a reader or the last writer has ended, and when the
 * program has ended. The functions are pure: each returns the next state and the effects, which outputs.ts performs.
 *
 * A stream is one output with its pump. The program is one of its writers; background processes of the program may be others. Its reader
 * is the process that reads what this process writes, such as `less`.
 */
interface Stream {
  /** True for the stream of the standard error, to which messages are written as well. */
  readonly isStandardError: boolean;
  readonly isTerminal: boolean;
}

export interface State {
  readonly streams: readonly Stream[];
  /** The indexes of streams that still have a writer. */
  readonly open: ReadonlySet<number>;
  /** True if the program is in a session of its own (terminal-session.ts). */
  readonly hasSession: boolean;
  /** True if the program may be restarted. */
  readonly mayRestart: boolean;
  /** True if a message reports the first secret that was masked. */
  readonly reportsMasking: boolean;
  /** True if another process can continue to mask a stream after the end of this one. */
  readonly mayHandOver: boolean;
  /** True if the program has ended, and the terminal of its session was restored. */
  readonly isRestored: boolean;
  /** True if output was lost although it had a reader, as on a full disk. */
  readonly isOutputLost: boolean;
}

export type StreamEvent = { readonly stream: number } & (
  | { readonly kind: "failed"; readonly code: string }
  /** `unread`: the stream has no reader any more. `ended`: the stream has no writer any more, and all of its output was passed on. */
  | { readonly kind: "unread" | "ended" }
);

/** `wasKilled`: a signal has ended the program. */
export type EndEvent = { readonly wasKilled: boolean } &
  /** The program has ended. `isLast`: it is not restarted. */
  (
    | { readonly kind: "finish"; readonly isLast: boolean }
    /** The effect `drain` has ended. `open`: the streams that still have a writer. */
    | { readonly kind: "drained"; readonly open: readonly number[] }
  );

export type Effect =
  | { readonly kind: "disable messages" | "lose session" | "close terminal" }
  | { readonly kind: "write"; readonly line: string }
  /** `isDelayed`: the target stays open for a short time, in which a message may be written to it. */
  | { readonly kind: "close target"; readonly stream: number; readonly isDelayed: boolean }
  /** Ends a stream whose reader has ended. */
  | { readonly kind: "lose reader"; readonly stream: number };

/** The effects of the program's end. Each must have ended before the next begins. */
export type EndEffect =
  /** `sync` passes on the available output. If there is still a writer, the beginning of a secret waits for the rest. */
  | { readonly kind: "collect keys" | "sync" | "finish messages" | "restore session" | "close session" }
  /** Passes on the available output, and pauses. The event `drained` follows. */
  | { readonly kind: "drain"; readonly wasKilled: boolean }
  | { readonly kind: "end terminal"; readonly wasKilled: boolean }
  /** `flush` passes on what is held back. `hand over` lets another process mask the streams from now on (hand-over.ts). */
  | { readonly kind: "flush" | "hand over"; readonly streams: readonly number[] };

/** Handles an event of one stream. */
export function step(state: State, event: StreamEvent): readonly [State, readonly Effect[]] {
  const { stream } = event;
  const { isStandardError = false, isTerminal = false } = state.streams[stream] ?? {};
  const closeTerminal: readonly Effect[] = isTerminal && !state.hasSession ? [{ kind: "close terminal" }] : [];
  switch (event.kind) {
    case "failed": {
      // Without a reader the program gets SIGPIPE, and without a terminal SIGHUP. So the program itself knows that output is lost.
      const hasReader = event.code !== "EPIPE" && !isTerminal;
      const next = { ...state, isOutputLost: state.isOutputLost || hasReader };
      if (isStandardError) return [next, [...closeTerminal, { kind: "disable messages" }]];
      const line = `the standard output cannot be written (${event.code})`;
      return [next, event.code === "EPIPE" ? closeTerminal : [...closeTerminal, { kind: "write", line }]];
    }
    case "unread":
      if (state.hasSession) return [state, [{ kind: "lose session" }]];
      return [state, [...closeTerminal, { kind: "lose reader", stream }]];
    case "ended": {
      const open = new Set(state.open);
      open.delete(stream);
      // A program that ends closes both streams. The output of the other stream, or a restart, may still cause a message.
      const isDelayed = isStandardError && (open.size > 0 || state.reportsMasking || state.mayRestart);
      return [{ ...state, open }, [{ kind: "close target", stream, isDelayed }]];
    }
  }
}

/**
 * Handles the end of the program. For the last program the last effect is `drain`. Its result decides the further effects, so the caller
 * calls this function again with the event `drained`.
 */
export function end(state: State, event: EndEvent): readonly [State, readonly EndEffect[]] {
  const { wasKilled } = event;
  const allStreams = [...state.streams.keys()];
  const isSessionOpen = state.hasSession && !state.isRestored;
  const collectKeys = effectIf(isSessionOpen, { kind: "collect keys" });
  const endTerminal: readonly EndEffect[] = [
    { kind: "finish messages" },
    { kind: "end terminal", wasKilled },
    ...effectIf(isSessionOpen, { kind: "restore session" }),
  ];
  if (event.kind === "drained") {
    const handedOver = state.mayHandOver ? event.open : [];
    const flushed = allStreams.filter((stream) => !handedOver.includes(stream));
    const handOver = effectIf(handedOver.length > 0, { kind: "hand over", streams: handedOver });
    return [state, [{ kind: "flush", streams: flushed }, ...endTerminal, ...handOver]];
  }
  if (event.isLast) return [state, [...collectKeys, { kind: "drain", wasKilled }]];
  // A session will be closed, so its output is complete. To a pipe, background processes of the program may still write: there the
  // beginning of a secret waits for the rest.
  const flush = effectIf(state.hasSession, { kind: "flush", streams: allStreams });
  const closeSession = effectIf(state.hasSession, { kind: "close session" });
  return [
    { ...state, isRestored: true },
    [...collectKeys, { kind: "sync" }, ...flush, ...endTerminal, ...closeSession],
  ];
}

/** Returns the effect if the condition is true. */
function effectIf(condition: boolean, effect: EndEffect): readonly EndEffect[] {
  return condition ? [effect] : [];
}
