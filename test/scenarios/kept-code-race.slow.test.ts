/**
 * Another user who may write the folder above that of the kept code exchanges it, again and again, for one with code of
 * theirs, while root starts sophia-run: between a look at the folder and the reading of a file in it, now and then.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Script } from "node:vm";
import { expect, test } from "vitest";
import { ATTACKER, startAttack } from "../helpers/attacker.ts";
import { skipBecause } from "../helpers/skip.ts";
import { addon, folder, isStandalone } from "../helpers/sophia.ts";

const root = join(import.meta.dirname, "../..");
const entry = join(root, "bin/sophia-run.cjs");
const SIGN = "code of another user has run";

skipBecause(
  process.geteuid?.() !== 0
    ? "needs root, to be another user as well"
    : isStandalone || !existsSync(addon)
      ? "code is kept by the package with its addon alone"
      : undefined,
);

/** Returns the output of `printenv` under sophia-run with this HOME. */
async function startWithCode(home: string): Promise<string> {
  const child = spawn(process.execPath, ["--", entry, "--no-contract", "--", "printenv", "HOME"], {
    cwd: folder(),
    env: { PATH: process.env["PATH"], HOME: home },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  await once(child, "close");
  return output;
}

/** A HOME with kept code in it. */
async function homeWithCode(): Promise<{ readonly home: string; readonly caches: string; readonly code: string }> {
  const home = folder();
  chmodSync(home, 0o755);
  const caches = join(home, ".cache");
  mkdirSync(caches, { mode: 0o755 });
  expect(await startWithCode(home)).toBe(`${home}\n`);
  const code = join(caches, "sophia-run");
  expect(readdirSync(code).length).toBeGreaterThan(0);
  return { home, caches, code };
}

/** Code that prints a sign in place of what a file of the bundle does: V8 compares the length of the source alone. */
function attackersCode(name: string): Buffer {
  const head = "(function(exports,require,__dirname,__filename,SOPHIA_RUN_LOADER){";
  const file = readFileSync(join(root, "dist", name.replace(/-v\d.*$/, "")), "latin1");
  const length = `${head}${file}\n})`.length;
  const body = `process._rawDebug(${JSON.stringify(SIGN)});require("node:fs").writeSync(1,${JSON.stringify(SIGN)});`;
  const script = new Script(`${head}${body}})`.padEnd(length), { filename: "code" });
  const code = script.createCachedData();
  const loaded: { checksum: (bytes: Uint8Array) => Uint8Array } = createRequire(import.meta.url)(addon);
  return Buffer.concat([loaded.checksum(code), code]);
}

/** Exchanges two folders until the test ends, as another user. */
async function exchangeRepeatedly(one: string, other: string): Promise<void> {
  const script = `
    const { renameSync } = require("node:fs");
    const [one, other] = process.argv.slice(1);
    console.log("begun");
    for (;;) {
      renameSync(one, one + ".aside"); renameSync(other, one); renameSync(one, other); renameSync(one + ".aside", one);
    }`;
  await startAttack(script, one, other);
}

test("no start runs the compiled code of another user who replaces the cache's folder", async () => {
  const { home, caches, code } = await homeWithCode();
  const evil = join(caches, "evil");
  mkdirSync(evil);
  for (const name of readdirSync(code)) writeFileSync(join(evil, name), attackersCode(name));
  for (const path of [caches, evil]) chownSync(path, ATTACKER, ATTACKER);
  await exchangeRepeatedly(code, evil);
  const outputs: string[] = [];
  for (let round = 0; round < 30; round += 1)
    outputs.push(...(await Promise.all([startWithCode(home), startWithCode(home)])));
  expect(outputs).toEqual(outputs.map(() => `${home}\n`));
}, 60_000);

test("a start does not read a file of another user in the cache's folder", async () => {
  const { home, code } = await homeWithCode();
  for (const name of readdirSync(code)) {
    writeFileSync(join(code, name), attackersCode(name));
    chownSync(join(code, name), ATTACKER, ATTACKER);
  }
  expect(await startWithCode(home)).toBe(`${home}\n`);
});

test("the exchanged compiled code would run if it belonged to root", async () => {
  const { home, code } = await homeWithCode();
  for (const name of readdirSync(code)) writeFileSync(join(code, name), attackersCode(name));
  expect(await startWithCode(home)).toContain(SIGN);
});

test.each([
  ["0777", false],
  ["1777", true],
])("compiled code is kept below a folder with mode %s: %s", async (mode, isKept) => {
  const home = folder();
  const above = join(home, "above");
  mkdirSync(join(above, ".cache"), { recursive: true });
  chmodSync(above, mode);
  expect(await startWithCode(above)).toBe(`${above}\n`);
  expect(existsSync(join(above, ".cache/sophia-run")) && readdirSync(join(above, ".cache/sophia-run")).length > 0).toBe(
    isKept,
  );
});

test("compiled code is not used if any user may replace a folder above it", async () => {
  const { home, code } = await homeWithCode();
  for (const name of readdirSync(code)) writeFileSync(join(code, name), attackersCode(name));
  chmodSync(home, 0o777);
  expect(await startWithCode(home)).toBe(`${home}\n`);
});
