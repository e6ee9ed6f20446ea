import { constants } from "node:os";
import { loader } from "./addon/addon.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Calls `act` before one of these signals ends the process. @returns the function that removes the listeners */
export function onEndingSignal(act: () => void): () => void {
  // A signal that the caller ignores (nohup) does not end it.
  const ignored = loader?.caller?.ignored ?? [];
  const listeners = SIGNALS.filter((signal) => !ignored.includes(constants.signals[signal])).map((signal) => {
    const listener = (): void => {
      act();
      process.removeListener(signal, listener);
      process.kill(process.pid, signal);
    };
    process.once(signal, listener);
    return { signal, listener };
  });
  return () => {
    for (const { signal, listener } of listeners) process.removeListener(signal, listener);
  };
}
