import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { matches } from "../../../src/launch/program/emulation.ts";
import { runBash } from "../masking/masked-process.ts";
import { folder, isStandalone, sophiaRun } from "../../helpers/sophia.ts";

const [command, ...prefix] = sophiaRun;

/**
 * Makes the beginning of this Node.js's executable, for another processor. Nothing can run it; a shell would fail with 2 or 127.
 */
function makeForeignProgram(): string {
  const head = Buffer.from(readFileSync(process.execPath).subarray(0, 8192));
  head.writeUInt16LE(process.arch === "x64" ? 183 : 62, 18);
  return makeExecutable(head);
}

function makeExecutable(content: string | Uint8Array): string {
  const path = join(folder(), "program");
  writeFileSync(path, content);
  chmodSync(path, 0o755);
  return path;
}

function runLauncher(options: readonly string[], mode: string, ...words: readonly string[]): SpawnSyncReturns<string> {
  const args = [...options, ...prefix, "--no-contract", "--mode", mode, "--", ...words];
  return spawnSync(command, args, { cwd: folder(), env: { PATH: process.env["PATH"] }, encoding: "utf8" });
}

describe("sophia-run does not have the shell run an ELF file for another processor", () => {
  const otherProcessor = process.arch === "x64" ? "arm64" : "x64";

  test.each(["auto", "spawn"])("in mode %s", (mode) => {
    const path = makeForeignProgram();
    const { status, stdout, stderr } = runLauncher([], mode, path, "x");
    expect({ status, stdout, stderr }).toEqual({
      status: 126,
      stdout: "",
      stderr: `sophia-run: ${path}: is for another processor (${otherProcessor}; this one is ${process.arch})\n`,
    });
  });

  test.each([
    ["auto", "--no-addons"],
    ["spawn", "--no-addons"],
  ])("in mode %s with %s", (mode, option) => {
    if (isStandalone) return;
    expect(runLauncher([option], mode, makeForeignProgram())).toMatchObject({ status: 126, stdout: "" });
  });

  test.each(["auto", "spawn"])("nor an ELF file that no system executes, in mode %s", (mode) => {
    const head = Buffer.from(readFileSync(process.execPath).subarray(0, 8192));
    head.writeUInt16LE(1, 16); // an object file
    const path = makeExecutable(head);
    const { status, stderr } = runLauncher([], mode, path);
    expect({ status, stderr }).toEqual({
      status: 126,
      stderr: `sophia-run: ${path}: not a program for this system\n`,
    });
  });
});

describe("while it masks output, sophia-run does not have the shell run a damaged ELF file", () => {
  const head = Buffer.from(readFileSync(process.execPath).subarray(0, 8192));
  const runDamaged = async (content: Buffer) => {
    const path = makeExecutable(content);
    return { path, ended: await runBash(`$L ${path}`) };
  };

  test("that ends too early", async () => {
    const { path, ended } = await runDamaged(head.subarray(0, 100));
    const stderr = `sophia-run: ${path}: not a program for this system\n`;
    expect(ended).toMatchObject({ status: 126, stdout: "", stderr });
  });

  test("whose program headers are not at the offset that it names", async ({ skip }) => {
    skip(!isStandalone, "execvp(3) of glibc, which Node.js calls, has the shell run it");
    const { ended } = await runDamaged(Buffer.from(head).fill(0x7f, 32, 40));
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
])("sophia-run finds that an emulator for the program is registered by %j: %j", (format, expected) => {
  expect(matches(format, Buffer.from("7f454c4603010100", "hex"))).toBe(expected);
});

describe("if execvp of the C library does not start the shell, like that of musl,", () => {
  const hasCompiler = spawnSync("cc", ["--version"]).status === 0 && process.platform === "linux";
  const reason = isStandalone ? "the stand-alone executable is another program" : hasCompiler ? undefined : "needs cc";
  beforeEach(({ skip }) => skip(reason !== undefined, reason));

  test("sophia-run has the shell run a script without #!", () => {
    const workFolder = folder({
      "shim.c": `#include <unistd.h>
        extern char **environ;
        int execvp(const char *file, char *const argv[]) { return execve(file, argv, environ); }`,
    });
    const library = join(workFolder, "shim.so");
    expect(spawnSync("cc", ["-shared", "-fPIC", "-o", library, join(workFolder, "shim.c")]).status).toBe(0);
    const script = makeExecutable('echo "$0 $*"; exit 5\n');
    const args = [...prefix, "--no-contract", "--mode", "spawn", "--", script, "a", "b"];
    const env = { PATH: process.env["PATH"], LD_PRELOAD: library };
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: workFolder, env, encoding: "utf8" });
    expect({ status, stdout, stderr }).toEqual({ status: 5, stdout: `${script} a b\n`, stderr: "" });
  });
});
