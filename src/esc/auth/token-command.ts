/**
 * `ESC_TOKEN_COMMAND`, a command of the caller's that prints a token. It stays in this process's group, so that it can ask at
 * the terminal, if there is one; else it has a session of its own, which can be ended as a whole.
 */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { SophiaError } from "../../core/error.ts";
import type { Environment } from "../../core/model.ts";
import { hasTerminal } from "../../system/controlling-terminal.ts";
import { onEndingSignal } from "../../system/ending-signals.ts";
import { attempt, systemErrorCode } from "../../system/errors.ts";
import { isToken, Secret } from "../settings/secret.ts";

const LIMIT_MS = 30_000;
const MAX_BYTES = 65_536;

/** @throws SophiaError (esc-credential, 125) without its output, if it prints no token */
export async function tokenByCommand(command: string, environment: Environment): Promise<Secret> {
  const text = await outputOf(command, environment);
  const token = text.replace(/\r?\n$/, "");
  if (token.trim() === "") throw failure("printed nothing");
  if (/[\r\n]/.test(token)) throw failure("printed more than one line");
  if (!isToken(token.trim())) throw failure("printed what is no token: it has a space, or another character");
  return new Secret(token.trim());
}

async function outputOf(command: string, environment: Environment): Promise<string> {
  const isWindows = process.platform === "win32";
  const ownSession = !isWindows && !hasTerminal();
  const [file, ...args] = isWindows
    ? [environment.get("ComSpec") ?? "cmd.exe", "/d", "/s", "/c", `"${command}"`]
    : ["/bin/sh", "-c", command];
  let pid: number | undefined;
  // The terminal sends its signals to the command as well; a session of its own would go on. Before the command can be there.
  const removeListeners = ownSession ? onEndingSignal(() => kill(pid, ownSession)) : undefined;
  const child = spawn(file ?? "", args, {
    env: Object.fromEntries(environment),
    stdio: ["ignore", "pipe", "inherit"],
    detached: ownSession,
    ...(isWindows && { windowsVerbatimArguments: true }),
  });
  ({ pid } = child);
  const chunks: Buffer[] = [];
  let length = 0;
  let problem: string | undefined;
  const stop = (why: string): void => {
    problem ??= why;
    kill(pid, ownSession);
    // A process that left the group may hold the pipe.
    child.stdout.destroy();
  };
  const timer = setTimeout(() => stop(`did not end within ${LIMIT_MS / 1000} s`), LIMIT_MS);
  child.stdout.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length > MAX_BYTES) stop(`printed more than ${MAX_BYTES / 1024} KiB`);
    else chunks.push(chunk);
  });
  try {
    const [status, signal] = await new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once("error", (error) => reject(failure(`cannot be started (${systemErrorCode(error) ?? "UNKNOWN"})`)));
      child.once("close", (code, by) => resolve([code, by]));
    });
    if (problem !== undefined) throw failure(problem);
    if (signal !== null) throw failure(`was ended by ${signal}`);
    if (status !== 0) throw failure(`failed with status ${status}`);
    return Buffer.concat(chunks).toString();
  } finally {
    clearTimeout(timer);
    removeListeners?.();
  }
}

/** Ends the command with the processes that it has started. */
function kill(pid: number | undefined, ownSession: boolean): void {
  if (pid === undefined) return;
  const all = ownSession ? [-pid] : [...descendantsOf(pid), pid];
  for (const one of all) attempt(() => process.kill(one, "SIGKILL"));
}

/** Returns the descendants of a process, as far as `/proc` names them. */
function descendantsOf(pid: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of attempt(() => readdirSync("/proc")) ?? []) {
    if (!/^\d+$/.test(name)) continue;
    // The name in brackets may contain anything, so the fields are those behind the last bracket (proc(5)).
    const stat = attempt(() => readFileSync(`/proc/${name}/stat`, "utf8")) ?? "";
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  const pending = [pid];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const own = children.get(next) ?? [];
    found.push(...own);
    pending.push(...own);
  }
  return found;
}

function failure(what: string): SophiaError {
  return new SophiaError({
    code: "esc-credential",
    message: `ESC_TOKEN_COMMAND ${what}`,
    hint: 'what it prints is not shown; try it by itself: sh -c "$ESC_TOKEN_COMMAND" > /dev/null',
  });
}
