/** The blocks of docs/recipes.md, with the tools themselves; those of npm and PyPI are fetched once, at fixed versions. */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { secret, startEscServer } from "../esc-server/index.ts";
import { findFreePort } from "../helpers/free-port.ts";
import { fencedBlocksOf } from "../helpers/markdown.ts";
import { fetchNpmPackages } from "../helpers/npm-packages.ts";
import { cleanPath, npmEnvironment, packPackage } from "../helpers/pack.ts";
import { fetchPythonPackages } from "../helpers/python-packages.ts";
import { createLocalRepository } from "../helpers/local-repository.ts";
import { notInstalled, notNightly, notPackage, skipBecause } from "../helpers/skip.ts";
import { folder, sophiaRun } from "../helpers/sophia.ts";
import { type ProcessResult, startProcess } from "../helpers/start-process.ts";

const root = join(import.meta.dirname, "../..");
const document = readFileSync(join(root, "docs/recipes.md"), "utf8");
const VALUE = "the-value-of-esc";
const PRINT = "console.log(process.env.API_KEY, process.env.npm_lifecycle_event);";

/** The blocks of a section, by language; each is asked for by a test. */
function codeBlocksOf(title: string, language: string): readonly string[] {
  const section = document.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? "";
  const found = fencedBlocksOf(section).filter((one) => one.language === language);
  if (found.length === 0) throw new Error(`no ${language} under ${title}`);
  return found.map(({ text }) => text.trim());
}

function codeBlockOf(title: string, language: string): string {
  return codeBlocksOf(title, language)[0] ?? "";
}

/** At these versions they run in Node.js 20. Turborepo and Nx bring 100 MB. */
const NPM = { turbo: "2.11.11", nx: "21.6.11", nodemon: "3.1.14", jest: "30.5.2", concurrently: "9.2.5" } as const;

function fetchPackages(): string {
  const folderName = `npm-${Object.values(NPM).join("-")}`;
  return join(fetchNpmPackages(join(root, ".cache/recipes", folderName), NPM), "node_modules");
}

function fetchDebugpy(): string {
  const version = "1.8.22";
  return fetchPythonPackages(join(root, ".cache/recipes", `debugpy-${version}`), [`debugpy==${version}`]);
}

interface ProjectOptions {
  /** The folder of packages that the project has as `node_modules`. */
  readonly modules?: string;
  readonly contract?: object;
}

/** A project with a contract, and an ESC environment that has what it needs. */
async function createProject(files: Readonly<Record<string, string>>, { modules, contract }: ProjectOptions = {}) {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  for (const name of ["acme/app/dev", "acme/app/ci", "acme/app/prod"]) {
    server.environment(name, { values: { API_KEY: secret(VALUE) } });
  }
  const cwd = folder({
    "sophia.contract.json": JSON.stringify(contract ?? { variables: { API_KEY: { required: true } } }),
  });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text, { mode: 0o600 });
  }
  const quoted = sophiaRun.map((word) => `'${word}'`).join(" ");
  const bin = folder({ "sophia-run": `#!/bin/sh\nexec ${quoted} "$@"\n` });
  chmodSync(join(bin, "sophia-run"), 0o755);
  if (modules !== undefined) symlinkSync(modules, join(cwd, "node_modules"));
  const env = {
    ...npmEnvironment(cwd),
    PATH: [bin, ...(modules === undefined ? [] : [join(modules, ".bin")]), cleanPath].join(delimiter),
    ESC_ENV: "acme/app/dev",
    ESC_TOKEN: server.token,
    PULUMI_BACKEND_URL: server.url,
    TURBO_TELEMETRY_DISABLED: "1",
    NX_DAEMON: "false",
    NX_TUI: "false",
  };
  const started = (script: string, more: Readonly<Record<string, string>> = {}) =>
    startProcess(["sh", "-c", script], { cwd, env: { ...env, ...more } });
  const run = (script: string, more: Readonly<Record<string, string>> = {}): Promise<ProcessResult> =>
    started(script, more).finished;
  return { server, cwd, bin, env, run, started };
}

