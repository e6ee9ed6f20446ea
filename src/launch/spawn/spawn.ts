import { ExitStatus } from "../../core/error.ts";
import { isBun } from "../../system/runtime.ts";
import { loader } from "../../system/addon/addon.ts";
import type { Outputs } from "../masking/outputs.ts";
import type { Launch, Watch } from "../types.ts";
import { startProgram, type StartedProgram, type LauncherState } from "./start-child.ts";
import { dieOf, release } from "./end.ts";
import { parentChannel } from "./ipc.ts";

const NEVER = { restarts: undefined, tidyTerminal: undefined };

/** Starts the program as a child and ends as it ends; with a watch restarts it. @throws SophiaError if it cannot be executed */
export async function spawn(launch: Launch): Promise<never> {
  const { broker, inherited, libc, preparation, program, watch } = launch;
  const { addon, firstProcess } = preparation;
  // Masking and restarts last as long as the program's output is long.
  loader?.limitTurns?.(0);
  const ipc = parentChannel();
  // The variable is meant for the program, not for the coverage of this process.
  if (program.environment.has("NODE_V8_COVERAGE")) process.getBuiltinModule("node:v8").stopCoverage();
  const { restarts, tidyTerminal } = watch === undefined ? NEVER : await loadWatch(watch, launch);
  const { restoreCoreFilter } = preparation;
  const state: LauncherState = { ipc, libc, restarts, stopForwarding: () => {}, restoreCoreFilter };

  const first = await startProgram(launch, state);
  if (first === undefined) throw new TypeError("stopped before the first start");
  if (!firstProcess) loader?.cacheCode();
  let started: StartedProgram = first;
  /** Outputs of previous programs, whose background processes may still write. */
  const earlier: Outputs[] = [];
  let end = await started.ended;
  for (let next = restarts?.ended(end); next !== undefined; next = restarts?.ended(end)) {
    await started.finish(false);
    tidyTerminal?.(end);
    await restarts?.lateSignals();
    const restarted = await startProgram(next, state);
    if (restarted === undefined) break;
    if (started.outputs?.isOpen() === true) earlier.push(started.outputs);
    started = restarted;
    end = await started.ended;
  }
  await started.finish(true);
  for (const outputs of earlier) if (outputs.isOpen()) await outputs.finish(true, false);
  broker?.end(end);
  // The program could not see that its output was lost.
  if (end === 0 && started.outputs?.isIncomplete() === true) end = ExitStatus.failed;
  // At its exit Node.js would reset a terminal to its settings at the start.
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
