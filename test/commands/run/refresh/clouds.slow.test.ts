import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { sophiaRun } from "../../../helpers/program.ts";
import { folder, sophia, unwrapLines } from "../../../helpers/sophia.ts";
import { startProcess } from "../../../helpers/start-process.ts";
import { expectWording } from "../../../helpers/wording.ts";
import { type CloudsWorld, startCloudsWorld, ENVIRONMENT, createJwt, VARIABLES } from "./clouds-world.ts";

/** Asks for a token as an SDK of Google does, reads its files, and prints all of it, on each SIGUSR2. */
const PROGRAM = `
  const { readFileSync, writeSync } = require("node:fs");
  const say = (value) => writeSync(1, JSON.stringify(value) + "\\n");
  let count = 0;
  const read = (name) => process.env[name] === undefined ? undefined : readFileSync(process.env[name], "utf8");
  const ask = async () => {
    const config = read("GOOGLE_APPLICATION_CREDENTIALS");
    let google;
    if (config !== undefined) {
      const { token_url, credential_source: { url, headers } } = JSON.parse(config);
      const subject = await (await fetch(url, { headers })).text();
      const form = { grant_type: "urn:ietf:params:oauth:grant-type:token-exchange", subject_token: subject, scope: "x" };
      const answer = await fetch(token_url, { method: "POST", body: new URLSearchParams(form) });
      google = { status: answer.status, ...(await answer.json()) };
    }
    say({ asked: ++count, google, gcloud: read("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"), azure: read("AZURE_FEDERATED_TOKEN_FILE"), file: read("TLS_FILE") });
  };
  process.on("SIGUSR2", () => { ask().catch((error) => say({ failed: String(error) })); });
  process.on("SIGTERM", () => process.exit(0));
  setInterval(() => {}, 60_000);
  const names = Object.keys(process.env).filter((name) => /^(GOOGLE|CLOUDSDK|AZURE|ARM|SOPHIA_REF|NO_PROXY|no_proxy)/.test(name));
  say({ pid: process.pid, env: Object.fromEntries(names.sort().map((name) => [name, process.env[name]])) });
`;

interface GoogleFile {
  readonly token_url: string;
  readonly credential_source: { readonly url: string; readonly headers: Readonly<Record<string, string>> };
}

interface Answer {
  readonly google?: { readonly status: number; readonly access_token?: string; readonly expires_in?: number };
  readonly gcloud?: string;
  readonly azure?: string;
  readonly file?: string;
}

