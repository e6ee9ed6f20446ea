import { describe, expect, test } from "vitest";
import { escVariables } from "../commands/sophia-environment.ts";
import { FAKE_TOKEN } from "../contract/corpus.ts";
import { startEscServer } from "../esc-server/index.ts";
import { type ProcessResult, parseEnvironment, folder, sophia, unwrapLines } from "../helpers/sophia.ts";
import { expectWording } from "../helpers/wording.ts";

/** The forms of the second attack: what `init` once declared public, or no contract declares. */
const CONTRACT = JSON.stringify({
  variables: {
    GHX: { secret: false },
    REDIS_URL: { secret: false, format: "url" },
    OPEN: { secret: false, reason: "a token of the documents" },
    LEVEL: { secret: false },
    FALLBACK: { default: "redis://user:of-the-contract@localhost" },
  },
});
const PASSWORD = ["hunter22", "of-the-cache"].join("-");
const VALUES = {
  GHX: FAKE_TOKEN,
  REDIS_URL: `rediss://:${PASSWORD}@cache.test:6380`,
  OPEN: FAKE_TOKEN.toUpperCase().replace("GHP_", FAKE_TOKEN.slice(0, 4)),
  LEVEL: "debug",
  UNDECLARED: `x-access-token:${FAKE_TOKEN}1`,
};

function createProject() {
  const file = Object.entries(VALUES).map(([name, value]) => `${name}=${value}\n`);
  return folder({ ".env": file.join(""), "sophia.contract.json": CONTRACT });
}

function expectNoSecret({ stdout, stderr }: ProcessResult): void {
  for (const secret of [FAKE_TOKEN, PASSWORD]) {
    expect(`${stdout}${stderr}`).not.toContain(secret);
  }
}

describe("a value that holds a credential", () => {
  test("is masked by --redact, with a warning if the contract declares it public", async () => {
    const result = await sophia(["--redact", "--", "env"], { cwd: createProject() });
    expect(result.status).toBe(0);
    const { OPEN, LEVEL, FALLBACK, GHX, REDIS_URL, UNDECLARED } = parseEnvironment(result.stdout);
    expect([GHX, REDIS_URL, UNDECLARED]).toEqual(["***", "***", "***"]);
    expect([OPEN, LEVEL]).toEqual([VALUES.OPEN, "debug"]);
    // It is in the contract, which every reader of the repository has.
    expect(FALLBACK).toBe("redis://user:of-the-contract@localhost");
    expectNoSecret(result);
    const warnings = unwrapLines(result.stderr)
      .split("\n")
      .filter((line) => line.includes("warning"));
    expect(warnings.map((line) => /warning: (\w+) is masked/.exec(line)?.[1])).toEqual(["GHX", "REDIS_URL"]);
    expectWording(result.stderr);
    const quiet = await sophia(["--redact", "--quiet", "--", "true"], { cwd: createProject() });
    expect(quiet).toMatchObject({ status: 0, stdout: "", stderr: "" });
  });

  test("is masked in the caller's environment, too", async () => {
    const result = await sophia(["--redact", "--no-contract", "--", "env"], {
      cwd: folder(),
      env: { HOOK: FAKE_TOKEN },
    });
    expect(parseEnvironment(result.stdout)).toMatchObject({ HOOK: "***" });
  });

  test("is masked for GitHub by export, and shown by no report", async () => {
    const cwd = createProject();
    const exported = await sophia(["export", "--format", "github"], { cwd });
    const masks = exported.stdout.split("\n").filter((line) => line.startsWith("::add-mask::"));
    // The password of the URL alone, too.
    const password = new URL(VALUES.REDIS_URL).password;
    expect(masks.toSorted()).toEqual(
      [VALUES.GHX, VALUES.REDIS_URL, password, VALUES.UNDECLARED].map((value) => `::add-mask::${value}`).toSorted(),
    );
    for (const command of [["check"], ["check", "--json"], ["explain"], ["explain", "--json"], ["audit"]]) {
      const result = await sophia(command, { cwd, env: { PATH: folder() } });
      expect([command, result.status]).toEqual([command, 0]);
      expectNoSecret(result);
    }
  });

  test("is reported by check, with the contract's reason if there is one", async () => {
    const cwd = createProject();
    const result = await sophia(["check"], { cwd });
    expectWording(result.stdout.slice(result.stdout.indexOf("--- Summary ---")));
    const { variables, credentials } = JSON.parse((await sophia(["check", "--json"], { cwd })).stdout);
    expect(variables).toMatchObject([{ secret: true }, { secret: true }, { secret: false }, { secret: false }, {}]);
    expect(credentials).toEqual([
      { name: "GHX", credential: "a token (ghp_…)" },
      { name: "REDIS_URL", credential: "a URL with a user name or password" },
      { name: "OPEN", credential: "a token (ghp_…)", reason: "a token of the documents" },
    ]);
  });

  test("is explained by explain", async () => {
    const cwd = createProject();
    const result = await sophia(["explain", "GHX", "OPEN", "UNDECLARED", "LEVEL"], { cwd });
    expectWording(result.stdout.slice(result.stdout.indexOf("✅ GHX")));
    const { variables } = JSON.parse((await sophia(["explain", "--json", "GHX", "OPEN"], { cwd })).stdout);
    expect(variables).toMatchObject([
      { secret: true, masking: "masked", credential: "a token (ghp_…)" },
      { secret: false, masking: "not-secret", credential: "a token (ghp_…)", reason: "a token of the documents" },
    ]);
  });
});

