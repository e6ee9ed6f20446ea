/** The package with the executables for Linux, as `npm pack` makes it in a checkout that has built them, or not. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { npmEnvironment } from "../helpers/pack.ts";
import { notLinux, skipBecause } from "../helpers/skip.ts";
import { copyOfPackage, folder } from "../helpers/sophia.ts";
import { executable, notMade } from "../helpers/standalone.ts";

skipBecause(notLinux ?? notMade);
/** Each test builds, which takes a busy machine half a minute. */
vi.setConfig({ testTimeout: 180_000 });

const root = join(import.meta.dirname, "../..");
const X64 = "sophia-run-linux-x64";
const ARM64 = "sophia-run-linux-arm64";
const OWN = `sophia-run-linux-${process.arch}`;
const INPUTS = ["src", "native", "runtime", "scripts", "package.json", "EXECUTABLE-NOTICES.md"];

/** A checkout with executables for both processors; that of the other has the bytes of this one's. */
function checkout(): string {
  const path = copyOfPackage();
  for (const name of INPUTS) cpSync(join(root, name), join(path, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(path, "node_modules"));
  for (const name of [X64, ARM64]) rmSync(join(path, "dist", name), { force: true });
  mkdirSync(join(path, "dist-standalone"));
  for (const name of [X64, ARM64]) cpSync(executable, join(path, "dist-standalone", name));
  return path;
}

function pack(path: string) {
  const env = npmEnvironment(folder());
  const { status, stdout, stderr } = spawnSync("npm", ["pack", "--json"], { cwd: path, env, encoding: "utf8" });
  expect(status, stderr).toBe(0);
  const list: unknown = JSON.parse(stdout.slice(stdout.indexOf("[\n")));
  const { filename, size, unpackedSize }: Readonly<Record<string, unknown>> = Object(Object(list)[0]);
  const tarball = join(path, String(filename));
  const lines = execFileSync("tar", ["-tvzf", tarball], { encoding: "utf8" }).trim().split("\n");
  const modes = new Map(lines.map((line) => [line.replace(/^.* package\//, ""), line.slice(0, 10)]));
  return { stderr: stderr + stdout, modes, size, unpackedSize, tarball };
}

const build = (path: string, ...options: string[]) =>
  spawnSync(process.execPath, [join(path, "scripts/build.mjs"), ...options], { encoding: "utf8" });

it("the package has both executables, which may be started, with their notices, and no script of an installation", () => {
  const path = checkout();
  const { modes, size, unpackedSize, stderr, tarball } = pack(path);
  expect(stderr).not.toContain("the package is without");
  for (const name of [X64, ARM64]) expect(modes.get(`dist/${name}`)).toBe("-rwxr-xr-x");
  expect(modes.has("EXECUTABLE-NOTICES.md")).toBe(true);
  expect(size).toBeLessThanOrEqual(6_000_000);
  expect(unpackedSize).toBeLessThanOrEqual(12_000_000);
  const text = execFileSync("tar", ["-xzOf", tarball, "package/package.json"], { encoding: "utf8" });
  const manifest: unknown = JSON.parse(text);
  expect(manifest).toMatchObject({ bin: { "sophia-run": "bin/sophia-run.cjs" } });
  for (const name of ["os", "cpu", "libc", "dependencies", "optionalDependencies"]) {
    expect(manifest).not.toHaveProperty(name);
  }
  const to = folder();
  execFileSync("tar", ["-xzf", tarball, "-C", to]);
  const [packaged, started] = [
    [process.execPath, join(to, "package/bin/sophia-run.cjs")],
    [join(to, "package/dist", OWN)],
  ].map(([file = "", ...args]) => execFileSync(file, [...args, "--version"], { encoding: "utf8" }).split(" ")[0]);
  expect(started).toBe(packaged);
});

it("a checkout without executables packs without them, and says so; a release does not", () => {
  const path = checkout();
  rmSync(join(path, "dist-standalone", OWN));
  // Of an earlier build.
  writeFileSync(join(path, "dist", OWN), "");
  const { modes, stderr } = pack(path);
  expect(stderr).toContain(
    `the package is without dist/${OWN}, which is not built: npm run build:standalone -- linux-`,
  );
  expect([X64, ARM64].filter((name) => modes.has(`dist/${name}`))).toEqual([X64, ARM64].filter((name) => name !== OWN));
  const release = build(path, "--release");
  expect(release.stderr).toContain(`the package is without dist/${OWN}`);
  expect(release.status).not.toBe(0);
});

it("an executable of another version, or in a release of another commit, is not packed", () => {
  const path = checkout();
  expect(build(path, "--if-changed", "--pack").stderr).toBe("");
  const manifest = join(path, "package.json");
  const text = readFileSync(manifest, "utf8");
  writeFileSync(manifest, text.replace(/"version": "[^"]*"/, '"version": "9.9.9"'));
  expect(build(path, "--if-changed", "--pack").stderr).toContain(`dist/${OWN}, which is version `);
  expect(statSync(join(path, "dist", OWN), { throwIfNoEntry: false })).toBeUndefined();
  writeFileSync(manifest, text);
  expect(build(path, "--if-changed", "--pack").stderr).toBe("");
  expect(statSync(join(path, "dist", OWN)).mode & 0o777).toBe(0o755);
  const user = ["-c", "user.name=x", "-c", "user.email=x@example.test"];
  execFileSync("git", ["init", "--quiet"], { cwd: path });
  execFileSync("git", [...user, "commit", "--quiet", "--allow-empty", "--message", "x"], { cwd: path });
  const release = build(path, "--release");
  expect(release.stderr).toContain(`dist/${OWN}, which is of another commit: `);
  expect(release.status).not.toBe(0);
});
