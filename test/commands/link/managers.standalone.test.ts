import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Client,
  packageManagerEnvironment,
  availableClients,
  furtherPackageManagers,
} from "../../helpers/package-managers.ts";
import { packPackage } from "../../helpers/pack.ts";
import { type Registry, startRegistry } from "../../helpers/registry.ts";
import { changePackageVersion } from "../../helpers/change-version.ts";
import { isNightly } from "../../helpers/seed.ts";
import { notLinux, notNightly, notPackage, skipBecause } from "../../helpers/skip.ts";
import { folder } from "../../helpers/sophia.ts";
import { noExecutable } from "../../helpers/executables.ts";
import { type ProcessResult, startProcess } from "../../helpers/start-process.ts";

// What the command is after each operation of each package manager, in a project with `"postinstall": "sophia-run link"`: of npm
// and pnpm in each run. At night, or with PROPERTY_SEED, also of Yarn and Bun, and of twice as many versions.

skipBecause(notPackage);
skipBecause(notLinux);
skipBecause(noExecutable);

const [FIRST, NEXT] = ["0.1.0", "0.1.1"] as const;

let home: string;
let registry: Registry;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "sophia-run-test-"));
  const packed = await packPackage(home);
  const other = join(home, "other/package");
  mkdirSync(other, { recursive: true });
  writeFileSync(join(other, "package.json"), JSON.stringify({ name: "other", version: "1.0.0", license: "MIT" }));
  const tarball = join(home, "other-1.0.0.tgz");
  execFileSync("tar", ["-czf", tarball, "-C", join(home, "other"), "package"]);
  registry = await startRegistry([packed, changePackageVersion(packed, NEXT, home), tarball]);
});

afterAll(async () => {
  await registry.close();
  rmSync(home, { recursive: true, force: true });
});

/** The words of each operation. */
interface Operations {
  readonly install: readonly string[];
  readonly frozen: readonly string[];
  readonly add: readonly string[];
  readonly upgrade: readonly string[];
  readonly rebuild: readonly string[];
  readonly withoutScripts: readonly string[];
  readonly remove: readonly string[];
}

const LIKE_PNPM: Operations = {
  install: ["install"],
  frozen: ["install", "--frozen-lockfile"],
  add: ["add", "other@1.0.0"],
  upgrade: ["add", `sophia-run@${NEXT}`],
  rebuild: ["rebuild"],
  withoutScripts: ["install", "--ignore-scripts"],
  remove: ["remove", "sophia-run"],
};
const FORCED: Operations = { ...LIKE_PNPM, rebuild: ["install", "--force"] };

/** By the beginning of `packageManager`. */
const OPERATIONS: Readonly<Record<string, Operations>> = {
  "npm@": {
    install: ["install"],
    frozen: ["ci"],
    add: ["install", "other@1.0.0"],
    upgrade: ["install", `sophia-run@${NEXT}`],
    rebuild: ["rebuild"],
    withoutScripts: ["install", "--ignore-scripts"],
    remove: ["uninstall", "sophia-run"],
  },
  "pnpm@": LIKE_PNPM,
  "yarn@1": FORCED,
  "yarn@4": { ...LIKE_PNPM, frozen: ["install", "--immutable"], withoutScripts: ["install", "--mode=skip-build"] },
  "bun@": FORCED,
};

const LOCKS = ["package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"] as const;
const LINK = "sophia-run link || exit 0";

type Step =
  | "install"
  | "install again"
  | "frozen from clean"
  | "add another"
  | "install after that"
  | "upgrade"
  | "install after the upgrade"
  | "rebuild"
  | "without scripts, from clean"
  | "remove";

const UPGRADED: ReadonlySet<Step> = new Set([
  "upgrade",
  "install after the upgrade",
  "rebuild",
  "without scripts, from clean",
]);

/**
 * After these the command starts Node.js, as docs/native.md says, because the package manager has written it again and has not
 * run the project's script. Of those that are not here it is the executable after each operation that runs scripts.
 */
const BY_NODE: Readonly<Record<string, readonly Step[]>> = {
  "npm 10": ["upgrade"],
  "npm 11": ["upgrade"],
  "npm 12": ["upgrade", "rebuild"],
  "pnpm 9": ["add another", "upgrade"],
  "pnpm 10": ["add another", "upgrade"],
  "pnpm 11": ["add another", "install after that", "upgrade", "install after the upgrade"],
  "pnpm 12": ["add another", "install after that", "upgrade", "install after the upgrade", "rebuild"],
};

