/** What is executed in exec mode without the addon, since some versions of Node.js end by SIGABRT if the system refuses a file. */
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SophiaError } from "../../../src/core/error.ts";
import { withoutRisk } from "../../../src/launch/exec/by-node.ts";
import type { Program } from "../../../src/launch/types.ts";
import { notLinux, skipBecause } from "../../helpers/skip.ts";
import { folder } from "../../helpers/sophia.ts";

skipBecause(notLinux);

const ENV = existsSync("/usr/bin/env") ? "/usr/bin/env" : "/bin/env";

/** Returns a program that runs as `NAME -x ''`. */
function programOf(file: string, name = "tool", variables: Readonly<Record<string, string>> = {}): Program {
  const environment = new Map(Object.entries({ PATH: "/usr/bin:/bin", ...variables }));
  return { file, argv: [name, "-x", ""], environment };
}

/** Calls the function under test. @returns the message of an error with its status */
async function avoidRisk(program: Program, version = "20.20.2"): Promise<Program | string> {
  try {
    return await withoutRisk(program, { command: program.argv }, version);
  } catch (error) {
    if (!(error instanceof SophiaError)) throw error;
    return `${error.status} ${error.message}`;
  }
}

/** Makes an executable file. */
function makeFile(content: string | Uint8Array): string {
  const file = join(folder(), "file");
  writeFileSync(file, content);
  chmodSync(file, 0o755);
  return file;
}

test("a program that the system is certain to accept is executed directly", async () => {
  const program = programOf("/bin/sh");
  expect(await avoidRisk(program)).toBe(program);
});

describe("env(1), which reports a refusal, executes a program", () => {
  test.each([
    ["that was changed just now, so that it may still be open for writing", () => makeFile("#!/bin/sh\n")],
    ["of a form that only the shell may know", () => makeFile("echo\n")],
    ["that cannot be read", () => "/no/such/file"],
  ])("%s", async (_, file) => {
    const program = programOf(file());
    expect(await avoidRisk(program)).toEqual({ ...program, file: ENV, argv: ["env", "--", "tool", "-x", ""] });
  });

  test("but not one whose command it would take for an assignment", async () => {
    const program = programOf(makeFile("echo\n"), "a=b");
    expect(await avoidRisk(program)).toBe(program);
  });

  test("unless it is in no folder of the program's PATH", async () => {
    const program = programOf(makeFile("echo\n"), "tool", { PATH: "/no/such/folder" });
    expect(await avoidRisk(program)).toBe(program);
  });
});

test.each([
  [
    "whose interpreter is missing",
    "#!/no/such\n",
    "127 tool: its interpreter /no/such does not exist or cannot be executed",
  ],
  ["that is no valid ELF file", "\u007FELF", "126 tool: not a program for this system"],
])("a program %s is refused before it is executed", async (_, content, message) => {
  expect(await avoidRisk(programOf(makeFile(content)))).toBe(message);
});

test("a program whose environment is too large is refused before it is executed", async () => {
  expect(await avoidRisk(programOf("/bin/sh", "tool", { LARGE: "x".repeat(131_066) }))).toMatch(
    /^126 tool: the environment variable LARGE \(131,072 bytes\) is too large /,
  );
});

test.each([
  ["20.20.2", true],
  ["25.9.0", true],
  ["26.0.9", true],
  ["26.1.0", false],
  ["26.2.0", false],
  ["27.0.0", false],
  ["30.0.1", false],
])("Node.js %s ends by SIGABRT at a refusal: %j", async (version, aborts) => {
  const program = programOf(makeFile("#!/no/such\n"));
  const result = await avoidRisk(program, version);
  if (aborts) expect(result).toMatch(/^127 /);
  else expect(result).toBe(program);
});
