/**
 * The processes of `ESC_TOKEN_COMMAND`. They stay in this process's group, so that the command can ask at the terminal, if
 * there is one; else they have a session of their own. On Linux their parent is a guard (native/monitor/command-guard.inc): all
 * descendants of the command are below it in `/proc`, also those with a session of their own and an ended parent.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import type { Environment } from "../../core/model.ts";
import { isExecutable, nativeFile } from "../../system/addon/addon.ts";
import { sleep } from "../../system/blocking.ts";
import { hasTerminal } from "../../system/controlling-terminal.ts";
import { onEndingSignal } from "../../system/ending-signals.ts";
import { attempt, codeOrThrow, errorName } from "../../system/errors.ts";

/** The code of the system's error. */
interface StartError {
  readonly error: string;
}

type CommandEnd = { readonly status: number } | { readonly signal: string } | StartError;

export interface CommandProcess {
  readonly output: Readable;
  /** Resolves once the command has ended and no process holds its output. */
  readonly end: Promise<CommandEnd>;
  /** Ends the command and its descendants. */
  readonly kill: () => void;
}

/** Starts a line for a shell. A signal that ends this process ends the command first. */
export async function startCommand(line: string, environment: Environment): Promise<CommandProcess | StartError> {
  const guard = nativeFile("-monitor");
  const guarded = guard !== undefined && isExecutable(guard) ? await startGuarded(guard, line, environment) : undefined;
  return guarded ?? startAlone(line, environment);
}

async function startAlone(line: string, environment: Environment): Promise<CommandProcess | StartError> {
  const isWindows = process.platform === "win32";
  const words = isWindows
    ? ([environment.get("ComSpec") ?? "cmd.exe", "/d", "/s", "/c", `"${line}"`] as const)
    : (["/bin/sh", "-c", line] as const);
  const started = await start(words, environment);
  if ("error" in started) return started;
  const { child, output, kill } = started;
  const end = new Promise<CommandEnd>((resolve) => {
    child.once("close", (status, signal) => resolve(signal === null ? { status: status ?? 0 } : { signal }));
  });
  return { output, end, kill };
}

/** The kinds of the guard's reports; the others are codes of waitid(2), with a status or a signal. */
const [NOT_EXECUTED, STARTED, EXITED] = [-1, 0, 1];
const REPORT_BYTES = 8;

/** @returns undefined if the system does not execute the guard, or the guard cannot start the command */
async function startGuarded(
  guard: string,
  line: string,
  environment: Environment,
): Promise<CommandProcess | undefined> {
  const started = await start([guard, "/bin/sh", "-c", line], environment, ["pipe"], "sophia-run");
  if ("error" in started) return undefined;
  const { child, output, kill } = started;
  const channel = child.stdio[3];
  if (!channel || !("read" in channel)) throw new TypeError("no channel to the guard");
  let ended: CommandEnd | undefined;
  const release = (): void => {
    if (ended !== undefined && output.closed) channel.destroy();
  };
  output.once("close", release);
  const end = new Promise<CommandEnd>((resolve) => {
    child.once("close", (_, signal) => resolve(ended ?? { signal: signal ?? "SIGKILL" }));
  });
  const isStarted = await new Promise<boolean>((resolve) => {
    let bytes = Buffer.alloc(0);
    channel.on("data", (more: Buffer) => {
      bytes = Buffer.concat([bytes, more]);
      for (; bytes.length >= REPORT_BYTES; bytes = bytes.subarray(REPORT_BYTES)) {
        const [kind, number] = [bytes.readInt32LE(0), bytes.readInt32LE(4)];
        if (kind !== STARTED) ended ??= endOf(kind, number);
        resolve(true);
      }
      release();
    });
    child.once("close", () => resolve(false));
  });
  return isStarted ? { output, end, kill } : undefined;
}

function endOf(kind: number, number: number): CommandEnd {
  if (kind === NOT_EXECUTED) return { error: errorName(number) };
  if (kind === EXITED) return { status: number };
  const name = Object.entries(constants.signals).find(([, signal]) => signal === number)?.[0];
  return { signal: name ?? `signal ${number}` };
}

interface Started {
  readonly child: ChildProcess;
  readonly output: Readable;
  readonly kill: () => void;
}

async function start(
  [file, ...args]: readonly [string, ...string[]],
  environment: Environment,
  more: readonly "pipe"[] = [],
  argv0 = file,
): Promise<Started | StartError> {
  const isWindows = process.platform === "win32";
  const ownSession = !isWindows && !hasTerminal();
  let pid: number | undefined;
  // The terminal sends its signals to the command as well; a session of its own would go on. Before the command can be there.
  const removeListeners = ownSession ? onEndingSignal(() => killAll(pid, ownSession)) : undefined;
  try {
    const child = spawn(file, args, {
      argv0,
      env: Object.fromEntries(environment),
      stdio: ["ignore", "pipe", "inherit", ...more],
      detached: ownSession,
      ...(isWindows && { windowsVerbatimArguments: true }),
    });
    ({ pid } = child);
    // Before that there may be no stream, as at a limit on open files.
    await once(child, "spawn");
    const { stdout } = child;
    if (stdout === null) throw new TypeError("no pipe for the output");
    child.once("close", () => removeListeners?.());
    const kill = (): void => {
      killAll(pid, ownSession);
      // A process of another user may hold it.
      stdout.destroy();
    };
    return { child, output: stdout, kill };
  } catch (error) {
    removeListeners?.();
    return { error: codeOrThrow(error) };
  }
}

/** How often it is looked, a millisecond apart, whether all descendants have ended. One may wait for a disk. */
const MOST_LOOKS = 1000;

function killAll(pid: number | undefined, ownSession: boolean): void {
  if (pid === undefined) return;
  const spared = new Set<number>();
  for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
    const left = descendantsOf(pid).filter((one) => !spared.has(one.pid));
    for (const one of left) {
      // A process of another user.
      if (attempt(() => process.kill(one.pid, "SIGKILL")) === undefined) spared.add(one.pid);
    }
    if (left.every(({ hasEnded }) => hasEnded)) break;
    sleep(1);
  }
  for (const one of ownSession ? [-pid, pid] : [pid]) attempt(() => process.kill(one, "SIGKILL"));
}

interface Descendant {
  readonly pid: number;
  /** A zombie, of which other threads may still run. */
  readonly hasEnded: boolean;
}

/** Returns the descendants of a process, as far as `/proc` names them. */
function descendantsOf(pid: number): readonly Descendant[] {
  const children = new Map<number, Descendant[]>();
  for (const name of attempt(() => readdirSync("/proc")) ?? []) {
    if (!/^\d+$/.test(name)) continue;
    // The name in brackets may contain anything, so the fields are those behind the last bracket (proc(5)).
    const stat = attempt(() => readFileSync(`/proc/${name}/stat`, "utf8")) ?? "";
    const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const siblings = children.get(Number(parent)) ?? [];
    siblings.push({ pid: Number(name), hasEnded: /[ZX]/.test(state) });
    children.set(Number(parent), siblings);
  }
  const found: Descendant[] = [];
  const pending = [pid];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const own = children.get(next) ?? [];
    found.push(...own);
    pending.push(...own.map((one) => one.pid));
  }
  return found;
}
