/**
 * `npx tsx bench/hook.ts`: the time of a hook of an agent, in the package and in the executable, by the size of a tool's output, also as a
 * multiple of `node -e 0`.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { executable } from "../test/helpers/executables.ts";
import { buildPackage } from "../test/helpers/build.ts";
import { timeInTurns } from "./measure.ts";
import { BARE_ENVIRONMENT, root } from "./surroundings.ts";

buildPackage();

const SECRET = "sk-proj-0123456789abcdefABCDEF";
const ROUNDS = 15;
const SIZES = [
  ["100 kB", 100_000],
  ["16 MB", 16_000_000],
] as const;
const PROGRAMS = [
  ["executable", [executable]],
  ["Node.js", [process.execPath, join(root, "bin/sophia-run.cjs")]],
] as const;

const cwd = mkdtempSync(join(tmpdir(), "bench-hook-"));
try {
  // For compiled code, and for values of ESC.
  mkdirSync(join(cwd, ".cache"));
  writeFileSync(join(cwd, ".env"), `KEY=${SECRET}\n`, { mode: 0o600 });
  const line = createHash("sha512").update("a line").digest("base64");
  for (const [name, bytes] of SIZES) {
    const stdout = `${`${line}\n`.repeat(bytes / 89)}${SECRET}\n`;
    writeFileSync(join(cwd, name), JSON.stringify({ hook_event_name: "PostToolUse", tool_response: { stdout } }));
  }
  const cases = SIZES.flatMap(([size]) =>
    PROGRAMS.filter(([, [file]]) => existsSync(file)).map(([program, words]) => ({
      name: `${program}, ${size}`,
      argv: ["/bin/sh", "-c", 'exec "$@" hook claude-code < "$0"', size, ...words],
      env: { ...BARE_ENVIRONMENT, HOME: cwd },
      cwd,
    })),
  );
  const empty = {
    name: "node -e 0",
    argv: [process.execPath, "-e", "0"],
    env: { ...BARE_ENVIRONMENT, HOME: cwd },
    cwd,
  };
  for (const { name, wall, cpu, wallRatio, cpuRatio } of timeInTurns([empty, ...cases], ROUNDS)) {
    const ratios = `${wallRatio.median.toFixed(2)}×, processor ${cpuRatio.median.toFixed(2)}×`;
    const text = `${name}: ${wall.median.toFixed(1)} ms (processor ${cpu.median.toFixed(1)} ms; ${ratios})\n`;
    process.stdout.write(text);
  }
} finally {
  rmSync(cwd, { recursive: true, force: true });
}