const WORKSPACE = {
  "package.json": JSON.stringify({
    name: "app",
    private: true,
    packageManager: "npm@11.0.0",
    workspaces: ["apps/*"],
  }),
  "package-lock.json": JSON.stringify({
    name: "app",
    lockfileVersion: 3,
    requires: true,
    packages: {
      "": { name: "app", workspaces: ["apps/*"] },
      "apps/api": { name: "api" },
      "node_modules/api": { resolved: "apps/api", link: true },
    },
  }),
  "apps/api/server.js": PRINT,
} as const;

describe("the recipe for Turborepo", { timeout: 300_000 }, () => {
  skipBecause(notNightly);
  const api = JSON.stringify({ name: "api", scripts: { dev: "sophia-run -- node server.js" } });
  const files = { ...WORKSPACE, "apps/api/package.json": api };

  test("passes the settings of ESC on to the script of a package", async () => {
    const { run, cwd } = await createProject(
      { ...files, "turbo.json": codeBlockOf("Turborepo", "json") },
      { modules: fetchPackages() },
    );
    execFileSync("git", ["init", "--quiet"], { cwd });
    const result = await run("turbo run dev");
    expect(result, result.stderr).toMatchObject({ status: 0 });
    expect(result.stdout).toContain(`${VALUE} dev`);
  });

  test("makes a start that misses a value name turbo.json otherwise", async () => {
    const { run, cwd } = await createProject(
      { ...files, "turbo.json": '{"tasks":{"dev":{}}}' },
      { modules: fetchPackages() },
    );
    execFileSync("git", ["init", "--quiet"], { cwd });
    const { status, stdout, stderr } = await run("turbo run dev");
    expect(status).not.toBe(0);
    expect(stdout + stderr).toContain('"globalPassThroughEnv": ["ESC_*"]');
  });
});

describe("the recipe for Nx", { timeout: 300_000 }, () => {
  skipBecause(notNightly);
  const files = {
    ...WORKSPACE,
    "nx.json": "{}",
    "apps/api/package.json": codeBlockOf("Nx", "json"),
    ".env": "API_KEY=of-the-file\n",
  };

  test("gives the value of ESC, although .env has another", async () => {
    const { run } = await createProject(files, { modules: fetchPackages() });
    const result = await run(codeBlockOf("Nx", "bash"));
    expect(result, result.stderr).toMatchObject({ status: 0 });
    expect(result.stdout).toContain(`${VALUE} dev`);
  });

  test("loads .env itself by default, so that the file wins", async () => {
    const { run } = await createProject(files, { modules: fetchPackages() });
    expect((await run("npx --no-install nx run api:dev")).stdout).toContain("of-the-file dev");
  });

  test("makes a start without the settings of ESC name what passes them on", async () => {
    const { run } = await createProject({ ...files, ".env": "" }, { modules: fetchPackages() });
    const { status, stdout, stderr } = await run(codeBlockOf("Nx", "bash"), { ESC_ENV: "", ESC_TOKEN: "" });
    expect(status).not.toBe(0);
    expect(stdout + stderr).toContain("--with-env-vars=ESC_ENV,ESC_TOKEN");
  });
});

describe("the recipe for a program that restarts", { timeout: 300_000 }, () => {
  skipBecause(notNightly);
  const server = `console.log("started", process.env.API_KEY); setInterval(() => {}, 1000);`;
  const [once = "", each = ""] = codeBlockOf("nodemon", "bash").split("\n");

  test.each([
    [once, 1],
    [each, 2],
  ])("reads ESC with %s %d times for two starts", async (command, reads) => {
    // So that it prints when it watches.
    const files = { "server.js": server, "nodemon.json": '{ "verbose": true }' };
    const { started, cwd, server: esc } = await createProject(files, { modules: fetchPackages() });
    const running = started(command);
    await running.waitForStdout(new RegExp(`started ${VALUE}`));
    await running.waitForStdout(/startWatched \d+ file/);
    writeFileSync(join(cwd, "server.js"), `console.log("again", process.env.API_KEY);`);
    await running.waitForStdout(new RegExp(`again ${VALUE}`));
    expect(esc.count("open")).toBe(reads);
  });

  test("restarts for a change of .env as well in its second form", async () => {
    const shown = 'console.log("greeting", process.env.GREETING); setInterval(() => {}, 1000);';
    const files = { "server.js": shown, "nodemon.json": '{ "verbose": true }', ".env": "GREETING=hello\n" };
    const { started, cwd } = await createProject(files, { modules: fetchPackages() });
    const running = started(each);
    await running.waitForStdout(/greeting hello/);
    await running.waitForStdout(/startWatched \d+ file/);
    writeFileSync(join(cwd, ".env"), "GREETING=bye\n");
    const [, greeting] = await running.waitForStdout(/restarting due to changes[^]*greeting (\w+)/);
    expect(greeting).toBe("bye");
  });

  test("starts the program with the values by tsx watch", async () => {
    const { started, server: esc } = await createProject(
      { "server.ts": server },
      { modules: join(root, "node_modules") },
    );
    await started(codeBlockOf("tsx watch", "bash")).waitForStdout(new RegExp(`started ${VALUE}`));
    expect(esc.count("open")).toBe(1);
  });
});

