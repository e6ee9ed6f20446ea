/**
 * The processes of `ESC_TOKEN_COMMAND`, a shell line that prints a token:
 *
 *     sophia-run → command guard → /bin/sh -c "vault read …" → vault
 *
 * If there is a terminal, the command stays in this process's group, so that it can ask the user there. Otherwise it gets a
 * session of its own. On Linux its parent process is the guard (native/monitor/command-guard.inc). The kernel gives orphans to
 * the guard, so that all descendants of the command are below the guard in `/proc`, even in sessions of their own.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import type { Environment } from "../../core/model.ts";
import { isExecutable, nativeFilePath } from "../../system/addon/addon.ts";
import { sleep } from "../../system/blocking.ts";
import { hasTerminal } from "../../system/controlling-terminal.ts";
import { onEndingSignal } from "../../system/ending-signals.ts";
import { attempt, codeOrThrow, errorName } from "../../system/errors.ts";

interface StartError {
  /** The name of the errno, such as `ENOENT`. */
  readonly error: string;
}

type CommandEnd = { readonly status: number } | { readonly signal: string } | StartError;

/** A command that is running. Its caller reads `output` and waits for `end`. */
export interface CommandProcess {
  readonly output: Readable;
  /** Resolves once the command has ended and no process holds its output. */
  readonly end: Promise<CommandEnd>;
  /** Kills the command and its descendants. */
  readonly kill: () => void;
}

/** Starts a line for a shell. A signal that ends this process kills the command first. */
export async function startCommand(line: string, environment: Environment): Promise<CommandProcess | StartError> {
  const guard = nativeFilePath("-monitor");
  const guarded = guard !== undefined && isExecutable(guard) ? await startGuarded(guard, line, environment) : undefined;
  // Without the guard (other systems, or no compiled files) the shell is a child of this process.
  return guarded ?? startUnguarded(line, environment);
}

/** Starts a line for the system's shell, as a child process of this process. */
async function startUnguarded(line: string, environment: Environment): Promise<CommandProcess | StartError> {
  const isWindows = process.platform === "win32";
  const words = isWindows
    ? // /d: no AutoRun commands of the registry. /s: only the outer quotes are removed.
      ([environment.get("ComSpec") ?? "cmd.exe", "/d", "/s", "/c", `"${line}"`] as const)
    : (["/bin/sh", "-c", line] as const);
  const started = await start(words, environment);
  if ("error" in started) return started;
  const { child, output, kill } = started;
  const end = new Promise<CommandEnd>((resolve) => {
    child.once("close", (status, signal) => resolve(signal === null ? { status: status ?? 0 } : { signal }));
  });
  return { output, end, kill };
}

/**
 * The guard writes reports of two 32-bit integers: a kind and a number. For NOT_EXECUTED the number is an errno, and for EXITED
 * an exit status. All other kinds are codes of waitid(2) for a command that a signal ended, and the number is the signal.
 */
const [NOT_EXECUTED, STARTED, EXITED] = [-1, 0, 1];
const REPORT_BYTES = 8;

/** Starts a line below the guard. @returns undefined if the guard cannot be executed, or cannot start the command */
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
  let commandEnd: CommandEnd | undefined;
  // The guard stays until its channel is closed: by then the command and all holders of its output have ended.
  const releaseGuard = (): void => {
    if (commandEnd !== undefined && output.closed) channel.destroy();
  };
  output.once("close", releaseGuard);
  const end = new Promise<CommandEnd>((resolve) => {
    child.once("close", (_, signal) => resolve(commandEnd ?? { signal: signal ?? "SIGKILL" }));
  });
  const isStarted = await new Promise<boolean>((resolve) => {
    let bytes = Buffer.alloc(0);
    channel.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (; bytes.length >= REPORT_BYTES; bytes = bytes.subarray(REPORT_BYTES)) {
        const [kind, number] = [bytes.readInt32LE(0), bytes.readInt32LE(4)];
        if (kind !== STARTED) commandEnd ??= parseReport(kind, number);
        resolve(true);
      }
      releaseGuard();
    });
    child.once("close", () => resolve(false));
  });
  return isStarted ? { output, end, kill } : undefined;
}

