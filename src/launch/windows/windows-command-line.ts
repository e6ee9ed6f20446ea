/** Makes the command line by which child.ts starts a program on Windows, where batch files need cmd.exe and its quoting. */
import { win32 } from "node:path";
import { SophiaError } from "../../core/error.ts";
import { FoldedMap } from "../../core/names.ts";
import { printable } from "../../core/text.ts";
import type { Program } from "../types.ts";
import { hasInterpreter } from "./find.ts";

interface SpawnArguments {
  readonly file: string;
  readonly args: readonly string[];
  readonly windowsVerbatimArguments?: true;
}

/**
 * Returns the arguments for cross-spawn. Files that end in `.cmd` or `.bat`, and other files of PATHEXT, are started by cmd.exe.
 *
 * @throws SophiaError (125) for an argument that cmd.exe would cut
 */
export function windowsSpawnArguments({ file, argv, environment }: Program): SpawnArguments {
  const args = argv.slice(1);
  if (!/\.(?:bat|cmd)$/i.test(file) && (/\.(?:exe|com)$/i.test(file) || hasInterpreter(file))) return { file, args };
  const variables = new FoldedMap(environment);
  const systemRoot = variables.get("SystemRoot") ?? String.raw`C:\Windows`;
  const line = [`"${file}"`, ...args.map((argument, index) => quoteForBatch(argument, index + 1, file))].join(" ");
  return {
    file: win32.join(systemRoot, "System32", "cmd.exe"),
    // /e:on: the quoting of `%` needs extensions. /v:off: `!` begins no variable. /d: no AutoRun. /s: strips the outer quotes.
    args: ["/e:on", "/v:off", "/d", "/s", "/c", `"${line}"`],
    windowsVerbatimArguments: true,
  };
}

/**
 * Quotes an argument of a batch file, as Rust does since CVE-2024-24576. cmd.exe reads the argument twice: when it starts the file, and when
 * the file passes on `%*`. In quotes the characters `&|<>^()` have no meaning, and doubled quotes never look like a closed quote. Each `%`
 * is followed by `%cd:~,%`, which stands for an empty text, so that no variable's name is between two percent signs.
 *
 * @param index the index of the argument, for the message
 * @throws SophiaError (unusable-value, 125) for a line break, at which cmd.exe would cut the argument
 */
export function quoteForBatch(argument: string, index: number, file: string): string {
  if (/[\r\n]/.test(argument)) {
    throw new SophiaError({
      code: "unusable-value",
      message: `argument ${index} has a line break, which cmd.exe does not pass on to ${printable(file)}`,
      hint: "start the program of that file directly, or pass the text in a file",
    });
  }
  return `"${argument
    .replaceAll(/(\\*)"/g, '$1$1""')
    .replace(/\\+$/, "$&$&")
    .replaceAll("%", "%%cd:~,%")}"`;
}