describe("the recipe for tests", { timeout: 300_000 }, () => {
  skipBecause(notNightly);
  const body = (first: string) =>
    `${first}test("has a value", () => { console.log("seen", process.env.API_KEY); expect(process.env.API_KEY).toBeTruthy(); });`;

  test.each([
    ["jest", () => fetchPackages(), { "a.test.js": body("") }],
    [
      "vitest",
      () => join(root, "node_modules"),
      { "a.test.js": body('import { test, expect } from "vitest";'), "vitest.config.mjs": "export default {};" },
    ],
  ] as const)("gives %s the values, or dummies", async (tool, modules, files) => {
    const { run, server } = await createProject(
      { ...files, "package.json": codeBlockOf(tool, "json") },
      { modules: modules() },
    );
    const real = await run("npm test");
    expect(real, real.stderr).toMatchObject({ status: 0 });
    expect(real.stdout + real.stderr).toContain(`seen ${VALUE}`);
    const reads = server.count("open");
    const fake = await run("npm run test:unit");
    expect(fake, fake.stderr).toMatchObject({ status: 0 });
    expect(fake.stdout + fake.stderr).not.toContain(VALUE);
    expect(server.count("open")).toBe(reads);
  });
});

describe("the recipe for concurrently", { timeout: 300_000 }, () => {
  skipBecause(notNightly);
  test.each(codeBlockOf("concurrently", "bash").split("\n"))(
    "starts the programs with the values: %s",
    async (command) => {
      const contract = {
        variables: { API_KEY: { required: true } },
        scopes: { web: ["API_KEY"], worker: ["API_KEY"] },
      };
      const files = { "web.js": 'console.log("web", process.env.API_KEY);', "worker.js": "process.exitCode = 0;" };
      const { run, server } = await createProject(files, { modules: fetchPackages(), contract });
      const result = await run(command);
      expect(result, result.stderr).toMatchObject({ status: 0 });
      expect(result.stdout).toContain(`web ${VALUE}`);
      expect(server.count("open")).toBe(command.startsWith("sophia-run") ? 1 : 2);
    },
  );
});

test("the recipe for make starts each recipe's line with the values", async ({ skip }) => {
  const reason = notInstalled("make", "--version");
  skip(reason !== undefined, reason);
  const makefile = `${codeBlockOf("make", "make")}\n`;
  const manifest = JSON.stringify({ scripts: { test: "node server.js" } });
  const { run, server } = await createProject({ Makefile: makefile, "server.js": PRINT, "package.json": manifest });
  expect((await run("make --silent serve")).stdout).toContain(VALUE);
  expect((await run("make --silent test")).stdout).toContain(`${VALUE} test`);
  expect(server.count("open")).toBe(2);
  expect((await run("sophia-run -- make --silent test")).stdout).toContain(`${VALUE} test`);
});