/** Parses a report of the guard about the end of the command. */
function parseReport(kind: number, number: number): CommandEnd {
  if (kind === NOT_EXECUTED) return { error: errorName(number) };
  if (kind === EXITED) return { status: number };
  const name = Object.entries(constants.signals).find(([, signal]) => signal === number)?.[0];
  return { signal: name ?? `signal ${number}` };
}

interface StartedChild {
  readonly child: ChildProcess;
  readonly output: Readable;
  readonly kill: () => void;
}

/**
 * Starts a process with a pipe for its output. The file is the first of the words.
 *
 * @param furtherPipes one entry for each further pipe, from descriptor 3 on
 * @param argv0 the name of the process, as ps(1) shows it
 */
async function start(
  [file, ...args]: readonly [string, ...string[]],
  environment: Environment,
  furtherPipes: readonly "pipe"[] = [],
  argv0 = file,
): Promise<StartedChild | StartError> {
  const isWindows = process.platform === "win32";
  const hasOwnSession = !isWindows && !hasTerminal();
  let pid: number | undefined;
  // A terminal sends its signals to the command as well, but a command in a session of its own would go on. The listeners are
  // added before the command can exist, so that no signal is missed.
  const removeListeners = hasOwnSession ? onEndingSignal(() => killTree(pid, hasOwnSession)) : undefined;
  try {
    const child = spawn(file, args, {
      argv0,
      env: Object.fromEntries(environment),
      stdio: ["ignore", "pipe", "inherit", ...furtherPipes],
      detached: hasOwnSession,
      ...(isWindows && { windowsVerbatimArguments: true }),
    });
    ({ pid } = child);
    // Until "spawn" there may be no streams, as at a limit on open files.
    await once(child, "spawn");
    const { stdout } = child;
    if (stdout === null) throw new TypeError("no pipe for the output");
    child.once("close", () => removeListeners?.());
    const kill = (): void => {
      killTree(pid, hasOwnSession);
      // A process of another user cannot be killed, and may keep the pipe open.
      stdout.destroy();
    };
    return { child, output: stdout, kill };
  } catch (error) {
    removeListeners?.();
    return { error: codeOrThrow(error) };
  }
}

/**
 * The limit on searches of /proc for descendants, a millisecond apart. More than one is needed, because a killed process that
 * waits for a disk ends only afterwards.
 */
const MAX_SEARCHES = 1000;

/** Kills the descendants of a process, repeatedly until none is left, and then the process or its whole session. */
function killTree(pid: number | undefined, hasOwnSession: boolean): void {
  if (pid === undefined) return;
  const unkillable = new Set<number>();
  for (let searches = 0; searches < MAX_SEARCHES; searches += 1) {
    const descendants = descendantsOf(pid).filter((descendant) => !unkillable.has(descendant.pid));
    for (const descendant of descendants) {
      // Only a process of another user cannot be killed.
      if (attempt(() => process.kill(descendant.pid, "SIGKILL")) === undefined) unkillable.add(descendant.pid);
    }
    if (descendants.every(({ hasEnded }) => hasEnded)) break;
    sleep(1);
  }
  // A negative number is a process group.
  for (const target of hasOwnSession ? [-pid, pid] : [pid]) attempt(() => process.kill(target, "SIGKILL"));
}

interface Descendant {
  readonly pid: number;
  /** True for a zombie. Other threads of that process may still be running. */
  readonly hasEnded: boolean;
}

/** Returns the descendants of a process, as far as `/proc` names them. */
function descendantsOf(pid: number): readonly Descendant[] {
  const children = new Map<number, Descendant[]>();
  for (const name of attempt(() => readdirSync("/proc")) ?? []) {
    if (!/^\d+$/.test(name)) continue;
    // `1234 (name) S 1 …`: the name may contain brackets, so the fields are those behind the last bracket (proc(5)).
    const stat = attempt(() => readFileSync(`/proc/${name}/stat`, "utf8")) ?? "";
    const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const siblings = children.get(Number(parent)) ?? [];
    siblings.push({ pid: Number(name), hasEnded: /[ZX]/.test(state) });
    children.set(Number(parent), siblings);
  }
  const descendants: Descendant[] = [];
  const pending = [pid];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const childrenOfNext = children.get(next) ?? [];
    descendants.push(...childrenOfNext);
    pending.push(...childrenOfNext.map((child) => child.pid));
  }
  return descendants;
}
