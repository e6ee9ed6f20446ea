export type ExpectedSignals = ReturnType<typeof expectedSignals>;

/** Counts the signals that this process has caused to be sent to itself, and must ignore. */
export function expectedSignals() {
  const counts = new Map<NodeJS.Signals, number>();
  const own = new Set<NodeJS.Signals>();
  return {
    /** One more will come. */
    expect: (signal: NodeJS.Signals): void => void counts.set(signal, (counts.get(signal) ?? 0) + 1),
    /** No more will come: the kernel may have refused what would have caused them. */
    giveUp: (signal: NodeJS.Signals): void => void counts.delete(signal),
    /** Counts a signal that is being delivered. @returns true if it was expected */
    arrives: (signal: NodeJS.Signals): boolean => {
      const count = counts.get(signal) ?? 0;
      if (count === 0) return false;
      counts.set(signal, count - 1);
      own.add(signal);
      setImmediate(() => own.delete(signal));
      return true;
    },
    /** True for a signal that is being delivered and was expected, whoever counted it. */
    isOwn: (signal: NodeJS.Signals): boolean => own.has(signal),
  };
}