test("the recipe for crontab works with the variables that cron sets", async ({ skip }) => {
  skip(notPackage !== undefined, notPackage);
  const { cwd, server, bin } = await createProject({ "report.js": PRINT, token: "" });
  writeFileSync(join(cwd, "token"), server.token, { mode: 0o600 });
  mkdirSync(join(cwd, "node_modules/.bin"), { recursive: true });
  symlinkSync(join(bin, "sophia-run"), join(cwd, "node_modules/.bin/sophia-run"));
  const lines = codeBlockOf("cron", "crontab").split("\n");
  const own = lines.flatMap((line) => /^([A-Z_]+)=(.*)$/.exec(line)?.slice(1, 3) ?? []);
  const named = Object.fromEntries(own.flatMap((one, at) => (at % 2 === 0 ? [[one, own[at + 1] ?? ""]] : [])));
  const [, command = ""] = /^(?:\S+ ){5}(.*)$/.exec(lines.at(-1) ?? "") ?? [];
  expect(Object.keys(named)).toEqual(["PATH", "ESC_ENV", "ESC_TOKEN_FILE"]);
  const result = await startProcess(["/bin/sh", "-c", command.replace("/srv/app", cwd)], {
    cwd: "/",
    env: {
      HOME: cwd,
      LOGNAME: "app",
      SHELL: "/bin/sh",
      ...named,
      // The Node.js of the test may be elsewhere.
      PATH: `${dirname(process.execPath)}:${named["PATH"]}`,
      ESC_TOKEN_FILE: join(cwd, "token"),
      PULUMI_BACKEND_URL: server.url,
    },
  }).finished;
  expect(result).toMatchObject({ status: 0, stdout: `${VALUE} undefined\n`, stderr: "" });
});

test("the recipe for git's hook refuses a commit with a secret, and a commit that could not be checked", async () => {
  const { cwd, run, bin } = await createProject({ hook: `${codeBlockOf("Git hooks", "bash")}\n` });
  mkdirSync(join(cwd, "node_modules/.bin"), { recursive: true });
  symlinkSync(join(bin, "sophia-run"), join(cwd, "node_modules/.bin/sophia-run"));
  await run("git init --quiet && git config user.name test && git config user.email test@example.test");
  cpSync(join(cwd, "hook"), join(cwd, ".git/hooks/pre-commit"));
  chmodSync(join(cwd, ".git/hooks/pre-commit"), 0o755);
  const commit = "git add notes.txt && git commit --quiet --message notes";
  writeFileSync(join(cwd, "notes.txt"), "nothing\n");
  expect(await run(commit)).toMatchObject({ status: 0 });
  writeFileSync(join(cwd, "notes.txt"), `key: ${VALUE}\n`);
  const refused = await run(commit);
  expect(refused.status).not.toBe(0);
  expect(refused.stdout + refused.stderr).toContain("notes.txt:1");
  writeFileSync(join(cwd, "notes.txt"), "nothing else\n");
  expect((await run(commit, { PULUMI_BACKEND_URL: "http://127.0.0.1:1" })).status).not.toBe(0);
});

describe("the recipe for Python in VS Code", () => {
  skipBecause(notInstalled("python3", "-m", "pip", "--version"));

  test("attaches the debugger as launch.json says, and the program has the values", { timeout: 300_000 }, async () => {
    const port = await findFreePort();
    const launch: unknown = JSON.parse(codeBlockOf("Python in VS Code", "json"));
    const [configuration] = Object(launch).configurations;
    expect(configuration).toMatchObject({ type: "debugpy", request: "attach" });
    const command = codeBlockOf("Python in VS Code", "bash");
    const { host, port: written } = configuration.connect;
    expect(command).toContain(`--listen ${host}:${written} `);
    const { started, bin } = await createProject({ "app.py": 'import os\nprint("seen", os.environ["API_KEY"])\n' });
    writeFileSync(join(bin, "python"), '#!/bin/sh\nexec python3 "$@"\n', { mode: 0o755 });
    const logged = command.replace("-m debugpy", "-m debugpy --log-to-stderr").replace(String(written), String(port));
    const running = started(logged, { PYTHONPATH: fetchDebugpy() });
    await running.waitForStderr(/accepting incoming client connections/);
    const editor = await attachDebugger(host, port);
    await running.waitForStdout(new RegExp(`seen ${VALUE}`));
    // debugpy's other process stays until then.
    editor.destroy();
    expect((await running.finished).status).toBe(0);
  });
});

