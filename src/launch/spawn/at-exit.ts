import { onExit, signals } from "signal-exit";
import { catchableSignals } from "../signals.ts";
import { listen, type Undo } from "../listen.ts";

/**
 * Has something undone however this process ends, short of SIGKILL and a crash.
 *
 * @returns undoes it now
 */
export function undoAtExit(undo: () => void): Undo {
  // signal-exit ends the process by a signal to which nothing else listens. Every signal is forwarded, but under one of
  // its names: under the other (SIGIOT of SIGABRT) signal-exit would take itself for the only listener.
  const forwarded = new Set(catchableSignals());
  const further = signals.filter((signal) => !forwarded.has(signal));
  const stopListening = listen(further, () => {});
  const forget = onExit(undo);
  return () => {
    stopListening();
    forget();
    undo();
  };
}
