/** Checks the strings of a program, which are its arguments and variables, and encodes them for execve(2). */
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { readInitialEntries, readStrings } from "../../system/process-environment.ts";
import type { LaunchRequest, Program } from "../types.ts";

/**
 * Rejects strings that no program can get. Otherwise Node.js would throw an error that shows the value.
 *
 * @throws SophiaError (unusable-value, 125)
 */
export function validateStrings({
  command,
  environment,
  files,
}: Pick<LaunchRequest, "command" | "environment" | "files">): void {
  // A loop by for…of would create three objects for each of thousands of variables.
  environment.forEach((value, name) => {
    checkName(name);
    if (value.includes("\0")) {
      throw createError(`the value of ${printable(name)} contains a NUL character`, "change the value in its source");
    }
  });
  for (const { name } of files) checkName(name);
  const index = command.findIndex((argument) => argument.includes("\0"));
  if (index !== -1) throw createError(`argument ${index} contains a NUL character`, "change the argument");
}

function checkName(name: string): void {
  if (name !== "" && !name.includes("=") && !name.includes("\0")) return;
  throw createError(
    name === "" ? "an environment variable has no name" : `${printable(name)} is not a valid variable name`,
    "rename it in its source: a name has at least one character, no = and no NUL",
  );
}

function createError(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "unusable-value", message, hint });
}

/** The character that Node.js puts in place of bytes that are not UTF-8. */
const REPLACEMENT = "\uFFFD";

/**
 * Returns the bytes of the file, of argv and of each `NAME=value`, each ended by a NUL. On Linux, strings that the caller has
 * passed on keep bytes that are not UTF-8, which Node.js has replaced.
 */
export function bytesOf(program: Program): Uint8Array {
  const strings = [program.file, ...program.argv];
  program.environment.forEach((value, name) => strings.push(`${name}=${value}`));
  const text = `${strings.join("\0")}\0`;
  return text.includes(REPLACEMENT) ? encodeWithOriginals(program) : Buffer.from(text);
}

/** Encodes the strings with the original bytes of those that the caller has passed on. */
function encodeWithOriginals({ file, argv, environment }: Program): Uint8Array {
  // The last arguments of this process are those of the program. So both lists are compared from the end on.
  const callerWords = readStrings("/proc/self/cmdline").toReversed();
  const words = argv.toReversed().map((word, index) => originalOf(word, callerWords[index]));
  const variables = readInitialEntries();
  const entries = Array.from(environment, ([name, value]) => {
    const entry = `${name}=${value}`;
    return originalOf(entry, variables.get(entry));
  });
  const nul = Buffer.of(0);
  return Buffer.concat([Buffer.from(file), ...words.toReversed(), ...entries].flatMap((string) => [string, nul]));
}

/** Returns the original bytes if the string was decoded from them; otherwise encodes the string. */
function originalOf(string: string, original: Buffer | undefined): Buffer {
  return original?.toString("utf8") === string ? original : Buffer.from(string);
}
