import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CONTRACT_VALUES, copyOfPackage, folder } from "../helpers/sophia.ts";

const root = join(import.meta.dirname, "../..");

/** A copy whose code cache a test may change. */
function packageWithCache(): { readonly dist: string; readonly caches: readonly string[]; readonly run: () => string } {
  const path = copyOfPackage();
  const dist = join(path, "dist");
  const cwd = folder();
  return {
    dist,
    caches: readdirSync(dist).filter((name) => name.endsWith(".cache")),
    run: () => {
      const args = [join(path, "bin/sophia-run.cjs"), "--", "printenv", "QDRANT_URL"];
      const env = { PATH: process.env["PATH"], ...CONTRACT_VALUES };
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, env, encoding: "utf8" });
      return `${status} ${stdout}${stderr}`;
    },
  };
}

const expected = `0 ${CONTRACT_VALUES.QDRANT_URL}\n`;

describe("the code cache", () => {
  it("is made by the build, for this Node.js, and V8 takes it", () => {
    const { dist, caches, run } = packageWithCache();
    expect(caches.map((name) => name.replace(/-[0-9a-f]{16}-/, "-HASH-"))).toStrictEqual([
      `esc-HASH-${process.version}-${process.arch}.cache`,
      `program-HASH-${process.version}-${process.arch}.cache`,
    ]);
    const program = caches.find((name) => name.startsWith("program-")) ?? "";
    const check = `const { Script } = require("node:vm"); const { readFileSync } = require("node:fs");
      const script = new Script(readFileSync("program.js", "latin1"), { cachedData: readFileSync(process.argv[1]) });
      process.stdout.write(String(script.cachedDataRejected));`;
    expect(execFileSync(process.execPath, ["-e", check, program], { cwd: dist, encoding: "utf8" })).toBe("false");
    expect(run()).toBe(expected);
  });

  it("holds what a start needs, also when the installer hands on a descriptor of its own", () => {
    const { dist, caches } = packageWithCache();
    execFileSync("rm", caches, { cwd: dist });
    const descriptor = openSync("/dev/null", "r");
    spawnSync(process.execPath, [join(dist, "precompile.js")], { stdio: ["ignore", "inherit", "inherit", descriptor] });
    closeSync(descriptor);
    // V8 makes a cache of all that is compiled: where a run has to compile something, it grows.
    const start = `const { Script } = require("node:vm"); const { readFileSync, writeFileSync } = require("node:fs");
      const [result, cache] = process.argv.splice(2, 2);
      const script = new Script(readFileSync("program.js", "latin1"), { cachedData: readFileSync(cache) });
      const before = script.createCachedData().length;
      const exit = process.exit.bind(process);
      const end = () => {
        writeFileSync(result, JSON.stringify([script.cachedDataRejected, script.createCachedData().length - before]));
        exit();
      };
      const load = process.dlopen.bind(process);
      const dlopen = (module, file) => {
        load(module, file);
        module.exports = Object.create(module.exports, { execve: { value: end } });
      };
      Object.assign(process, { exit: end, dlopen, ...("execve" in process && { execve: end }) });
      script.runInThisContext()(require, () => {}, ".");`;
    const cache = readdirSync(dist).find((name) => name.startsWith("program-")) ?? "";
    const aside = folder();
    const result = join(aside, "result");
    writeFileSync(join(aside, "start.cjs"), start);
    spawnSync(process.execPath, [join(aside, "start.cjs"), result, cache, "--", "true"], {
      cwd: dist,
      stdio: ["ignore", "inherit", "inherit"],
      env: { PATH: process.env["PATH"], ...CONTRACT_VALUES },
    });
    const [rejected, growth] = JSON.parse(readFileSync(result, "utf8"));
    expect(rejected).toBe(false);
    // Where this process has further descriptors to hand on, a start needs some functions more.
    expect(growth).toBeLessThan(6000);
  });

  it.each([
    ["empty", () => ""],
    ["cut", (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ["of another version", (bytes: Buffer) => Buffer.concat([Buffer.alloc(16), bytes.subarray(16)])],
    ["no cache at all", () => "#!/bin/sh\n"],
  ])("does no harm when it is %s", (_, spoil) => {
    const { dist, caches, run } = packageWithCache();
    for (const name of caches) writeFileSync(join(dist, name), spoil(readFileSync(join(dist, name))));
    expect(run()).toBe(expected);
  });

  it("is not needed, and not made by a run", () => {
    const { dist, caches, run } = packageWithCache();
    for (const name of caches) writeFileSync(join(dist, name.replace(/-[0-9a-f]{16}-/, "-0000000000000000-")), "x");
    execFileSync("rm", caches, { cwd: dist });
    const before = readdirSync(dist);
    expect(run()).toBe(expected);
    expect(readdirSync(dist)).toStrictEqual(before);
  });
});

it("names the licence of everything in the bundle", () => {
  const check = spawnSync(process.execPath, [join(root, "scripts/notices.mjs"), "--check"], { encoding: "utf8" });
  expect(check.stderr).toBe("");
  expect(check.status).toBe(0);
});
