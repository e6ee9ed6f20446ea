/** Adds listeners to several signals at once, and removes them together. Also waits until the listeners of signals were called. */

/** Removes the listeners that were added. */
export type RemoveListeners = () => void;

/**
 * Adds a listener to each of the signals that this platform has and allows to catch.
 *
 * @returns a function that removes it from all
 */
export function listenToSignals(
  signals: readonly NodeJS.Signals[],
  listener: (signal: NodeJS.Signals, number: number) => void,
): RemoveListeners {
  const caughtSignals = signals.filter((signal) => {
    try {
      process.on(signal, listener);
      return true;
    } catch {
      return false;
    }
  });
  return () => {
    for (const signal of caughtSignals) process.removeListener(signal, listener);
  };
}

/** Waits until the listeners were called for all signals that have arrived. Node.js takes two turns of the event loop for that. */
export async function deliverSignals(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}