/** Whether the command is in the root's node_modules, and in those of the package that depends on it; scripts use the nearest. */
const IN_WORKSPACE: Readonly<Record<string, readonly [boolean, boolean]>> = {
  npm: [true, false],
  pnpm: [false, true],
  "Yarn 1": [true, true],
  "Yarn 4": [true, false],
  Bun: [false, true],
};

const isPlugAndPlay = ({ name }: Client): boolean => name.includes("PnP");

interface Project {
  readonly cwd: string;
  readonly client: Client;
  readonly env: Readonly<Record<string, string>>;
}

type Files = Readonly<Record<string, string | object>>;

function createProject(client: Client, files: Files = {}): Project {
  const cwd = join(folder(), "a project");
  const manifest = {
    name: "project",
    version: "1.0.0",
    license: "MIT",
    private: true,
    dependencies: { "sophia-run": FIRST },
    scripts: { postinstall: LINK, job: "sophia-run --no-contract -- sh -c 'exit 7'" },
  };
  const all: Files = {
    "package.json": manifest,
    ...client.files,
    ".npmrc": `registry=${registry.url}\n`,
    "mark.cjs": 'require("fs").writeSync(2, "by Node.js\\n");',
    ...files,
  };
  for (const [path, content] of Object.entries(all)) {
    const file = join(cwd, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`);
  }
  const env = {
    ...packageManagerEnvironment(folder()),
    npm_config_offline: "false",
    npm_config_registry: registry.url,
    YARN_ENABLE_NETWORK: "true",
    YARN_NPM_REGISTRY_SERVER: registry.url,
    YARN_UNSAFE_HTTP_WHITELIST: "127.0.0.1",
  };
  return { cwd, client, env };
}

const runInProject = ({ cwd, client, env }: Project, words: readonly string[]): Promise<ProcessResult> =>
  startProcess([...client.command, ...words], { cwd, env }).finished;

async function succeed(here: Project, words: readonly string[]): Promise<string> {
  const done = await runInProject(here, words);
  const output = done.stdout + done.stderr;
  expect(done.status, output).toBe(0);
  return output;
}

/** What starts by a project's command, and its version; what it is if it does not start. */
async function command(here: Project, member = ""): Promise<string> {
  if (isPlugAndPlay(here.client)) {
    const { status, stdout } = await runInProject(here, ["run", "sophia-run", "--version"]);
    return status === 0 ? `Node.js ${stdout.split(" ", 1)[0]}` : "gone";
  }
  const file = join(here.cwd, member, "node_modules/.bin/sophia-run");
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return "gone";
  // Only Node.js reads this variable.
  const env = { ...here.env, NODE_OPTIONS: `--require ${JSON.stringify(join(here.cwd, "mark.cjs"))}` };
  const { status, stdout, stderr } = await startProcess([file, "--version"], { cwd: here.cwd, env }).finished;
  expect(status, stdout + stderr).toBe(0);
  return `${stderr === "by Node.js\n" ? "Node.js" : "executable"} ${stdout.split(" ", 1)[0]}`;
}

function lockOf({ cwd }: Project): string {
  const path = LOCKS.map((name) => join(cwd, name)).find((file) => existsSync(file));
  return readFileSync(path ?? expect.unreachable("no lock file"), "utf8");
}

function operationsOf({ packageManager }: Client): Operations {
  const entry = Object.entries(OPERATIONS).find(([beginning]) => packageManager.startsWith(beginning));
  return entry?.[1] ?? expect.unreachable(packageManager);
}

function removeModules({ cwd }: Project): void {
  rmSync(join(cwd, "node_modules"), { recursive: true, force: true });
}

describe.each([...availableClients(), ...(isNightly ? furtherPackageManagers() : [])])(
  "the link in a project of $name",
  (client) => {
    if (!/^p?npm /.test(client.name)) skipBecause(notNightly);
    const { install, frozen, add, upgrade, rebuild, withoutScripts, remove } = operationsOf(client);

    test("starts the executable after each operation, and disappears with the package", async () => {
      const here = createProject(client);
      const steps: readonly (readonly [Step, readonly string[]])[] = [
        ["install", install],
        ["install again", install],
        ["frozen from clean", frozen],
        ["add another", add],
        ["install after that", install],
        ["upgrade", upgrade],
        ["install after the upgrade", install],
        ["rebuild", rebuild],
        ["without scripts, from clean", withoutScripts],
        ["remove", remove],
      ];
      const seen: string[] = [];
      let lock: string | undefined;
      for (const [step, words] of steps) {
        if (step.endsWith("from clean")) removeModules(here);
        const output = await succeed(here, words);
        // The script cannot find a command that is removed. Yarn 1 warns of its own option.
        const expected = step === "remove" ? /.*/gs : /^warning Ignored scripts due to flag\.$/gm;
        expect(output.replaceAll(expected, ""), step).not.toMatch(/\bwarn|\berr(?:or)?\b/i);
        if (/^(?:install|install again|frozen from clean)$/.test(step))
          expect(lockOf(here), step).toBe((lock ??= lockOf(here)));
        seen.push(`${step}: ${await command(here)}`);
        if (step === "install") expect(await runInProject(here, ["run", "job"])).toMatchObject({ status: 7 });
      }
      const expected = steps.map(([step]) => {
        const byNode =
          isPlugAndPlay(client) || step.startsWith("without") || BY_NODE[client.name]?.includes(step) === true;
        const form = byNode ? "Node.js" : "executable";
        return `${step}: ${step === "remove" ? "gone" : `${form} ${UPGRADED.has(step) ? NEXT : FIRST}`}`;
      });
      expect(seen).toEqual(expected);
    }, 300_000);

    test("does not change the lock file", async () => {
      const [linked, other] = [createProject(client), createProject(client)];
      await succeed(linked, install);
      await succeed(other, withoutScripts);
      expect(lockOf(other)).toBe(lockOf(linked));
    }, 120_000);

    test("needs the script in the package of a workspace that has the dependency", async ({ skip }) => {
      skip(isPlugAndPlay(client), "Plug'n'Play has no node_modules");
      const here = createProject(client, {
        "package.json": { name: "root", version: "1.0.0", license: "MIT", private: true, workspaces: ["packages/*"] },
        "pnpm-workspace.yaml": "packages:\n  - 'packages/*'\n",
        "packages/api/package.json": {
          name: "api",
          version: "1.0.0",
          license: "MIT",
          dependencies: { "sophia-run": FIRST },
          scripts: { postinstall: LINK },
        },
      });
      await succeed(here, install);
      const linked = `executable ${FIRST}`;
      const expected = IN_WORKSPACE[client.name] ?? IN_WORKSPACE[client.name.replace(/ .*/, "")] ?? [];
      expect([await command(here), await command(here, "packages/api")]).toEqual(
        expected.map((isThere) => (isThere ? linked : "gone")),
      );
    }, 120_000);
  },
);

test.each([
  ["macOS", ["--os=darwin", "--cpu=arm64"]],
  ["Windows", ["--os=win32", "--cpu=x64"]],
])(
  "npm ci from a lock file that was made on %s links the command",
  async (_, platform) => {
    const client = availableClients().find(({ name }) => name.startsWith("npm")) ?? expect.unreachable();
    const here = createProject(client);
    await succeed(here, ["install", "--package-lock-only", ...platform]);
    const lock = lockOf(here);
    await succeed(here, ["ci"]);
    expect(await command(here)).toBe(`executable ${FIRST}`);
    await succeed(here, ["install"]);
    expect(lockOf(here)).toBe(lock);
  },
  120_000,
);

test("launches through the link are those of a program that is started without it", async () => {
  const client = availableClients().find(({ name }) => name.startsWith("npm")) ?? expect.unreachable();
  const here = createProject(client);
  await succeed(here, ["install"]);
  expect(await command(here)).toBe(`executable ${FIRST}`);
  // A link without a space in its path: the suite splits a command prefix into words.
  const modules = join(folder(), "modules");
  symlinkSync(join(here.cwd, "node_modules"), modules);
  const launcher = `${modules}/.bin/sophia-run --no-contract --`;
  const suite = join(import.meta.dirname, "../../conformance/run.py");
  // Process IDs, environment, descriptors and limits. None is impossible, as some are for Node.js.
  const only = ["attributes", "descriptors", "environment", "inspector", "limits"].flatMap((name) => [
    "--only",
    `${name}/*`,
  ]);
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder() };
  const words = ["python3", suite, "--launcher", launcher, "--impossible", "none", ...only] as const;
  const { status, stdout } = await startProcess(words, { cwd: here.cwd, env }).finished;
  expect(stdout).toMatch(/^\d{3} passed, 0 failed, /m);
  expect(status, stdout).toBe(0);
}, 180_000);
