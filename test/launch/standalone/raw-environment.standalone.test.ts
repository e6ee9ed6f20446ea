import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { notInstalled, notLinux, skipBecause } from "../../helpers/skip.ts";
import { executable, notMade } from "../../helpers/standalone.ts";

/** Executes the other arguments with the environment of a file: entries as bytes, each ended by a NUL. */
const WITH_ENTRIES = `#include <stdio.h>
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

skipBecause(notLinux ?? notMade ?? notInstalled("cc", "--version"));

const place = mkdtempSync(join(tmpdir(), "sophia-run-raw-"));
const withEntries = join(place, "with-entries");
beforeAll(() => {
  writeFileSync(`${withEntries}.c`, WITH_ENTRIES);
  execFileSync("cc", ["-o", withEntries, `${withEntries}.c`]);
});
afterAll(() => rmSync(place, { recursive: true }));

/** The entries that a program gets, as Latin-1. */
function passedOn(launcher: readonly string[], options: readonly string[], entries: readonly string[]) {
  const file = join(place, "entries");
  writeFileSync(file, Buffer.from(entries.map((entry) => `${entry}\0`).join(""), "latin1"));
  const command = [...launcher, ...options, "--no-contract", "--", "/bin/cat", "/proc/self/environ"];
  const { status, stdout, stderr } = spawnSync(withEntries, [file, ...command], {
    cwd: place,
    encoding: "latin1",
    timeout: 20_000,
  });
  return { status, stderr, entries: stdout.split("\0").slice(0, -1).toSorted() };
}

/** Entries, and which of them are variables. */
const CASES: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["two of one name", ["A=1", "B=3", "A=2", "A="], ["A=1", "B=3"]],
  ["the first of them empty", ["C=", "C=2"], ["C="]],
  ["names that begin another", ["DE=1", "D=2", "DEF=3", "DE=4"], ["DE=1", "D=2", "DEF=3"]],
  ["an entry without =", ["NOTHING"], []],
  ["a variable and its name alone", ["G=1", "G", "H", "H=2"], ["G=1", "H=2"]],
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
] as const)("mode %s: the executable passes on what the package does of", (_, options) => {
  const both = (entries: readonly string[]) =>
    [[executable], [process.execPath, join(root, "bin/sophia-run")]].map((launcher) =>
      passedOn(launcher, options, [PATH, ...entries]),
    );

  it("several of one name, and invalid entries", () => {
    const [passed, byPackage] = both(CASES.flatMap(([, entries]) => entries));
    expect(passed).toStrictEqual(byPackage);
    for (const [name, entries, variables] of CASES) {
      expect(
        passed?.entries.filter((entry) => entries.includes(entry)),
        name,
      ).toStrictEqual(variables.toSorted());
    }
    expect(passed?.status).toBe(0);
  });

  /** In Latin-1 `ÿ` is a byte that is not UTF-8; `ï¿½` is U+FFFD as a caller writes it. */
  it("names and values that are not UTF-8, byte for byte", () => {
    const entries = [PATH, "A=ÿþ", "A=2", "ÿ=1", "þ=2", "ÿ=3", "Zÿ=1", "Zï¿½=2"];
    const { status, stderr, entries: passed } = passedOn([executable], options, entries);
    expect({ status, stderr }).toStrictEqual({ status: 0, stderr: "" });
    expect(passed).toStrictEqual([PATH, "A=ÿþ", "ÿ=1", "þ=2", "Zÿ=1", "Zï¿½=2"].toSorted());
  });
});
