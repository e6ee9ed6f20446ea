export type Undo = () => void;

/** Listens to the signals that can be caught on this platform. @returns the undo */
export function listen(
  signals: readonly NodeJS.Signals[],
  listener: (signal: NodeJS.Signals, number: number) => void,
): Undo {
  const heard = signals.filter((signal) => {
    try {
      process.on(signal, listener);
      return true;
    } catch {
      return false;
    }
  });
  return () => {
    for (const signal of heard) process.removeListener(signal, listener);
  };
}

/** Waits until the listeners have the signals that came before: these take two turns of the event loop. */
export async function deliverSignals(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}
