import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CORPUS, FAKE_TOKEN } from "../../contract/corpus.ts";
import { type EscServer, secret } from "../../esc-server/index.ts";
import { type ProcessResult, parseEnvironment, folder, sophia } from "../../helpers/sophia.ts";
import { atTerminal } from "../../helpers/terminal.ts";
import { expectWording } from "../../helpers/wording.ts";
import { ENV, startEscProject } from "../parts/writing/esc-project.ts";
import { SENTINEL, expectNoValue, sentinelOf } from "../sophia-environment.ts";

const CONTRACT = JSON.stringify({
  variables: { API_KEY: { required: true }, REGION: { secret: false }, EMPTY: {} },
});
const FILE = [
  "# local",
  `API_KEY=${sentinelOf("api")}`,
  `export DB_PASSWORD='${sentinelOf("db")}$\{x}'`,
  "REGION=eu",
  "LOG_LEVEL=debug",
  "EMPTY=",
  "ESC_ENV=acme/app/dev",
  "SOPHIA_QUIET=1",
  `MULTI="a\nb # ${SENTINEL}"`,
  "",
].join("\n");

async function startEscWithEnvironment(spec: Parameters<EscServer["environment"]>[1] = { values: { KEEP: "1" } }) {
  const project = await startEscProject(spec, { ".env": FILE, "sophia.contract.json": CONTRACT });
  const { cwd, env } = project;
  const run = (...args: string[]): Promise<ProcessResult> => sophia(["import", ".env", ...args], { cwd, env });
  return { ...project, run };
}

async function valuesOf(server: EscServer): Promise<Record<string, string>> {
  const env = { PULUMI_BACKEND_URL: server.url, ESC_ENV: ENV, ESC_TOKEN: server.token };
  const { stdout } = await sophia(["--no-contract", "--", "env"], { env });
  return parseEnvironment(stdout);
}

