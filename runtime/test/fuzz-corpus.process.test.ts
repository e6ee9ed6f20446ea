/** The corpus of the fuzzers is small and complete, and scripts/platforms/runtime-fuzz.mjs names a wrong option. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const corpus = join(import.meta.dirname, "fuzz/corpus");
const folders = readdirSync(corpus).filter((name) => statSync(join(corpus, name)).isDirectory());
const MAX_FILE_BYTES = 4096;
const MAX_CORPUS_BYTES = 100_000;

describe("the corpus of the fuzzers", () => {
  test("has the folders that its README names, and each has several files", () => {
    const readme = readFileSync(join(corpus, "README.md"), "utf8");
    const documented = Array.from(readme.matchAll(/^\| `(?<folder>[\w-]+)` /gm), ([, folder]) => folder);
    expect(new Set(documented)).toEqual(new Set(folders));
    for (const folder of folders) expect(readdirSync(join(corpus, folder)).length).toBeGreaterThan(3);
  });

  test("is small enough for the repository", () => {
    const sizes = folders.flatMap((folder) =>
      readdirSync(join(corpus, folder)).map((name) => ({ name, bytes: statSync(join(corpus, folder, name)).size })),
    );
    expect(sizes.filter(({ bytes }) => bytes > MAX_FILE_BYTES)).toEqual([]);
    expect(sizes.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(MAX_CORPUS_BYTES);
  });

  test("has line ends and bytes that git must not change", () => {
    expect(readFileSync(join(corpus, ".gitattributes"), "utf8")).toBe("* -text\n");
    expect(readFileSync(join(corpus, "dotenv/crlf.env"), "latin1")).toContain("PORT=8080\r\n");
    expect(readFileSync(join(corpus, "dotenv/latin1.env")).includes(0xff)).toBe(true);
  });
});

describe("scripts/platforms/runtime-fuzz.mjs", () => {
  const SUBJECTS = "command-line, dotenv, contracts, code, masking, http, tls, esc, values";

  test.each([
    [["--subject", "dotnev"], `no subject dotnev; there are ${SUBJECTS}\n`],
    [["--seconds", "-1"], "Option '--seconds' argument is ambiguous."],
    [["--seconds", "soon"], "--seconds is a whole number from 1, not soon\n"],
    [["--runs=0"], "--runs is a whole number from 1, not 0\n"],
    [["--corpus", "."], "Unknown option '--corpus'"],
  ])("refuses %j before it builds anything", (args, message) => {
    const script = join(root, "scripts/platforms/runtime-fuzz.mjs");
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr.slice(0, message.length)).toBe(message);
    expect(stderr).not.toContain("    at ");
  });
});
