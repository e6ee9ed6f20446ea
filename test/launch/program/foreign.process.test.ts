import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { matches } from "../../../src/launch/program/emulation.ts";
import { outcome } from "../masking/masked.ts";
import { folder, isStandalone, sophiaRun } from "../../helpers/sophia.ts";

const [command, ...prefix] = sophiaRun;

/** This Node.js's own executable for another processor: nothing could run it, and as a script it would fail with 2 or 127. */
function foreignProgram(): string {
  const head = Buffer.from(readFileSync(process.execPath).subarray(0, 8192));
  head.writeUInt16LE(process.arch === "x64" ? 183 : 62, 18);
  return executable(head);
}

function executable(content: string | Uint8Array): string {
  const path = join(folder(), "program");
  writeFileSync(path, content);
  chmodSync(path, 0o755);
  return path;
}

function run(options: readonly string[], mode: string, ...words: readonly string[]): SpawnSyncReturns<string> {
  const args = [...options, ...prefix, "--no-contract", "--mode", mode, "--", ...words];
  return spawnSync(command, args, { cwd: folder(), env: { PATH: process.env["PATH"] }, encoding: "utf8" });
}

describe("an ELF file of another processor is never a script of the shell", () => {
  const other = process.arch === "x64" ? "arm64" : "x64";

  test.each(["auto", "spawn"])("mode %s", (mode) => {
    const path = foreignProgram();
    const { status, stdout, stderr } = run([], mode, path, "x");
    expect({ status, stdout, stderr }).toEqual({
      status: 126,
      stdout: "",
      stderr: `sophia-run: ${path}: is for another processor (${other}; this one is ${process.arch})\n`,
    });
  });

  test.each([
    ["auto", "--no-addons"],
    ["spawn", "--no-addons"],
  ])("mode %s %s", (mode, option) => {
    if (isStandalone) return;
    expect(run([option], mode, foreignProgram())).toMatchObject({ status: 126, stdout: "" });
  });

  test.each(["auto", "spawn"])("neither is one that no system executes, mode %s", (mode) => {
    const head = Buffer.from(readFileSync(process.execPath).subarray(0, 8192));
    head.writeUInt16LE(1, 16); // an object file
    const path = executable(head);
    const { status, stderr } = run([], mode, path);
    expect({ status, stderr }).toEqual({
      status: 126,
      stderr: `sophia-run: ${path}: not a program for this system\n`,
    });
  });
});

describe("a damaged ELF file is no script of the shell either, if the launcher masks", () => {
  const head = Buffer.from(readFileSync(process.execPath).subarray(0, 8192));
  const program = async (content: Buffer) => {
    const path = executable(content);
    return { path, ended: await outcome(`$L ${path}`) };
  };

  test("one that ends early", async () => {
    const { path, ended } = await program(head.subarray(0, 100));
    const stderr = `sophia-run: ${path}: not a program for this system\n`;
    expect(ended).toMatchObject({ status: 126, stdout: "", stderr });
  });

  test("one without program headers where it says", async ({ skip }) => {
    skip(!isStandalone, "execvp(3) of glibc, which Node.js calls, has the shell run it");
    const { ended } = await program(Buffer.from(head).fill(0x7f, 32, 40));
    expect(ended).toMatchObject({ status: 126, stdout: "" });
  });
});

test.each([
  ["enabled\ninterpreter /usr/bin/qemu\nflags: OCF\noffset 0\nmagic 7f454c4602\nmask fffffffffe\n", true],
  ["enabled\ninterpreter /usr/bin/qemu\nflags: \noffset 1\nmagic 454c46\n", true],
  ["disabled\ninterpreter /usr/bin/qemu\nflags: \noffset 0\nmagic 7f454c46\n", false],
  ["enabled\ninterpreter /usr/bin/qemu\nflags: \noffset 0\nmagic 7f454c4601\n", false],
  ["enabled\ninterpreter /usr/bin/x\nflags: \nextension .exe\n", false],
  ["enabled", false],
])("whether an emulator is registered: %j", (format, expected) => {
  expect(matches(format, Buffer.from("7f454c4603010100", "hex"))).toBe(expected);
});

describe("a C library whose execvp does not start the shell, as musl's", () => {
  const hasCompiler = spawnSync("cc", ["--version"]).status === 0 && process.platform === "linux";
  const reason = isStandalone ? "the stand-alone executable is another program" : hasCompiler ? undefined : "needs cc";
  beforeEach(({ skip }) => skip(reason !== undefined, reason));

  test("a script without #! is run by the shell", () => {
    const place = folder({
      "shim.c": `#include <unistd.h>
        extern char **environ;
        int execvp(const char *file, char *const argv[]) { return execve(file, argv, environ); }`,
    });
    const library = join(place, "shim.so");
    expect(spawnSync("cc", ["-shared", "-fPIC", "-o", library, join(place, "shim.c")]).status).toBe(0);
    const script = executable('echo "$0 $*"; exit 5\n');
    const args = [...prefix, "--no-contract", "--mode", "spawn", "--", script, "a", "b"];
    const env = { PATH: process.env["PATH"], LD_PRELOAD: library };
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: place, env, encoding: "utf8" });
    expect({ status, stdout, stderr }).toEqual({ status: 5, stdout: `${script} a b\n`, stderr: "" });
  });
});
