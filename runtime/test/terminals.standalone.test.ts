/** Terminals in the executable's own runtime. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { startAtTerminal } from "../../test/helpers/terminal.ts";
import { needShell, shell } from "./helpers/shell.ts";

needShell();
const folder = mkdtempSync(join(tmpdir(), "sophia-run-terminals-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a script at a terminal, and then stty(1). */
async function atTerminal(script: string, typed = "", program = shell): Promise<string> {
  const file = join(folder, "script.cjs");
  writeFileSync(file, script);
  const line = `${program} ${file}; echo "status $?"; stty -a | grep -oE -- "-?(isig|icanon|echo|icrnl)$|-?(isig|icanon|echo|icrnl) "`;
  const env = { PATH: process.env["PATH"] ?? "" };
  const { stdout } = await startAtTerminal(["sh", "-c", line], { cwd: folder, env }, [["ready", typed]], 80).finished;
  return stdout.replaceAll("\r\n", "\n");
}

const RAW = `
  const { ReadStream } = require("node:tty");
  const { readSync, writeSync } = require("node:fs");
  const terminal = new ReadStream(0);
  terminal.setRawMode(true);
  writeSync(1, "ready\\n");
  const key = new Uint8Array(8);
  readSync(0, key, 0, 1);
`;
const RESTORED = ["isig", "icanon", "echo", "icrnl"];

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
])("the terminal has its settings again after: %s", async (end, status) => {
  const output = await atTerminal(`${RAW}; if (key[0] === 3) { ${end} }`, "\u0003");
  expect(output.split("\n")).toContain(status);
  for (const one of RESTORED) expect(output).toMatch(new RegExp(`^${one} *$`, "m"));
});

it("a terminal tells its size, and what is no terminal is refused, as in Node.js", async () => {
  const script = `
    const { isatty, ReadStream, WriteStream } = require("node:tty");
    const { openSync } = require("node:fs");
    const { columns, rows } = new WriteStream(openSync("/dev/tty", "r+"));
    console.log("ready", columns, rows, isatty(0), isatty(99), isatty("0"), isatty(-1));
    try { new ReadStream(openSync("/dev/null", "r")); } catch (error) { console.log(error.code); }
  `;
  expect(await atTerminal(script)).toBe(await atTerminal(script, "", process.execPath));
});