async function startRefreshed(
  cloudScene: CloudsWorld,
  options: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const words = [...sophiaRun, ...options, "--", process.execPath, "-e", PROGRAM];
  const started = startProcess([words[0] ?? "", ...words.slice(1)], {
    cwd: cloudScene.cwd,
    env: { ...cloudScene.env, ...env },
  });
  const [line] = await started.waitForStdout(/\{"pid".*\n/);
  const first: { readonly pid: number; readonly env: Readonly<Record<string, string>> } = JSON.parse(line);
  let count = 0;
  return {
    ...started,
    ...first,
    ask: async (): Promise<Answer> => {
      process.kill(first.pid, "SIGUSR2");
      const [answer] = await started.waitForStdout(new RegExp(`\\{"asked":${(count += 1)},.*\\n`));
      const parsed: Answer = JSON.parse(answer);
      return parsed;
    },
    stop: async () => {
      process.kill(first.pid, "SIGTERM");
      return started.finished;
    },
  };
}

describe("a start with --refresh", () => {
  test("gives the program files and addresses in place of tokens, and removes them at its end", async () => {
    const cloudScene = await startCloudsWorld({ files: "\n    TLS_FILE: ${test.content}" });
    const program = await startRefreshed(cloudScene, ["--refresh"], { HTTPS_PROXY: "http://127.0.0.1:1" });
    expect(Object.keys(program.env)).toEqual([
      "ARM_CLIENT_ID",
      "ARM_OIDC_TOKEN_FILE_PATH",
      "ARM_TENANT_ID",
      "AZURE_CLIENT_ID",
      "AZURE_FEDERATED_TOKEN_FILE",
      "AZURE_TENANT_ID",
      "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
      "GOOGLE_APPLICATION_CREDENTIALS",
      "NO_PROXY",
      "SOPHIA_REFRESHED",
      "no_proxy",
    ]);
    expect(program.env).toMatchObject({
      NO_PROXY: "127.0.0.1",
      AZURE_CLIENT_ID: "the-client",
      AZURE_TENANT_ID: "the-tenant",
    });
    expect(JSON.stringify(program.env)).not.toContain("sentinel");
    const files = ["GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", "AZURE_FEDERATED_TOKEN_FILE"];
    const paths = files.map((name) => program.env[name] ?? "");
    expect(paths.map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o600, 0o600]);
    expect(paths.map((path) => statSync(dirname(path)).mode & 0o777)).toEqual([0o700, 0o700, 0o700]);
    const config: unknown = JSON.parse(readFileSync(paths[0] ?? "", "utf8"));
    expect(config).toMatchObject({
      type: "external_account",
      audience: expect.not.stringContaining("/projects/"),
      subject_token_type: expect.stringMatching(/^urn:/),
      token_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/sophia-run\/google-token$/),
    });
    const { google, gcloud, azure, file } = await program.ask();
    expect(google).toMatchObject({
      status: 200,
      access_token: gcloud,
      issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
      token_type: "Bearer",
    });
    expect(google?.expires_in).toBeGreaterThan(3500);
    expect(google?.expires_in).toBeLessThanOrEqual(3600);
    expect(gcloud).toMatch(/^sentinel-google-\d+$/);
    expect(azure).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(file).toMatch(/^sentinel-content-\d+$/);
    expect(await program.stop()).toMatchObject({ status: 0, stderr: "" });
    expect(paths.map((path) => existsSync(dirname(path)))).toEqual([false, false, false]);
    expect(cloudScene.server.sessions).toBe(1);
  });

  test("renews tokens and files in place, and masks each generation, in the audit log as well", async () => {
    const cloudScene = await startCloudsWorld({ lifeMs: 5000, files: "\n    TLS_FILE: ${test.content}" });
    const log = join(cloudScene.cwd, "log");
    const program = await startRefreshed(cloudScene, ["--refresh", "--redact", "--audit-log", log]);
    const path = program.env["AZURE_FEDERATED_TOKEN_FILE"] ?? "";
    const first = readFileSync(path, "utf8");
    await expect.poll(() => readFileSync(log, "utf8").match(/"event":"renewal"/g)?.length, { timeout: 20_000 }).toBe(2);
    expect(readFileSync(path, "utf8")).not.toBe(first);
    expect(await program.ask()).toMatchObject({
      google: { status: 200, access_token: "***" },
      gcloud: "***",
      azure: "***",
      file: "***",
    });
    const { status, stdout, stderr } = await program.stop();
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout + readFileSync(log, "utf8")).not.toMatch(/sentinel|c2ln/);
    const lines = readFileSync(log, "utf8")
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    const [started, , renewal] = lines.filter((line) => !JSON.stringify(line).includes('"event":"request"'));
    const iso: unknown = expect.stringMatching(/^\d{4}-.*Z$/);
    const clouds = [
      { cloud: "google", expiresAt: iso, by: "GOOGLE_OAUTH_ACCESS_TOKEN_EXPIRY" },
      { cloud: "azure", expiresAt: iso, by: "token" },
      { files: ["TLS_FILE"] },
    ];
    expect(started).toMatchObject({ event: "start", renewed: clouds });
    expect(renewal).toMatchObject({ event: "renewal", renewed: clouds, esc: { status: "read" } });
  });

  test("without an end of its token, assumes an hour for Google, and warns", async () => {
    const cloudScene = await startCloudsWorld({
      variables: "\n    CLOUDSDK_AUTH_ACCESS_TOKEN: ${gcp.login.accessToken}",
    });
    const program = await startRefreshed(cloudScene, ["--refresh"]);
    const { google } = await program.ask();
    expect(google?.expires_in).toBeGreaterThan(3500);
    const { stderr } = await program.stop();
    expectWording(stderr);
  });

  test("leaves a token of Azure alone that is no JWT, and warns", async () => {
    const cloudScene = await startCloudsWorld({ variables: "\n    ARM_OIDC_TOKEN: opaque-sentinel" });
    const { status, stdout, stderr } = await sophia(
      ["--refresh", "--", "sh", "-c", 'echo "$ARM_OIDC_TOKEN ${AZURE_FEDERATED_TOKEN_FILE-none}"'],
      cloudScene,
    );
    expect([status, stdout]).toEqual([0, "opaque-sentinel none\n"]);
    expect(stderr).not.toContain("sentinel");
    expectWording(stderr);
  });

  test("keeps what SDKs would use first from ESC, and warns of the caller's", async () => {
    const cloudScene = await startCloudsWorld({ variables: `${VARIABLES.AZURE}\n    AZURE_CLIENT_SECRET: static` });
    const echo = ["--", "sh", "-c", 'echo "${AZURE_CLIENT_SECRET-none} ${AZURE_USERNAME-none}"'];
    expect(await sophia(["--refresh", ...echo], cloudScene)).toMatchObject({ stdout: "none none\n", stderr: "" });
    const warned = await sophia(["--refresh", ...echo], {
      ...cloudScene,
      env: { ...cloudScene.env, AZURE_USERNAME: "ada" },
    });
    expect(warned.stdout).toBe("none ada\n");
    expect(unwrapLines(warned.stderr)).toContain("SDKs prefer AZURE_USERNAME of the process environment");
  });

  test("obeys the contract; a variable overrides it, and --aws-refresh means AWS alone", async () => {
    const cloudScene = await startCloudsWorld({ contract: { variables: {}, refresh: true } });
    const echo = ["--", "sh", "-c", 'echo "${ARM_OIDC_TOKEN-none}"'];
    expect(await sophia(echo, cloudScene)).toMatchObject({ status: 0, stdout: "none\n" });
    const off = await sophia(echo, { ...cloudScene, env: { ...cloudScene.env, SOPHIA_REFRESH: "0" } });
    expect(off.stdout).toMatch(/^[\w-]+\.[\w-]+\.c2ln\n$/);
    const aws = await sophia(["--aws-refresh", ...echo], {
      ...cloudScene,
      env: { ...cloudScene.env, SOPHIA_REFRESH: "0" },
    });
    expect(aws.stdout).toMatch(/^[\w-]+\.[\w-]+\.c2ln\n$/);
    expect(aws.stderr).toContain("--aws-refresh has no effect");
  });
});

