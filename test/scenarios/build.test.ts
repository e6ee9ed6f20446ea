import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
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
  it("is made by the build, for this Node.js, with every function compiled, and V8 takes it", () => {
    const { dist, caches, run } = packageWithCache();
    expect(caches.map((name) => name.replace(/^(\w+).*-v/, "$1-v"))).toStrictEqual(
      ["dotenv", "esc", "program", "spawn"].map((name) => `${name}-${process.version}-${process.arch}.cache`),
    );
    const check = `const { Script } = require("node:vm"); const { readFileSync } = require("node:fs");
      const [name, cache] = process.argv.slice(1);
      const text = "(function(exports,require,__filename,__dirname){" + readFileSync(name, "utf8") + "\\n})";
      process.stdout.write(String(new Script(text, { cachedData: readFileSync(cache) }).cachedDataRejected));`;
    for (const cache of caches) {
      const script = cache.replace(/-[0-9a-f]{16}-v.*/, ".js");
      expect(execFileSync(process.execPath, ["-e", check, script, cache], { cwd: dist, encoding: "utf8" })).toBe(
        "false",
      );
      // With the functions compiled, not only their outline, which takes a fraction of the text.
      expect(statSync(join(dist, cache)).size).toBeGreaterThan(2 * statSync(join(dist, script)).size);
    }
    expect(run()).toBe(expected);
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

it.each(["bin/sophia-run.cjs", "bin/sophia-run"])("a checkout that is not built says so: %s", (entry) => {
  const path = copyOfPackage();
  rmSync(join(path, "dist"), { recursive: true });
  const args = ["--", join(path, entry), "--", "true"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect({ status, stdout, stderr }).toStrictEqual({
    status: 125,
    stdout: "",
    stderr: "sophia-run: this checkout is not built\n  run `npm ci` and `npm run build` in it\n",
  });
});

it("names the licence of everything in the bundle", () => {
  const check = spawnSync(process.execPath, [join(root, "scripts/notices.mjs"), "--check"], { encoding: "utf8" });
  expect(check.stderr).toBe("");
  expect(check.status).toBe(0);
});
