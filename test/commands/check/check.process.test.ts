import { execFileSync } from "node:child_process";
import { describe, expect, onTestFinished, test } from "vitest";
import { secret, startEscServer } from "../../esc-server/index.ts";
import { REFUSED_PORT } from "../../esc-server/sockets.ts";
import { CONTRACT_VALUES, folder, sophia } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";

const NAME = "acme/sophia/dev";
const SECRETS = Object.fromEntries(Object.entries(CONTRACT_VALUES).map(([name, value]) => [name, secret(value)]));

async function startEsc(options: Parameters<typeof startEscServer>[0] = {}) {
  const server = await startEscServer({ token: "pul-0123456789wxyz", ...options });
  onTestFinished(() => server.close());
  server.environment(NAME, { values: SECRETS });
  return { server, env: { ESC_ENV: NAME, ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url } };
}

/** Runs `check` for people and for programs. */
async function runCheck(
  env: Readonly<Record<string, string>>,
  { cwd = folder(), options = [] }: { readonly cwd?: string; readonly options?: readonly string[] } = {},
) {
  const { status, stdout } = await sophia(["check", ...options], { cwd, env });
  const programs = await sophia(["check", "--json", ...options], { cwd, env });
  expect(programs.status).toBe(status);
  for (const value of Object.values(CONTRACT_VALUES)) {
    expect(stdout).not.toContain(value);
    // Not the four digits alone, which a port may have as well.
    expect(programs.stdout).not.toContain(value);
    expect(programs.stdout).not.toContain(`***${value.slice(-4)}`);
  }
  return { status, lines: stdout.split("\n"), json: JSON.parse(programs.stdout) };
}

test("check shows a value of the ESC environment as plain text, and names the environment in a section of its own", async () => {
  const { env } = await startEsc({ tellsRevision: true });
  const { lines, json } = await runCheck(env);
  for (const line of [
    "✅ ESC_ENV: acme/sophia/dev",
    "✅ ESC_TOKEN: ***wxyz",
    "✅ GitHub Token: ***4e5f",
    "✅ Pulumi Token: ***0a1b",
    "✅ Qdrant URL: ***6333",
    "✅ Qdrant API Key: ***2c3d",
    "✅ All checks passed! Configuration loaded from ESC",
  ]) {
    expect(lines).toContain(line);
  }
  expect(lines.join("\n")).toContain("--- Sources ---\n✅ ESC acme/sophia/dev@1 (");
  expect(json.esc).toMatchObject({
    status: "read",
    environmentState: "accepted",
    credentialState: "accepted",
    environments: [{ name: NAME, revision: "1" }],
  });
  const [section] = json.sections;
  expect(section.lines[1]).toEqual({
    label: "Pulumi Token",
    state: "set",
    name: "PULUMI_ACCESS_TOKEN",
    origin: expect.objectContaining({ source: "esc", environment: NAME, revision: "1" }),
  });
});

test("check shows a value from another source with that source and its revision", async () => {
  const { server, env } = await startEsc();
  server.environment("acme/sophia/base", { values: { OPENAI_API_KEY: secret("sk-sentinel-openai-6a7b") } });
  const { OPENAI_API_KEY: _, ...expectedSections } = SECRETS;
  server.environment(NAME, { imports: ["sophia/base"], values: expectedSections, tags: ["stable"] });
  const cwd = folder({ ".env": "\nTAVILY_API_KEY=tvly-0123456789\n" });
  const { lines } = await runCheck(
    { ...env, ESC_ENV: `${NAME}@stable`, DATABASE_URL: "postgresql://u:p@h/database" },
    { cwd },
  );
  expect(lines).toContain("✅ GitHub Token: ***4e5f");
  expect(lines).toContain("✅ OpenAI API Key: ***6a7b (ESC acme/sophia/dev@stable, imported from sophia/base)");
  expect(lines).toContain("✅ Database URL: ***base (the process environment)");
  expect(lines).toContain("✅ Tavily API Key: ***6789 (.env:2)");
  expect(lines.join("\n")).toContain("\n✅ ESC acme/sophia/dev@stable (");
});

