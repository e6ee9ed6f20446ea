/** A secret that is written character by character, with pauses. In each kind of stream at most a quarter of it may appear. */
import { spawnSync } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { noAddon, notInstalled, skipBecause } from "../../helpers/skip.ts";
import { folder, sophiaRun } from "../../helpers/sophia.ts";
import { startProcess, type StartedProcess } from "../../helpers/start-process.ts";
import { startAtTerminal } from "../../helpers/terminal.ts";

skipBecause(noAddon ?? notInstalled("python3", "--version"));

const SECRET = "hunter2xy";
const SHOWN = "hu";
const CONTRACT = JSON.stringify({ variables: { QUIET_TOKEN: { required: true } } });
/** This is longer than the silence of 50 ms after which sophia-run passes on held bytes. */
const PAUSE_MS = 80;

/** Makes a FIFO, whose sides may be opened in any order. */
function makeFifo(cwd: string, name: string): { readonly write: (text: string) => void; readonly close: () => void } {
  expect(spawnSync("mkfifo", [join(cwd, name)]).status).toBe(0);
  const descriptor = openSync(join(cwd, name), "r+");
  let isOpen = true;
  const close = (): void => {
    if (isOpen) closeSync(descriptor);
    isOpen = false;
  };
  onTestFinished(close);
  return { write: (text) => void writeSync(descriptor, text), close };
}

it.each<readonly [string, string, typeof startProcess]>([
  ["a pipe", "exec $L cat f", startProcess],
  ["both outputs in one pipe", "exec $L sh -c 'exec cat f >&2' 2>&1", startProcess],
  ["sophia-run mask", "exec $RUN mask <f", startProcess],
  ["a terminal", "exec $L cat f", startAtTerminal],
  ["a terminal that is not the input", "exec $L cat f </dev/null", startAtTerminal],
  // The program ends when the secret is written in part. Another process masks the rest.
  ["a background process", "$L sh -c 'cat f & read line <g; exit 3'; echo ended >&2", startProcess],
])(
  "a secret that is written with pauses is masked except for its first quarter: %s",
  { timeout: 60_000 },
  async (name, script, startIn) => {
    const cwd = folder({ "sophia.contract.json": CONTRACT });
    const [input, end] = [makeFifo(cwd, "f"), makeFifo(cwd, "g")];
    const env = { PATH: process.env["PATH"] ?? "", HOME: cwd, TERM: "dumb", QUIET_TOKEN: SECRET };
    const commands = { L: `${sophiaRun.join(" ")} --redact --`, RUN: sophiaRun.join(" ") };
    const run: StartedProcess = startIn(["bash", "--norc", "-c", script], { cwd, env: { ...env, ...commands } });
    input.write("x ");
    await run.waitForStdout(/x $/);
    let text = "x ";
    for (const character of SHOWN) {
      input.write(character);
      text += character;
      await run.waitForStdout(new RegExp(`${text}$`));
    }
    end.write("\n");
    if (script.includes("ended")) await run.waitForStderr(/^ended$/m);
    for (const character of SECRET.slice(SHOWN.length)) {
      input.write(character);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    input.write(" y\n");
    input.close();
    const { stdout } = await run.finished;
    expect(stdout.replaceAll("\r", ""), name).toBe(`x ${SHOWN}*** y\n`);
  },
);
