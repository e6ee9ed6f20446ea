/** The signals of which this process has caused the delivery to itself, and takes no notice. */
export interface ExpectedSignals {
  /** One will come, or one more. */
  readonly expect: (signal: NodeJS.Signals) => void;
  /** None comes any more: the kernel has refused what would have caused it, perhaps. */
  readonly giveUp: (signal: NodeJS.Signals) => void;
  /** Whether the signal that is being delivered is one of them, which is counted then. */
  readonly arrives: (signal: NodeJS.Signals) => boolean;
  /** Whether the signal that is being delivered was one of them, whoever counted it. */
  readonly isOwn: (signal: NodeJS.Signals) => boolean;
}

export function expectedSignals(): ExpectedSignals {
  const counts = new Map<NodeJS.Signals, number>();
  const own = new Set<NodeJS.Signals>();
  return {
    expect: (signal) => void counts.set(signal, (counts.get(signal) ?? 0) + 1),
    giveUp: (signal) => void counts.delete(signal),
    arrives: (signal) => {
      const count = counts.get(signal) ?? 0;
      if (count === 0) return false;
      counts.set(signal, count - 1);
      own.add(signal);
      setImmediate(() => own.delete(signal));
      return true;
    },
    isOwn: (signal) => own.has(signal),
  };
}