describe("the caller's own credentials, with --refresh,", () => {
  test.each([
    ["GOOGLE_APPLICATION_CREDENTIALS", "/home/ada/key.json"],
    ["AZURE_FEDERATED_TOKEN_FILE", "/var/run/token"],
    ["GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.own-sentinel"],
  ])("cannot be renewed, which ends the start with 125 and offers --exclude: %s", async (name, value) => {
    const cloudScene = await startCloudsWorld();
    const env = { ...cloudScene.env, [name]: value };
    const { status, stderr } = await sophia(["--refresh", "--", "true"], { cwd: cloudScene.cwd, env });
    expect(status).toBe(125);
    expect(stderr).not.toContain("sentinel");
    expect(unwrapLines(stderr)).toContain(`--exclude ${name}`);
    const echo = ["--", "sh", "-c", `echo "\${${name}-none}"`];
    const excluded = await sophia(["--refresh", "--exclude", name, ...echo], { cwd: cloudScene.cwd, env });
    expect(excluded.status).toBe(0);
    expect(excluded.stdout).not.toContain(value);
  });

  test("do not matter for a cloud that ESC does not give", async () => {
    const cloudScene = await startCloudsWorld({ variables: VARIABLES.AZURE });
    const env = { ...cloudScene.env, GOOGLE_APPLICATION_CREDENTIALS: "/own.json", AWS_ACCESS_KEY_ID: "AKIA" };
    const echo = ["--", "sh", "-c", 'echo "$GOOGLE_APPLICATION_CREDENTIALS $AWS_ACCESS_KEY_ID"'];
    expect(await sophia(["--refresh", ...echo], { cwd: cloudScene.cwd, env })).toMatchObject({
      status: 0,
      stdout: "/own.json AKIA\n",
    });
  });

  test("are not those of an outer sophia-run, whose variables a nested one takes over", async () => {
    const cloudScene = await startCloudsWorld({
      contract: { variables: { ARM_OIDC_TOKEN: { required: true } } },
    });
    const inner = ["--", "sh", "-c", 'cat "$AZURE_FEDERATED_TOKEN_FILE"'];
    const nested = await sophia(["--refresh", "--keep-esc", "--", ...sophiaRun, "--refresh", ...inner], cloudScene);
    expect(nested.stderr).toBe("");
    expect(nested.stdout).toMatch(/^[\w-]+\.[\w-]+\.c2ln$/);
    // Without ESC the nested one passes the outer one's file on, and does not miss what the outer one has withheld.
    const passed = await sophia(["--refresh", "--", ...sophiaRun, ...inner], cloudScene);
    expect(passed).toMatchObject({ status: 0, stderr: "" });
    expect(passed.stdout).toMatch(/^[\w-]+\.[\w-]+\.c2ln$/);
  });
});

