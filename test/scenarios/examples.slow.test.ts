import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { startActionsIssuer } from "../esc-server/actions-issuer.ts";
import { type EscServer, startEscServer } from "../esc-server/index.ts";
import { runWorkflow } from "../helpers/actions/jobs.ts";
import { lifecycleEnvironment, readDevcontainer, type Surroundings } from "../helpers/devcontainer.ts";
import { ESC_VALUES } from "../helpers/esc-values.ts";
import { cleanPath, installPackage, npmEnvironment, packPackage } from "../helpers/pack.ts";
import { notInstalled, notPackage, skipBecause } from "../helpers/skip.ts";
import { CONTRACT_VALUES, folder, sophiaRun } from "../helpers/sophia.ts";
import { isAlive, startProcess } from "../helpers/start-process.ts";
import { startAtTerminal } from "../helpers/terminal.ts";
import { readWorkflow } from "../helpers/workflow.ts";

const examples = join(import.meta.dirname, "../../examples");
const { QDRANT_URL } = CONTRACT_VALUES;

let home: string;
let tarball: string;
let esc: EscServer;
/** The variables of the ESC server, with a token and with a token file. */
let access: {
  readonly environment: Readonly<Record<string, string>>;
  readonly token: Readonly<Record<string, string>>;
};

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "sophia-run-test-"));
  tarball = await packPackage(home);
  esc = await startEscServer();
  esc.environment("acme/sophia/prod", { values: { ...ESC_VALUES, LOG_LEVEL: "info" } });
  access = {
    environment: { PULUMI_BACKEND_URL: esc.url, ESC_ENV: "acme/sophia/prod" },
    token: { ESC_TOKEN: esc.token },
  };
});

afterAll(async () => {
  await esc.close();
  rmSync(home, { recursive: true, force: true });
});

/** Examples into which the packed package is installed, each once: npm takes more than a second of processor time. */
const installations = new Map<string, Promise<string>>();

