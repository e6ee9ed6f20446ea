/**
 * Runs the cases of cases.mjs where sophia-run is on Windows: on Windows itself by this Node.js, elsewhere in Wine by those
 * that are given (run.sh): `run.ts [--json FILE] [--executable FILE] [--] [NODE.EXE…]`. The stand-alone executable is what
 * starts programs then; the first Node.js runs the cases.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startEscServer } from "../esc-server/index.ts";

/** For all cases by one Node.js. They take half a minute on a machine with two cores. */
const LIMIT_MS = 300_000;
const isWindows = process.platform === "win32";
const root = resolve(import.meta.dirname, "../..");

interface Case {
  readonly name: string;
  readonly outcome: "passed" | "failed";
}

interface EscPlace {
  readonly url: string;
  readonly token: string;
  readonly environment: string;
}

/** Wine's `Z:` is the root of the file system. */
function inWindows(path: string): string {
  return isWindows ? path : `Z:${path.replaceAll("/", "\\")}`;
}

/** The command of the package, as it would be published from what is built. */
function packAndExtract(folder: string): string {
  const options = { cwd: root, encoding: "utf8", shell: isWindows } as const;
  const pack = spawnSync("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder], options);
  const tarball = pack.stdout.trim().split("\n").at(-1) ?? "";
  const extracted = spawnSync("tar", ["-xzf", tarball], { cwd: folder });
  if (pack.status !== 0 || extracted.status !== 0) throw new Error(`the package cannot be made: ${pack.stderr}`);
  return inWindows(join(folder, "package", "bin", "sophia-run.cjs"));
}

/** @param launcher what starts sophia-run */
async function casesBy(
  node: string,
  launcher: readonly string[],
  esc: EscPlace,
  folder: string,
): Promise<readonly Case[]> {
  console.log(`=== ${launcher.join(" ")} ===`);
  const input = join(folder, "input.json");
  writeFileSync(input, JSON.stringify({ launcher, esc }));
  const report = join(folder, "report.json");
  rmSync(report, { force: true });
  // In Wine Node.js writes to a file, where it may not write to a pipe of this system.
  const output = join(folder, "output.txt");
  const descriptor = openSync(output, "w");
  const args = [join(import.meta.dirname, "cases.mjs"), input, report].map(inWindows);
  const [command, ...rest] = isWindows ? ([node, ...args] as const) : (["wine", node, ...args] as const);
  try {
    const stdio = ["ignore", descriptor, descriptor] as const;
    await once(spawn(command, rest, { stdio: [...stdio], cwd: folder, timeout: LIMIT_MS }), "exit");
  } finally {
    closeSync(descriptor);
    process.stdout.write(readFileSync(output, "utf8"));
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- cases.mjs writes it
  return (JSON.parse(readFileSync(report, "utf8")) as { cases: Case[] }).cases;
}

/** At Wine's console, which is a terminal here: the program gets one Ctrl-C, and its status counts. */
function ctrlC(node: string, launcher: readonly string[], folder: string): Case {
  const log = join(folder, "signals.txt");
  rmSync(log, { force: true });
  const program = `const { appendFileSync } = require("node:fs");
    const log = ${JSON.stringify(inWindows(log))};
    process.on("SIGINT", () => { appendFileSync(log, "SIGINT "); setTimeout(() => process.exit(9), 200); });
    appendFileSync(log, "ready ");
    setTimeout(() => process.exit(1), 30000);`;
  const launch = ["wine", ...launcher, "--no-contract", "--", inWindows(node), "-e", program.replaceAll(/\s+/g, " ")];
  const { status } = spawnSync("python3", [join(import.meta.dirname, "ctrl-c.py"), log, ...launch], { cwd: folder });
  const isPassed = status === 9 && readFileSync(log, "utf8") === "ready SIGINT ";
  const name = "Ctrl-C reaches the program once, and its status counts";
  console.log(`${isPassed ? "passed" : "FAILED"}  ${name}`);
  return { name, outcome: isPassed ? "passed" : "failed" };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { json: { type: "string" }, executable: { type: "string" } },
    allowPositionals: true,
  });
  const nodes = positionals.length > 0 ? positionals : [process.execPath];
  const folder = mkdtempSync(join(tmpdir(), "sophia-windows-"));
  await using server = await startEscServer();
  server.environment("acme/sophia/dev", {
    values: { SHARED: "esc", Mine: "esc", FOO: "esc" },
    files: { KEY_FILE: "line 1\nline 2\n" },
  });
  try {
    const entry = packAndExtract(folder);
    const esc = { url: server.url, token: server.token, environment: "acme/sophia/dev" };
    const launchers = nodes.map((node) => ({ node, launcher: [inWindows(node), entry] }));
    const [node] = nodes;
    if (values.executable !== undefined && node !== undefined)
      launchers.push({ node, launcher: [inWindows(resolve(values.executable))] });
    const cases: Case[] = [];
    for (const each of launchers) {
      cases.push(...(await casesBy(each.node, each.launcher, esc, folder)));
      if (!isWindows) cases.push(ctrlC(each.node, each.launcher, folder));
    }
    if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ cases }));
    const failed = cases.filter(({ outcome }) => outcome === "failed").length;
    console.log(`${cases.length - failed} passed, ${failed} failed`);
    process.exitCode = failed === 0 && cases.length > 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
