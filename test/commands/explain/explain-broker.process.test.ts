import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { secret, startEscServer } from "../../esc-server/index.ts";
import { folder, sophia, unwrapLines } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { escVariables } from "../sophia-environment.ts";

const OPENAI = "sk-real-openai-0a1b2c3d";
const CONTRACT = JSON.stringify({
  variables: {
    OPENAI_API_KEY: { aliases: ["OPENAI_KEY"] },
    GITHUB_PAT: {},
    OTHER_TOKEN: {},
    CERT: {},
    EVIL_KEY: startEvilService(),
  },
});

function startEvilService() {
  return { broker: { upstream: "https://evil.test", headers: ["api-key"], base: { EVIL_URL: "" } } };
}

interface ExplainRun {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

async function runExplain(args: readonly string[], { env = {}, files = {} }: ExplainRun = {}) {
  const cwd = folder({ "sophia.contract.json": CONTRACT, ...files });
  const result = await sophia(["explain", ...args], { cwd, env });
  const programs = await sophia(["explain", "--json", ...args], { cwd, env });
  for (const { stdout } of [result, programs]) expect(stdout).not.toContain(OPENAI);
  return { cwd, ended: result, variables: programs.stdout === "" ? [] : JSON.parse(programs.stdout).variables };
}

test("explain of a brokered key shows what the program gets, where the key goes, the allowed paths, and where else the key is", async () => {
  const { ended: result, variables } = await runExplain(["--broker", "OPENAI_API_KEY"], {
    env: { OPENAI_API_KEY: OPENAI, COPY: `x${OPENAI}` },
    files: { ".env": "PORT=1\nOPENAI_API_KEY=sk-other-0a1b2c3d4e\n" },
  });
  expect(result.status).toBe(0);
  expectWording(result.stdout);
  expect(variables[0].broker).toMatchObject({
    kind: "brokered",
    origin: "https://api.openai.com",
    by: "built-in",
    variables: ["OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_HOST"],
    liesIn: [
      { kind: "environment", where: "OPENAI_API_KEY" },
      { kind: "file", where: ".env", line: 2, isOther: true },
      { kind: "variable", where: "COPY" },
    ],
  });
});

test("explain of a GitHub token shows each host, and what rules cannot see", async () => {
  const { ended: result, variables } = await runExplain(["--broker", "GITHUB_PAT"], {
    env: { GITHUB_PAT: "ghp_real0a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e" },
  });
  const text = unwrapLines(result.stdout);
  expect(text).toContain("https://github.com, https://api.github.com and https://uploads.github.com, built in");
  expect(text).toContain("api.github.com: * /user/keys/**");
  expect(text).toContain("they cannot look into its queries");
  expect(variables[0].broker).toMatchObject({
    origin: "https://github.com",
    furtherOrigins: ["https://api.github.com", "https://uploads.github.com"],
    variables: ["GITHUB_API_URL", "GITHUB_GRAPHQL_URL"],
  });
});

test("explain of a GitHub token shows the same rules for a broker on a socket, which cannot see into queries either", async () => {
  const { ended: result, variables } = await runExplain(["--broker", "--broker-listen", "unix:s", "GITHUB_PAT"], {
    env: { GITHUB_PAT: "ghp_real0a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e" },
  });
  expect(unwrapLines(result.stdout)).toContain("they cannot look into its queries");
  expect(variables[0].broker).toMatchObject({ variables: ["SOPHIA_BROKER_SOCKET"] });
});

test("explain shows an alias of the caller's environment with its name, and explains it like the key", async () => {
  const { ended: result, variables } = await runExplain(["--broker", "OPENAI_KEY"], {
    env: { OPENAI_KEY: OPENAI },
  });
  expect(result.stdout).toContain("https://api.openai.com, built in");
  expect(variables[0].broker.liesIn).toEqual([{ kind: "environment", where: "OPENAI_KEY" }]);
});

test("explain of a key in ESC names tokens by which the program could read the key", async () => {
  await using server = await startEscServer();
  server.environment("acme/app/dev", { values: { OPENAI_API_KEY: secret(OPENAI) } });
  const { ESC_TOKEN, ...env } = escVariables(server, "acme/app/dev");
  const liesIn = async (args: readonly string[], more: Readonly<Record<string, string>>) => {
    const { variables } = await runExplain(["--broker", ...args, "OPENAI_API_KEY"], { env: { ...env, ...more } });
    return variables[0].broker.liesIn;
  };
  expect(await liesIn([], { ESC_TOKEN: ESC_TOKEN ?? "" })).toEqual([]);
  expect(await liesIn(["--keep-esc"], { ESC_TOKEN: ESC_TOKEN ?? "" })).toEqual([
    { kind: "token-variable", where: "ESC_TOKEN" },
  ]);
  const home = folder({ token: `${ESC_TOKEN}\n` });
  chmodSync(join(home, "token"), 0o600);
  mkdirSync(join(home, ".pulumi"));
  writeFileSync(join(home, ".pulumi/credentials.json"), "{}", { mode: 0o600 });
  expect(await liesIn([], { ESC_TOKEN_FILE: join(home, "token"), HOME: home })).toEqual([
    { kind: "token-file", where: join(home, "token") },
    { kind: "pulumi-credentials", where: join(home, ".pulumi/credentials.json") },
  ]);
  expect(await liesIn([], { ESC_TOKEN: ESC_TOKEN ?? "", PULUMI_HOME: join(home, ".pulumi") })).toEqual([
    { kind: "pulumi-credentials", where: join(home, ".pulumi/credentials.json") },
  ]);
  const { ended: result } = await runExplain(["--broker", "OPENAI_API_KEY"], {
    env: { ...env, ESC_TOKEN_FILE: join(home, "token"), HOME: home },
  });
  expect(unwrapLines(result.stdout)).toContain(`ESC: the program can read the token in ${join(home, "token")}`);
});

test("explain knows a base variable although no source sets it", async () => {
  const env = { OPENAI_API_KEY: OPENAI };
  const { ended: result, variables } = await runExplain(["--broker", "OPENAI_BASE_URL"], { env });
  expect(result.status).toBe(0);
  expect(result.stdout).toContain("✅ OPENAI_BASE_URL\n   state    set by --broker\n");
  expect(result.stdout).toMatch(/broker +--broker sets it .*OPENAI_API_KEY/);
  expect(variables[0].broker).toEqual({ kind: "address", keys: ["OPENAI_API_KEY"] });
  const listed = await runExplain(["--broker"], { env });
  expect(listed.variables.map(({ name }: { name: string }) => name)).toContain("OPENAI_API_BASE");
  const without = await sophia(["explain", "OPENAI_BASE_URL"], {
    cwd: folder({ "sophia.contract.json": CONTRACT }),
    env,
  });
  expect(without.status).toBe(125);
});

test("explain offers --broker in one line for a key, and for its address", async () => {
  const env = { OPENAI_API_KEY: OPENAI, OPENAI_BASE_URL: "https://gateway.test/v1", OTHER_TOKEN: "ghp_0123456789" };
  const { ended: result, variables } = await runExplain(["OPENAI_API_KEY", "OPENAI_BASE_URL", "OTHER_TOKEN"], { env });
  expect(result.stdout).toContain("   broker   --broker would give the program a dummy\n");
  expect(unwrapLines(result.stdout)).toContain("--broker would set it to its own address, for OPENAI_API_KEY");
  expect(variables.map(({ broker }: { broker?: { kind: string } }) => broker?.kind)).toEqual([
    "offer",
    "offer",
    undefined,
  ]);
  expect((await runExplain([], { env })).ended.stdout).not.toContain("--broker");
});

test("explain shows why a key is refused with the remedy, and why other variables are not brokered", async () => {
  const env = { EVIL_KEY: OPENAI, OTHER_TOKEN: "ghp_0123456789", GROQ_API_KEY: "gsk_0123456789" };
  const { ended: result, variables } = await runExplain(["--broker", "EVIL_KEY", "OTHER_TOKEN", "GROQ_API_KEY"], {
    env,
  });
  expect(unwrapLines(result.stdout)).toMatch(/broker +refused: .*sophia\.contract\.json.*https:\/\/evil\.test/);
  expect(result.stdout).toContain("--broker-to https://evil.test");
  expect(variables.map(({ broker }: { broker: object }) => broker)).toEqual([
    expect.objectContaining({ kind: "refused", code: "broker-untrusted" }),
    { kind: "not-brokered", why: "unknown" },
    expect.objectContaining({ kind: "refused", code: "broker-clear", why: "undeclared" }),
  ]);
  expect(unwrapLines(result.stdout)).toContain("--broker-except GROQ_API_KEY");
  const allowed = await runExplain(["--broker", "--broker-except", "GROQ_API_KEY", "GROQ_API_KEY"], { env });
  expect(allowed.variables[0].broker).toEqual({ kind: "not-brokered", why: "excepted" });
  expect(unwrapLines(allowed.ended.stdout)).toContain("the program gets the value itself: --broker-except");
});

test("explain says that a key of an outer sophia-run is a dummy already", async () => {
  const env = { OPENAI_API_KEY: "sk-sophia-dummy-0a1b", SOPHIA_BROKERED: "OPENAI_API_KEY" };
  const { variables } = await runExplain(["--broker", "OPENAI_API_KEY"], { env });
  expect(variables[0].broker).toEqual({ kind: "outer" });
});
