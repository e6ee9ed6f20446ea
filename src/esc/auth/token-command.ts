/**
 * Runs the command of `ESC_TOKEN_COMMAND`, which prints the token for Pulumi ESC, such as `vault read …`. Only the caller may set
 * the variable, because a file of a cloned repository could otherwise run any command.
 */
import { SophiaError } from "../../core/error.ts";
import type { Environment } from "../../core/model.ts";
import { findSystemLimit } from "../../system/system-limits.ts";
import { isToken, Secret } from "../settings/secret.ts";
import { startCommand } from "./command-process.ts";

/** The time limit on the command, which may ask the user for a password. */
const TIME_LIMIT_MS = 30_000;
/** The limit on the output, which is above the length of any token. */
const MAX_OUTPUT_BYTES = 65_536;

/**
 * Runs the command and returns the token that it prints.
 * @throws SophiaError (esc-credential, 125) if it prints no token, without showing its output; (system-limit, 125) if a
 *   limit of the system prevents its start
 */
export async function runTokenCommand(command: string, environment: Environment): Promise<Secret> {
  const text = await outputOf(command, environment);
  const token = text.replace(/\r?\n$/, "");
  if (token.trim() === "") throw failure("printed nothing");
  if (/[\r\n]/.test(token)) throw failure("printed more than one line");
  if (!isToken(token.trim())) throw failure("printed what is no token: it has a space, or another character");
  return new Secret(token.trim());
}

/** Runs the command to its end. @returns its standard output @throws as {@link runTokenCommand} does */
async function outputOf(command: string, environment: Environment): Promise<string> {
  const started = await startCommand(command, environment);
  if ("error" in started) throw notStarted(started.error);
  const { output, end, kill } = started;
  const chunks: Buffer[] = [];
  let length = 0;
  /** The first reason for which the command was killed. */
  let problem: string | undefined;
  const stop = (reason: string): void => {
    problem ??= reason;
    kill();
  };
  const timer = setTimeout(() => stop(`did not end within ${TIME_LIMIT_MS / 1000} s`), TIME_LIMIT_MS);
  output.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length > MAX_OUTPUT_BYTES) stop(`printed more than ${MAX_OUTPUT_BYTES / 1024} KiB`);
    else chunks.push(chunk);
  });
  const commandEnd = await end.finally(() => clearTimeout(timer));
  // This check comes first: a command that was killed here also has a signal.
  if (problem !== undefined) throw failure(problem);
  if ("error" in commandEnd) throw notStarted(commandEnd.error);
  if ("signal" in commandEnd) throw failure(`was ended by ${commandEnd.signal}`);
  if (commandEnd.status !== 0) throw failure(`failed with status ${commandEnd.status}`);
  return Buffer.concat(chunks).toString();
}

function notStarted(code: string): SophiaError {
  const limit = findSystemLimit(code);
  return limit === undefined
    ? failure(`cannot be started (${code})`)
    : new SophiaError({ code: "system-limit", ...limit });
}

/** Returns the error for a command that gives no token. @param problem follows the name of the variable in the message */
function failure(problem: string): SophiaError {
  return new SophiaError({
    code: "esc-credential",
    message: `ESC_TOKEN_COMMAND ${problem}`,
    hint: 'what it prints is not shown; try it by itself: sh -c "$ESC_TOKEN_COMMAND" > /dev/null',
  });
}
