import { errorName } from "../../system/errors.ts";
import { loader } from "../../system/addon/addon.ts";
import { caller } from "../../system/before-bun.ts";
import { isBun } from "../../system/runtime.ts";
import { explain, nextTurn } from "../exec/replace.ts";
import { bytesOf } from "../program/program-bytes.ts";
import { callersOpenFiles, openFilesNumber } from "../open-files.ts";
import type { Launch, Program } from "../types.ts";
import { bytesOfNumbers, findMonitor, numbersOfProgram } from "./addon.ts";
import type { Entrusted } from "./entrusted.ts";
import { withOwnPid } from "./own-pid.ts";

/**
 * Starts the program and executes the monitor in place of this process (Linux; see monitor.c).
 *
 * @returns only where there is no monitor that this process may execute
 * @throws SophiaError when the program cannot be executed
 */
export async function handOver(launch: Launch): Promise<void> {
  const { files, options, preparation } = launch;
  const monitor = await findMonitor(preparation);
  if (monitor === undefined) return;
  const { addon, libc } = monitor;
  const openFiles = openFilesNumber(options.restoreNofile ? callersOpenFiles() : undefined);
  const descriptors = numbersOfProgram(launch);
  const entrust = files.length === 0 ? undefined : (await import("./entrusted.ts")).entrust;
  // Node.js has given all of them their default action at its start.
  const signals = isBun ? (caller()?.ignored ?? []) : [];
  const ignored = signals.reduce((set, signal) => set | (1n << BigInt(signal - 1)), 0n);
  const start = (one: Program, { strings, folder }: Entrusted): string => {
    const dies = options.dieWithLauncher ? 1 : 0;
    const numbers = [one.argv.length, options.killAfterMs ?? -1, openFiles, dies, folder].map(BigInt);
    const request = bytesOfNumbers(BigInt64Array.from([...numbers, ignored]));
    return errorName(addon.start(bytesOf(one), request, descriptors, strings));
  };
  if (preparation.firstProcess) {
    // The listeners act on what came before, in these turns of the event loop. What comes from here on is the program's.
    addon.holdSignals();
    await nextTurn();
    await nextTurn();
  } else {
    loader?.cacheCode();
  }
  preparation.restoreCoreFilter();
  if (preparation.preloaded) for (const stream of [0, 1, 2]) libc.makeBlocking(stream);
  // The program is dumpable again by its execution.
  libc.makeUndumpable();
  addon.holdSignals();
  let entrusted: Entrusted | undefined;
  try {
    const given = (entrusted = entrust?.(launch, monitor.file) ?? withoutFiles(launch, monitor.file));
    const program = withOwnPid(given.program);
    return await explain(start(program, given), program, launch, (script) => start(script, given));
  } finally {
    entrusted?.remove();
    addon.releaseSignals();
  }
}

function withoutFiles({ program }: Launch, monitor: string): Entrusted {
  return { program, strings: Buffer.from(`${monitor}\0`), folder: -1, remove: () => {} };
}
