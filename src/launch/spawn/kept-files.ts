import { onExit, signals } from "signal-exit";
import { writeSecretFiles, type SecretFile, type SecretFiles } from "./secret-files.ts";
import { catchableSignals, listen } from "../signals.ts";

/**
 * Writes the secret files and sees to it that they are removed however this process ends, short of SIGKILL and a
 * crash; after those the next launcher's sweep does it.
 */
export function keepSecretFiles(files: readonly SecretFile[], runtimeDirectory: string | undefined): SecretFiles {
  const { paths, remove } = writeSecretFiles(files, runtimeDirectory);
  // signal-exit ends the process by a signal to which it alone listens. Everything that can be caught is forwarded,
  // but SIGABRT under that name alone: under its other name, SIGIOT, signal-exit would take itself for the only one.
  const forwarded = new Set(catchableSignals());
  const undo = signals.filter((signal) => !forwarded.has(signal)).map((signal) => listen(signal, () => {}));
  undo.push(onExit(() => remove()));
  return {
    paths,
    remove: () => {
      for (const step of undo) step();
      remove();
    },
  };
}
