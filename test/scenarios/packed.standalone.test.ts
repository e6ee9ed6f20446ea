/**
 * The package with the executables for Linux, as `npm pack` and `npm run package` make it in a checkout that has built them, or
 * not.
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { expect, it, vi } from "vitest";
import { VERSION } from "../../src/commands/parts/package-source.ts";
import { cleanPath, installPackage, npmEnvironment } from "../helpers/pack.ts";
import { notLinux, skipBecause } from "../helpers/skip.ts";
import { copyPackage, folder } from "../helpers/sophia.ts";
import { executable, noExecutable } from "../helpers/executables.ts";

skipBecause(notLinux ?? noExecutable);
/** Each test builds, which takes a busy machine half a minute. */
vi.setConfig({ testTimeout: 180_000 });

const root = join(import.meta.dirname, "../..");
const X64 = "sophia-run-linux-x64";
const ARM64 = "sophia-run-linux-arm64";
const OWN = `sophia-run-linux-${process.arch}`;
const NOTICES = ["LICENSE", "EXECUTABLE-NOTICES.md", "THIRD-PARTY-NOTICES.md"];
const INPUTS = ["src", "native", "runtime", "scripts", "package.json", ...NOTICES];

/** A checkout with executables for both processors; that of the other has the bytes of this one's. */
function createCheckout(): string {
  const path = copyPackage();
  for (const name of INPUTS) cpSync(join(root, name), join(path, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(path, "node_modules"));
  for (const name of [X64, ARM64]) rmSync(join(path, "dist", name), { force: true });
  mkdirSync(join(path, "dist-standalone"));
  for (const name of [X64, ARM64]) cpSync(executable, join(path, "dist-standalone", name));
  return path;
}

function packCheckout(path: string) {
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

const buildCheckout = (path: string, ...options: string[]) =>
  spawnSync(process.execPath, [join(path, "scripts/build.mjs"), ...options], { encoding: "utf8" });

it("the package has both executables, with the permission to run them, their notices, and no script of an installation", () => {
  const path = createCheckout();
  const { modes, size, unpackedSize, stderr, tarball } = packCheckout(path);
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

it("a checkout without executables packs without them, and says so; a release refuses to", () => {
  const path = createCheckout();
  rmSync(join(path, "dist-standalone", OWN));
  // Of an earlier build.
  writeFileSync(join(path, "dist", OWN), "");
  const { modes, stderr } = packCheckout(path);
  expect(stderr).toContain(
    `the package is without dist/${OWN}, which is not built: npm run build:standalone -- linux-`,
  );
  expect([X64, ARM64].filter((name) => modes.has(`dist/${name}`))).toEqual([X64, ARM64].filter((name) => name !== OWN));
  const release = buildCheckout(path, "--release");
  expect(release.stderr).toContain(`the package is without dist/${OWN}`);
  expect(release.status).not.toBe(0);
});

it("a package does not get an executable of another version, nor, in a release, of another commit", () => {
  const path = createCheckout();
  expect(buildCheckout(path, "--if-changed", "--pack").stderr).toBe("");
  const manifest = join(path, "package.json");
  const text = readFileSync(manifest, "utf8");
  writeFileSync(manifest, text.replace(/"version": "[^"]*"/, '"version": "9.9.9"'));
  expect(buildCheckout(path, "--if-changed", "--pack").stderr).toContain(`dist/${OWN}, which is version `);
  expect(statSync(join(path, "dist", OWN), { throwIfNoEntry: false })).toBeUndefined();
  writeFileSync(manifest, text);
  expect(buildCheckout(path, "--if-changed", "--pack").stderr).toBe("");
  expect(statSync(join(path, "dist", OWN)).mode & 0o777).toBe(0o755);
  const user = ["-c", "user.name=x", "-c", "user.email=x@example.test"];
  execFileSync("git", ["init", "--quiet"], { cwd: path });
  execFileSync("git", [...user, "commit", "--quiet", "--allow-empty", "--message", "x"], { cwd: path });
  const release = buildCheckout(path, "--release");
  expect(release.stderr).toContain(`dist/${OWN}, which is of another commit: `);
  expect(release.status).not.toBe(0);
});

/** Runs `npm run package` as a user does who is in another folder. */
function makePackage(path: string, to: string, options: { readonly python?: true; readonly PATH?: string } = {}) {
  const { python, ...variables } = options;
  const words = ["--prefix", path, "--silent", "run", "package", "--", ...(python === true ? ["--python"] : []), "."];
  const env = { ...npmEnvironment(folder()), ...variables };
  return spawnSync("npm", words, { cwd: to, env, encoding: "utf8", timeout: 170_000 });
}

/** Notes that the executables of a checkout are those of its sources, which a build does. */
function recordExecutables(path: string): void {
  const module = JSON.stringify(join(path, "scripts/build/linux-executable.mjs"));
  const script = `import { recordExecutable } from ${module};
    for (const target of ["linux-x64", "linux-arm64"]) recordExecutable(${JSON.stringify(path)}, target);`;
  execFileSync(process.execPath, ["--input-type=module", "--eval", script]);
}

const TARBALL = `sophia-run-${VERSION}.tgz`;

it("npm run package puts the whole package into a folder, and link then lets scripts start its executable", async () => {
  const path = createCheckout();
  cpSync(join(root, "package-lock.json"), join(path, "package-lock.json"));
  recordExecutables(path);
  const app = folder({ "package.json": '{ "private": true }' });
  const made = makePackage(path, app);
  expect(made).toMatchObject({ status: 0, stderr: "" });
  expect(made.stdout).toMatch(/^sophia-run-[\d.]+\.tgz: \d\.\d MB, with linux-x64 and linux-arm64\n/);
  expect(made.stdout).toContain(`\n  npm install ./${TARBALL}\n`);
  await installPackage(`./${TARBALL}`, app, folder());
  const bin = join(app, "node_modules/.bin/sophia-run");
  const env = { PATH: cleanPath };
  expect(spawnSync(bin, ["link"], { cwd: app, env, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  expect(execFileSync(bin, ["--version"], { env, encoding: "utf8" })).toContain("(executable of the npm package, ");

  const wheels = folder();
  const packed = makePackage(path, wheels, { python: true });
  expect(packed).toMatchObject({ status: 0, stderr: "" });
  expect(readdirSync(wheels)).toHaveLength(2);
  expect(readdirSync(wheels).every((name) => packed.stdout.includes(name))).toBe(true);
});

it("npm run package leaves out what cannot be built, with the reason in one line; link then says that, and does nothing", async () => {
  const path = createCheckout();
  cpSync(join(root, "package-lock.json"), join(path, "package-lock.json"));
  // Executables of other sources, and neither compiler nor cargo nor pip.
  const PATH = folder();
  for (const name of ["sh", "env", "git"]) symlinkSync(pathOf(name), join(PATH, name));
  for (const name of ["node", "npm"]) symlinkSync(pathOf(name), join(PATH, name));
  const app = folder({ "package.json": '{ "private": true }' });
  const made = makePackage(path, app, { PATH });
  expect(made.status, made.stderr).toBe(0);
  for (const target of ["linux-x64", "linux-arm64"]) {
    expect(made.stderr).toMatch(
      new RegExp(`^left out: the executable for ${target}: there is no python3 with pip, .*$`, "m"),
    );
  }
  expect(made.stderr).not.toMatch(/^ +at /m);
  expect(made.stdout).toMatch(
    /^sophia-run-[\d.]+\.tgz: \d\.\d MB, without an executable, so that Node\.js starts it\n/,
  );
  await installPackage(`./${TARBALL}`, app, folder());
  const bin = join(app, "node_modules/.bin/sophia-run");
  const linked = spawnSync(bin, ["link"], { cwd: app, env: { PATH: cleanPath }, encoding: "utf8" });
  expect(linked).toMatchObject({
    status: 0,
    stdout: "",
    stderr: `sophia-run: this package has no executable for ${process.arch}: Node.js starts it\n`,
  });

  const wheels = makePackage(path, folder(), { python: true, PATH });
  expect(wheels).toMatchObject({ status: 1, stdout: "" });
  expect(wheels.stderr).toMatch(/\na wheel is an executable, and none can be built\n {2}see above; .*\n$/);
});

it("npm run package refuses a folder that does not exist, and other words, with a remedy", () => {
  const path = createCheckout();
  cpSync(join(root, "package-lock.json"), join(path, "package-lock.json"));
  const run = (...words: readonly string[]) =>
    spawnSync(process.execPath, [join(path, "scripts/package.mjs"), ...words], { cwd: path, encoding: "utf8" });
  expect(run(join(path, "my app"))).toMatchObject({
    status: 1,
    stderr: `there is no folder ${path}/my app\n  mkdir -p '${path}/my app'\n`,
  });
  for (const words of [[], ["--all", path], [path, path]]) {
    expect(run(...words)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^usage: npm run package -- .*\n$/),
    });
  }
});

it.each(["cargo", "git"])("a build of the executable without %s fails with one line that says so", (missing) => {
  const path = createCheckout();
  mkdirSync(join(path, ".cache"));
  const parts = ["zig", ...(missing === "git" ? ["crates"] : [])].map((name) => join(root, ".cache", name));
  if (parts.some((part) => !existsSync(part))) throw new Error("a build has left these parts");
  for (const part of parts) symlinkSync(part, join(path, ".cache", basename(part)));
  const PATH = folder();
  const names = ["sh", "env", "node", "cc", "gcc", "as", "ld", "git", "cargo"].filter((name) => name !== missing);
  for (const name of names) symlinkSync(pathOf(name), join(PATH, name));
  const built = spawnSync(process.execPath, [join(path, "scripts/standalone.mjs")], {
    env: { PATH },
    encoding: "utf8",
  });
  expect(built).toMatchObject({ status: 1, stdout: "" });
  const rest = built.stderr.split("\n").filter((line) => !/^(?:building )?linux-/.test(line));
  expect(rest).toEqual([expect.stringMatching(new RegExp(`^there is no ${missing}, which .*: install .*$`)), ""]);
});

/** The path of a command of this machine. */
function pathOf(name: string): string {
  if (name === "node") return process.execPath;
  return execFileSync("sh", ["-c", 'command -v "$1"', "sh", name], { encoding: "utf8" }).trim();
}
