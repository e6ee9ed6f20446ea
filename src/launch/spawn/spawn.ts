import { closeSync, openSync } from "node:fs";
import { startChild, type Child, type Descriptors, type End, type Surroundings } from "./child.ts";
import { withholdMemory } from "../proc/core-dump.ts";
import { dieOf } from "./end.ts";
import { forwardSignals } from "./forward.ts";
import { asShellScript, dyingWithLauncher, scriptShell, withCallersOpenFiles, type Program } from "../helpers.ts";
import type { Launch } from "../index.ts";
import { parentChannel, relayMessages, type IpcChannel } from "./ipc.ts";
import { libcOf } from "../exec/libc.ts";
import { measure, tooLarge } from "../proc/limits.ts";
import type { SecretFiles } from "./secret-files.ts";
import { withOwnPidVariables } from "../proc/pid-variables.ts";
import { send } from "../signals.ts";
import { missingPart, startError } from "../start-error.ts";

/**
 * Starts the program beside this process, which hands on what reaches it and ends as the program ends.
 *
 * @throws SophiaError when the program cannot be executed
 */
export async function spawn(launch: Launch): Promise<never> {
  const { files, options, preparation } = launch;
  const ipc = launch.handsChannelOn ? undefined : parentChannel();
  const isTerminal = await terminalTest();
  const libc = preparation.firstProcess ? await libcOf(preparation) : undefined;
  const keepFiles = files.length === 0 ? undefined : (await import("./kept-files.ts")).keepSecretFiles;

  // From here until the program runs the event loop does not turn: a signal that comes before the listeners is the
  // kernel's to act upon, one that comes after them is delivered when the program is there.
  const secrets = keepFiles?.(files, launch.environment.get("XDG_RUNTIME_DIR"));
  let running: number | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  const stopForwarding = forwardSignals({
    pid: () => running,
    firstProcess: preparation.firstProcess,
    profiled: preparation.profiled,
    reapOrphans: libc && (() => running !== undefined && libc.reapAllBut(running)),
    isTerminal,
    onStopRequest: () => {
      if (options.killAfterMs === undefined) return;
      killTimer ??= setTimeout(() => running !== undefined && send(running, "SIGKILL"), options.killAfterMs);
    },
  });
  preparation.stopListening();
  preparation.restoreCoreFilter();
  let child: Child;
  let whenEnded: (end: End) => void = () => {};
  const ended = new Promise<End>((resolve) => (whenEnded = resolve));
  try {
    child = await start(dress(launch, secrets), launch, {
      stdio: descriptors(preparation.inherited, ipc),
      ipc,
      onEnd: (end) => {
        // Reaped: from now on the PID may be another process's.
        running = undefined;
        whenEnded(end);
      },
    });
  } catch (error) {
    stopForwarding();
    secrets?.remove();
    throw error;
  }
  running = child.pid;
  withholdMemory();
  const relay = child.channel === undefined ? undefined : relayMessages(child.channel);
  if (process.platform !== "win32") letGo(preparation.inherited.filter((descriptor) => descriptor !== ipc?.descriptor));

  const { status, signal } = await ended;
  clearTimeout(killTimer);
  await relay?.drained();
  secrets?.remove();
  // At once and without looking at streams: what the program left running in the background holds nobody up.
  if (signal !== null) return dieOf(signal, preparation.firstProcess, launch.environment);
  // The forwarding listeners are still there, so that a late signal does not change the status.
  return process.exit(status ?? undefined);
}

/** The program with its secret files' paths and whatever the options put in front of it. */
function dress({ program, options }: Launch, secrets: SecretFiles | undefined): Program {
  const environment = secrets === undefined ? program.environment : new Map([...program.environment, ...secrets.paths]);
  let dressed = withOwnPidVariables({ ...program, environment });
  if (options.dieWithLauncher) dressed = dyingWithLauncher(dressed);
  return options.restoreNofile ? withCallersOpenFiles(dressed) : dressed;
}

/** The program's descriptors: each inherited one at its own number, nothing in the gaps. */
function descriptors(inherited: readonly number[], ipc: IpcChannel | undefined): Descriptors {
  const passed = new Set([0, 1, 2, ...inherited]);
  const length = Math.max(...passed, ipc?.descriptor ?? 0) + 1;
  return Array.from({ length }, (_, descriptor) => {
    if (descriptor === ipc?.descriptor) return "ipc";
    return passed.has(descriptor) ? descriptor : "ignore";
  });
}

/** @throws SophiaError when the program cannot be executed */
async function start(program: Program, launch: Launch, surroundings: Surroundings): Promise<Child> {
  const attempt = await startChild(program, surroundings);
  if (typeof attempt !== "string") return attempt;
  const [command] = launch.command;
  switch (attempt) {
    case "E2BIG":
      throw tooLarge(command, measure(program.file, program.argv, program.environment));
    case "ENOEXEC":
      // glibc's execvp(3), which libuv calls, goes on with the shell itself; musl's does not.
      if (program.file === scriptShell) throw startError(command, attempt);
      return start(asShellScript(program), launch, surroundings);
    case "ENOENT":
      throw process.platform === "win32" ? startError(command, attempt) : missingPart(command, program.file);
    default:
      throw startError(command, attempt);
  }
}

/**
 * Closes what belongs to the program now, so that its streams end when it ends or closes them. Descriptors 0 to 2 are
 * opened again on /dev/null: libraries write to them whatever they are, and at its exit Node resets the terminal that
 * it finds there to the settings that it had at the start.
 */
function letGo(passed: readonly number[]): void {
  for (const descriptor of [0, 1, 2, ...passed]) {
    try {
      closeSync(descriptor);
    } catch {
      // Closed already.
    }
  }
  // open(2) takes the lowest free number.
  openSync("/dev/null", "r");
  openSync("/dev/null", "w");
  openSync("/dev/null", "w");
}

/** Whether a terminal is among the descriptors 0 to 2; only asked where /proc does not tell more. */
async function terminalTest(): Promise<() => boolean> {
  if (process.platform === "linux") return () => false;
  const { isatty } = await import("node:tty");
  return () => [0, 1, 2].some((descriptor) => isatty(descriptor));
}
