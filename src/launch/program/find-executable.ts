/** A request to launch: the check of its strings, and the look-up of its program. */
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { loader } from "../../system/addon/addon.ts";
import type { LaunchRequest, Program } from "../types.ts";
import { lookUp } from "./look-up.ts";

/** Rejects strings that no program can get; Node's own errors would show the value. @throws SophiaError (unusable-value, 125) */
export function validate({ command, environment, files }: LaunchRequest): void {
  // for…of would make three objects for each of thousands of variables.
  environment.forEach((value, name) => {
    checkName(name);
    if (value.includes("\0")) {
      throw unusable(`the value of ${printable(name)} contains a NUL character`, "change the value in its source");
    }
  });
  for (const { name } of files) checkName(name);
  const index = command.findIndex((argument) => argument.includes("\0"));
  if (index !== -1) throw unusable(`argument ${index} contains a NUL character`, "change the argument");
}

function checkName(name: string): void {
  if (name !== "" && !name.includes("=") && !name.includes("\0")) return;
  throw unusable(
    name === "" ? "an environment variable has no name" : `${printable(name)} is not a valid variable name`,
    "rename it in its source: a name has at least one character, no = and no NUL",
  );
}

function unusable(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "unusable-value", message, hint });
}

/** Returns the file of a command. @throws SophiaError 127 if there is none, 126 if it may not be executed */
export async function findExecutable(command: string, searchPath: string | undefined): Promise<string> {
  const found = lookUp(command, searchPath);
  if ("file" in found) return found.file;
  throw (await import("./start-error.ts")).startError(command, found.problem);
}

/** Returns the program of a request, looked up on its own `PATH`. @throws SophiaError as `findExecutable` */
export async function locate({ command, environment, located }: LaunchRequest): Promise<Program> {
  const [name] = command;
  const searchPath = environment.get("PATH");
  // No option withholds these: the program has the descriptor anyway, and its parent waits for messages.
  const channel = loader?.channel;
  let file: string;
  if (process.platform === "win32") {
    file = (await import("../windows/find.ts")).fileOnWindows(name, environment);
  } else {
    const isLocated = located !== undefined && located.searchPath === searchPath;
    file = isLocated ? located.file : await findExecutable(name, searchPath);
  }
  return { file, argv: command, environment: channel ? new Map([...environment, ...channel]) : environment };
}

const SCRIPT_SHELL = "/bin/sh";

/** Has the shell run the program as a script, as execvp(3) does after ENOEXEC. */
export function asShellScript(program: Program): Program {
  return { ...program, file: SCRIPT_SHELL, argv: [SCRIPT_SHELL, program.file, ...program.argv.slice(1)] };
}
