import { win32 } from "node:path";
import { SophiaError } from "../../core/error.ts";
import { FoldedMap } from "../../core/names.ts";
import { printable } from "../../core/text.ts";
import type { Program } from "../types.ts";
import { hasInterpreter } from "./find.ts";

/** The arguments of child_process's spawn. */
interface Started {
  readonly file: string;
  readonly args: readonly string[];
  readonly windowsVerbatimArguments?: true;
}

/**
 * Starts a `.cmd` or `.bat` file, and what PATHEXT names besides, by cmd.exe; Windows starts all else itself.
 *
 * @throws SophiaError (125) for an argument that cmd.exe would cut
 */
export function startedOnWindows({ file, argv, environment }: Program): Started {
  const args = argv.slice(1);
  if (!/\.(?:bat|cmd)$/i.test(file) && (/\.(?:exe|com)$/i.test(file) || hasInterpreter(file))) return { file, args };
  const variables = new FoldedMap(environment);
  const system = variables.get("SystemRoot") ?? String.raw`C:\Windows`;
  const line = [`"${file}"`, ...args.map((argument, index) => quotedForBatch(argument, index + 1, file))].join(" ");
  return {
    file: win32.join(system, "System32", "cmd.exe"),
    // With the extensions that the quoting of `%` needs, without AutoRun, and `!` begins no variable. Between the outer
    // quotes the line stands as it is.
    args: ["/e:on", "/v:off", "/d", "/s", "/c", `"${line}"`],
    windowsVerbatimArguments: true,
  };
}

/**
 * Quotes an argument of a batch file, as Rust's answer to CVE-2024-24576 does, whose tests run on Windows. cmd.exe reads it
 * twice, here and where the file passes `%*` on: in quotes `&|<>^()` mean nothing, and by two quotes for one they never look
 * closed. Behind a `%` stands `%cd:~,%`, an empty text, so that no variable's name lies between two of them.
 */
export function quotedForBatch(argument: string, index: number, file: string): string {
  if (/[\r\n]/.test(argument)) {
    throw new SophiaError({
      code: "unusable-value",
      message: `argument ${index} has a line break, which cmd.exe does not pass on to ${printable(file)}`,
      hint: "start what that file starts, or write the text to a file and name it",
    });
  }
  return `"${argument
    .replaceAll(/(\\*)"/g, '$1$1""')
    .replace(/\\+$/, "$&$&")
    .replaceAll("%", "%%cd:~,%")}"`;
}
