import { spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Addon } from "../../native/system.ts";
import { skipBecause } from "../helpers/skip.ts";
import { addon, CONTRACT_VALUES, folder, isStandalone } from "../helpers/sophia.ts";

const entry = join(import.meta.dirname, "../../bin/sophia-run.cjs");
const GOOD = { status: 0, stdout: `${CONTRACT_VALUES.QDRANT_URL}\n`, stderr: "" };
const isRoot = process.geteuid?.() === 0;

skipBecause(isStandalone || !existsSync(addon) ? "code is kept by the package with its addon alone" : undefined);

/** Returns the output of a start that runs `printenv`. */
function runStart(env: Readonly<Record<string, string>>, ...options: readonly string[]) {
  const args = ["--", entry, ...options, "--", "printenv", env["SHOWN"] ?? "QDRANT_URL"];
  const child = spawn(process.execPath, args, {
    cwd: env["PWD"] ?? folder(),
    env: { PATH: process.env["PATH"], ...CONTRACT_VALUES, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => (output[name] += text));
  }
  return new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, ...output }));
  });
}

/** A home with a folder for caches, as users have one. */
function homeWithCaches(): string {
  const home = folder();
  mkdirSync(join(home, ".cache"), { mode: 0o700 });
  return home;
}

/** The files of kept code below a home, by their names. */
function keptIn(home: string): readonly string[] {
  const path = join(home, ".cache/sophia-run");
  return existsSync(path) ? readdirSync(path).toSorted() : [];
}

/** The addon in this process, which reads as a start does. */
function loadedAddon(): Addon {
  const module: { exports: unknown } = { exports: {} };
  process.dlopen(module, addon);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- native/system.c defines these
  return module.exports as Addon;
}

const pathOf = (home: string, name: string): string => join(home, ".cache/sophia-run", name);

