// Runs executables on the same input, and compares what they say and do.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { isDeepStrictEqual } from "node:util";

const LIMIT_MS = 60_000;
const STATUSES = new Set([0, 1, 2, 7, 78, 125, 126, 127]);

let programFolder;

/** Returns a folder with all programs that a changed command line can start: others might wait for input, or write elsewhere. */
function safePrograms() {
  if (programFolder === undefined) {
    const folder = mkdtempSync(join(tmpdir(), "sophia-run-fuzz-programs-"));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    for (const name of ["cat", "env", "git", "printenv", "sh", "true"]) {
      symlinkSync(join("/usr/bin", name), join(folder, name));
    }
    programFolder = folder;
  }
  return programFolder;
}

/**
 * Empties a folder, writes files into it, and runs a program there.
 *
 * @param talk gets the process, and resolves with what is compared beside its output; without it the program has no input
 */
export async function run(program, args, cwd, files, env, talk) {
  rmSync(cwd, { recursive: true, force: true });
  mkdirSync(cwd);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(cwd, name), bytes, { mode: 0o600 });
  chmodSync(cwd, 0o700);
  const child = spawn(program, args, {
    cwd,
    env: { PATH: safePrograms(), HOME: cwd, ...env },
    stdio: [talk === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  const errors = text(child.stderr);
  const ended = once(child, "close");
  const talked = talk?.(child);
  const output = talk === undefined ? (await buffer(child.stdout)).toString("latin1") : "";
  const [status, signal] = await ended;
  // The name of a folder with secret files differs from run to run.
  const comparableOutput = output.replaceAll(/\/sophia-run-\d+-\d+-\d+-(?:locked-)?\w+\//g, "/");
  return { status, signal, output: comparableOutput, errors: await errors, talked: await talked };
}

/** Returns the beginning of a value as text. Each byte becomes a character. */
export function describeValue(value) {
  const whole = JSON.stringify(value, (_, part) =>
    part?.type === "Buffer" ? Buffer.from(part.data).toString("latin1") : part,
  );
  return whole.slice(0, 2000);
}

/**
 * Runs each program by `runOne`, and returns the result of the first.
 *
 * @param programs the paths of executables by their names
 * @param given the input, for the message
 * @throws if a program has crashed, or has behaved differently from the first program
 */
export async function compare(programs, given, runOne) {
  let [expected, reference] = [];
  for (const [name, path] of Object.entries(programs)) {
    const result = await runOne(path);
    const isCrash = result.signal !== null || !STATUSES.has(result.status);
    if (isCrash || /internal error|checking mode/.test(result.errors)) {
      throw new Error(
        `${name} ended by ${result.signal ?? result.status}: ${describeValue(result)}\n${describeValue(given)}`,
      );
    }
    expected ??= result;
    reference ??= name;
    if (!isDeepStrictEqual(result, expected)) {
      throw new Error(
        `${reference}: ${describeValue(expected)}\n${name}: ${describeValue(result)}\n${describeValue(given)}`,
      );
    }
  }
  return expected;
}

/**
 * Makes runs in a folder of their own.
 *
 * @param batch the number of the first run, and how many there are
 * @param makeRun gets the number of a run and the path of a folder, and returns the result of the first program
 * @returns how many runs there were, and in how many the program succeeded
 */
export async function repeat({ first, runs }, makeRun) {
  const folder = mkdtempSync(join(tmpdir(), "sophia-run-fuzz-"));
  let successes = 0;
  try {
    for (let number = first; number < first + runs; number += 1) {
      const { status } = await makeRun(number, join(folder, "work"));
      if (status === 0) successes += 1;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { runs, successes };
}
