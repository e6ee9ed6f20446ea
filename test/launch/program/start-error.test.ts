import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { SophiaError } from "../../../src/core/error.ts";
import { executionError, shownCommand, startError } from "../../../src/launch/program/start-error.ts";
import type { Program } from "../../../src/launch/types.ts";
import { folder } from "../../helpers/sophia.ts";

/** Returns what a caller sees of an error. */
function describeError({ code, status, message }: SophiaError): string {
  return `${code} ${status} ${message}`;
}

/** Makes a file with this content. @returns a program with this file */
function programWith(content: string | Uint8Array): Program {
  const file = join(folder(), "tool");
  writeFileSync(file, content);
  return { file, argv: ["tool"], environment: new Map() };
}

/** Returns the beginning of an ELF file for a processor that no supported machine has. */
function foreignImage(): Buffer {
  const header = Buffer.alloc(64);
  header.write("\u007FELF");
  header.set([2, 1, 1], 4);
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(4660, 18);
  return header;
}

test.each([
  ["NOT_ON_PATH", "not-found 127 tool: command not found"],
  ["ENOENT", "not-found 127 tool: no such file or directory"],
  ["EACCES", "not-executable 126 tool: permission denied"],
  ["EPERM", "not-executable 126 tool: operation not permitted"],
  ["EISDIR", "not-executable 126 tool: is a directory"],
  ["ENOTDIR", "not-executable 126 tool: a part of the path is not a directory"],
  ["ELOOP", "not-executable 126 tool: too many symbolic links"],
  ["ENAMETOOLONG", "not-executable 126 tool: the name is too long"],
  ["ETXTBSY", "not-executable 126 tool: the file is open for writing"],
  ["ENOEXEC", "not-executable 126 tool: not a program for this system"],
  ["EFTYPE", "not-executable 126 tool: not a program for this system"],
  ["error 86", "not-executable 126 tool: is for another processor"],
  ["EAGAIN", "not-executable 126 tool: the limit on processes is reached"],
  ["ENOMEM", "not-executable 126 tool: out of memory"],
  [
    "ERR_ACCESS_DENIED",
    "not-executable 126 tool: Node.js is not allowed to start programs (--permission without --allow-child-process)",
  ],
  ["EIO", "not-executable 126 tool: EIO"],
])("a start that the system refuses with %s ends with the status and the reason of a shell", (code, expected) => {
  const { file } = programWith("echo\n");
  expect(describeError(startError("tool", code))).toBe(expected);
  expect(describeError(executionError("tool", { file, argv: ["tool"], environment: new Map() }, code))).toBe(expected);
});

test.each([
  ["EMFILE", "system-limit 125 too many open files (EMFILE): tool was not started"],
  ["ENFILE", "system-limit 125 too many open files in the system (ENFILE): tool was not started"],
])("a limit that sophia-run itself reaches (%s) is not reported as an error of the program", (code, expected) => {
  expect(describeError(executionError("tool", programWith(""), code))).toBe(expected);
});

describe("the file of a program explains the system's error", () => {
  const missingInterpreter = "#!/no/such/interpreter -x\n";

  test("if the system does not find the interpreter of a script", () => {
    expect(describeError(executionError("tool", programWith(missingInterpreter), "ENOENT"))).toBe(
      "not-found 127 tool: its interpreter /no/such/interpreter does not exist or cannot be executed",
    );
  });

  test("if it is for another processor", () => {
    expect(describeError(executionError("tool", programWith(foreignImage()), "ENOEXEC"))).toBe(
      `not-executable 126 tool: is for another processor (machine 4660; this one is ${process.arch})`,
    );
  });

  test("unless the error has another cause", () => {
    expect(describeError(executionError("tool", programWith(missingInterpreter), "ENOEXEC"))).toBe(
      "not-executable 126 tool: not a program for this system",
    );
    expect(describeError(executionError("tool", programWith(missingInterpreter), "EACCES"))).toBe(
      "not-executable 126 tool: permission denied",
    );
    expect(describeError(executionError("tool", programWith(foreignImage()), "ENOENT"))).toBe(
      "not-found 127 tool: no such file or directory",
    );
    expect(describeError(executionError("tool", programWith("\u007FELF"), "ENOEXEC"))).toBe(
      "not-executable 126 tool: not a program for this system",
    );
  });
});

test.each([
  ["", "''"],
  ["npm", "npm"],
  ["./run me.sh", "./run me.sh"],
  ["KEY=made-up-secret", "KEY=…"],
  ["A=1\nB=made-up-secret", "A=…"],
  ["line\nKEY=made-up-secret", "line\\nKEY=…"],
  ["KEY=", "KEY="],
  ["postgres://user:made-up-secret@host/db", "postgres://…"],
  ["postgres://", "postgres://"],
  ["user:made-up-secret@host", "user:…"],
  ["user:made-up/secret@host", "user:made-up/secret@host"],
  ["user:made-up-secret", "user:made-up-secret"],
  ["curl --token made-up-secret", "curl …"],
  ["curl\t-t made-up-secret", "curl\\t…"],
  ["curl token", "curl token"],
  ["a\u001Bb", "a\\u001bb"],
])("a message shows the command %j without what may be a secret: %j", (command, shown) => {
  expect(shownCommand(command)).toBe(shown);
  expect(startError(command, "EACCES").message).toBe(`${shown}: permission denied`);
});
