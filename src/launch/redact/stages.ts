/** The program's outputs as a state and a pure step: streams that fail and end, and how all of it ends. */
export interface Stream {
  /** The program's standard error is part of it. */
  readonly isErrors: boolean;
  /** It is a terminal for the program, too. */
  readonly isTerminal: boolean;
}

export interface State {
  readonly streams: readonly Stream[];
  /** The numbers of those that may still be written to. */
  readonly open: ReadonlySet<number>;
  /** The program runs on a terminal of its own. */
  readonly hasSession: boolean;
  /** Another program may take the place of this one. */
  readonly isRenewed: boolean;
  /** A line may tell of masking. */
  readonly tellsMasking: boolean;
  /** Another process can go on with a stream after the end of this one. */
  readonly mayHandOver: boolean;
  /** Another program takes the place of the one that has ended: the terminal is in order. */
  readonly isSettled: boolean;
}

export type StreamEvent = { readonly stream: number } & (
  | { readonly kind: "failed"; readonly code: string }
  /** `unread`: nobody reads the stream any more. `ended`: nothing can be written any more, and all was passed on. */
  | { readonly kind: "unread" | "ended" }
);

/** `wasKilled`: the program has ended by a signal. `left`: the streams that may still be written to, after a drain. */
export type EndEvent = { readonly wasKilled: boolean } & (
  | { readonly kind: "finish"; readonly isLast: boolean }
  | { readonly kind: "drained"; readonly left: readonly number[] }
);

export type Effect =
  | { readonly kind: "mute" | "lose session" | "close terminal" }
  | { readonly kind: "say"; readonly line: string }
  | { readonly kind: "close target"; readonly stream: number; readonly later: boolean }
  | { readonly kind: "lose reader"; readonly stream: number };

/** The effects of an end, each of which takes its time. */
export type Ending =
  /** `settle`: passes on what was written, but for the beginning of a secret, and reads on. */
  | { readonly kind: "collect keys" | "settle" | "last words" | "restore session" | "close session" }
  /** Reads what was written, to the end or until nothing more comes. */
  | { readonly kind: "drain"; readonly wasKilled: boolean }
  | { readonly kind: "end terminal"; readonly wasKilled: boolean }
  | { readonly kind: "flush" | "hand over"; readonly streams: readonly number[] };

/** Takes what happens to one stream. */
export function step(state: State, event: StreamEvent): readonly [State, readonly Effect[]] {
  const { stream } = event;
  const { isErrors = false, isTerminal = false } = state.streams[stream] ?? {};
  const terminal: readonly Effect[] = isTerminal && !state.hasSession ? [{ kind: "close terminal" }] : [];
  switch (event.kind) {
    case "failed": {
      if (isErrors) return [state, [...terminal, { kind: "mute" }]];
      const line = `the standard output cannot be written (${event.code})`;
      return [state, event.code === "EPIPE" ? terminal : [...terminal, { kind: "say", line }]];
    }
    case "unread":
      if (state.hasSession) return [state, [{ kind: "lose session" }]];
      return [state, [...terminal, { kind: "lose reader", stream }]];
    case "ended": {
      const open = new Set(state.open);
      open.delete(stream);
      // A program that ends closes both streams. The other one, or a restart, may still bring a line to say here.
      const later = isErrors && (state.tellsMasking || state.isRenewed);
      return [{ ...state, open }, [{ kind: "close target", stream, later }]];
    }
  }
}

/** Takes the end of the program, or what has followed from it. The effects are performed one after the other. */
export function end(state: State, event: EndEvent): readonly [State, readonly Ending[]] {
  const { wasKilled } = event;
  const all = [...state.streams.keys()];
  const isOpen = state.hasSession && !state.isSettled;
  const collected: readonly Ending[] = isOpen ? [{ kind: "collect keys" }] : [];
  const restored: readonly Ending[] = isOpen ? [{ kind: "restore session" }] : [];
  const inOrder: readonly Ending[] = [{ kind: "last words" }, { kind: "end terminal", wasKilled }, ...restored];
  if (event.kind === "drained") {
    const left = state.mayHandOver ? event.left : [];
    const flushed = all.filter((stream) => !left.includes(stream));
    const handed: readonly Ending[] = left.length > 0 ? [{ kind: "hand over", streams: left }] : [];
    return [state, [{ kind: "flush", streams: flushed }, ...inOrder, ...handed]];
  }
  if (event.isLast) return [state, [...collected, { kind: "drain", wasKilled }]];
  const closed: readonly Ending[] = state.hasSession ? [{ kind: "close session" }] : [];
  return [
    { ...state, isSettled: true },
    [...collected, { kind: "settle" }, { kind: "flush", streams: all }, ...inOrder, ...closed],
  ];
}