describe("check's lines about ESC", () => {
  test("report no failure without ESC if the contract is met", async () => {
    const { status, lines, json } = await runCheck(CONTRACT_VALUES);
    expect(status).toBe(0);
    expect(lines).toContain("➖ ESC_ENV: Not configured");
    expect(lines).toContain("➖ ESC_TOKEN: Not configured");
    expect(lines.join("\n")).not.toContain("❌");
    expect(lines).toContain("✅ All checks passed! Configuration loaded from environment");
    expect(json.esc).toMatchObject({ status: "off", environmentState: "absent", credentialState: "absent" });
  });

  test("report missing settings of ESC as failures if required variables are missing", async () => {
    const { status, lines } = await runCheck({ QDRANT_URL: "https://qdrant.example.com" });
    expect(status).toBe(1);
    expect(lines).toContain("❌ ESC_ENV: Not configured");
    expect(lines).toContain("❌ ESC_TOKEN: Not configured");
  });

  test("report no failure in a project with its own contract", async () => {
    const variables = { A: { required: true }, PORT: { secret: false, format: "port" } };
    const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables }) });
    const { status, lines, json } = await runCheck({ PORT: "x" }, { cwd });
    expect(status).toBe(1);
    expect(lines.filter((line) => line.includes("ESC"))).toEqual([
      expect.stringMatching(/^ {3}to use Pulumi ESC .*ESC_ENV and ESC_TOKEN$/),
    ]);
    expect(json.esc).toMatchObject({ environmentState: "absent", credentialState: "absent" });
  });

  test("have a section only if the project uses ESC, and the report has the project's name", async () => {
    const variables = { A: { required: true } };
    const titles = async (contract: object, env: Readonly<Record<string, string>>) => {
      const { lines } = await runCheck(env, { cwd: folder({ "sophia.contract.json": JSON.stringify(contract) }) });
      return lines.filter((line) => /^(?:===|---) /.test(line));
    };
    const expectedSections = ["--- Contract ---", "--- Summary ---"];
    expect(await titles({ name: "shop\u001B", variables }, { A: "1" })).toEqual([
      String.raw`=== Configuration check: shop\u001b ===`,
      ...expectedSections,
    ]);
    const [title = "", ...sections] = await titles({ variables }, { A: "1", ESC_ENV: NAME });
    expect(title).toMatch(/^=== Configuration check: [\w-]+ ===$/);
    expect(sections).toEqual(["--- Pulumi ESC ---", ...expectedSections]);
  });

  test.each([
    ["no rule", {}, "✅ All checks passed, but nothing is required. Configuration loaded from environment"],
    ["a required variable", { A: { required: true } }, "✅ All checks passed! Configuration loaded from environment"],
  ])("check says whether a contract with %s requires anything", async (_, variables, summary) => {
    const contract = JSON.stringify({ variables: { B: {}, ...variables } });
    const { status, lines, json } = await runCheck(
      { A: "1", B: "1" },
      { cwd: folder({ "sophia.contract.json": contract }) },
    );
    expect(status).toBe(0);
    expect(lines).toContain(summary);
    expect(lines.includes('     "B": { "required": true }')).toBe(json.nothingRequired);
    expect(json.nothingRequired).toBe(!("A" in variables));
  });

  test("report no failure for an invalid value", async () => {
    const { status, lines } = await runCheck({
      ...CONTRACT_VALUES,
      QDRANT_URL: "https://<cluster>.cloud.qdrant.io:6333",
    });
    expect(status).toBe(1);
    expect(lines).toContain("➖ ESC_ENV: Not configured");
  });

  test.each([
    ["ESC_ENV", { ESC_ENV: NAME }, "⚠️ ESC_ENV: acme/sophia/dev (not verified)", "❌ ESC_TOKEN: Not configured"],
    [
      "ESC_TOKEN",
      { ESC_TOKEN: "pul-0123456789wxyz" },
      "❌ ESC_ENV: Not configured",
      "⚠️ ESC_TOKEN: ***wxyz (not verified)",
    ],
    [
      "ESC_TOKEN_FILE",
      { ESC_TOKEN_FILE: "/t/token" },
      "❌ ESC_ENV: Not configured",
      "⚠️ ESC_TOKEN_FILE: /t/token (not verified)",
    ],
  ])("use %s of .env if the environment has an empty one", async (name, file, ...expected) => {
    const text = Object.entries(file).map(([one, value]) => `${one}=${value}\n`);
    const cwd = folder({ ".env": text.join("") });
    const { lines } = await runCheck({ [name]: "" }, { cwd });
    expect(lines.filter((line) => /^\S+ ESC_/.test(line))).toEqual(expected);
    expect(lines.join(" ")).toContain(`${name} is set but `);
  });

  test("are left out with --fake, which does not read ESC", async () => {
    const { status, lines } = await runCheck(
      { ESC_ENV: NAME, ESC_TOKEN: "pul-0123456789wxyz" },
      { options: ["--fake"] },
    );
    expect(status).toBe(0);
    expect(lines).toContain("➖ ESC_ENV: Not read (--fake)");
    expect(lines).toContain("➖ ESC_TOKEN: Not read (--fake)");
    expect(lines.join("\n")).toMatch(/^✅ Pulumi Token: \*{3}\S* \(a dummy value \(--fake\)\)$/m);
  });

  test.each([
    [401, "⚠️ ESC_ENV: acme/sophia/dev (not verified)", "❌ ESC_TOKEN: ***wxyz (not accepted)"],
    [403, "❌ ESC_ENV: acme/sophia/dev (access denied)", "✅ ESC_TOKEN: ***wxyz"],
    [404, "❌ ESC_ENV: acme/sophia/dev (not found)", "✅ ESC_TOKEN: ***wxyz"],
    [503, "⚠️ ESC_ENV: acme/sophia/dev (not verified)", "⚠️ ESC_TOKEN: ***wxyz (not verified)"],
  ])("show a failure at its cause and in the summary: %i", async (status, environment, credential) => {
    const { server, env } = await startEsc();
    server.failAlways("open", { kind: "status", status });
    const met = await runCheck({ ...env, ...CONTRACT_VALUES });
    expect(met.status).toBe(0);
    const unmet = await runCheck(env);
    expect(unmet.status).toBe(1);
    for (const { lines } of [met, unmet]) {
      expect(lines).toContain(environment);
      expect(lines).toContain(credential);
      const summary = lines.slice(lines.indexOf("--- Summary ---")).join(" ");
      expect(summary).toMatch(new RegExp(`${NAME} .*HTTP ${status}`));
    }
    expect(met.lines).toContain("✅ All checks passed! Configuration loaded from environment");
    expect(unmet.lines).toContain("❌ 5 checks failed");
    expect(unmet.json.esc.failure.code).toMatch(/^esc-/);
  });

  test("report a server that does not answer", async () => {
    const env = { ESC_ENV: NAME, ESC_TOKEN: "short", PULUMI_BACKEND_URL: `http://127.0.0.1:${REFUSED_PORT}` };
    const { lines } = await runCheck({ ...env, ...CONTRACT_VALUES });
    expect(lines).toContain("⚠️ ESC_TOKEN: *** (not verified)");
    expect(lines.join(" ")).toContain("ECONNREFUSED");
  });

  test("report a token file that cannot be read", async () => {
    const env = { ESC_ENV: NAME, ESC_TOKEN_FILE: "/nonexistent/token", ...CONTRACT_VALUES };
    expect((await runCheck(env)).lines).toContain("❌ ESC_TOKEN_FILE: /nonexistent/token (cannot be used)");
  });

  test("report a configuration of which half is missing", async () => {
    const { lines } = await runCheck({ ESC_ENV: NAME, ...CONTRACT_VALUES });
    expect(lines).toContain("⚠️ ESC_ENV: acme/sophia/dev (not verified)");
    expect(lines).toContain("⚠️ ESC_TOKEN: Not configured");
  });
});