/** A copy of an example with its installation. */
async function installExample(name: string): Promise<string> {
  const installation = installations.get(name) ?? installInto(name);
  installations.set(name, installation);
  const copy = folder();
  cpSync(await installation, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

async function installInto(name: string): Promise<string> {
  const place = mkdtempSync(join(home, `${name}-`));
  cpSync(join(examples, name), place, { recursive: true });
  await installPackage(tarball, place, home);
  return place;
}

describe("examples/npm-scripts:", () => {
  skipBecause(notPackage);

  const environment = (): Record<string, string> => ({ ...npmEnvironment(home), PORT: "0" });

  test("every script except the check begins with sophia-run --", () => {
    const manifest: unknown = parse(readFileSync(join(examples, "npm-scripts/package.json"), "utf8"));
    expect(manifest).toMatchObject({
      scripts: {
        start: "sophia-run -- node server.js",
        job: "sophia-run -- node job.js",
        check: "sophia-run check",
      },
    });
  });

  test.each([
    { how: "through bash, which .npmrc names", adapt: () => {} },
    {
      how: "through sh, with exec in front, as the README has it",
      adapt: (cwd: string) => {
        rmSync(join(cwd, ".npmrc"));
        const manifest = readFileSync(join(cwd, "package.json"), "utf8");
        writeFileSync(join(cwd, "package.json"), manifest.replace('"sophia-run -- node', '"exec sophia-run -- node'));
      },
    },
  ])("npm start runs the server with the values of ESC, and SIGTERM to npm stops both, $how", async ({ adapt }) => {
    const cwd = await installExample("npm-scripts");
    adapt(cwd);
    const npm = startProcess(["npm", "start"], {
      cwd,
      env: { ...environment(), ...access.environment, ...access.token },
    });
    const [, port = "", server = ""] = await npm.waitForStdout(/listening on port (\d+) \(process (\d+)\)/);
    const answer: unknown = await (await fetch(`http://127.0.0.1:${port}/`)).json();
    expect(answer).toEqual({ qdrant: new URL(QDRANT_URL).host, authenticated: true });
    process.kill(npm.pid, "SIGTERM");
    const { status, stdout, stderr } = await npm.finished;
    expect(stdout).toMatch(/^stopped by SIGTERM$/m);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(isAlive(Number(server))).toBe(false);
    // Nothing is left of the process group that npm, the shell, sophia-run and the server were.
    expect(isAlive(-npm.pid)).toBe(false);
  });

  test("the program's exit status passes through npm", async () => {
    const cwd = await installExample("npm-scripts");
    const env = { ...environment(), ...access.environment, ...access.token };
    const job = await startProcess(["npm", "run", "job"], { cwd, env }).finished;
    expect(job.stderr).toContain("7 documents could not be indexed");
    expect(job.stderr).not.toContain("sophia-run:");
    expect(job.status).toBe(7);
  });

  test("the statuses of an unmet contract and of a check pass through npm, too", async () => {
    const cwd = await installExample("npm-scripts");
    const unmet = await startProcess(["npm", "start"], { cwd, env: environment() }).finished;
    expect(unmet.status).toBe(78);
    expect(unmet.stderr).toContain("QDRANT_API_KEY");
    expect(unmet.stdout).not.toContain("listening");
    expect((await startProcess(["npm", "run", "check"], { cwd, env: environment() }).finished).status).toBe(1);
    writeFileSync(join(cwd, ".env"), envFile());
    const met = await startProcess(["npm", "run", "check"], { cwd, env: environment() }).finished;
    expect(met.stdout).toContain("✅ All checks passed! Configuration loaded from .env\n");
    expect(met.status).toBe(0);
  });
});

describe("examples/devcontainer:", () => {
  skipBecause(notPackage);

  const config = readDevcontainer(join(examples, "devcontainer/.devcontainer/devcontainer.json"));
  const readme = readFileSync(join(examples, "devcontainer/README.md"), "utf8");

  const surroundings = (workspace: string, given: Partial<Pick<Surroundings, "local" | "secrets">>): Surroundings => ({
    local: {},
    secrets: {},
    container: { PATH: cleanPath, HOME: home, PULUMI_BACKEND_URL: esc.url },
    ...given,
    workspace,
  });
  /** Runs a lifecycle command as the devcontainer CLI does. */
  const lifecycle = (command: string, around: Surroundings) =>
    startProcess(["/bin/sh", "-c", command], { cwd: around.workspace, env: lifecycleEnvironment(config, around) })
      .finished;
  const both = (): Record<string, string> => ({ ESC_ENV: "acme/sophia/prod", ESC_TOKEN: esc.token });

  test("it asks for the two secrets and begins with sophia-run", () => {
    expect(config.secrets).toEqual(["ESC_ENV", "ESC_TOKEN"]);
    expect(config.postStartCommand).toMatch(/^sophia-run -- /);
  });

  test("the devcontainers CLI reads the same settings", async ({ skip }) => {
    const cli = join(examples, "../node_modules/.bin/devcontainer");
    const missing = notInstalled(cli, "--version");
    skip(missing !== undefined, missing);
    const workspace = folder();
    cpSync(join(examples, "devcontainer"), workspace, { recursive: true });
    // It asks Docker whether such a container is running: none is.
    const words = ["read-configuration", "--workspace-folder", workspace, "--docker-path", "true"];
    const env = { PATH: cleanPath, HOME: workspace, ...both() };
    const { status, stdout } = await startProcess([cli, ...words], { cwd: workspace, env }).finished;
    expect(status).toBe(0);
    const read: unknown = JSON.parse(stdout);
    const { remoteEnv, postStartCommand, secrets: names } = config;
    const local = lifecycleEnvironment(config, { ...surroundings(workspace, { local: both() }), container: {} });
    expect(read).toMatchObject({
      configuration: {
        secrets: Object.fromEntries(names.map((name) => [name, { description: expect.any(String) }])),
        remoteEnv: {
          ESC_ENV: local["ESC_ENV"],
          ESC_TOKEN: local["ESC_TOKEN"],
          // The container is not there yet; nor is the folder's place in it that of this machine.
          PATH: `/workspaces/${basename(workspace)}/node_modules/.bin:\${containerEnv:PATH}`,
        },
        postStartCommand,
      },
    });
    expect(Object.keys(remoteEnv)).toEqual(["ESC_ENV", "ESC_TOKEN", "PATH"]);
  });

  test.each(["secrets", "local"] as const)(
    "postStartCommand reports the configuration, with the two secrets given as %s",
    async (way) => {
      const workspace = await installExample("devcontainer");
      const end = await lifecycle(config.postStartCommand, surroundings(workspace, { [way]: both() }));
      const host = new URL(QDRANT_URL).host;
      expect(end).toMatchObject({
        status: 0,
        stdout: `Qdrant: ${host}\nthe development environment is ready\n`,
        stderr: "",
      });
    },
  );

  test("it uses .env without the two secrets; without .env the message names the missing variables", async () => {
    const workspace = await installExample("devcontainer");
    const unmet = await lifecycle(config.postStartCommand, surroundings(workspace, {}));
    expect(unmet).toMatchObject({ status: 78, stdout: "" });
    expect(unmet.stderr).toContain("QDRANT_URL");
    writeFileSync(join(workspace, ".env"), envFile(), { mode: 0o600 });
    const end = await lifecycle(config.postStartCommand, surroundings(workspace, {}));
    expect(end).toMatchObject({ status: 0, stderr: "" });
    expect(end.stdout).toContain("the development environment is ready");
  });

  test("the README's server keeps running when the command's terminal is gone, and stops on SIGTERM", async () => {
    const line = /"postStartCommand": (".*&")$/m.exec(readme)?.[1];
    const command: unknown = JSON.parse(line ?? "null");
    const workspace = await installExample("devcontainer");
    copyFileSync(join(examples, "npm-scripts/server.js"), join(workspace, "server.js"));
    // A named pipe in place of the log file: its reader hears each line, and the end of the last writer.
    execFileSync("mkfifo", [join(workspace, "server.log")]);
    const log = createReadStream(join(workspace, "server.log"), { encoding: "utf8" });
    const env = lifecycleEnvironment(config, surroundings(workspace, { secrets: both() }));
    const shell = await startAtTerminal(["/bin/sh", "-c", String(command)], {
      cwd: workspace,
      env: { ...env, PORT: "0" },
    }).finished;
    expect(shell).toMatchObject({ status: 0, stderr: "" });
    const whole = text(
      log.on("data", (chunk) => {
        const server = /\(process (\d+)\)/.exec(String(chunk))?.[1];
        if (server !== undefined) process.kill(Number(server), "SIGTERM");
      }),
    );
    expect(await whole).toMatch(/^listening on port \d+ \(process \d+\)\nstopped by SIGTERM\n$/);
  });
});

function envFile(): string {
  return Object.entries(CONTRACT_VALUES)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

test("examples/python serves with its configuration, and ends as a bare start does", async () => {
  const server = startProcess([...sophiaRun, "--", "python3", "app.py"], {
    cwd: join(examples, "python"),
    env: { PATH: cleanPath, PORT: "0", ...access.environment, ...access.token },
  });
  const [, port = ""] = await server.waitForStdout(/serving on port (\d+)\n/);
  await expect(fetch(`http://127.0.0.1:${port}/`).then((answer) => answer.text())).resolves.toBe(
    `Qdrant is at ${QDRANT_URL}\n`,
  );
  process.kill(server.pid, "SIGTERM");
  expect(await server.finished).toMatchObject({ status: null, signal: "SIGTERM" });
});

test("examples/actions runs its tests with the configuration, and without the token", async ({ skip }) => {
  skip(notPackage !== undefined, notPackage);
  const { steps } = readWorkflow(join(examples, "actions/job.yml"));
  const copy = folder({
    "package.json": JSON.stringify({ scripts: { test: "node print.js" } }),
    "print.js": "console.log(`key ${process.env.QDRANT_API_KEY?.length} token ${process.env.ESC_TOKEN}`)",
  });
  await installPackage(tarball, copy, home);
  const commands = steps.flatMap(({ run }) => (run === undefined || run === "npm ci" ? [] : [run]));
  expect(commands).toEqual(["node_modules/.bin/sophia-run -- npm test"]);
  const job = startProcess(["bash", "-e", "-c", commands.join("\n")], {
    cwd: copy,
    env: { ...npmEnvironment(home), CI: "true", GITHUB_ACTIONS: "true", ...access.environment, ...access.token },
  });
  expect(await job.finished).toMatchObject({
    status: 0,
    stdout: expect.stringContaining(`key ${CONTRACT_VALUES.QDRANT_API_KEY.length} token undefined\n`),
  });
});

test("examples/actions/auth-actions.yml opens ESC by the token of pulumi/auth-actions, which the tests do not get", async ({
  skip,
}) => {
  skip(notPackage !== undefined, notPackage);
  await using issuer = await startActionsIssuer();
  await using service = await startEscServer({ oidc: { issuers: [issuer.trust], organization: "acme" } });
  service.environment("acme/sophia/ci", { values: ESC_VALUES });
  const names = ["PULUMI_ACCESS_TOKEN", "ESC_TOKEN_COMMAND"];
  const copy = folder({ "package.json": JSON.stringify({ scripts: { test: "node print.js" } }) });
  await installPackage(tarball, copy, copy);
  const manifest = readFileSync(join(copy, "package.json"), "utf8");
  const [, name = ""] = /"file:([^"]*)"/.exec(manifest) ?? [];
  const files = {
    // The tarball lies in the repository, as README.md says.
    "package.json": manifest.replace(name, basename(tarball)),
    "package-lock.json": readFileSync(join(copy, "package-lock.json"), "utf8").replaceAll(name, basename(tarball)),
    [basename(tarball)]: readFileSync(tarball),
    "sophia.contract.json": '{ "variables": { "QDRANT_API_KEY": { "required": true } } }',
    "print.js": `console.log("key", process.env.QDRANT_API_KEY.length, ${JSON.stringify(names)}.filter((name) => name in process.env));`,
  };
  const jobs = await runWorkflow(join(examples, "actions/auth-actions.yml"), {
    action: join(examples, "../action.yml"),
    files,
    env: {
      ...npmEnvironment(copy),
      PULUMI_BACKEND_URL: service.url,
      ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
    },
  });
  const { steps, runner } = jobs.get("job") ?? expect.unreachable();
  expect(steps.map(({ status }) => status)).toEqual([0, 0, 0]);
  expect(runner.log.lines).toContain(`key ${CONTRACT_VALUES.QDRANT_API_KEY.length} []`);
  expect(service.calls.map(({ operation, status }) => [operation, status])).toEqual([
    ["exchangeToken", 200],
    ["open", 200],
    ["read", 200],
  ]);
  expect(runner.written()).not.toContain(runner.environment.get("PULUMI_ACCESS_TOKEN"));
  expect(service.violations).toEqual([]);
});

test("docs/secrets.md shows the last steps of examples/actions/auth-actions.yml", () => {
  const workflow = readFileSync(join(examples, "actions/auth-actions.yml"), "utf8");
  const [steps] = /^ {6}# Sets PULUMI_ACCESS_TOKEN[^]*/m.exec(workflow) ?? expect.unreachable();
  const shown = steps.replaceAll(/^ {6}/gm, "");
  expect(readFileSync(join(examples, "../docs/secrets.md"), "utf8")).toContain(`\`\`\`yaml\n${shown}\`\`\`\n`);
});
