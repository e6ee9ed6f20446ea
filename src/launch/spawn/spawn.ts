import { isBun } from "../../system/runtime.ts";
import { loader } from "../../system/addon/addon.ts";
import type { Outputs } from "../redact/outputs.ts";
import type { Launch, Watch } from "../types.ts";
import { begin, type Begun, type LauncherState } from "./begin.ts";
import { dieOf } from "./end.ts";
import { parentChannel } from "./ipc.ts";
import { release } from "./release.ts";

/** The program is never restarted. */
const NEVER = { restarts: undefined, tidyTerminal: undefined };

/**
 * Starts the program beside this process, which passes on what reaches it and ends as the program ends. Where the launch
 * has a watch, another program may take its place, as often as that asks for it.
 *
 * @throws SophiaError when the program cannot be executed
 */
export async function spawn(launch: Launch): Promise<never> {
  const { inherited, libc, preparation, program, watch } = launch;
  const { addon, firstProcess } = preparation;
  const ipc = parentChannel();
  // Coverage of this process, which Node.js would write at its end: the variable is meant for the program.
  if (program.environment.has("NODE_V8_COVERAGE")) process.getBuiltinModule("node:v8").stopCoverage();
  const { restarts, tidyTerminal } = watch === undefined ? NEVER : await watched(watch, launch);
  const { restoreCoreFilter } = preparation;
  const passOnTo = isBun ? (await (await import("../redact/addon.ts")).loadRedactAddon())?.passOnTo : undefined;
  const state: LauncherState = { ipc, libc, passOnTo, restarts, stopForwarding: () => {}, restoreCoreFilter };

  const first = await begin(launch, state);
  if (first === undefined) throw new TypeError("nothing has asked for its end yet");
  if (!firstProcess) loader?.cacheCode();
  let begun: Begun = first;
  /** Outputs of programs before: what these left running in the background may still write. */
  const earlier: Outputs[] = [];
  let end = await begun.ended;
  for (let next = restarts?.after(end); next !== undefined; next = restarts?.after(end)) {
    await begun.settle(false);
    tidyTerminal?.(end);
    const another = await begin(next, state);
    if (another === undefined) break;
    if (begun.outputs?.isOpen() === true) earlier.push(begun.outputs);
    begun = another;
    end = await begun.ended;
  }
  await begun.settle(true);
  for (const outputs of earlier) if (outputs.isOpen()) await outputs.finish(true, false);
  // At its exit Node.js would give a terminal there the settings that it had at the start.
  if (restarts !== undefined && process.platform !== "win32") release([0, 1, 2, ...inherited.numbers]);
  if (typeof end !== "number") return dieOf(end, { firstProcess, dumpable: libc === undefined });
  if (isBun && process.platform === "win32") return (await import("../windows/exit-status.ts")).exitWith(end);
  if (addon === undefined) return process.exit(end);
  process.emit("exit", end);
  return addon.exitAtOnce(end);
}

async function watched(watch: Watch, launch: Launch) {
  const [{ makeRestarts }, { renewalOf }, { keepTerminal }] = await Promise.all([
    import("../watch/restarts.ts"),
    import("../watch/renew.ts"),
    import("../watch/terminal.ts"),
  ]);
  return { restarts: makeRestarts(watch, renewalOf(launch)), tidyTerminal: await keepTerminal() };
}
