/** `--fake`: what the program gets in place of secrets, whichever source has them. */
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseEnvironment, folder, sophia, sophiaRun, unwrapLines } from "../../helpers/sophia.ts";

const CONTRACT = JSON.stringify({
  variables: {
    API_KEY: { required: true, aliases: ["OLD_API_KEY"] },
    DATABASE_URL: { required: true },
    OPTIONAL_KEY: {},
    UNUSED_KEY: {},
    PORT: { format: "port", required: true },
    REGION: { secret: false },
    PUBLIC_URL: { secret: false },
    KEY_FILE: { as: "file" },
    LEVEL: { default: "info" },
  },
});
const DOTENV = [
  "API_KEY=real-api-key",
  "OPTIONAL_KEY=real-optional-key",
  "PORT=3000",
  "REGION=eu",
  "PUBLIC_URL=https://user:real-password@db.example.com/x",
  "KEY_FILE=real-content",
  "UNDECLARED_TOKEN=real-token",
  "OTHER_DB=mysql://root:real-password@db.example.com/x",
  "GREETING=hello",
];

function createProject(files: Readonly<Record<string, string>> = {}): string {
  const cwd = folder({ "sophia.contract.json": CONTRACT, ".env": `${DOTENV.join("\n")}\n`, ...files });
  for (const name of [".env", ...Object.keys(files)]) chmodSync(join(cwd, name), 0o600);
  return cwd;
}

/** What the program gets of what sources set, and the content of its private file. */
async function startProgram(options: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) {
  const script = 'env; [ -z "$KEY_FILE" ] || cp "$KEY_FILE" content';
  const { status, stdout, stderr } = await sophia([...options, "--", "sh", "-c", script], { cwd, env });
  const { PATH: _, HOME: __, PWD: ___, ...variables } = parseEnvironment(stdout);
  return { status, stderr, variables };
}

describe("--fake replaces every secret by a dummy", () => {
  test("in .env, whether declared or not, by its name or value, and keeps what is not secret", async () => {
    const cwd = createProject();
    const { status, stderr, variables } = await startProgram(["--fake"], cwd);
    expect([status, stderr]).toEqual([0, ""]);
    expect({ ...variables, KEY_FILE: readFileSync(join(cwd, "content"), "utf8") }).toMatchObject({
      API_KEY: "fake-api-key",
      DATABASE_URL: "postgresql://fake:fake@127.0.0.1/fake",
      OPTIONAL_KEY: "fake-optional-key",
      PORT: "3000",
      REGION: "eu",
      PUBLIC_URL: "https://fake.invalid/fake-public-url",
      KEY_FILE: "fake-key-file",
      LEVEL: "info",
      UNDECLARED_TOKEN: "fake-undeclared-token",
      OTHER_DB: "mysql://fake:fake@127.0.0.1/fake",
      GREETING: "hello",
    });
    // An optional secret that no source sets: code often takes it for a switch.
    expect(variables).not.toHaveProperty("UNUSED_KEY");
    expect(JSON.stringify(variables)).not.toContain("real-");
  });

  test("without a contract as well", async () => {
    const cwd = folder({ ".env": "DB_PASSWORD=real-password\nPORT=3000\n" });
    chmodSync(join(cwd, ".env"), 0o600);
    const { status, variables } = await startProgram(["--fake"], cwd);
    expect(status).toBe(0);
    expect(variables).toMatchObject({ DB_PASSWORD: "fake-db-password", PORT: "3000" });
  });

  test("in .env.override, folders of secrets, NAME_FILE and aliases", async () => {
    const contract = JSON.stringify({
      variables: { A_KEY: {}, B_KEY: {}, C_KEY: {}, D_KEY: { aliases: ["OLD_D"] } },
    });
    const cwd = createProject({
      "sophia.contract.json": contract,
      ".env": "OLD_D=real-d\n",
      ".env.override": "A_KEY=real-a\n",
    });
    const secrets = folder({ "b-key": "real-b", c: "real-c" });
    const env = { C_KEY_FILE: join(secrets, "c") };
    const { status, variables } = await startProgram(["--fake", "--secrets-dir", secrets], cwd, env);
    expect(status).toBe(0);
    expect(variables).toEqual({
      A_KEY: "fake-a-key",
      B_KEY: "fake-b-key",
      C_KEY: "fake-c-key",
      D_KEY: "fake-d-key",
      OLD_D: "fake-d-key",
      SOPHIA_FAKE: "secrets",
    });
  });

  test("in the caller's environment, which a notice names, and keeps what programs run and connect by", async () => {
    const session = {
      SSH_AUTH_SOCK: "/tmp/agent",
      HTTPS_PROXY: "http://user:password@127.0.0.1:9",
      JAVA_TOOL_OPTIONS: "-Djavax.net.ssl.trustStorePassword=changeit",
      NODE_ENV: "test",
      PORT: "4000",
    };
    const env = { ...session, DATABASE_URL: "postgresql://real", CLOUD_TOKEN: "real-token", GREETING: "bye" };
    const { status, stderr, variables } = await startProgram(["--fake"], createProject(), env);
    expect(status).toBe(0);
    expect(variables).toMatchObject({
      ...session,
      DATABASE_URL: "postgresql://fake:fake@127.0.0.1/fake",
      CLOUD_TOKEN: "fake-cloud-token",
      GREETING: "bye",
    });
    expect(unwrapLines(stderr)).toMatch(
      /^sophia-run: dummies replace CLOUD_TOKEN and DATABASE_URL of the environment; --fake=missing/,
    );
    expect((await startProgram(["--fake", "--quiet"], createProject(), env)).stderr).toBe("");
  });

  test("but --fake=missing keeps what is set, and fills the rest", async () => {
    for (const [options, env] of [
      [["--fake=missing"], {}],
      [["--fake", "missing"], {}],
      [[], { SOPHIA_FAKE: "missing" }],
    ] as const) {
      const { status, stderr, variables } = await startProgram(options, createProject(), env);
      expect([status, stderr]).toEqual([0, ""]);
      expect(variables).toMatchObject({
        API_KEY: "real-api-key",
        DATABASE_URL: "postgresql://fake:fake@127.0.0.1/fake",
        UNDECLARED_TOKEN: "real-token",
      });
    }
  });

  test("with SOPHIA_FAKE=1 and not with SOPHIA_FAKE=0, and refuses another word", async () => {
    expect((await startProgram([], createProject(), { SOPHIA_FAKE: "1" })).variables["API_KEY"]).toBe("fake-api-key");
    const env = { SOPHIA_FAKE: "0", DATABASE_URL: "postgresql://real" };
    expect((await startProgram([], createProject(), env)).variables["API_KEY"]).toBe("real-api-key");
    const refused = await sophia(["--fake=some", "--", "true"], { cwd: createProject() });
    expect(refused.status).toBe(125);
    expect(refused.stderr).toMatch(/--fake .*some.*\n.*secrets, missing/s);
  });

  test("that meets the contract in place of a value of the wrong format, and reports a public value of the wrong format", async () => {
    const contract = JSON.stringify({
      variables: { A_KEY: { format: { type: "text", prefix: "sk-" } }, PORT: { format: "port" } },
    });
    const good = createProject({ "sophia.contract.json": contract, ".env": "A_KEY=wrong\nPORT=1\n" });
    expect((await startProgram(["--fake"], good)).variables["A_KEY"]).toBe("sk-fake-a-key");
    const bad = createProject({ "sophia.contract.json": contract, ".env": "A_KEY=wrong\nPORT=none\n" });
    const { status, stderr } = await startProgram(["--fake"], bad);
    expect(status).toBe(78);
    expect(stderr).not.toContain("A_KEY");
  });
});

