import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sophiaRun } from "../../../helpers/program.ts";
import { folder, sophia, unwrapLines } from "../../../helpers/sophia.ts";
import { startProcess } from "../../../helpers/start-process.ts";
import { startAtTerminal } from "../../../helpers/terminal.ts";
import { expectWording } from "../../../helpers/wording.ts";
import { type AwsWorld, startAwsWorld, createKeyId } from "./aws-world.ts";

/** Prints the answer to an ask, on each SIGUSR2, and its variables at the start. */
const PROGRAM = `
  const { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN: token } = process.env;
  const say = (text) => require("node:fs").writeSync(1, text + "\\n");
  const ask = async () => {
    const start = performance.now();
    const answer = await fetch(uri, { headers: { authorization: token } });
    const body = await answer.text();
    say("answer " + answer.status + " " + (performance.now() - start < 1000 ? "soon" : "late") + " " + body);
  };
  process.on("SIGUSR2", () => { ask().catch((error) => say("failed " + error)); });
  process.on("SIGTERM", () => process.exit(0));
  setInterval(() => {}, 60_000);
  const names = Object.keys(process.env).filter((name) => name.startsWith("AWS_")).sort();
  say("run " + process.pid + " " + names.join(","));
`;

function startRefreshed(
  refreshScene: AwsWorld,
  options: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const words = [...sophiaRun, ...options, "--", process.execPath, "-e", PROGRAM] as const;
  return startProcess([words[0] ?? "", ...words.slice(1)], {
    cwd: refreshScene.cwd,
    env: { ...refreshScene.env, ...env },
  });
}

async function pidOf(started: ReturnType<typeof startProcess>): Promise<number> {
  return Number((await started.waitForStdout(/run (\d+) /))[1]);
}

test("--aws-refresh gives the program an address and a token in place of credentials, and keeps the region", async () => {
  const refreshScene = await startAwsWorld();
  const started = startRefreshed(refreshScene, ["--aws-refresh"], {
    AWS_PROFILE: "other",
    AWS_ROLE_ARN: "arn",
    AWS_DEFAULT_REGION: "x",
  });
  const [, pid, names] = await started.waitForStdout(/run (\d+) (.*)/);
  expect(names?.split(",")).toEqual([
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_SHARED_CREDENTIALS_FILE",
  ]);
  const environment = readFileSync(`/proc/${pid ?? ""}/environ`, "utf8");
  expect(environment).not.toContain("sentinel");
  expect(environment).toMatch(
    /AWS_CONTAINER_CREDENTIALS_FULL_URI=http:\/\/127\.0\.0\.1:\d+\/sophia-run\/aws-credentials\0/,
  );
  const file = /AWS_SHARED_CREDENTIALS_FILE=([^\0]+)/.exec(environment)?.[1] ?? "";
  expect(readFileSync(file, "utf8")).toBe("");
  process.kill(Number(pid), "SIGUSR2");
  const [, body = ""] = await started.waitForStdout(/answer 200 soon (.*)/);
  expect(JSON.parse(body)).toMatchObject({
    AccessKeyId: createKeyId(1),
    SecretAccessKey: "sentinel-secret-key-1",
    Token: "sentinel-session-token-1",
  });
  process.kill(Number(pid), "SIGTERM");
  expect(await started.finished).toMatchObject({ status: 0, stderr: "" });
  expect(refreshScene.server.sessions).toBe(1);
  expect(() => readFileSync(file)).toThrow("ENOENT");
});

test("--aws-refresh renews credentials before they expire, and masks each generation", async () => {
  const refreshScene = await startAwsWorld({ lifeMs: 5000 });
  const started = startRefreshed(refreshScene, ["--aws-refresh", "--redact"]);
  const pid = await pidOf(started);
  await refreshScene.server.waitFor("read", 3);
  await expect.poll(() => refreshScene.openedAtById.size).toBeGreaterThanOrEqual(3);
  process.kill(pid, "SIGUSR2");
  const [line] = await started.waitForStdout(/answer 200 .*/);
  expect(line).toContain('"SecretAccessKey":"***"');
  process.kill(pid, "SIGTERM");
  const { status, stdout, stderr } = await started.finished;
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).not.toContain("sentinel");
});

