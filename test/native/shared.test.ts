import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sharedHeader } from "../../scripts/shared-header.ts";
import * as shared from "../../native/shared.ts";
import { notInstalled, skipBecause } from "../helpers/skip.ts";
import { folder } from "../helpers/sophia.ts";

const root = join(import.meta.dirname, "../..");
const { path, text } = sharedHeader(root);

test("the shared header is up to date with native/shared.ts (npm run generate)", () => {
  expect(readFileSync(path, "utf8")).toBe(text);
});

/** Compiles and runs a C program that includes the header and has these statements. @returns its output */
function runC(statements: string): string {
  const source = `#include <signal.h>\n#include <stdio.h>\n#include "${path}"\nint main(void) { ${statements} return 0; }\n`;
  const sourceFolder = folder({ "print.c": source });
  execFileSync("cc", ["-Wall", "-Werror", "-o", join(sourceFolder, "print"), join(sourceFolder, "print.c")]);
  return execFileSync(join(sourceFolder, "print"), { encoding: "utf8" });
}

describe("C and TypeScript have the same", () => {
  skipBecause(notInstalled("cc", "--version"));

  test("numbers", () => {
    const numbers = Object.entries(shared).filter(([, value]) => typeof value === "number");
    expect(numbers.length).toBeGreaterThan(15);
    const printed = runC(numbers.map(([name]) => `printf("${name} %d\\n", ${name});`).join(""));
    expect(printed).toBe(numbers.map(([name, value]) => `${name} ${String(value)}\n`).join(""));
  });

  test("names", () => {
    const list = "const char *const names[] = {PID_VARIABLES, EXEC_PID, PID_PLACEHOLDER, CORE_FILTER};";
    const printed = runC(`${list} for (unsigned i = 0; i < sizeof names / sizeof *names; ++i) puts(names[i]);`);
    const { PID_VARIABLES, EXEC_PID, PID_PLACEHOLDER, CORE_FILTER } = shared;
    const names = [...PID_VARIABLES, EXEC_PID, PID_PLACEHOLDER, CORE_FILTER];
    expect(printed.split("\n")).toEqual([...names, ""]);
  });

  test("signals on which PID 1 ends", () => {
    const list = "const int signals[] = {FATAL_SIGNALS};";
    const printed = runC(`${list} for (int i = 0; i < 16; ++i) printf("%d ", signals[i]);`);
    const numbers = shared.FATAL_SIGNALS.map((name) => constants.signals[name]);
    expect(numbers).toHaveLength(16);
    expect(printed).toBe(numbers.map((number) => `${number} `).join(""));
  });
});