describe("import", () => {
  test("writes one revision, secrets as secrets, and reads it back; twice is one revision", async () => {
    const { server, handle, run } = await startEscWithEnvironment();
    const result = await run("--yes");
    expect(result).toMatchObject({ status: 0, stderr: "" });
    for (const line of [
      "API_KEY      secret",
      "DB_PASSWORD  secret",
      "REGION       plain text",
      "LOG_LEVEL    secret",
      "MULTI        secret",
    ]) {
      expect(result.stdout).toContain(`\n  + ${line}\n`);
    }
    expect(result.stdout).toContain("pulumi env version rollback acme/app/dev@1");
    expectWording(result.stdout);
    expect(handle.definition.match(/ciphertext/g)).toHaveLength(4);
    expect(result.stdout).toContain("  LOG_LEVEL and MULTI: secret, since the contract does not declare them; --plain");
    expect(handle.definition).toContain('    KEEP: "1"\n');
    expect(await valuesOf(server)).toMatchObject({
      API_KEY: sentinelOf("api"),
      DB_PASSWORD: `${sentinelOf("db")}$\{x}`,
      KEEP: "1",
      REGION: "eu",
    });
    const again = await run("--yes");
    expect(again).toMatchObject({ status: 0 });
    expectWording(again.stdout);
    expect(handle.revisions).toHaveLength(2);
    expect(server.violations).toEqual([]);
    expectNoValue(again);
  });

  test("--dry-run writes nothing, and import refuses to write without --yes and a terminal", async () => {
    const { server, run } = await startEscWithEnvironment();
    const dry = await run("--dry-run");
    expect(dry).toMatchObject({ status: 0 });
    expectWording(dry.stdout);
    const unasked = await run();
    expect(unasked).toMatchObject({ status: 125 });
    expect(unasked.stderr).toContain("--yes");
    expect(server.count("update")).toBe(0);
    expectNoValue(dry);
  });

  test("--dry-run needs no token that may write: the launcher's own is enough", async () => {
    const { server, cwd, env } = await startEscWithEnvironment({ values: { API_KEY: secret(sentinelOf("old")) } });
    const { value } = server.addToken({ owner: { kind: "organization", organization: "acme" }, access: "open" });
    const { ESC_ADMIN_TOKEN: _, ...others } = env;
    const dry = await sophia(["import", ".env", "--dry-run"], { cwd, env: { ...others, ESC_TOKEN: value } });
    expect(dry).toMatchObject({ status: 1, stderr: "" });
    expect(dry.stdout).toContain("  + DB_PASSWORD  secret\n");
    expect(dry.stdout).toContain("\n  API_KEY: ");
    expectWording(dry.stdout);
    expectNoValue(dry);
    const none = await sophia(["import", ".env", "--dry-run"], { cwd, env: others });
    expect(none).toMatchObject({ status: 125 });
    expect(none.stderr).toContain("ESC_ADMIN_TOKEN");
  });

  test("keeps a different value in ESC, and replaces it with --overwrite", async () => {
    const { server, handle, run } = await startEscWithEnvironment({
      values: { API_KEY: secret(sentinelOf("old")), REGION: "eu", LOG_LEVEL: "info" },
      files: { MULTI: "file" },
    });
    const result = await run("--yes");
    expect(result).toMatchObject({ status: 1 });
    expect(result.stdout).toContain("\n  API_KEY and LOG_LEVEL: ");
    expectWording(result.stdout);
    expect((await valuesOf(server))["API_KEY"]).toBe(sentinelOf("old"));
    const over = await run("--yes", "--overwrite");
    expect(over.stdout).toContain("  ~ API_KEY    secret\n  ~ LOG_LEVEL  secret\n");
    expect(over).toMatchObject({ status: 1 });
    expect(await valuesOf(server)).toMatchObject({ API_KEY: sentinelOf("api"), LOG_LEVEL: "debug" });
    expect(handle.revisions).toHaveLength(3);
    expectNoValue(result);
    expectNoValue(over);
  });

  test("--plain writes the named variables as plain text, and no other", async () => {
    const { server, handle, run } = await startEscWithEnvironment();
    const result = await run("--yes", "--plain", "LOG_LEVEL", "--plain=MULTI");
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toContain("  + LOG_LEVEL    plain text\n  + MULTI        plain text\n");
    expect(handle.definition.match(/ciphertext/g)).toHaveLength(2);
    expect(handle.definition).toContain('    LOG_LEVEL: "debug"\n');
    const again = await run("--yes");
    expect(again.stdout).not.toContain("plain text");
    expect(server.violations).toEqual([]);
  });

  test.each([
    ["LOGLEVEL", '--plain: .env does not set LOGLEVEL: did you mean "LOG_LEVEL"?'],
    ["API_KEY", "--plain: the contract declares API_KEY a secret"],
  ])("--plain %s is refused", async (name, message) => {
    const { server, run } = await startEscWithEnvironment();
    const result = await run("--yes", "--plain", name);
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain(message);
    expect(server.count("any")).toBe(0);
  });

  test("writes a value that holds a credential as a secret, whatever the contract says, unless --plain or a reason says otherwise", async () => {
    const { env } = await startEscWithEnvironment();
    const contract = JSON.stringify({
      variables: { GHX: { secret: false }, REGION: { secret: false }, OPEN: { secret: false, reason: "a test" } },
    });
    const cwd = folder({
      ".env": ["GHX", "REGION", "OPEN"].map((name) => `${name}=${FAKE_TOKEN}\n`).join(""),
      "sophia.contract.json": contract,
    });
    const result = await sophia(["import", ".env", "--dry-run", "--plain", "REGION"], { cwd, env });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toContain("  + GHX     secret\n  + REGION  plain text\n  + OPEN    plain text\n");
    expectWording(result.stdout);
    expect(result.stdout).not.toContain(FAKE_TOKEN);
  });

  test("writes no variable of the corpus as plain text without a contract", async () => {
    const { env } = await startEscWithEnvironment();
    const names = CORPUS.map(({ value }, index) => [`V${index}`, value] as const).filter(
      ([, value]) => !/['\n]/.test(value),
    );
    const cwd = folder({ ".env": names.map(([name, value]) => `${name}='${value}'\n`).join("") });
    const result = await sophia(["import", ".env", "--dry-run"], { cwd, env });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout.match(/ {2}secret$/gm)).toHaveLength(names.length);
    expect(result.stdout).not.toMatch(/ {2}plain text$/m);
  });

  test("keeps a change that another user makes in between", async () => {
    const { server, handle, run } = await startEscWithEnvironment();
    const update = server.hold("update");
    const running = run("--yes");
    await server.waitFor("update");
    handle.revise({ values: { KEEP: "2", THEIRS: "t", REGION: "us" } });
    update.release();
    const result = await running;
    expect(result).toMatchObject({ status: 1, stderr: "" });
    expect(result.stdout).toContain("  REGION: kept, ");
    expectWording(result.stdout);
    expect(await valuesOf(server)).toMatchObject({ KEEP: "2", THEIRS: "t", REGION: "us", API_KEY: sentinelOf("api") });
  });

  test("makes no second revision if an answer is lost", async () => {
    const { server, handle, run } = await startEscWithEnvironment();
    server.failNext("update", { kind: "disconnect", at: "body" });
    const result = await run("--yes");
    expect(result).toMatchObject({ status: 0 });
    expect(handle.revisions).toHaveLength(2);
  });

  test("makes a draft of a change that needs an approval", async () => {
    const { server, handle, run } = await startEscWithEnvironment({ values: {}, updates: "approval" });
    const result = await run("--yes");
    expect(result).toMatchObject({ status: 3, stderr: "" });
    const id = handle.drafts[0]?.id ?? "";
    expect(result.stdout).toContain(`pulumi env change-request approve ${id}`);
    expectWording(result.stdout, { [id]: "<id>" });
    expect(handle.revisions).toHaveLength(1);
    expect(server.violations).toEqual([]);
    expectNoValue(result);
  });

  test.each<[what: string, fault: Parameters<EscServer["failNext"]>[1], reached: string]>([
    ["401", 401, "HTTP 401"],
    ["403", 403, "HTTP 403"],
    ["404", 404, "HTTP 404"],
    ["409, again and again", 409, "4 times"],
    ["413", 413, "HTTP 413"],
    ["400", 400, "HTTP 400"],
    ["503, again and again", 503, "HTTP 503"],
    [
      "a message that quotes a value",
      { kind: "status", status: 400, body: { code: 400, message: `bad: ${sentinelOf("api")}` } },
      "bad: ***",
    ],
  ])("fails with the reason and changes nothing after %s from the update", async (_, fault, reached) => {
    const { server, handle, run } = await startEscWithEnvironment();
    server.failAlways("update", fault);
    const result = await run("--yes");
    expect(result).toMatchObject({ status: 125 });
    expect(result.stderr).toContain(reached);
    expect(handle.revisions).toHaveLength(1);
    expectNoValue(result);
  });

  test("leaves out what a program would not get from ESC: names like those of settings, unless the contract declares them", async () => {
    const { env } = await startEscWithEnvironment();
    const contract = JSON.stringify({ variables: { SOPHIA_REGION: { secret: false } } });
    const cwd = folder({ ".env": "SOPHIA_REGION=eu\nSOPHIA_LATER=1\n", "sophia.contract.json": contract });
    const result = await sophia(["import", ".env", "--dry-run"], { cwd, env });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toContain("+ SOPHIA_REGION  plain text\n");
    expect(result.stdout).not.toContain("+ SOPHIA_LATER");
  });

  test("warns once about a line of the file, although the file is also read for the settings", async () => {
    const { env } = await startEscWithEnvironment();
    const cwd = folder({ ".env": "A=${B}\n" });
    const result = await sophia(["import", ".env", "--dry-run"], { cwd, env });
    expect(result.status).toBe(0);
    expect(result.stderr.match(/is a reference/g)).toHaveLength(1);
  });

  test("takes the token from ESC_ADMIN_TOKEN of the environment only, not the launcher's token and none from a file", async () => {
    const { server, cwd, env } = await startEscWithEnvironment();
    const launchers = { PULUMI_BACKEND_URL: server.url, ESC_ENV: ENV, ESC_TOKEN: server.token };
    const result = await sophia(["import", ".env", "--yes"], { cwd, env: launchers });
    expect(result).toMatchObject({ status: 125 });
    expect(result.stderr).toContain("ESC_ADMIN_TOKEN");
    expectWording(result.stderr);
    const file = folder({ ".env": `${FILE}ESC_ADMIN_TOKEN=${server.token}\n` });
    expect(await sophia(["import", ".env", "--yes"], { cwd: file, env: launchers })).toMatchObject({ status: 125 });
    expect(server.count("any")).toBe(0);
    const launched = await sophia(["--no-contract", "--keep-esc", "--", "env"], {
      env: { ...env, ESC_TOKEN: server.token },
    });
    expect(parseEnvironment(launched.stdout)).not.toHaveProperty("ESC_ADMIN_TOKEN");
    expect(parseEnvironment(launched.stdout)).toHaveProperty("ESC_TOKEN");
  });

  test("asks at a terminal, and removes from the file what ESC now has", async () => {
    const { server, cwd, env } = await startEscWithEnvironment();
    const { ESC_ADMIN_TOKEN: token, ...rest } = env;
    const result = await atTerminal(["import", ".env"], { cwd, env: rest }, [
      ["(not shown): ", `${token}\n`],
      ["to acme/app/dev? [y/N] ", "y\n"],
      ["? [y/N] ", "y\n"],
    ]);
    expect(result).toMatchObject({ status: 0 });
    expect(result.stdout).toContain("5 variables");
    expect(result.stdout).not.toContain(SENTINEL);
    expect(result.stdout).not.toContain(token);
    expect(readFileSync(join(cwd, ".env"), "utf8")).toBe("# local\nEMPTY=\nESC_ENV=acme/app/dev\nSOPHIA_QUIET=1\n");
    expect(statSync(join(cwd, ".env")).mode & 0o777).toBe(0o600);
    expect(await valuesOf(server)).toMatchObject({ API_KEY: sentinelOf("api"), MULTI: "a" });
  });

  test("writes nothing after an empty answer at a terminal; Ctrl-C at the hidden prompt ends it by SIGINT", async () => {
    const { server, cwd, env } = await startEscWithEnvironment();
    const result = await atTerminal(["import", ".env"], { cwd, env }, [["? [y/N] ", "\n"]]);
    expect(result).toMatchObject({ status: 1 });
    const { ESC_ADMIN_TOKEN: _token, ...rest } = env;
    const interrupted = await atTerminal(["import", ".env"], { cwd, env: rest }, [["(not shown): ", "abc\u0003"]]);
    expect(interrupted).toMatchObject({ status: -2 });
    expect(server.count("update")).toBe(0);
    expect(readFileSync(join(cwd, ".env"), "utf8")).toBe(FILE);
  });
});

test("adds new variables to an environment that opens only with an approval, and overwrites nothing without --overwrite", async () => {
  const { server, handle, run } = await startEscWithEnvironment({
    values: { KEEP: "1", API_KEY: secret(sentinelOf("old")), REGION: "eu" },
    deny: "approval",
  });
  const result = await run("--yes");
  expect(result).toMatchObject({ status: 1, stderr: "" });
  expect(result.stdout).toContain("\n  API_KEY: ");
  expectWording(result.stdout);
  expectNoValue(result);
  const again = await run("--yes");
  expect(again).toMatchObject({ status: 1 });
  expect(handle.revisions).toHaveLength(2);
  // An answer of the service that says nothing was stored.
  server.failNext("update", { kind: "status", status: 200, body: {} });
  const lost = await run("--yes", "--overwrite");
  expect(lost).toMatchObject({ status: 125 });
  expectWording(lost.stderr);
  const overwritten = await run("--yes", "--overwrite");
  expect(overwritten).toMatchObject({ status: 0 });
  handle.deny(undefined);
  expect(await valuesOf(server)).toMatchObject({ KEEP: "1", API_KEY: sentinelOf("api"), LOG_LEVEL: "debug" });
  expect(server.violations).toEqual([]);
});
