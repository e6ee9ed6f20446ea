/** The strings of a program: which of them the system takes, and their bytes for execve(2). */
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { initialEntries, readStrings } from "../../system/own-environment.ts";
import type { LaunchRequest, Program } from "../types.ts";

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

/** The runtime's replacement for bytes that are not UTF-8. */
const REPLACEMENT = "\uFFFD";

/** Encodes a program for execve(2), each string ended by a NUL. The caller's strings keep bytes that are not UTF-8 (Linux). */
export function bytesOf(program: Program): Uint8Array {
  const strings = [program.file, ...program.argv];
  program.environment.forEach((value, name) => strings.push(`${name}=${value}`));
  const text = `${strings.join("\0")}\0`;
  return text.includes(REPLACEMENT) ? originalBytes(program) : Buffer.from(text);
}

function originalBytes({ file, argv, environment }: Program): Uint8Array {
  // Both argument lists end with the caller's words; variables are found by name.
  const given = readStrings("/proc/self/cmdline").toReversed();
  const words = argv.toReversed().map((word, index) => originalOf(word, given[index]));
  const variables = initialEntries();
  const entries = Array.from(environment, ([name, value]) => {
    const entry = `${name}=${value}`;
    return originalOf(entry, variables.get(entry));
  });
  const nul = Buffer.of(0);
  return Buffer.concat([Buffer.from(file), ...words.toReversed(), ...entries].flatMap((string) => [string, nul]));
}

/** Returns the original bytes if the string was decoded from them, else encodes it. */
function originalOf(string: string, original: Buffer | undefined): Buffer {
  return original?.toString("utf8") === string ? original : Buffer.from(string);
}
