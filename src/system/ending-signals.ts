/**
 * Cleans up before a signal ends this process. For example, Ctrl-C at the terminal must not leave a command running that
 * sophia-run has started:
 *
 *     const removeListeners = onEndingSignal(() => killCommand());
 */
import { constants } from "node:os";
import { loader } from "./addon/addon.ts";

const ENDING_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Calls `cleanUp` before SIGINT, SIGTERM or SIGHUP ends the process. @returns a function that removes the listeners */
export function onEndingSignal(cleanUp: () => void): () => void {
  // A signal that the caller ignores (nohup) must not end the process.
  const ignored = loader?.caller?.ignored ?? [];
  const handledSignals = ENDING_SIGNALS.filter((signal) => !ignored.includes(constants.signals[signal]));
  const listeners = handledSignals.map((signal) => {
    const listener = (): void => {
      cleanUp();
      process.removeListener(signal, listener);
      // Without the listener, the signal now ends the process, so that its parent process sees which signal it was.
      process.kill(process.pid, signal);
    };
    process.once(signal, listener);
    return { signal, listener };
  });
  return () => {
    for (const { signal, listener } of listeners) process.removeListener(signal, listener);
  };
}
