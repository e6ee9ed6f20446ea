/**
 * Spawn mode with this process as the parent process, in JavaScript: it starts the program, waits for its end, restarts it if a watch
 * asks for that, and ends with the same status or by the same signal.
 */
import { ExitStatus } from "../../core/error.ts";
import { isBun } from "../../system/runtime.ts";
import { loader } from "../../system/addon/addon.ts";
import type { Outputs } from "../masking/outputs.ts";
import type { Launch, Watch } from "../types.ts";
import { startProgram, type StartedProgram, type LauncherState } from "./start-child.ts";
import { dieOf, release } from "./end.ts";
import { parentChannel } from "./ipc.ts";

const NO_WATCH = { restarts: undefined, tidyTerminal: undefined };

/** Starts the program, and ends as the last program ends. @throws SophiaError if the program cannot be executed */
export async function spawn(launch: Launch): Promise<never> {
  const { broker, inherited, libc, preparation, program, watch } = launch;
  const { addon, firstProcess } = preparation;
  // The executable limits how long JavaScript computes in one turn. Masking may need as long as the program's output is.
  loader?.limitTurns?.(0);
  const ipc = parentChannel();
  // The user wants to measure the coverage of the program, not of this process.
  if (program.environment.has("NODE_V8_COVERAGE")) process.getBuiltinModule("node:v8").stopCoverage();
  const { restarts, tidyTerminal } = watch === undefined ? NO_WATCH : await loadWatch(watch, launch);
  const { restoreCoreFilter } = preparation;
  const state: LauncherState = { ipc, libc, restarts, stopForwarding: () => {}, restoreCoreFilter };

  const firstProgram = await startProgram(launch, state);
  if (firstProgram === undefined) throw new TypeError("stopped before the first start");
  if (!firstProcess) loader?.cacheCode();
  let current: StartedProgram = firstProgram;
  /** The outputs of earlier programs, whose background processes may still write. */
  const earlierOutputs: Outputs[] = [];
  let end = await current.ended;
  for (let next = restarts?.ended(end); next !== undefined; next = restarts?.ended(end)) {
    await current.finish(false);
    tidyTerminal?.(end);
    await restarts?.lateSignals();
    const restarted = await startProgram(next, state);
    if (restarted === undefined) break;
    if (current.outputs?.isOpen() === true) earlierOutputs.push(current.outputs);
    current = restarted;
    end = await current.ended;
  }
  await current.finish(true);
  for (const outputs of earlierOutputs) if (outputs.isOpen()) await outputs.finish(true, false);
  broker?.end(end);
  // The program ended with 0, since it could not see that its output was lost.
  if (end === 0 && current.outputs?.isIncomplete() === true) end = ExitStatus.failed;
  // At its exit Node.js would reset a terminal to the settings that it had at the start.
  if (process.platform !== "win32") {
    if (restarts !== undefined) release([0, 1, 2, ...inherited.numbers]);
    else if (broker !== undefined) release([2]);
  }
  if (typeof end !== "number") return dieOf(end, { firstProcess, dumpable: libc === undefined });
  if (isBun && process.platform === "win32") return (await import("../windows/exit-status.ts")).exitWith(end);
  if (addon === undefined) return process.exit(end);
  process.emit("exit", end);
  return addon.exitAtOnce(end);
}

async function loadWatch(watch: Watch, launch: Launch) {
  const { keepTerminal, makeRestarts } = await import("../watch/restarts.ts");
  return { restarts: makeRestarts(watch, launch), tidyTerminal: await keepTerminal() };
}
