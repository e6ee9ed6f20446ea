import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { notInstalled, notLinux, skipBecause } from "../../helpers/skip.ts";
import { executable, noExecutable } from "../../helpers/executables.ts";

/** Executes its other arguments with the environment in the file that its first argument names: entries, each ended by a NUL. */
const ENTRIES_PROGRAM = `#include <stdio.h>
#include <string.h>
#include <unistd.h>
static char bytes[65536];
static char *entries[1024];
int main(int argc, char **argv) {
  FILE *const file = argc > 2 ? fopen(argv[1], "r") : NULL;
  if (file == NULL) return 1;
  const size_t size = fread(bytes, 1, sizeof bytes - 1, file);
  size_t count = 0;
  for (size_t at = 0; at < size && count < 1023; at += strlen(bytes + at) + 1) entries[count++] = bytes + at;
  execve(argv[2], argv + 2, entries);
  return 1;
}`;

const root = join(import.meta.dirname, "../../..");
const PAIRS = Array.from({ length: 300 }, (_, index) => [`N${index}=1`, `N${index}=2`] as const);
const PATH = `PATH=${process.env["PATH"] ?? ""}`;

skipBecause(notLinux ?? noExecutable ?? notInstalled("cc", "--version"));

const workFolder = mkdtempSync(join(tmpdir(), "sophia-run-raw-"));
const entriesProgram = join(workFolder, "with-entries");
beforeAll(() => {
  writeFileSync(`${entriesProgram}.c`, ENTRIES_PROGRAM);
  execFileSync("cc", ["-o", entriesProgram, `${entriesProgram}.c`]);
});
afterAll(() => rmSync(workFolder, { recursive: true }));

/**
 * Starts a program by a launcher that has the entries as its environment.
 *
 * @returns the entries that the program gets, as Latin-1
 */
function runWithEntries(launcher: readonly string[], options: readonly string[], entries: readonly string[]) {
  const file = join(workFolder, "entries");
  writeFileSync(file, Buffer.from(entries.map((entry) => `${entry}\0`).join(""), "latin1"));
  const command = [...launcher, ...options, "--no-contract", "--", "/bin/cat", "/proc/self/environ"];
  const { status, stdout, stderr } = spawnSync(entriesProgram, [file, ...command], {
    cwd: workFolder,
    encoding: "latin1",
    timeout: 20_000,
  });
  return { status, stderr, entries: stdout.split("\0").slice(0, -1).toSorted() };
}

/** Each case has entries of the launcher's environment, and those of them that are passed on as variables. */
const CASES: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["entries with the same name", ["A=1", "B=3", "A=2", "A="], ["A=1", "B=3"]],
  ["entries with the same name, the first without a value", ["C=", "C=2"], ["C="]],
  ["names with which another name begins", ["DE=1", "D=2", "DEF=3", "DE=4"], ["DE=1", "D=2", "DEF=3"]],
  ["an entry without =", ["NOTHING"], []],
  ["a variable, and an entry with its name but without =", ["G=1", "G", "H", "H=2"], ["G=1", "H=2"]],
  ["entries without a name", ["=x", "=", "=C:=x", "", "I=="], ["I=="]],
  ["names of JavaScript", ["__proto__=1", "__proto__=2", "0=a", "0=b"], ["__proto__=1", "0=a"]],
  ["a setting of sophia-run", ["SOPHIA_QUIET=false", "SOPHIA_QUIET=nonsense"], ["SOPHIA_QUIET=false"]],
  ["hundreds of names twice", PAIRS.flat(), PAIRS.map(([first]) => first)],
];

describe.each([
  ["auto", []],
  ["exec", ["--mode", "exec"]],
  ["spawn", ["--mode", "spawn"]],
  ["redact", ["--redact"]],
] as const)("in mode %s the executable passes on", (_, options) => {
  const runBothForms = (entries: readonly string[]) =>
    [[executable], [process.execPath, join(root, "bin/sophia-run")]].map((launcher) =>
      runWithEntries(launcher, options, [PATH, ...entries]),
    );

  it("the same entries as the package, if several have one name or are invalid", () => {
    const [passed, byPackage] = runBothForms(CASES.flatMap(([, entries]) => entries));
    expect(passed).toStrictEqual(byPackage);
    for (const [name, entries, variables] of CASES) {
      expect(
        passed?.entries.filter((entry) => entries.includes(entry)),
        name,
      ).toStrictEqual(variables.toSorted());
    }
    expect(passed?.status).toBe(0);
  });

  // In Latin-1 `ÿ` is a byte that is not UTF-8, and `ï¿½` are the bytes of U+FFFD in UTF-8.
  it("names and values that are not UTF-8, byte for byte", () => {
    const entries = [PATH, "A=ÿþ", "A=2", "ÿ=1", "þ=2", "ÿ=3", "Zÿ=1", "Zï¿½=2"];
    const { status, stderr, entries: passed } = runWithEntries([executable], options, entries);
    expect({ status, stderr }).toStrictEqual({ status: 0, stderr: "" });
    expect(passed).toStrictEqual([PATH, "A=ÿþ", "ÿ=1", "þ=2", "Zÿ=1", "Zï¿½=2"].toSorted());
  });
});