/** Speaks the Debug Adapter Protocol as an editor does that attaches and sets no breakpoints. */
async function attachDebugger(host: string, port: number): Promise<Socket> {
  const connection = connect(port, host);
  onTestFinished(() => void connection.destroy());
  const send = (seq: number, command: string, args: object): void => {
    const body = JSON.stringify({ seq, type: "request", command, arguments: args });
    connection.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  };
  await new Promise<void>((resolve, reject) => {
    let received = "";
    connection.once("error", reject).once("close", () => reject(new Error(`not attached: ${received}`)));
    connection.setEncoding("utf8").on("data", (text: string) => {
      received += text;
      if (/"event": ?"initialized"/.test(received)) resolve();
    });
    send(1, "initialize", { adapterID: "debugpy" });
    send(2, "attach", { justMyCode: true });
  });
  send(3, "configurationDone", {});
  return connection;
}

describe("the recipe for JetBrains", () => {
  const [npm = "", shell = ""] = codeBlocksOf("JetBrains", "xml");
  const attribute = (xml: string, pattern: RegExp): string => pattern.exec(xml)?.[1] ?? "";

  test("runs the script by the configuration of npm", async () => {
    expect(attribute(npm, /type="([^"]*)"/)).toBe("js.build_tools.npm");
    const script = attribute(npm, /<script value="([^"]*)"/);
    const command = attribute(npm, /<command value="([^"]*)"/);
    const manifest = JSON.stringify({ scripts: { start: "sophia-run -- node server.js" } });
    const { run } = await createProject({ "package.json": manifest, "server.js": PRINT });
    const result = await run(`npm --silent ${command} ${script}`);
    expect(result).toMatchObject({ status: 0, stdout: `${VALUE} start\n` });
  });

  test("runs the script by the configuration of a shell script", async () => {
    expect(attribute(shell, /type="([^"]*)"/)).toBe("ShConfigurationType");
    const text = attribute(shell, /SCRIPT_TEXT" value="([^"]*)"/);
    const { run, bin } = await createProject({ "app.py": 'import os\nprint(os.environ["API_KEY"])\n' });
    writeFileSync(join(bin, "python"), '#!/bin/sh\nexec python3 "$@"\n', { mode: 0o755 });
    expect(await run(text)).toMatchObject({ status: 0, stdout: `${VALUE}\n` });
  });
});

test("the recipe for GitLab checks the configuration, and the job's log masks the values of ESC", async () => {
  const { test: job } = Object(parse(codeBlockOf("GitLab CI", "yaml")));
  const manifest = JSON.stringify({ scripts: { test: "node server.js" } });
  const { run, server, bin } = await createProject({ "package.json": manifest, "server.js": PRINT });
  // A runner has the package from `npm ci`.
  writeFileSync(join(bin, "npx"), '#!/bin/sh\n[ "$1" = --no-install ] || exit 1\nshift; exec "$@"\n', { mode: 0o755 });
  const script: readonly string[] = job.script;
  expect(script[0]).toBe("npm ci");
  const result = await run(["set -e", ...script.slice(1)].join("\n"), {
    ...job.variables,
    GITLAB_CI: "true",
    CI: "true",
  });
  expect(result, result.stderr).toMatchObject({ status: 0 });
  expect(result.stdout).toContain("*** test");
  expect(result.stdout).not.toContain(VALUE);
  expect(server.count("open")).toBe(2);
});

test("a global installation makes sophia-run a command", { timeout: 120_000 }, async ({ skip }) => {
  skip(notPackage !== undefined, notPackage);
  const home = folder();
  const tarball = await packPackage(home);
  const { run } = await createProject({});
  const prefix = join(home, "global");
  const script = `set -e\n${codeBlockOf("A global installation", "bash")}\n"$npm_config_prefix/bin/sophia-run" -- printenv API_KEY`;
  const result = await run(script, { HOME: home, npm_config_prefix: prefix, ...createLocalRepository(tarball) });
  expect(result, result.stderr).toMatchObject({ status: 0 });
  expect(result.stdout).toContain(VALUE);
});
