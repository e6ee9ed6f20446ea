import { existsSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../esc-server/index.ts";
import { skipBecause } from "../helpers/skip.ts";
import { parseEnvironment, folder, sophia, sophiaRun, unwrapLines } from "../helpers/sophia.ts";
import { expectWording } from "../helpers/wording.ts";

const CONTRACT = JSON.stringify({
  variables: {
    GOOGLE_APPLICATION_CREDENTIALS: { as: "file", format: "json", required: true, aliases: ["GCP_KEY"] },
    SETTINGS: { as: "file", default: "level: info" },
  },
});
const VALUE = '{"private_key": "sentinel-of-a-key"}';
const SHOW =
  'printf "%s %s %s\\n" "$GOOGLE_APPLICATION_CREDENTIALS" "$(stat -c %a "$GOOGLE_APPLICATION_CREDENTIALS")" "$(cat "$GOOGLE_APPLICATION_CREDENTIALS")"';

function createProject(files: Readonly<Record<string, string>> = {}): string {
  return folder({ "sophia.contract.json": CONTRACT, ...files });
}

/** Starts a shell that prints the path, the mode and the content of the file. */
async function startProgram(cwd: string, env: Readonly<Record<string, string>>, ...prefix: readonly string[]) {
  const { stdout, stderr, status } = await sophia([...prefix, "--", "sh", "-c", SHOW], { cwd, env });
  const [, path = "", mode, content] = /^(\S*) (\d*) (.*)\n$/s.exec(stdout) ?? [];
  return { path, mode, content, stderr, status };
}

describe.each([["exec"], ["spawn"]])('"as": "file" in mode %s', (mode) => {
  // At the end of a container the kernel ends the process that removes the files, so these tests are skipped there.
  const isContained = process.platform === "linux" && readlinkSync("/proc/self/ns/pid") !== "pid:[4026531836]";
  skipBecause(mode === "exec" && isContained ? "needs the first PID namespace" : undefined);

  test.each<[string, Readonly<Record<string, string>>, Readonly<Record<string, string>>]>([
    ["the environment", {}, { GOOGLE_APPLICATION_CREDENTIALS: VALUE }],
    ["an alias in the environment", {}, { GCP_KEY: VALUE }],
    [".env", { ".env": `GOOGLE_APPLICATION_CREDENTIALS='${VALUE}'\n` }, {}],
    [".env.override", { ".env.override": `GOOGLE_APPLICATION_CREDENTIALS='${VALUE}'\n` }, {}],
    ["a file that NAME_FILE names", { key: VALUE }, { GOOGLE_APPLICATION_CREDENTIALS_FILE: "key" }],
  ])("gives the program a value of %s in a private file, which is removed afterwards", async (_, files, env) => {
    const {
      path,
      mode: bits,
      content,
      status,
    } = await startProgram(createProject(files), env, "--quiet", "--mode", mode);
    expect([status, bits, content]).toEqual([0, "600", VALUE]);
    await expect.poll(() => existsSync(path)).toBe(false);
  });

  test("gives the program a value of ESC, and a default, in a file", async () => {
    const server = await startEscServer();
    onTestFinished(() => server.close());
    server.environment("acme/app/dev", { values: { GOOGLE_APPLICATION_CREDENTIALS: VALUE } });
    const env = { ESC_ENV: "acme/app/dev", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
    const cwd = createProject();
    expect((await startProgram(cwd, env, "--mode", mode)).content).toBe(VALUE);
    const { stdout } = await sophia(["--mode", mode, "--", "sh", "-c", 'cat "$SETTINGS"'], { cwd, env });
    expect(stdout).toBe("level: info");
  });

  test("passes the path of a file on unchanged, also in a sophia-run that another sophia-run has started", async () => {
    const cwd = createProject({ key: VALUE });
    const own = await startProgram(cwd, { GOOGLE_APPLICATION_CREDENTIALS: join(cwd, "key") }, "--mode", mode);
    expect([own.path, own.content]).toEqual([join(cwd, "key"), VALUE]);
    const inner = [...sophiaRun, "--mode", mode];
    const nested = await startProgram(cwd, { GOOGLE_APPLICATION_CREDENTIALS: VALUE }, "--mode", mode, "--", ...inner);
    expect([nested.mode, nested.content]).toEqual(["600", VALUE]);
  });
});

test('a value with "as": "file" is checked against its format', async () => {
  const cwd = createProject();
  const { status, stderr } = await sophia(["--", "true"], {
    cwd,
    env: { GOOGLE_APPLICATION_CREDENTIALS: "/sentinel" },
  });
  expect(status).toBe(78);
  expect(stderr).toContain("GOOGLE_APPLICATION_CREDENTIALS must be JSON");
  expect(stderr).not.toContain("sentinel");
});

test("--fake makes a file that contains a dummy", async () => {
  expect((await startProgram(createProject(), {}, "--fake")).content).toContain("fake");
});

test('a value with "as": "file" is shown as such by explain, left out by export, and masked in output', async () => {
  const at = { cwd: createProject(), env: { GOOGLE_APPLICATION_CREDENTIALS: VALUE } };
  const explained = await sophia(["explain", "GOOGLE_APPLICATION_CREDENTIALS"], at);
  expect(explained.stdout).toContain("from     the process environment, passed as a private file\n");
  expect(explained.stdout).toContain("format   JSON in a file, whose path programs get\n");
  const exported = await sophia(["export"], at);
  expect(parseEnvironment(exported.stdout)).toEqual({});
  expectWording(exported.stderr);
  const masked = await sophia(["--redact", "--", "sh", "-c", 'cat "$GOOGLE_APPLICATION_CREDENTIALS"'], at);
  expect(masked.stdout).toBe("***");
  for (const { stdout, stderr } of [explained, exported, masked]) expect(stdout + stderr).not.toContain("sentinel");
});

test.each([
  ["broker", { API_KEY: { as: "file", broker: { upstream: "https://api.example.test", headers: ["X-Key"] } } }],
  ["broker", { API_KEY: { as: "file", broker: true } }],
  ["default", { KUBECONFIG: { as: "file", default: "users: []" } }],
  ['"file"', { API_KEY: { as: "folder" } }],
])('a contract is refused if "as" is wrong or contradicts another member: %s', async (member, variables) => {
  const cwd = folder();
  writeFileSync(join(cwd, "sophia.contract.json"), JSON.stringify({ variables }));
  const { status, stderr } = await sophia(["--", "true"], { cwd });
  expect(status).toBe(125);
  expect(unwrapLines(stderr)).toContain(member);
  expectWording(stderr);
});

test('"as": "file" is allowed beside "broker": false', async () => {
  const cwd = folder({
    "sophia.contract.json": JSON.stringify({ variables: { API_KEY: { as: "file", broker: false } } }),
  });
  expect((await sophia(["--", "true"], { cwd })).status).toBe(0);
});
