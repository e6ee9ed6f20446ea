/** What the README's commands do before anything else, scripts/install.mjs: with the real npm, in a real clone. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cleanPath } from "../helpers/pack.ts";
import { notInstalled, notLinux, skipBecause } from "../helpers/skip.ts";
import { folder, isStandalone } from "../helpers/sophia.ts";
import { type ProcessResult, startProcess } from "../helpers/start-process.ts";

skipBecause((isStandalone ? "no executable takes part" : undefined) ?? notLinux ?? notInstalled("git", "--version"));

const root = join(import.meta.dirname, "../..");

/** npm's own settings and cache: packages come from where this checkout has them. */
const env: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || /^(?:npm_|NODE_OPTIONS$|VITEST)/i.test(name) ? [] : [[name, value]],
    ),
  ),
  PATH: cleanPath,
  npm_config_prefer_offline: "true",
};

function installPackage(cwd: string, more: Readonly<Record<string, string>> = {}): Promise<ProcessResult> {
  return startProcess([process.execPath, join(cwd, "scripts/install.mjs")], { cwd: "/", env: { ...env, ...more } })
    .finished;
}

test(
  "a command in a fresh clone runs npm ci with progress, and runs it again only if the lock file has changed since",
  { timeout: 300_000 },
  async () => {
    const checkout = join(folder(), "checkout");
    execFileSync(join(root, "scripts/platforms/clone.sh"), [checkout]);
    const locked = join(checkout, "node_modules/.package-lock.json");
    const changeLock = (path: string, version: string): void => {
      const lock: { readonly packages: Record<string, object> } = JSON.parse(readFileSync(locked, "utf8"));
      lock.packages[path] = { ...lock.packages[path], version };
      writeFileSync(locked, JSON.stringify(lock));
    };
    expect(existsSync(join(checkout, "node_modules"))).toBe(false);
    const first = await installPackage(checkout);
    expect(first.status, first.stderr).toBe(0);
    expect(first.stderr).toMatch(/^npm ci: installing the \d+ packages of package-lock\.json, /);
    expect(first.stderr).toMatch(/^added \d+ packages/m);
    expect(existsSync(join(checkout, "node_modules/.bin/vitest"))).toBe(true);
    const silent = { status: 0, stdout: "", stderr: "" };
    expect(await installPackage(checkout)).toMatchObject(silent);
    // Of a further package of the user's own nothing is said.
    changeLock("node_modules/of-the-user", "1.0.0");
    expect(await installPackage(checkout)).toMatchObject(silent);

    // As after a `git pull` that has changed a version.
    changeLock("node_modules/dotenv", "0.0.1");
    const second = await installPackage(checkout);
    expect(second).toMatchObject({ status: 0, stderr: expect.stringMatching(/^npm ci: [^]*^added \d+ packages/m) });
    expect(await installPackage(checkout)).toMatchObject(silent);
  },
);

test("an installation that fails is reported without a stack, and ends with 1", async () => {
  const cwd = folder({
    "package.json":
      '{ "name": "n", "version": "1.0.0", "engines": { "node": ">=20" }, "dependencies": { "left": "1.0.0" } }',
    "package-lock.json": "",
  });
  const left = { version: "1.0.0", resolved: "http://127.0.0.1:1/left-1.0.0.tgz", integrity: "sha512-AAAA" };
  const packages = { "": { name: "n", version: "1.0.0", dependencies: { left: "1.0.0" } }, "node_modules/left": left };
  writeFileSync(join(cwd, "package-lock.json"), JSON.stringify({ name: "n", lockfileVersion: 3, packages }));
  mkdirSync(join(cwd, "scripts"));
  writeFileSync(join(cwd, "scripts/install.mjs"), readFileSync(join(root, "scripts/install.mjs")));
  const failed = await installPackage(cwd, { npm_config_fetch_retries: "0", HOME: folder() });
  expect(failed.status).toBe(1);
  expect(failed.stderr).toMatch(
    /\nsophia-run: npm ci failed\n {2}see its message above, then run the command again\n$/,
  );
  expect(failed.stderr).not.toMatch(/^ +at /m);
});

test("an installation does not delete what a link leads to", async () => {
  const [cwd, kept] = [folder(), folder({ kept: "" })];
  mkdirSync(join(cwd, "scripts"));
  for (const name of ["package.json", "package-lock.json", "scripts/install.mjs"]) {
    writeFileSync(join(cwd, name), readFileSync(join(root, name)));
  }
  symlinkSync(kept, join(cwd, "node_modules"));
  expect(await installPackage(cwd)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^sophia-run: node_modules is a symbolic link .*\n {2}remove the link, .*\n$/),
  });
  expect(existsSync(join(kept, "kept"))).toBe(true);
});

test.each([
  ["18.20.8", false],
  ["20.18.3", false],
  ["20.19.0", true],
  ["21.7.3", false],
  ["22.12.0", true],
  ["23.11.1", false],
  ["24.0.0", true],
  ["26.1.0", true],
])("an installation accepts Node.js %s: %s", async (version, isEnough) => {
  const preload = folder({
    "version.cjs": `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });`,
  });
  const result = await installPackage(root, { NODE_OPTIONS: `--require ${join(preload, "version.cjs")}` });
  const refused = {
    status: 1,
    stderr: expect.stringMatching(
      new RegExp(`^sophia-run: this is Node\\.js ${version}, and sophia-run needs .*\\n {2}install one of .*\\n$`),
    ),
  };
  expect(result).toMatchObject(isEnough ? { status: 0, stderr: "" } : refused);
});

test("the demo, the tests and the package first install what they need, under npm's name of the script", () => {
  const { scripts }: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  for (const name of ["demo", "test", "package", "build:standalone"])
    expect(scripts[name]).toMatch(/^node scripts\/install\.mjs && /);
});