test("--aws-refresh gives credentials without a stated end the life of the session", async () => {
  const refreshScene = await startAwsWorld({ saysExpiration: false });
  const started = startRefreshed(refreshScene, ["--aws-refresh", "--session", "4s"]);
  const pid = await pidOf(started);
  const first = Date.now();
  await refreshScene.server.waitFor("open", 2);
  expect(Date.now() - first).toBeLessThan(4000);
  process.kill(pid, "SIGTERM");
  expect((await started.finished).status).toBe(0);
});

test("--aws-refresh keeps credentials until they expire if ESC fails, then answers 503, and uses later ones", async () => {
  const refreshScene = await startAwsWorld({ lifeMs: 6000 });
  const started = startRefreshed(refreshScene, ["--aws-refresh", "--timeout", "2s"]);
  const pid = await pidOf(started);
  refreshScene.server.failAlways("open", 403);
  await started.waitForStderr(/AWS credentials cannot be renewed/);
  process.kill(pid, "SIGUSR2");
  await started.waitForStdout(new RegExp(`answer 200 soon .*${createKeyId(1)}`));
  await started.waitForStderr(/they have expired, and the program gets none/);
  process.kill(pid, "SIGUSR2");
  await started.waitForStdout(/answer 503 soon \{"code":"CredentialsExpired"/);
  refreshScene.lifeMs = 3_600_000;
  refreshScene.server.heal();
  await started.waitForStderr(/AWS credentials are renewed again/);
  process.kill(pid, "SIGUSR2");
  await started.waitForStdout(new RegExp(`answer 200 soon .*${createKeyId(2)}`));
  process.kill(pid, "SIGTERM");
  const { stderr } = await started.finished;
  expect(stderr).not.toContain("sentinel");
  expect(stderr.match(/cannot be renewed/g)).toHaveLength(2);
});

test("a renewal needs ESC alone: files that have changed since, and pipes, are not read again", async () => {
  const refreshScene = await startAwsWorld({
    lifeMs: 5000,
    files: { ".env": "OWN=1\n" },
    contract: { variables: { PIPED: {} } },
  });
  const words = [...sophiaRun, "--aws-refresh", "--", process.execPath, "-e", PROGRAM];
  const started = startProcess(["bash", "-c", 'PIPED_FILE=<(echo of-pipe) exec "$@"', "bash", ...words], refreshScene);
  const pid = await pidOf(started);
  writeFileSync(join(refreshScene.cwd, ".env"), "OWN='never closed\n");
  rmSync(join(refreshScene.cwd, "sophia.contract.json"));
  await refreshScene.server.waitFor("read", 2);
  await expect.poll(() => refreshScene.openedAtById.size).toBeGreaterThanOrEqual(2);
  process.kill(pid, "SIGTERM");
  expect(await started.finished).toMatchObject({ status: 0, stderr: "" });
});

test("a renewal asks ESC_TOKEN_COMMAND again, whose token may have expired", async () => {
  const refreshScene = await startAwsWorld({ lifeMs: 4000 });
  const { ESC_TOKEN: token = "", ...env } = refreshScene.env;
  writeFileSync(join(refreshScene.cwd, "token"), token);
  const started = startRefreshed({ ...refreshScene, env }, ["--aws-refresh"], {
    ESC_TOKEN_COMMAND: "echo run >> runs; cat token",
  });
  const pid = await pidOf(started);
  await refreshScene.server.waitFor("read", 2);
  process.kill(pid, "SIGTERM");
  expect(await started.finished).toMatchObject({ status: 0, stderr: "" });
  expect(readFileSync(join(refreshScene.cwd, "runs"), "utf8")).toMatch(/^(?:run\n){2,}$/);
});

test("a renewal reads the login of Pulumi's CLI again, which may be a new one", async () => {
  const refreshScene = await startAwsWorld({ lifeMs: 4000 });
  const { ESC_TOKEN: _, ...env } = refreshScene.env;
  const [first, second] = [0, 1].map(() => refreshScene.server.addToken({ owner: { kind: "personal", login: "ada" } }));
  const logIn = (token = ""): void => {
    const login = { current: refreshScene.server.url, accessTokens: { [refreshScene.server.url]: token } };
    writeFileSync(join(refreshScene.cwd, ".pulumi/credentials.json"), JSON.stringify(login), { mode: 0o600 });
  };
  for (const each of [".pulumi", ".config/sophia-run"])
    mkdirSync(join(refreshScene.cwd, each), { recursive: true, mode: 0o700 });
  const chosen = JSON.stringify({ version: 1, login: { backend: refreshScene.server.url } });
  writeFileSync(join(refreshScene.cwd, ".config/sophia-run/settings.json"), chosen, { mode: 0o600 });
  logIn(first?.value);
  const command = [...sophiaRun, "--aws-refresh", "--", process.execPath, "-e", PROGRAM];
  const started = startAtTerminal(command, { cwd: refreshScene.cwd, env: { ...env, HOME: refreshScene.cwd } });
  const pid = await pidOf(started);
  if (first !== undefined) first.deleted = true;
  logIn(second?.value);
  await expect.poll(() => refreshScene.openedAtById.size, { timeout: 10_000 }).toBeGreaterThanOrEqual(2);
  process.kill(pid, "SIGTERM");
  expect((await started.finished).stdout).not.toContain("cannot be renewed");
});

test.each(["ESC_TOKEN_FILE", "ESC_OIDC_TOKEN_FILE"])(
  "a pipe in %s is an error, since it has one content",
  async (name) => {
    const refreshScene = await startAwsWorld();
    refreshScene.server.oidc = { subjectTokens: ["an-id-token"], organization: "acme" };
    const { ESC_TOKEN: token = "", ...env } = refreshScene.env;
    const words = [...sophiaRun, "--aws-refresh", "--", "true"];
    const content = name === "ESC_TOKEN_FILE" ? token : "an-id-token";
    const started = startProcess(["bash", "-c", `${name}=<(echo ${content}) exec "$@"`, "bash", ...words], {
      cwd: refreshScene.cwd,
      env: { ...env, ESC_OIDC_ORG: "acme" },
    });
    const { status, stderr } = await started.finished;
    expect(status).toBe(125);
    expect(unwrapLines(stderr)).toContain(`--aws-refresh cannot read the token again: ${name} is a pipe`);
  },
);

test("--aws-refresh may be set by the contract, which the option overrides", async () => {
  const refreshScene = await startAwsWorld({ contract: { variables: {}, awsRefresh: true } });
  const words = (...options: readonly string[]) => [...options, "--", "sh", "-c", 'echo "${AWS_ACCESS_KEY_ID-none}"'];
  expect(await sophia(words(), refreshScene)).toMatchObject({ status: 0, stdout: "none\n" });
  const off = await sophia(words(), { ...refreshScene, env: { ...refreshScene.env, SOPHIA_AWS_REFRESH: "0" } });
  expect(off).toMatchObject({ status: 0, stdout: `${createKeyId(2)}\n` });
});

test("--aws-refresh shares one server with the broker, whose dummies stay the same", async () => {
  const refreshScene = await startAwsWorld({ contract: { variables: { OPENAI_API_KEY: {} } } });
  const env = { ...refreshScene.env, OPENAI_API_KEY: "sk-sentinel-openai", HTTPS_PROXY: "http://127.0.0.1:1" };
  const script = `
    const { OPENAI_BASE_URL: base, AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN: authorization } = process.env;
    const status = async (...request) => (await fetch(...request)).status;
    (async () => console.log(JSON.stringify({
      isOne: new URL(base).origin === new URL(uri).origin,
      direct: process.env.NO_PROXY,
      statuses: [await status(uri), await status(uri, { headers: { authorization } }), await status(base + "/models"), await status(uri + "x")],
    })))();`;
  const log = join(refreshScene.cwd, "log");
  const { stdout, stderr } = await sophia(
    ["--broker", "--aws-refresh", "--audit-log", log, "--", process.execPath, "-e", script],
    { cwd: refreshScene.cwd, env },
  );
  expect(stderr).not.toContain("sentinel");
  expect(JSON.parse(stdout)).toEqual({ isOne: true, direct: "127.0.0.1", statuses: [401, 200, 401, 404] });
  const lines = readFileSync(log, "utf8");
  expect(lines).not.toContain("sentinel");
  expect(lines).toMatch(/"path":"\/sophia-run\/aws-credentials".*"outcome":"answered","status":200/);
});

test("--aws-refresh serves credentials on loopback, where SDKs accept them, if the broker listens elsewhere", async () => {
  const refreshScene = await startAwsWorld({ contract: { variables: { OPENAI_API_KEY: {} } } });
  const script = `
    const { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN: authorization } = process.env;
    fetch(uri, { headers: { authorization } }).then((answer) => console.log(new URL(uri).hostname, answer.status));`;
  const options = ["--broker", "--broker-listen", `unix:${join(refreshScene.cwd, "broker.sock")}`, "--aws-refresh"];
  const env = { ...refreshScene.env, OPENAI_API_KEY: "sk-sentinel-openai" };
  const { status, stdout } = await sophia([...options, "--", process.execPath, "-e", script], {
    cwd: refreshScene.cwd,
    env,
  });
  expect([status, stdout]).toEqual([0, "127.0.0.1 200\n"]);
});

test("--aws-refresh serves no credentials on an address that the user names 127.0.0.1, since others reach it", async () => {
  const refreshScene = await startAwsWorld({ contract: { variables: { OPENAI_API_KEY: {} } } });
  const env = { ...refreshScene.env, OPENAI_API_KEY: "sk-sentinel-openai" };
  const script = `
    const { OPENAI_BASE_URL: base, AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN: authorization } = process.env;
    const other = new URL(new URL(uri).pathname, base.replace("//127.0.0.1", "//127.0.0.2"));
    const status = async (url) => (await fetch(url, { headers: { authorization } })).status;
    (async () => console.log(await status(uri), await status(other)))();`;
  const options = ["--broker", "--broker-listen", "127.0.0.2", "--broker-name", "127.0.0.1", "--aws-refresh"];
  const { stdout, stderr } = await sophia([...options, "--", process.execPath, "-e", script], {
    cwd: refreshScene.cwd,
    env,
  });
  expect({ stdout, stderr }).toEqual({ stdout: "200 401\n", stderr: "" });
});

test("--aws-refresh reports credentials that have expired when they come, and asks ESC more and more rarely", async () => {
  const refreshScene = await startAwsWorld({ lifeMs: 3000 });
  const started = startRefreshed(refreshScene, ["--aws-refresh"]);
  const pid = await pidOf(started);
  refreshScene.lifeMs = -5000;
  await started.waitForStderr(/have already expired; they have expired, and the program gets none/);
  process.kill(pid, "SIGUSR2");
  await started.waitForStdout(/answer 503 soon/);
  await expect.poll(() => refreshScene.openedAtById.size, { timeout: 15_000 }).toBe(4);
  const [second = 0, third = 0, fourth = 0] = [...refreshScene.openedAtById.values()].slice(1);
  expect(fourth - third).toBeGreaterThan((third - second) * 1.3);
  refreshScene.lifeMs = 3_600_000;
  await started.waitForStderr(/AWS credentials are renewed again/);
  process.kill(pid, "SIGTERM");
  const { stderr } = await started.finished;
  expectWording(stderr.replaceAll(/\d\d:\d\d:\d\d/g, "12:00:00"));
});

describe("--aws-refresh of credentials that cannot be renewed", () => {
  test.each([
    ["the environment", { AWS_ACCESS_KEY_ID: "AKIA", AWS_SECRET_ACCESS_KEY: "sentinel" }, {}],
    ["a .env file", {}, { ".env": "AWS_ACCESS_KEY_ID=AKIA\nAWS_SECRET_ACCESS_KEY=sentinel\n" }],
  ])("ends with 125 for keys of %s, and shows the ways out", async (_, own, files) => {
    const refreshScene = await startAwsWorld({ files });
    const env =
      Object.keys(own).length > 0 ? { ...refreshScene.env, ...own } : { PATH: refreshScene.env["PATH"] ?? "" };
    const { status, stderr } = await sophia(["--aws-refresh", "--", "true"], { cwd: refreshScene.cwd, env });
    expect(status).toBe(125);
    expect(stderr).not.toContain("sentinel");
    expectWording(stderr);
    const ways = ["--exclude", "AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY,AWS_SESSION_TOKEN"];
    expect(await sophia(["--aws-refresh", ...ways, "--", "true"], { cwd: refreshScene.cwd, env })).toMatchObject({
      status: 0,
    });
  });

  test("warns for the option alone if there are no keys, or keys that do not expire", async () => {
    const refreshScene = await startAwsWorld();
    const { status, stderr } = await sophia(["--aws-refresh", "--", "true"], {
      cwd: refreshScene.cwd,
      env: { PATH: refreshScene.env["PATH"] ?? "" },
    });
    expect([status, stderr]).toEqual([0, "sophia-run: warning: --aws-refresh has no effect: ESC is not read\n"]);
    const quiet = await sophia(["--", "true"], {
      cwd: refreshScene.cwd,
      env: { PATH: refreshScene.env["PATH"] ?? "", SOPHIA_AWS_REFRESH: "1" },
    });
    expect(quiet).toMatchObject({ status: 0, stderr: "" });
    refreshScene.server.environment("acme/app/static", {
      values: { AWS_ACCESS_KEY_ID: "AKIA", AWS_SECRET_ACCESS_KEY: "sentinel" },
    });
    const fixed = await sophia(["--aws-refresh", "--", "sh", "-c", 'echo "$AWS_ACCESS_KEY_ID"'], {
      cwd: refreshScene.cwd,
      env: { ...refreshScene.env, ESC_ENV: "acme/app/static" },
    });
    expect(fixed).toMatchObject({ status: 0, stdout: "AKIA\n" });
    expect(fixed.stderr).toContain("do not expire");
  });

  test.each([
    [["--aws-refresh", "--mode", "exec"], "--aws-refresh needs a parent process"],
    [["--aws-refresh", "--offline"], "--aws-refresh and --offline cannot be used together"],
  ])("refuses %j", async (options, message) => {
    const refreshScene = await startAwsWorld();
    const { status, stderr } = await sophia([...options, "--", "true"], refreshScene);
    expect(status).toBe(125);
    expect(stderr).toContain(message);
    expect(refreshScene.server.sessions).toBe(0);
  });
});

test.each([
  ["[default]\nregion = x\nsso_session = y\n", true],
  ["[profile default]\ncredential_process = x\n", true],
  ["[default]\nregion = x\n[profile other]\nrole_arn = y\n", false],
])("--aws-refresh names the user's default profile if it has credentials: %j", async (text, isNamed) => {
  const refreshScene = await startAwsWorld();
  const home = folder({ ".aws/config": text });
  const { status, stderr } = await sophia(["--aws-refresh", "--", "true"], {
    ...refreshScene,
    env: { ...refreshScene.env, HOME: home },
  });
  expect(status).toBe(0);
  expect(stderr.includes(`${home}/.aws/config`)).toBe(isNamed);
  if (isNamed) expectWording(stderr);
});
