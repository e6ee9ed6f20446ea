/**
 * `npx tsx bench/broker.ts`: measures requests through the broker against a direct connection, in turns, and beside varlock's
 * proxy. Writes docs/measurements/broker.md. `--quick` takes a quarter of the rounds; `--dry` writes nothing; `--git` prints
 * git and gh alone. It runs on
 * Linux, as a user that may read the launcher's descriptors: root, since the launcher is not dumpable.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPackage } from "../test/helpers/build.ts";
import { document, gitSection, type Measured, type Report } from "./broker/document.ts";
import { DIRECT, type Launcher, launchers, place, type Setting } from "./broker/launchers.ts";
import { type Amounts, measureGit, measureSoak, measureStart, measureTurns, measureVolume } from "./broker/measure.ts";
import { root } from "./surroundings.ts";

buildPackage();

const isQuick = process.argv.includes("--quick");
const AMOUNTS: Amounts = {
  rounds: isQuick ? 5 : 20,
  bytes: isQuick ? 250_000_000 : 1_000_000_000,
  requests: 10_000,
  streams: 1000,
  starts: isQuick ? 10 : 40,
  gitRounds: isQuick ? 2 : 5,
};

const all = launchers((node) => execFileSync(node, ["--version"], { encoding: "utf8" }).trim().slice(1));
/** Varlock's proxy is not for git. */
const own = all.filter(({ isPeer }) => !isPeer);

async function main(): Promise<void> {
  const temporary = mkdtempSync(join(tmpdir(), "sophia-run-bench-broker-"));
  try {
    const where = await place(temporary);
    try {
      if (process.argv.includes("--git"))
        return void process.stdout.write(gitSection(await measureGit(where, own, AMOUNTS)));
      const text = await document(await measure(where));
      if (process.argv.includes("--dry")) process.stdout.write(text);
      else writeFileSync(join(root, "docs/measurements/broker.md"), text);
    } finally {
      await where.end();
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function measure(where: Setting): Promise<Report> {
  const present: Launcher[] = [];
  const missing: { name: string; reason: string }[] = [];
  for (const launcher of all) {
    const reason = await refusal(where, launcher);
    if (reason === undefined) present.push(launcher);
    else if (launcher.isPeer) missing.push({ name: launcher.name, reason });
    else throw new Error(`${launcher.name}: ${reason}`);
  }
  const git = await measureGit(where, own, AMOUNTS);
  const turns = await measureTurns(where, present, AMOUNTS);
  const turnsOf = (name: string) => {
    const found = turns.get(name);
    if (found === undefined) throw new Error(`${name} was not measured`);
    return found;
  };
  const measured: Measured[] = [];
  for (const launcher of present) {
    process.stderr.write(`${launcher.name}\n`);
    // varlock 1.20 ends a command that uploads 1 GB.
    const bytes = launcher.isPeer ? AMOUNTS.bytes / 10 : AMOUNTS.bytes;
    const volume = await measureVolume(where, launcher, { ...AMOUNTS, bytes });
    const soak = await measureSoak(where, launcher, AMOUNTS);
    const start = await measureStart(where, launcher, AMOUNTS);
    measured.push({ launcher, figures: { turns: turnsOf(launcher.name), volume, soak, start } });
  }
  return { direct: turnsOf(DIRECT), git, measured, missing, amounts: AMOUNTS };
}

/** Returns why a launcher passes no request on here. */
async function refusal(where: Setting, launcher: Launcher): Promise<string | undefined> {
  const side = where.side(launcher);
  try {
    await side.perform("latency", { count: 1 });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await side.end();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
