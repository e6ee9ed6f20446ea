import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { missingCommand } from "../helpers/skip.ts";
import { copyPackage, folder } from "../helpers/sophia.ts";

const root = join(import.meta.dirname, "../..");

/** For x64 and arm64, on either of them. */
const COMPILERS = ["cc", process.arch === "x64" ? "aarch64-linux-gnu-gcc" : "x86_64-linux-gnu-gcc"];

/** Runs a module of JavaScript, which has a function of `scripts/build/` as `subject`. Returns what it prints. */
function printedBy(file: string, name: string, script: string): string {
  const imported = `import { ${name} as subject } from ${JSON.stringify(join(root, "scripts/build", file))};\n`;
  return execFileSync(process.execPath, ["--input-type=module", "-e", imported + script], { encoding: "utf8" });
}

it("a checkout that is not built fails with the command that builds it", () => {
  const path = copyPackage();
  for (const name of ["dist", "bin/sophia-run.cjs"]) rmSync(join(path, name), { recursive: true });
  const args = [join(path, "bin/sophia-run"), "--", "true"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect({ status, stdout, stderr }).toStrictEqual({
    status: 125,
    stdout: "",
    stderr: expect.stringContaining("npm run build"),
  });
});

/** A checkout that is built. */
function createCheckout(): string {
  const path = copyPackage();
  for (const name of ["src", "native", "runtime", "scripts", "package.json"])
    cpSync(join(root, name), join(path, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(path, "node_modules"));
  return path;
}

it("a build is repeated only if its inputs have changed or one of its files is missing", ({ skip }) => {
  // Without a compiler a build is never complete.
  const noCompiler = missingCommand("cc");
  skip(noCompiler !== undefined, noCompiler);
  const path = createCheckout();
  const command = join(path, "bin/sophia-run.cjs");
  // A file that is replaced has another inode.
  const build = (): number => {
    const { status } = spawnSync(process.execPath, [join(path, "scripts/build.mjs"), "--if-changed"]);
    expect(status).toBe(0);
    return statSync(command).ino;
  };
  const first = statSync(command).ino;
  expect(build()).toBe(first);
  appendFileSync(join(path, "src/core/text.ts"), "// changed\n");
  const second = build();
  expect(second).not.toBe(first);
  expect(build()).toBe(second);
  rmSync(command);
  build();
  // The copy is in no repository.
  const { stdout } = spawnSync(process.execPath, [command, "--version"], { encoding: "utf8" });
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\S* \(npm package, built outside git\)\n$/);
});

it("addons are compiled only if their sources have changed, or one is not what was compiled", ({ skip }) => {
  const reason = missingCommand(...COMPILERS);
  skip(reason !== undefined, reason);
  const path = createCheckout();
  const names = readdirSync(join(path, "dist")).filter((name) => /\.node$|-monitor$/.test(name));
  const addons = (): readonly string[] => names.map((name) => readFileSync(join(path, "dist", name), "latin1"));
  const built = addons();
  const compilers = folder(Object.fromEntries(COMPILERS.map((name) => [name, "#!/bin/sh\nexit 1\n"])));
  for (const name of COMPILERS) chmodSync(join(compilers, name), 0o755);
  const build = (env = process.env): string => {
    const { status, stderr } = spawnSync(process.execPath, [join(path, "scripts/build.mjs")], {
      env,
      encoding: "utf8",
    });
    expect(status, stderr).toBe(0);
    return stderr;
  };
  const withoutCompiling = { ...process.env, PATH: `${compilers}:${process.env["PATH"]}` };
  appendFileSync(join(path, "src/core/text.ts"), "// changed\n");
  expect([build(withoutCompiling), addons()]).toEqual(["", built]);
  appendFileSync(join(path, "dist", names[0] ?? ""), "damaged");
  expect([build(), addons()]).toEqual(["", built]);
  appendFileSync(join(path, "native/system.c"), "// changed\n");
  expect(build(withoutCompiling)).toContain("built without the addon");
});

it("a build has the commit of its own repository, and is marked as changed if its sources are", () => {
  const path = folder({ "package.json": "{}", "README.md": "" });
  const commit = (below = path): string =>
    printedBy("commit.mjs", "builtCommit", `process.stdout.write(subject(${JSON.stringify(below)}))`);
  expect(commit()).toBe("");
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-c", "user.name=x", "-c", "user.email=x@example.test", ...args], {
      cwd: path,
      env: { PATH: process.env["PATH"], HOME: path },
      encoding: "utf8",
    }).trim();
  git("init", "--quiet");
  expect(commit()).toBe("");
  git("add", ".");
  git("commit", "--quiet", "--message", "x");
  const head = git("rev-parse", "HEAD").slice(0, 12);
  expect(commit()).toBe(head);
  writeFileSync(join(path, "README.md"), "not a source");
  expect(commit()).toBe(head);
  mkdirSync(join(path, "src/below"), { recursive: true });
  writeFileSync(join(path, "src/new.ts"), "");
  expect(commit()).toBe(`${head}+`);
  expect(commit(join(path, "src/below"))).toBe("");
});

it("a long build says how long each target took last time, and what it does", () => {
  const file = join(folder(), "below/seconds.json");
  const script = `
    import { writeFileSync } from "node:fs";
    const file = ${JSON.stringify(file)};
    let ms = 0;
    const built = (...names) => subject(file, names, console.log, () => ms);
    const { step, end } = built("linux-x64").start("linux-x64");
    step("compiling");
    ms = 161_400;
    end();
    built("linux-x64", "linux-arm64");
    writeFileSync(file, "damaged");
    built("linux-x64");`;
  const lines = printedBy("progress.mjs", "buildProgress", script).trimEnd().split("\n");
  expect(lines).toEqual([
    "building linux-x64 (not built here before)",
    "linux-x64, 0 s: compiling",
    "linux-x64, 2 min 41 s: done",
    "building linux-x64 (2 min 41 s last time), linux-arm64 (not built here before)",
    "building linux-x64 (not built here before)",
  ]);
});

it("a Node.js that is too old is an error without a stack trace", () => {
  const older = join(folder({ "older.cjs": "delete process.getBuiltinModule;" }), "older.cjs");
  const args = ["--require", older, join(root, "bin/sophia-run.cjs"), "--", "true"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect({ status, stdout, stderr }).toStrictEqual({
    status: 125,
    stdout: "",
    stderr: expect.stringMatching(/^sophia-run: Node\.js v\S+ [^\n]*\n[^\n]*20\.19[^\n]*\n$/),
  });
});

it("the notices name the licence of each package in the bundle", () => {
  const check = spawnSync(process.execPath, [join(root, "scripts/notices.mjs"), "--check"], { encoding: "utf8" });
  expect(check.stderr).toBe("");
  expect(check.status).toBe(0);
});
