/**
 * The outputs of one program: decides what happens when a write fails, when a reader or the last writer has ended, and when the program
 * has ended. It is pure: each function returns the next state and the effects, which outputs.ts performs.
 */
interface Stream {
  /** True for the stream of the standard error, to which messages are written as well. */
  readonly isErrors: boolean;
  readonly isTerminal: boolean;
}

export interface State {
  readonly streams: readonly Stream[];
  /** The indexes of streams that still have a writer. */
  readonly open: ReadonlySet<number>;
  /** True if the program is in a session of its own (terminal-session.ts). */
  readonly hasSession: boolean;
  /** True if the program may be restarted. */
  readonly isRenewed: boolean;
  /** True if a message reports the first secret that was masked. */
  readonly hasNotice: boolean;
  /** True if another process can continue to mask a stream after the end of this one. */
  readonly mayHandOver: boolean;
  /** True if the program has ended, and the terminal was restored. */
  readonly isRestored: boolean;
  /** True if output was lost although it had a reader, as on a full disk. */
  readonly isIncomplete: boolean;
}

export type StreamEvent = { readonly stream: number } & (
  | { readonly kind: "failed"; readonly code: string }
  /** `unread`: the stream has no reader any more. `ended`: the stream has no writer any more, and all was passed on. */
  | { readonly kind: "unread" | "ended" }
);

/** `wasKilled`: the program has ended by a signal. `left`: the streams that still have a writer after a drain. */
export type EndEvent = { readonly wasKilled: boolean } & (
  | { readonly kind: "finish"; readonly isLast: boolean }
  | { readonly kind: "drained"; readonly left: readonly number[] }
);

export type Effect =
  | { readonly kind: "disable messages" | "lose session" | "close terminal" }
  | { readonly kind: "write"; readonly line: string }
  | { readonly kind: "close target"; readonly stream: number; readonly later: boolean }
  | { readonly kind: "lose reader"; readonly stream: number };

/** The effects of an end. Each must have ended before the next begins. */
export type EndEffect =
  /** `sync`: passes on available output, without the beginning of a secret if there is still a writer. */
  | { readonly kind: "collect keys" | "sync" | "finish messages" | "restore session" | "close session" }
  /** Passes on available output, and pauses. */
  | { readonly kind: "drain"; readonly wasKilled: boolean }
  | { readonly kind: "end terminal"; readonly wasKilled: boolean }
  | { readonly kind: "flush" | "hand over"; readonly streams: readonly number[] };

/** Handles an event of one stream. */
export function step(state: State, event: StreamEvent): readonly [State, readonly Effect[]] {
  const { stream } = event;
  const { isErrors = false, isTerminal = false } = state.streams[stream] ?? {};
  const terminal: readonly Effect[] = isTerminal && !state.hasSession ? [{ kind: "close terminal" }] : [];
  switch (event.kind) {
    case "failed": {
      // Without a reader the program gets SIGPIPE, and without a terminal SIGHUP. So it knows that output is lost.
      const next = { ...state, isIncomplete: state.isIncomplete || (event.code !== "EPIPE" && !isTerminal) };
      if (isErrors) return [next, [...terminal, { kind: "disable messages" }]];
      const line = `the standard output cannot be written (${event.code})`;
      return [next, event.code === "EPIPE" ? terminal : [...terminal, { kind: "write", line }]];
    }
    case "unread":
      if (state.hasSession) return [state, [{ kind: "lose session" }]];
      return [state, [...terminal, { kind: "lose reader", stream }]];
    case "ended": {
      const open = new Set(state.open);
      open.delete(stream);
      // A program that ends closes both streams. The output of the other stream, or a restart, may still cause a message.
      const later = isErrors && (open.size > 0 || state.hasNotice || state.isRenewed);
      return [{ ...state, open }, [{ kind: "close target", stream, later }]];
    }
  }
}

/** Handles the end of the program. A drain comes first; then the caller calls this function again with its result. */
export function end(state: State, event: EndEvent): readonly [State, readonly EndEffect[]] {
  const { wasKilled } = event;
  const allStreams = [...state.streams.keys()];
  const isOpen = state.hasSession && !state.isRestored;
  const collected = only(isOpen, { kind: "collect keys" });
  const terminal: readonly EndEffect[] = [
    { kind: "finish messages" },
    { kind: "end terminal", wasKilled },
    ...only(isOpen, { kind: "restore session" }),
  ];
  if (event.kind === "drained") {
    const left = state.mayHandOver ? event.left : [];
    const flushed = allStreams.filter((stream) => !left.includes(stream));
    const handedOver = only(left.length > 0, { kind: "hand over", streams: left });
    return [state, [{ kind: "flush", streams: flushed }, ...terminal, ...handedOver]];
  }
  if (event.isLast) return [state, [...collected, { kind: "drain", wasKilled }]];
  const closed = only(state.hasSession, { kind: "close session" });
  // The session is closed, so that nothing more comes. To a pipe background processes of the program may still write: there the
  // beginning of a secret waits for the rest.
  const flushed = only(state.hasSession, { kind: "flush", streams: allStreams });
  return [{ ...state, isRestored: true }, [...collected, { kind: "sync" }, ...flushed, ...terminal, ...closed]];
}

/** Returns the effect if the condition is true. */
function only(condition: boolean, effect: EndEffect): readonly EndEffect[] {
  return condition ? [effect] : [];
}
