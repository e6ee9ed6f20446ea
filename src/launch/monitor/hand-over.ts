import { errorName } from "../../system/errors.ts";
import { nativeFile } from "../../system/addon/addon.ts";
import { loader } from "../../system/addon/loaded.ts";
import { explain, nextTurn } from "../exec/replace.ts";
import { bytesOf } from "../program/program-bytes.ts";
import { callersOpenFiles, openFilesNumber } from "../open-files.ts";
import type { Launch, Program } from "../types.ts";
import { loadMonitorAddon } from "./addon.ts";
import { withOwnPid } from "./own-pid.ts";

/**
 * Starts the program and executes the monitor in place of this process (Linux; see monitor.c).
 *
 * @returns only where there is no monitor that this process may execute
 * @throws SophiaError when the program cannot be executed
 */
export async function handOver(launch: Launch): Promise<void> {
  const { inherited, options, preparation, streams } = launch;
  const monitor = nativeFile("-monitor");
  if (monitor === undefined || preparation.addon?.isExecutable(monitor) !== true) return;
  const addon = loadMonitorAddon();
  if (addon === undefined) return;
  const openFiles = openFilesNumber(options.restoreNofile ? callersOpenFiles() : undefined);
  const program = withOwnPid(launch.program);
  const descriptors = bytes(Int32Array.from([...streams, ...inherited.numbers]));
  const start = (one: Program): string => {
    const strings = bytesOf(one);
    const numbers = [one.argv.length, options.killAfterMs ?? -1, openFiles, options.dieWithLauncher ? 1 : 0];
    const request = bytes(BigInt64Array.from(numbers.map(BigInt)));
    addon.holdSignals();
    const error = addon.start(strings, request, descriptors, monitor);
    addon.releaseSignals();
    return errorName(error);
  };
  if (preparation.firstProcess) {
    // The listeners act on what came before, in these turns of the event loop. What comes from here on is the program's.
    addon.holdSignals();
    await nextTurn();
    await nextTurn();
  } else {
    loader?.keepCode();
  }
  preparation.restoreCoreFilter();
  if (preparation.preloaded) for (const stream of [0, 1, 2]) preparation.addon.makeBlocking(stream);
  // The program is dumpable again by its execution.
  preparation.addon.makeUndumpable();
  return explain(start(program), program, launch, start);
}

function bytes({ buffer }: Int32Array | BigInt64Array): Uint8Array {
  return Buffer.from(buffer);
}
