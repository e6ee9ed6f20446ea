/**
 * Spawn mode in which this process stays as the parent of the program, as masking, `--watch` and `--broker` need it. Without these
 * the monitor in C takes its place (launch/monitor). The process starts the program, waits for its end, restarts it if a watch asks
 * for that, and then exits with the program's status or dies of the program's signal.
 */
import { ExitStatus } from "../../core/error.ts";
import { isBun } from "../../system/runtime.ts";
import { loader } from "../../system/addon/addon.ts";
import type { Outputs } from "../masking/outputs.ts";
import type { Launch, ProgramEnd, Watch } from "../types.ts";
import { startProgram, type LauncherState, type StartedProgram } from "./start-child.ts";
import { dieBySignal, releaseDescriptors } from "./end.ts";
import { parentChannel } from "./ipc.ts";

const NO_WATCH = { restarts: undefined, repairTerminal: undefined };

/**
 * Starts the program, and ends this process in the way in which the last started program ended.
 *
 * @throws SophiaError if the program cannot be executed
 */
export async function spawn(launch: Launch): Promise<never> {
  const { libc, preparation, program, watch } = launch;
  // The executable ends itself if its JavaScript computes for too long in one turn of the event loop. 0 removes this limit, because
  // the masking of a long output may take longer.
  loader?.limitTurns?.(0);
  const ipc = parentChannel();
  // NODE_V8_COVERAGE is meant for the program: the coverage of this process would be written into the same folder.
  if (program.environment.has("NODE_V8_COVERAGE")) process.getBuiltinModule("node:v8").stopCoverage();
  const { restarts, repairTerminal } = watch === undefined ? NO_WATCH : await loadWatch(watch, launch);
  const { restoreCoreFilter } = preparation;
  const state: LauncherState = { ipc, libc, restarts, stopForwarding: () => {}, restoreCoreFilter };

  const { end, outputs } = await runPrograms(launch, state, repairTerminal);
  launch.broker?.end(end);
  releaseKeptDescriptors(launch, restarts !== undefined);
  // The program itself could not see that its output was lost, for example on a full disk, because it wrote into a pipe.
  const isOutputLost = end === 0 && outputs?.hasLostOutput() === true;
  return endLikeProgram(isOutputLost ? ExitStatus.failed : end, launch);
}

type RepairTerminal = Awaited<ReturnType<typeof loadWatch>>["repairTerminal"];

async function loadWatch(watch: Watch, launch: Launch) {
  const { Restarts, rememberTerminal } = await import("../watch/restarts.ts");
  return { restarts: new Restarts(watch, launch), repairTerminal: await rememberTerminal() };
}

/**
 * Starts the program, and starts it again as long as the watch asks for that. Then writes the rest of all masked outputs.
 *
 * @returns how the last program ended, and its masked outputs
 */
async function runPrograms(
  launch: Launch,
  state: LauncherState,
  repairTerminal: RepairTerminal,
): Promise<{ readonly end: ProgramEnd; readonly outputs: Outputs | undefined }> {
  const { restarts } = state;
  const firstProgram = await startProgram(launch, state);
  // `startProgram` returns undefined only for a restart that the user no longer wants.
  if (firstProgram === undefined) throw new TypeError("the first start was taken for a restart");
  // V8 now has the compiled code of a whole start, and can cache it for the next one. PID 1 writes no cache, because the cache of a
  // container seldom survives it.
  if (!launch.preparation.isFirstProcess) loader?.cacheCode();
  let runningProgram: StartedProgram = firstProgram;
  /** The outputs of earlier programs, whose background processes may still write. */
  const earlierOutputs: Outputs[] = [];
  for (;;) {
    const end = await runningProgram.ended;
    const nextLaunch = restarts?.takeNextLaunch(end);
    if (nextLaunch === undefined) break;
    await runningProgram.finish({ isLast: false });
    repairTerminal?.(end);
    await restarts?.awaitLateSignals();
    const restarted = await startProgram(nextLaunch, state);
    if (restarted === undefined) break;
    if (runningProgram.outputs?.hasWriter() === true) earlierOutputs.push(runningProgram.outputs);
    runningProgram = restarted;
  }
  await runningProgram.finish({ isLast: true });
  for (const outputs of earlierOutputs)
    if (outputs.hasWriter()) await outputs.finish({ isLast: true, wasKilled: false });
  return { end: await runningProgram.ended, outputs: runningProgram.outputs };
}

/**
 * Closes the descriptors that this process has kept open: all for later programs of a watch, or the standard error for the broker's
 * reports. Without either, `startProgram` has closed them. At its exit Node.js would reset an open terminal to the settings that it
 * had at the start.
 */
function releaseKeptDescriptors({ broker, inherited }: Launch, isWatched: boolean): void {
  if (process.platform === "win32") return;
  if (isWatched) releaseDescriptors([0, 1, 2, ...inherited.numbers]);
  else if (broker !== undefined) releaseDescriptors([2]);
}

/** Ends this process by the signal that killed the program, or with the program's status. */
async function endLikeProgram(end: ProgramEnd, { libc, preparation }: Launch): Promise<never> {
  const { addon, isFirstProcess } = preparation;
  // With the C library's functions this process has made itself undumpable (start-child.ts), so that it leaves no core dump.
  if (typeof end !== "number") return dieBySignal(end, { isFirstProcess, isDumpable: libc === undefined });
  // Bun for Windows cuts statuses to eight bits.
  if (isBun && process.platform === "win32") return (await import("../windows/exit-status.ts")).exitWith(end);
  if (addon === undefined) return process.exit(end);
  // `exitAtOnce` skips the exit work of Node.js, to which its listeners of `exit` belong.
  process.emit("exit", end);
  return addon.exitAtOnce(end);
}
