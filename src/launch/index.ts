import { SophiaError } from "../core/error.ts";
import { printable } from "../core/text.ts";
import { isBun } from "../system/runtime.ts";
import { hasExecve } from "./exec/execve.ts";
import type { Libc } from "./exec/libc.ts";
import { loadLibc } from "./exec/load-libc.ts";
import { replace } from "./exec/replace.ts";
import { findExecutable } from "./executable.ts";
import { isClosedByExec } from "./proc/descriptors.ts";
import type { Launch, LaunchRequest } from "./types.ts";

export type { LaunchRequest, Located, Preparation, Redaction, SecretFile } from "./types.ts";

/**
 * Starts the program and ends as the program ends.
 *
 * @throws SophiaError when nothing was started: 127 where the command was not found, 126 where it cannot be executed,
 *   125 where the request cannot be met
 */
export async function launch(request: LaunchRequest): Promise<never> {
  validate(request);
  const { command, options, preparation } = request;
  const inherited = await preparation.inherited;
  const bun = isBun ? (await import("./exec/bun.ts")).leftByBun(request, inherited.numbers) : undefined;
  const environment = bun?.environment ?? request.environment;
  const passesChannel = bun?.passesChannel ?? false;
  const libc = options.mode === "spawn" || bun?.suffices === true ? undefined : await loadLibc(preparation);
  const obstacle =
    options.mode === "spawn" ? undefined : obstacleToExec(request, libc, passesChannel, inherited.numbers);
  if (options.mode === "exec" && obstacle !== undefined) {
    throw new SophiaError({
      code: "exec-unavailable",
      message: `--mode exec is not available: ${obstacle}`,
      hint: "use --mode auto, which starts the program beside sophia-run where it has to",
    });
  }
  const file = await locate(request, environment.get("PATH"));
  const program = { file, argv: command, environment };
  const prepared: Launch = { ...request, program, inherited, streams: bun?.streams ?? [0, 1, 2], passesChannel, libc };
  if (options.mode !== "spawn" && obstacle === undefined) {
    await replace(prepared);
  }
  return (await import("./spawn/spawn.ts")).spawn(prepared);
}

/** The file of the command, by the program's own `PATH`. @throws SophiaError as `findExecutable` does */
async function locate({ command, located }: LaunchRequest, searchPath: string | undefined): Promise<string> {
  if (process.platform === "win32") return command[0];
  return located !== undefined && located.searchPath === searchPath
    ? located.file
    : findExecutable(command[0], searchPath);
}

/** Why this process cannot make room for the program; undefined when it can. */
function obstacleToExec(
  { files, options, preparation, redaction }: LaunchRequest,
  libc: Libc | undefined,
  passesChannel: boolean,
  inherited: readonly number[],
): string | undefined {
  if (process.platform === "win32") return "Windows has no execve";
  if (libc === undefined && !hasExecve(process)) {
    return `sophia-run's addon was not loaded, and Node.js ${process.version} has no process.execve (22.15 and later have)`;
  }
  // Node's own execve ends the profiler first, yet a signal that is on its way can still reach the program.
  if (preparation.profiled) return "a profiler takes samples of this process, by a signal that would kill the program";
  if (files.length > 0) return "secret files have to be removed when the program ends";
  if (redaction !== undefined) return "secrets in the program's output have to be masked";
  if (options.killAfterMs !== undefined) return "--kill-after needs a process beside the program";
  if (process.send !== undefined && !(passesChannel && libc !== undefined)) {
    return "the caller's IPC channel would be lost";
  }
  if (libc !== undefined) return undefined;
  const closed = inherited.filter(isClosedByExec);
  if (closed.length === 0) return undefined;
  return `it would close the inherited descriptor${closed.length === 1 ? "" : "s"} ${closed.join(", ")}`;
}

/** What no system takes in an environment or as an argument; Node's own messages would show the value. */
function validate({ command, environment, files }: LaunchRequest): void {
  environment.forEach((value, name) => {
    validateName(name);
    if (value.includes("\0")) {
      throw unusable(`the value of ${printable(name)} contains a NUL character`, "change the value in its source");
    }
  });
  for (const { name } of files) validateName(name);
  for (const [index, argument] of command.entries()) {
    if (argument.includes("\0")) throw unusable(`argument ${index} contains a NUL character`, "change the argument");
  }
}

function validateName(name: string): void {
  if (name !== "" && !name.includes("=") && !name.includes("\0")) return;
  const what = name === "" ? "an environment variable has no name" : `${printable(name)} is not a valid variable name`;
  throw unusable(what, "rename it in its source: a name has at least one character, no = and no NUL");
}

function unusable(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "unusable-value", message, hint });
}