describe("with --fake", () => {
  test("a sophia-run that the program starts has the same dummies, and says nothing", async () => {
    const cwd = createProject();
    const nested = sophiaRun.map((word) => `'${word}'`).join(" ");
    writeFileSync(join(cwd, "script"), `exec ${nested} -- env`);
    const { status, stdout, stderr } = await sophia(["--fake", "--", "sh", "script"], { cwd });
    expect([status, stderr]).toEqual([0, ""]);
    expect(parseEnvironment(stdout)).toMatchObject({
      API_KEY: "fake-api-key",
      UNDECLARED_TOKEN: "fake-undeclared-token",
      SOPHIA_FAKE: "secrets",
    });
    expect(stdout).not.toContain("real-");
  });

  test("get, export and explain show the dummies", async () => {
    const cwd = createProject();
    const got = await sophia(["get", "API_KEY", "--fake"], { cwd });
    expect([got.status, got.stdout]).toEqual([0, "fake-api-key"]);
    const exported = await sophia(["export", "--fake", "--format", "json", "--exclude", "KEY_FILE"], { cwd });
    expect(exported.stdout).toContain("fake-api-key");
    expect(exported.stdout).not.toContain("real-");
    expect(exported.stdout).not.toContain("SOPHIA_FAKE");
    const explained = await sophia(["explain", "API_KEY", "--fake"], { cwd });
    expect(explained.stdout).toMatch(/from +a dummy value \(--fake\)\n.*hides +\S*\.env:1 \(a different value\)/);
  });

  test("--redact masks the real values, which the program may read in the file, and not the dummies", async () => {
    const { stdout } = await sophia(["--fake", "--redact", "--", "sh", "-c", "cat .env; echo $API_KEY"], {
      cwd: createProject(),
    });
    expect(stdout).toContain("API_KEY=***\n");
    expect(stdout).toContain("fake-api-key");
  });

  test("a search for secrets looks for the real ones", async () => {
    const cwd = createProject({ "notes.txt": "the key is real-api-key\n" });
    const env = { SOPHIA_FAKE: "secrets", DATABASE_URL: "postgresql://x" };
    const scanned = await sophia(["scan", "notes.txt"], { cwd, env });
    expect([scanned.status, scanned.stdout]).toEqual([1, expect.stringContaining("API_KEY")]);
    const masked = await sophia(["mask"], { cwd, env, input: "real-api-key\n" });
    expect(masked.stdout).toBe("***\n");
  });

  test("--broker finds no key to broker", async () => {
    const contract = JSON.stringify({ variables: { OPENAI_API_KEY: { required: true } } });
    const cwd = createProject({
      "sophia.contract.json": contract,
      ".env": "OPENAI_API_KEY=sk-real-0123456789abcdef0123\n",
    });
    const { status, stdout } = await sophia(["--fake", "--broker", "--", "env"], { cwd });
    expect(status).toBe(0);
    expect(parseEnvironment(stdout)).toMatchObject({ OPENAI_API_KEY: "fake-openai-api-key" });
    expect(parseEnvironment(stdout)).not.toHaveProperty("OPENAI_BASE_URL");
  });
});
