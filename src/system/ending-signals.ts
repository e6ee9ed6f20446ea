/**
 * Work that must be done before a signal ends this process, such as killing a command that would go on without it:
 *
 *     const removeListeners = onEndingSignal(() => killCommand());
 */
import { constants } from "node:os";
import { loader } from "./addon/addon.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Calls `act` before one of these signals ends the process. @returns a function that removes the listeners */
export function onEndingSignal(act: () => void): () => void {
  // A signal that the caller ignores (nohup) must not end the process.
  const ignored = loader?.caller?.ignored ?? [];
  const listeners = SIGNALS.filter((signal) => !ignored.includes(constants.signals[signal])).map((signal) => {
    const listener = (): void => {
      act();
      process.removeListener(signal, listener);
      // Without the listener, the signal now ends the process as its caller expects.
      process.kill(process.pid, signal);
    };
    process.once(signal, listener);
    return { signal, listener };
  });
  return () => {
    for (const { signal, listener } of listeners) process.removeListener(signal, listener);
  };
}