describe("--refresh, if ESC gives nothing new,", () => {
  test("keeps the tokens until they expire, then answers 503, and uses later ones", async () => {
    const cloudScene = await startCloudsWorld({ lifeMs: 10_000 });
    const program = await startRefreshed(cloudScene, ["--refresh", "--timeout", "2s"]);
    const before = await program.ask();
    cloudScene.server.failAlways("open", 403);
    await program.waitForStderr(/Google Cloud credentials and Azure credentials\s+cannot\s+be\s+renewed/);
    expect(await program.ask()).toMatchObject({ google: { status: 200, access_token: before.google?.access_token } });
    await program.waitForStderr(/have\s+expired/);
    const { google } = await program.ask();
    expect(google).toMatchObject({ status: 503, error: "temporarily_unavailable" });
    cloudScene.lifeMs = 3_600_000;
    cloudScene.server.heal();
    await program.waitForStderr(/are\s+renewed\s+again/);
    expect((await program.ask()).google).toMatchObject({ status: 200 });
    const { stderr } = await program.stop();
    expect(stderr).not.toMatch(/sentinel|c2ln/);
  });

  test("takes the same token again as a failure, after which ESC is asked more and more rarely", async () => {
    const token = createJwt({ jti: "sentinel-static", exp: Math.floor(Date.now() / 1000) + 7 });
    const cloudScene = await startCloudsWorld({ variables: `\n    ARM_OIDC_TOKEN: ${token}` });
    const program = await startRefreshed(cloudScene, ["--refresh"]);
    await program.waitForStderr(/the\s+same\s+credentials\s+again/);
    await program.waitForStderr(/have\s+expired/);
    const { sessions } = cloudScene.server;
    expect(sessions).toBeLessThan(8);
    const { stderr } = await program.stop();
    expect(stderr).not.toContain("sentinel");
    expectWording(stderr.replaceAll(/\d\d:\d\d:\d\d/g, "12:00:00"));
  });

  test("keeps a file as it was, with a report, if the new file breaks the contract or is gone", async () => {
    const cloudScene = await startCloudsWorld({
      variables: "\n    CERT: c2VudGluZWwx",
      contract: { variables: { CERT: { as: "file", format: "base64" } } },
      files: "\n    TLS_FILE: ${test.content}\n    OTHER_FILE: first",
    });
    const program = await startRefreshed(cloudScene, ["--refresh", "--session", "4s"]);
    cloudScene.server.environment(ENVIRONMENT, {
      definition:
        "values:\n  environmentVariables:\n    CERT: '*not base64*'\n  files:\n    TLS_FILE: another-content\n",
    });
    await program.waitForStderr(/is\s+not\s+written/);
    expect(await program.ask()).toMatchObject({ file: "another-content" });
    const { status, stderr } = await program.stop();
    expect(status).toBe(0);
    expectWording(stderr);
  });
});

