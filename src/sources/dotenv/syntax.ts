import { SophiaError } from "../../core/error.ts";
import type { Notice, Variable } from "../../core/model.ts";
import { printable } from "../../core/text.ts";

/** `NAME=`, `export NAME=` or `NAME: `, with the names that dotenv accepts. */
const ASSIGNMENT = /^\s*(?:export\s+)?([\w.-]+)(?:\s*=|:\s)/;
/** The characters of usual names, which are found without that. */
const usual = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789abcdefghijklmnopqrstuvwxyz";
/** What makes a value more than dotenv, too, takes as it stands, but for blanks around it; most values need no parser. */
const special = ["#", '"', "'", "`"];

/**
 * Parses the text of one `.env` file. Each assignment is given to dotenv by itself, so that values mean what they
 * mean everywhere else; finding the assignments is ours, since dotenv tells no line numbers and passes over in
 * silence what it does not understand.
 *
 * @throws SophiaError (dotenv, 125) for an unterminated quote or a NUL, with file and line
 */
export async function parseDotenv(text: string, file: string): Promise<{ variables: Variable[]; notices: Notice[] }> {
  // No expression that need not be: each takes as long to compile as a whole file takes to parse.
  const lines = (text.includes("\r") ? text.replaceAll(/\r\n?/g, "\n") : text).split("\n");
  const found = new Map<string, Variable>();
  const notices: Notice[] = [];
  const remark = (line: number, what: string): void => {
    notices.push({ kind: "remark", text: `${printable(file)}:${line}: ${what}` });
  };

  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const number = at + 1;
    if (line.includes("\0")) throw malformed(file, number, "a NUL character", "remove it; no variable can hold one");
    const content = line.trimStart();
    if (content === "" || content.startsWith("#")) continue;
    const [assignment, name] = usualAssignment(line) ?? ASSIGNMENT.exec(line) ?? [];
    if (assignment === undefined || name === undefined) {
      remark(number, "not of the form NAME=value, passed over");
      continue;
    }
    const start = line.slice(assignment.length);
    const { value, lastLine } = special.some((character) => start.includes(character))
      ? (await import("./value.ts")).readValue(lines, at, start, file)
      : { value: start.trim(), lastLine: at };
    if (found.has(name)) remark(number, `${name} is set a second time, the last one counts`);
    if (cutAtHash(start, value))
      remark(number, `the value of ${name} ends before a #; quote it if the # belongs to it`);
    found.set(name, {
      name,
      value,
      secret: true,
      origin: { source: "dotenv", file, line: number },
      delivery: "value",
    });
    at = lastLine;
  }
  return { variables: [...found.values()], notices };
}

/** What ASSIGNMENT would find, where a line begins with a usual name and `=`: most do, and an expression takes a while. */
function usualAssignment(line: string): readonly [assignment: string, name: string] | undefined {
  const name = line.slice(0, Math.max(line.indexOf("="), 0));
  if (name === "" || !Array.from(name).every((character) => usual.includes(character))) return undefined;
  return [`${name}=`, name];
}

/** An unquoted value in which a # without a space before it began a comment: more often a cut secret than a remark. */
function cutAtHash(start: string, value: string): boolean {
  return value !== "" && start.trimStart().startsWith(`${value}#`);
}

/** @returns the error of a file that is not to be used */
export function malformed(file: string, line: number, what: string, hint: string): SophiaError {
  return new SophiaError({ code: "dotenv", message: `${printable(file)}:${line} has ${what}`, hint });
}