test("check reports variables that override ESC", async () => {
  const { env } = await startEsc();
  const { lines, json } = await runCheck({ ...env, QDRANT_URL: "http://localhost:6334" });
  expect(lines.slice(lines.indexOf("--- Summary ---"))).toEqual([
    "--- Summary ---",
    "✅ All checks passed! Configuration loaded from ESC and environment",
    expect.stringMatching(/^⚠️ .* ESC for QDRANT_URL; unset it/),
    "",
  ]);
  expectWording(lines.slice(-2).join("\n"));
  expect(json.overridden).toEqual(["QDRANT_URL"]);
  expect((await runCheck({ ...env, QDRANT_URL: CONTRACT_VALUES.QDRANT_URL })).json.overridden).toEqual([]);
});

test("check shows a value that is declared as not secret, escaped and shortened", async () => {
  const variables = Object.fromEntries(
    ["PLAIN", "LONG", "CONTROL", "WITH_PASSWORD", "KEPT", "HIDDEN"].map((name) => [
      name,
      { secret: name === "HIDDEN" },
    ]),
  );
  const { server, env } = await startEsc();
  server.environment(NAME, { values: { KEPT: secret("esc-keeps-this-secret") } });
  const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables }) });
  const values = {
    PLAIN: "info",
    LONG: "ab".repeat(100),
    CONTROL: "a\u001B[31mb\nc",
    WITH_PASSWORD: "https://user:password@host/path",
    HIDDEN: "is-a-secret-value",
  };
  const { status, stdout } = await sophia(["check"], { cwd, env: { ...env, ...values } });
  expect(status).toBe(0);
  expect(stdout).toContain("✅ PLAIN: info (the process environment)\n");
  expect(stdout).toContain(`✅ LONG: ${"ab".repeat(30)}… (the process environment)\n`);
  expect(stdout).toContain(String.raw`✅ CONTROL: a\u001b[31mb\nc (the process environment)`);
  expect(stdout).toContain("✅ WITH_PASSWORD: ***path (the process environment)\n");
  expect(stdout).toContain("✅ KEPT: ***cret\n");
  expect(stdout).toContain("✅ HIDDEN: ***alue (the process environment)\n");
  expect((await sophia(["check", "--json"], { cwd, env: { ...env, ...values } })).stdout).not.toContain("info");
});

describe("a .env file", () => {
  const git = (cwd: string, ...args: readonly string[]) => execFileSync("git", args, { cwd, stdio: "ignore" });
  test("is reported if git tracks it, and the check still passes", async () => {
    const cwd = folder({ ".env": "DEBUG=1\n" });
    git(cwd, "init", "--quiet");
    git(cwd, "add", ".env");
    const { status, lines, json } = await runCheck(CONTRACT_VALUES, { cwd });
    expect(status).toBe(0);
    const warning = lines.slice(lines.findIndex((line) => line.startsWith("⚠️ Git tracks .env")));
    expectWording(warning.join("\n"));
    expect(lines).toContain("   git rm --cached -- .env");
    expect(json.tracked).toEqual([".env"]);
  });

  test("is not reported if git does not track it, or without a repository", async () => {
    const cwd = folder({ ".env": "DEBUG=1\n" });
    for (const prepare of [() => {}, () => git(cwd, "init", "--quiet")]) {
      prepare();
      const { lines, json } = await runCheck(CONTRACT_VALUES, { cwd });
      expect(lines.join("\n")).not.toContain("Git tracks");
      expect(json.tracked).toEqual([]);
    }
  });
});