test("--watch restarts the program for a changed revision, not for a mere renewal", async () => {
  const cloudScene = await startCloudsWorld({ lifeMs: 6000, files: "\n    TLS_FILE: ${test.content}" });
  const program = await startRefreshed(cloudScene, ["--refresh", "--watch", "--watch-every", "1s", "--session", "8s"]);
  const first = await program.ask();
  await expect.poll(() => cloudScene.server.sessions, { timeout: 20_000 }).toBeGreaterThan(4);
  const later = await program.ask();
  expect(later.google?.access_token).not.toBe(first.google?.access_token);
  expect(later.file).not.toBe(first.file);
  cloudScene.server.environment(ENVIRONMENT, {
    definition:
      "values:\n  azure:\n    login:\n      fn::open::azure-login: {}\n  environmentVariables:\n    ADDED: added\n    ARM_OIDC_TOKEN: ${azure.login.oidc.token}\n",
  });
  const [line] = await program.waitForStdout(/\{"pid":(?=.*"AZURE)(?!.*"GOOGLE).*\n/);
  const { pid, env }: { readonly pid: number; readonly env: Readonly<Record<string, string>> } = JSON.parse(line);
  expect(Object.keys(env)).toContain("AZURE_FEDERATED_TOKEN_FILE");
  expect(Object.keys(env)).not.toContain("GOOGLE_APPLICATION_CREDENTIALS");
  expect(readFileSync(env["AZURE_FEDERATED_TOKEN_FILE"] ?? "", "utf8")).toMatch(/c2ln$/);
  process.kill(pid, "SIGTERM");
  const { stderr } = await program.finished;
  expect(stderr).not.toMatch(/sentinel|c2ln/);
  expect(stderr.match(/the program is restarted/g)).toHaveLength(1);
});

test("the server of tokens gives none to others: it refuses wrong requests, with errors that SDKs show", async () => {
  const cloudScene = await startCloudsWorld();
  const program = await startRefreshed(cloudScene, ["--refresh"]);
  const config: GoogleFile = JSON.parse(readFileSync(program.env["GOOGLE_APPLICATION_CREDENTIALS"] ?? "", "utf8"));
  const { token_url: url, credential_source: source } = config;
  const subject = await (await fetch(source.url, { headers: source.headers })).text();
  const grant = "urn:ietf:params:oauth:grant-type:token-exchange";
  const post = async (body: string) => fetch(url, { method: "POST", body });
  const form = (fields: Readonly<Record<string, string>>): string => new URLSearchParams(fields).toString();
  const answers = [
    await fetch(source.url),
    await fetch(source.url, { method: "POST", headers: source.headers }),
    await fetch(url),
    await fetch(`${url}x`),
    await post(form({ grant_type: grant, subject_token: "wrong" })),
    await post(form({ grant_type: grant })),
    await post(form({ grant_type: "password", subject_token: subject })),
    await post(`${form({ grant_type: grant, subject_token: subject })}&x=${"x".repeat(64 * 1024)}`),
  ];
  expect(answers.map(({ status }) => status)).toEqual([401, 405, 405, 404, 401, 401, 400, 413]);
  for (const answer of answers) {
    const body = await answer.text();
    expect(JSON.parse(body)).toMatchObject({
      error: expect.any(String),
      error_description: expect.stringMatching(/^sophia-run: /),
    });
    expect(body).not.toContain("sentinel");
  }
  expect((await program.stop()).stderr).toBe("");
});

test("the audit log of a brokered request has no token that was just renewed", async () => {
  const cloudScene = await startCloudsWorld({
    lifeMs: 6000,
    contract: { variables: { OPENAI_API_KEY: {} } },
    variables: VARIABLES.GOOGLE,
  });
  const log = join(cloudScene.cwd, "log");
  const program = await startRefreshed(cloudScene, ["--broker", "--refresh", "--audit-log", log], {
    OPENAI_API_KEY: "sk-sentinel-openai",
  });
  const config: GoogleFile = JSON.parse(readFileSync(program.env["GOOGLE_APPLICATION_CREDENTIALS"] ?? "", "utf8"));
  const file = program.env["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"] ?? "";
  const first = readFileSync(file, "utf8");
  await expect.poll(() => readFileSync(file, "utf8"), { timeout: 20_000 }).not.toBe(first);
  await fetch(new URL(`/v1/models/${readFileSync(file, "utf8")}`, config.token_url));
  await program.stop();
  const records = readFileSync(log, "utf8");
  expect(records).toContain('"path":"/v1/models/***"');
  expect(records).not.toContain("sentinel");
});

test("with a broker that listens elsewhere, tokens have a loopback port of their own", async () => {
  const cloudScene = await startCloudsWorld({ contract: { variables: { OPENAI_API_KEY: {} } } });
  const options = ["--broker", "--broker-listen", `unix:${join(cloudScene.cwd, "broker.sock")}`, "--refresh"];
  const program = await startRefreshed(cloudScene, options, { OPENAI_API_KEY: "sk-sentinel-openai" });
  expect((await program.ask()).google).toMatchObject({ status: 200 });
  expect((await program.stop()).status).toBe(0);
});

test("without --broker, gh keeps its configuration, even if the contract has a token of GitHub", async () => {
  const it = await startCloudsWorld({ contract: { variables: { GITHUB_TOKEN: {} } } });
  // A configuration that the broker would warn of.
  const own = folder({ "config.yml": "- editor\n" });
  const program = await startRefreshed(it, ["--refresh", "--watch"], { GH_CONFIG_DIR: own });
  expect((await program.ask()).google).toMatchObject({ status: 200 });
  expect((await program.stop()).stderr).not.toContain("gh ignores");
});

test.each([
  [["--mode", "exec"], "--refresh needs a parent process"],
  [["--offline"], "--refresh and --offline cannot be used together"],
])("--refresh refuses %s", async (options, message) => {
  const cloudScene = await startCloudsWorld();
  const { status, stderr } = await sophia(["--refresh", ...options, "--", "true"], cloudScene);
  expect(status).toBe(125);
  expect(unwrapLines(stderr)).toContain(message);
});

test("--refresh of files alone starts no server", async () => {
  const cloudScene = await startCloudsWorld({ variables: "", files: "\n    TLS_FILE: ${test.content}" });
  const program = await startRefreshed(cloudScene, ["--refresh", "--session", "4s"]);
  const first = (await program.ask()).file;
  const { sessions } = cloudScene.server;
  expect(listeningPorts(program.pid)).toEqual([]);
  await expect.poll(() => cloudScene.server.sessions, { timeout: 10_000 }).toBe(sessions + 2);
  expect((await program.ask()).file).not.toBe(first);
  expect((await program.stop()).stderr).toBe("");
});

/** Returns the TCP ports on which the parent of a process listens (Linux). */
function listeningPorts(pid: number): readonly string[] {
  const parent = /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "";
  const descriptors = `/proc/${parent}/fd`;
  const links = readdirSync(descriptors).map((name) => readlinkSync(join(descriptors, name)));
  const sockets = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const rows = readFileSync("/proc/net/tcp", "utf8")
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
  return rows.flatMap((row) => (row[3] === "0A" && sockets.has(row[9] ?? "") ? [row[1] ?? ""] : []));
}