describe("the code that V8 has compiled", () => {
  test.each(["exec", "spawn"])("is kept by a start (%s) for its user alone, and used by the next", async (mode) => {
    const home = homeWithCaches();
    expect(await runStart({ HOME: home }, "--mode", mode)).toStrictEqual(GOOD);
    const names = keptIn(home);
    expect(names.map((name) => name.replace(/-.*/, ""))).toEqual(
      expect.arrayContaining(mode === "spawn" ? ["built", "program", "monitor"] : ["built", "program"]),
    );
    for (const name of names) {
      expect(statSync(pathOf(home, name)).mode & 0o777).toBe(0o600);
      expect(name.endsWith(`-${process.version}-${process.arch}`)).toBe(true);
      const text = readFileSync(pathOf(home, name), "latin1");
      for (const value of Object.values(CONTRACT_VALUES)) expect(text).not.toContain(value);
    }
    for (const path of [".cache", ".cache/sophia-run"]) expect(statSync(join(home, path)).mode & 0o777).toBe(0o700);
    const before = names.map((name) => statSync(pathOf(home, name), { bigint: true }).mtimeNs);
    expect(await runStart({ HOME: home }, "--mode", mode)).toStrictEqual(GOOD);
    expect(keptIn(home)).toEqual(names);
    expect(names.map((name) => statSync(pathOf(home, name), { bigint: true }).mtimeNs)).toEqual(before);
  });

  test("is kept in XDG_CACHE_HOME if that is an absolute path", async () => {
    const [home, caches] = [homeWithCaches(), folder()];
    await runStart({ HOME: home, XDG_CACHE_HOME: caches });
    expect(keptIn(home)).toEqual([]);
    expect(readdirSync(join(caches, "sophia-run")).length).toBeGreaterThan(0);
    await runStart({ HOME: home, XDG_CACHE_HOME: "caches" });
    expect(keptIn(home).length).toBeGreaterThan(0);
  });

  test("is not used after any of 500 bits has changed", async () => {
    const home = homeWithCaches();
    await runStart({ HOME: home });
    const [path, name = ""] = [join(home, ".cache/sophia-run"), keptIn(home).find((one) => one.startsWith("program-"))];
    const intact = readFileSync(pathOf(home, name));
    const { readOwn } = loadedAddon();
    expect(intact.subarray(8).equals(readOwn(path, name) ?? Buffer.alloc(0))).toBe(true);
    const file = openSync(pathOf(home, name), "r+");
    const believed = Array.from({ length: 500 }, (_, index) => {
      const byteOffset = Math.floor((index * intact.length) / 500);
      writeSync(file, Uint8Array.of((intact[byteOffset] ?? 0) ^ (1 << (index % 8))), 0, 1, byteOffset);
      const read = readOwn(path, name);
      writeSync(file, intact, byteOffset, 1, byteOffset);
      return read;
    });
    closeSync(file);
    expect(readOwn(path, name)).toBeDefined();
    expect(believed.filter((code) => code !== undefined)).toEqual([]);
  });

  test("is compiled again after any of 16 bits has changed", async () => {
    const home = homeWithCaches();
    await runStart({ HOME: home });
    const name = keptIn(home).find((one) => one.startsWith("program-")) ?? "";
    const intact = readFileSync(pathOf(home, name));
    for (let index = 0; index < 16; index += 1) {
      const spoilt = Buffer.from(intact);
      const byteOffset = Math.floor((index * intact.length) / 16);
      spoilt[byteOffset] = (spoilt[byteOffset] ?? 0) ^ (1 << (index % 8));
      writeFileSync(pathOf(home, name), spoilt);
      expect(await runStart({ HOME: home }), `bit ${index}`).toStrictEqual(GOOD);
      expect(readFileSync(pathOf(home, name)).equals(spoilt), `bit ${index}`).toBe(false);
    }
  });

  test.each([
    ["empty", () => Buffer.alloc(0)],
    ["cut", (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ["no code at all", () => Buffer.from("#!/bin/sh\n")],
    ["far too large", (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(8_000_000)])],
  ])("is ignored if it is %s", async (_, spoil) => {
    const home = homeWithCaches();
    await runStart({ HOME: home });
    const names = keptIn(home);
    expect(names.length).toBeGreaterThan(1);
    for (const name of names) writeFileSync(pathOf(home, name), spoil(readFileSync(pathOf(home, name))));
    expect(await runStart({ HOME: home })).toStrictEqual(GOOD);
  });

  test("is deleted after a season without use", async () => {
    const home = homeWithCaches();
    await runStart({ HOME: home });
    // The files of `--cache` in the folder are kept.
    const names = [
      "program-B1b2C3d4.cjs-v18.20.4-x64",
      "read-x.cjs-v26.0.0-nightly1-arm64.4711",
      "esc-0123456789abcdef",
    ];
    const paths = names.map((name) => pathOf(home, name));
    for (const path of paths) {
      writeFileSync(path, "x");
      utimesSync(path, new Date(0), new Date(0));
    }
    await runStart({ HOME: home }, "--mode", "spawn");
    expect(paths.map((path) => existsSync(path))).toEqual([false, false, true]);
  });
});

describe("no code is kept, without a message,", () => {
  test.each<[string, (home: string) => Readonly<Record<string, string>>]>([
    ["without a HOME", () => ({})],
    ["where the HOME does not exist", (home) => ({ HOME: join(home, "none") })],
    ["where the HOME is no absolute path", () => ({ HOME: "home" })],
    ["where the HOME is no folder", () => ({ HOME: "/dev/null" })],
    ["in the working directory", (home) => ({ XDG_CACHE_HOME: home, PWD: home })],
    ["where NODE_DISABLE_COMPILE_CACHE says so", (home) => ({ HOME: home, NODE_DISABLE_COMPILE_CACHE: "1" })],
  ])("%s", async (_, env) => {
    const home = homeWithCaches();
    expect(await runStart(env(home))).toStrictEqual(GOOD);
    expect(readdirSync(home, { recursive: true })).toEqual([".cache"]);
  });

  test("if there is no folder for caches, and none is made", async () => {
    const home = folder();
    expect(await runStart({ HOME: home })).toStrictEqual(GOOD);
    expect(readdirSync(home)).toEqual([]);
  });

  test("if its folder is a link, a file, or writable by others", async () => {
    const [linked, filed, open] = [folder(), folder(), folder()];
    for (const home of [linked, filed, open]) mkdirSync(join(home, ".cache"));
    const elsewhere = folder();
    symlinkSync(elsewhere, join(linked, ".cache/sophia-run"));
    writeFileSync(join(filed, ".cache/sophia-run"), "");
    mkdirSync(join(open, ".cache/sophia-run"));
    chmodSync(join(open, ".cache/sophia-run"), 0o777);
    for (const home of [linked, filed, open]) expect(await runStart({ HOME: home })).toStrictEqual(GOOD);
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(lstatSync(join(filed, ".cache/sophia-run")).size).toBe(0);
    expect(keptIn(open)).toEqual([]);
  });

  test("if the HOME is another user's, whose code root does not run either", async ({ skip }) => {
    skip(!isRoot, "needs root");
    const home = homeWithCaches();
    for (const path of ["", ".cache"]) chownSync(join(home, path), 1000, 1000);
    expect(await runStart({ HOME: home })).toStrictEqual(GOOD);
    expect(keptIn(home)).toEqual([]);
    const otherHome = homeWithCaches();
    await runStart({ HOME: otherHome });
    for (const path of ["", ".cache", ".cache/sophia-run"]) chownSync(join(otherHome, path), 1000, 1000);
    const [name = ""] = keptIn(otherHome);
    writeFileSync(pathOf(otherHome, name), "spoilt");
    expect(await runStart({ HOME: otherHome })).toStrictEqual(GOOD);
    expect(readFileSync(pathOf(otherHome, name), "latin1")).toBe("spoilt");
  });
});

test("NODE_COMPILE_CACHE reaches the program unchanged", async () => {
  const env = { HOME: folder(), NODE_COMPILE_CACHE: "/somewhere/else", SHOWN: "NODE_COMPILE_CACHE" };
  expect(await runStart(env)).toStrictEqual({ ...GOOD, stdout: "/somewhere/else\n" });
});