test("audit finds credentials in plain text in ESC, and what the contract declares public, as secrets with an age", async () => {
  await using server = await startEscServer();
  server.environment("acme/app/dev", {
    values: { GHX: FAKE_TOKEN, HOOK: FAKE_TOKEN, OPEN: FAKE_TOKEN, LEVEL: "debug" },
  });
  const cwd = folder({ "sophia.contract.json": CONTRACT });
  const env = { ...escVariables(server, "acme/app/dev"), PATH: folder() };
  const result = await sophia(["audit", "--json"], { cwd, env });
  expect(result).toMatchObject({ status: 0, stderr: "" });
  expect(result.stdout).not.toContain(FAKE_TOKEN);
  const { secrets, findings } = JSON.parse(result.stdout);
  expect(secrets).toMatchObject([{ name: "GHX", state: "changed" }]);
  expect(findings.filter(({ kind }: { kind: string }) => !kind.startsWith("token-"))).toMatchObject([
    { kind: "plain-text", name: "GHX", environment: "acme/app/dev", remedy: "sophia-run rotate GHX" },
    { kind: "plain-text", name: "HOOK", environment: "acme/app/dev", remedy: "sophia-run rotate HOOK" },
    { kind: "called-public", name: "GHX" },
  ]);
  expect([server.count("open"), server.violations]).toEqual([0, []]);
});

test("rotate writes a value that holds a credential as a secret", async () => {
  await using server = await startEscServer();
  const handle = server.environment("acme/app/dev", { values: { GHX: "old" } });
  const cwd = folder({ "sophia.contract.json": CONTRACT });
  const env = { ...escVariables(server, "acme/app/dev"), ESC_ADMIN_TOKEN: server.token };
  const result = await sophia(["rotate", "GHX", "--yes"], { cwd, env, input: FAKE_TOKEN });
  expect(result).toMatchObject({ status: 0 });
  expect(handle.definition).toContain("ciphertext");
  expect(handle.definition).not.toContain(FAKE_TOKEN);
});

test("a contract's reason is accepted only for a variable that is declared public", async () => {
  const contract = JSON.stringify({ variables: { KEY: { reason: "none" } } });
  const result = await sophia(["--", "true"], { cwd: folder({ "sophia.contract.json": contract }) });
  expect(result).toMatchObject({ status: 125, stdout: "" });
  expect(unwrapLines(result.stderr)).toContain('allowed: no reason, or "secret": false');
});
