/** Terminals in the executable's runtime: node:tty must do what it does in Node.js, and restore the terminal at the end. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { startAtTerminal } from "../../test/helpers/terminal.ts";
import { skipWithoutShell, shell } from "./helpers/shell.ts";

skipWithoutShell();
const folder = mkdtempSync(join(tmpdir(), "sophia-run-terminals-"));
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * Runs a script at a terminal, and then stty(1), which prints the settings.
 *
 * @param typed what is typed when the script prints `ready`
 */
async function runAtTerminal(script: string, typed = "", program = shell): Promise<string> {
  const file = join(folder, "script.cjs");
  writeFileSync(file, script);
  const line = `${program} ${file}; echo "status $?"; stty -a | grep -oE -- "-?(isig|icanon|echo|icrnl)$|-?(isig|icanon|echo|icrnl) "`;
  const env = { PATH: process.env["PATH"] ?? "" };
  const { stdout } = await startAtTerminal(["sh", "-c", line], { cwd: folder, env }, [["ready", typed]], 80).finished;
  return stdout.replaceAll("\r\n", "\n");
}

const SET_RAW_MODE = `
  const { ReadStream } = require("node:tty");
  const { readSync, writeSync } = require("node:fs");
  const terminal = new ReadStream(0);
  terminal.setRawMode(true);
  writeSync(1, "ready\\n");
  const key = new Uint8Array(8);
  readSync(0, key, 0, 1);
`;
const RESTORED_SETTINGS = ["isig", "icanon", "echo", "icrnl"];

it.each([
  ["process.exit(3)", "status 3"],
  ["", "status 0"],
  ["terminal.setRawMode(false)", "status 0"],
  ['process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 5000)', "status 143"],
  ['process.kill(process.pid, "SIGHUP"); setTimeout(() => {}, 5000)', "status 129"],
  [
    'process.on("SIGINT", () => process.exit(4)); process.kill(process.pid, "SIGINT"); setTimeout(() => {}, 5000)',
    "status 4",
  ],
])("the runtime has restored the terminal's settings after: %s", async (end, status) => {
  const output = await runAtTerminal(`${SET_RAW_MODE}; if (key[0] === 3) { ${end} }`, "\u0003");
  expect(output.split("\n")).toContain(status);
  for (const setting of RESTORED_SETTINGS) expect(output).toMatch(new RegExp(`^${setting} *$`, "m"));
});

it("node:tty returns the size of a terminal, and refuses what is no terminal, as in Node.js", async () => {
  const script = `
    const { isatty, ReadStream, WriteStream } = require("node:tty");
    const { openSync } = require("node:fs");
    const { columns, rows } = new WriteStream(openSync("/dev/tty", "r+"));
    console.log("ready", columns, rows, isatty(0), isatty(99), isatty("0"), isatty(-1));
    try { new ReadStream(openSync("/dev/null", "r")); } catch (error) { console.log(error.code); }
  `;
  expect(await runAtTerminal(script)).toBe(await runAtTerminal(script, "", process.execPath));
});
