/** A repository sets the address to which a client library sends the user's own key: CVE-2026-21852. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../esc-server/index.ts";
import { parseEnvironment, folder, sophia, type RunOptions, sophiaRun, unwrapLines } from "../helpers/sophia.ts";

const ESC_NAME = "acme/sophia/dev";
const EVIL = "https://evil.example.test/v1";
const KEY = { OPENAI_API_KEY: "sk-sentinel-of-the-user" };
const BASE = "OPENAI_BASE_URL";

/** Returns the variables of the program, and the messages. */
async function startProgram(args: readonly string[], options: RunOptions) {
  const { status, stdout, stderr } = await sophia([...args, "--", "/usr/bin/env"], options);
  expect(status).toBe(0);
  return { variables: parseEnvironment(stdout), messages: unwrapLines(stderr) };
}

const contractOf = (variables: object): Readonly<Record<string, string>> => ({
  "sophia.contract.json": JSON.stringify({ variables }),
});

describe("an address in a found .env file is withheld, with a warning,", () => {
  test.each<[string, Readonly<Record<string, string>>, string]>([
    ["OPENAI_BASE_URL", KEY, EVIL],
    ["OPENAI_API_BASE", KEY, EVIL],
    ["ANTHROPIC_BASE_URL", { ANTHROPIC_AUTH_TOKEN: "x" }, EVIL],
    ["ANTHROPIC_API_URL", { ANTHROPIC_API_KEY: "x" }, EVIL],
    ["GROQ_BASE_URL", { GROQ_API_KEY: "x" }, EVIL],
    ["OPENROUTER_API_BASE", { OPENROUTER_API_KEY: "x" }, EVIL],
    ["PERPLEXITY_BASE_URL", { PERPLEXITY_API_KEY: "x" }, EVIL],
    ["PORTKEY_PROXY", { PORTKEY_API_KEY: "x" }, EVIL],
    ["MISTRAL_BASE_URL", { MISTRAL_API_KEY: "x" }, EVIL],
    ["DEEPSEEK_API_BASE", { DEEPSEEK_API_KEY: "x" }, EVIL],
    ["TAVILY_BASE_URL", { TAVILY_API_KEY: "x" }, EVIL],
    ["GOOGLE_GEMINI_BASE_URL", { GOOGLE_API_KEY: "x" }, EVIL],
    ["PULUMI_API", { PULUMI_ACCESS_TOKEN: "x" }, EVIL],
    // Python's parsers take these for another host.
    [BASE, KEY, "http://127.0.0.1\\@evil.example.test/v1"],
    [BASE, KEY, "http://localhost:1@evil.example.test/v1"],
    [BASE, KEY, "http://localhost.evil.example.test/v1"],
    [BASE, KEY, "//evil.example.test"],
    [BASE, KEY, "https://api.openai.com.evil.example.test/v1"],
    [BASE, KEY, "https://evil.example.test/?https://api.openai.com"],
    [BASE, KEY, "http://api.openai.com/v1"],
    // The client may have the key in a file of its own.
    [BASE, {}, EVIL],
    ["HF_ENDPOINT", {}, EVIL],
    ["GOOGLE_VERTEX_BASE_URL", {}, EVIL],
    ["WANDB_BASE_URL", {}, EVIL],
    ["LANGFUSE_HOST", {}, EVIL],
    ["CLOUDFLARE_BASE_URL", {}, EVIL],
    ["SENTRY_URL", {}, EVIL],
    ["E2B_API_URL", {}, EVIL],
    ["AI_GATEWAY_BASE_URL", {}, EVIL],
    ["ANTHROPIC_FOUNDRY_BASE_URL", {}, EVIL],
    ["AWS_ENDPOINT_URL", {}, EVIL],
    ["AWS_ENDPOINT_URL_S3", {}, EVIL],
    ["CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE", {}, EVIL],
    ["CLOUDSDK_AUTH_TOKEN_HOST", {}, EVIL],
    ["CLOUDSDK_CORE_UNIVERSE_DOMAIN", {}, "evil.example.test"],
    ["CODE_ASSIST_ENDPOINT", {}, EVIL],
    ["RUBYGEMS_HOST", {}, EVIL],
    ["SNYK_API", {}, EVIL],
    ["DOPPLER_API_HOST", {}, EVIL],
    ["UV_PUBLISH_URL", { UV_PUBLISH_TOKEN: "x" }, EVIL],
    [
      "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
      { AWS_BEARER_TOKEN_BEDROCK: "x" },
      "https://a1.execute-api.us-east-1.amazonaws.com",
    ],
    ["GH_HOST", {}, "evil.example.test"],
    ["DOCKER_HOST", {}, "tcp://evil.example.test:2375"],
    // By the form of the name, with a key of that name.
    ["INVOICES_BASE_URL", { INVOICES_API_KEY: "x" }, EVIL],
    ["INVOICES_HOST", { INVOICES_READ_TOKEN: "x" }, EVIL],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", { OTEL_EXPORTER_OTLP_HEADERS: "api-key=x" }, EVIL],
  ])("%s, if the environment has the key (%o, %s)", async (name, env, address) => {
    const cwd = folder({ ".env": `${name}=${address}\nPLAIN=1\n` });
    const { variables, messages } = await startProgram(["--no-contract"], { cwd, env });
    expect(variables).toMatchObject({ ...env, PLAIN: "1" });
    expect(variables).not.toHaveProperty(name);
    expect(messages).toMatch(new RegExp(`^sophia-run: warning: ${name} in .env .*--allow ${name}\\b`));
  });

  test("if ESC has the key, whatever the file has besides", async () => {
    const server = await startEscServer();
    onTestFinished(() => server.close());
    server.environment(ESC_NAME, { values: KEY });
    const env = { ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url, ESC_ENV: ESC_NAME };
    const cwd = folder({ ".env": `OPENAI_API_KEY=sk-of-the-file\n${BASE}=${EVIL}\n` });
    const { variables, messages } = await startProgram(["--no-contract"], { cwd, env });
    expect(variables).toMatchObject(KEY);
    expect(variables).not.toHaveProperty(BASE);
    expect(messages).toContain(`${BASE} in .env`);
  });

  test("if another file has the key, such as that of the repository's root", async () => {
    const cwd = folder({ ...contractOf({ OPENAI_API_KEY: {} }), ".env": "OPENAI_API_KEY=sk-of-the-user\n" });
    const inner = join(cwd, "package");
    mkdirSync(inner);
    writeFileSync(join(inner, ".env"), `${BASE}=${EVIL}\n`, { mode: 0o600 });
    const { variables, messages } = await startProgram([], { cwd: inner });
    expect(variables).toMatchObject({ OPENAI_API_KEY: "sk-of-the-user" });
    expect(variables).not.toHaveProperty(BASE);
    expect(messages).toContain(`${BASE} in .env`);
  });

  test("even if a found contract declares the address, or has an alias or a default", async () => {
    const contracts = [
      { contract: { [BASE]: {} }, file: `${BASE}=${EVIL}`, env: KEY },
      { contract: { [BASE]: { aliases: ["DOCS"] } }, file: `DOCS=${EVIL}`, env: KEY },
      { contract: { [BASE]: { aliases: ["DOCS"] } }, file: "", env: { ...KEY, DOCS: EVIL } },
      { contract: { [BASE]: { default: EVIL } }, file: "", env: KEY },
    ];
    for (const { contract, file, env } of contracts) {
      const cwd = folder({ ...contractOf({ OPENAI_API_KEY: {}, ...contract }), ".env": `${file}\n` });
      const { variables, messages } = await startProgram([], { cwd, env });
      expect({ contract, has: BASE in variables }).toEqual({ contract, has: false });
      expect(messages).toContain(`${BASE} in `);
    }
  });
});

describe("an address is passed on without a message", () => {
  test.each<[string, string, Readonly<Record<string, string>>]>([
    ["with the key of the same file", `OPENAI_API_KEY=sk-of-the-file\n${BASE}=${EVIL}\n`, {}],
    ["of the service itself", `${BASE}=https://api.openai.com/v1\n`, KEY],
    ["of this machine", `${BASE}=http://localhost:11434/v1\n`, KEY],
    ["of this machine, by numbers", `${BASE}=http://127.0.0.1:8080\n`, KEY],
    ["of this machine, by IPv6", `${BASE}=http://[::1]:8080/v1\n`, KEY],
    ["of a service that has none of its own", `QDRANT_URL=${EVIL}\n`, { QDRANT_API_KEY: "x" }],
    ["of an unknown service without a key", `INVOICES_BASE_URL=${EVIL}\n`, { OTHER_API_KEY: "x" }],
    ["of an unknown service with its key", `INVOICES_BASE_URL=${EVIL}\nINVOICES_API_KEY=x\n`, {}],
    ["of an application", `API_BASE_URL=${EVIL}\nNEXT_PUBLIC_API_URL=${EVIL}\n`, { NEXT_PUBLIC_API_KEY: "x" }],
  ])("%s", async (_, file, env) => {
    const { variables, messages } = await startProgram(["--no-contract"], { cwd: folder({ ".env": file }), env });
    expect(messages).toBe("");
    expect(variables).toMatchObject({ ...parseEnvironment(file), ...env });
  });

  test.each<[string, readonly string[], Readonly<Record<string, string>>]>([
    ["that the caller allows", ["--allow", BASE], {}],
    ["that the caller's variable allows", [], { SOPHIA_ALLOW: BASE }],
    ["of a file that the caller names", ["--dotenv", ".env"], {}],
    ["of the caller", [], { [BASE]: EVIL }],
  ])("%s", async (_, args, env) => {
    const cwd = folder({ ".env": `${BASE}=${EVIL}\n` });
    const { variables, messages } = await startProgram(["--no-contract", ...args], { cwd, env: { ...KEY, ...env } });
    expect([messages, variables[BASE]]).toEqual(["", EVIL]);
    expect(variables).not.toHaveProperty("SOPHIA_FROM_FILES");
  });

  test("that is a default or an alias of a contract that the caller names", async () => {
    for (const declaration of [{ default: EVIL }, { aliases: ["DOCS"] }]) {
      const cwd = folder(contractOf({ OPENAI_API_KEY: {}, [BASE]: declaration }));
      const env = { ...KEY, DOCS: EVIL };
      const { variables, messages } = await startProgram(["--contract", "sophia.contract.json"], { cwd, env });
      expect([messages, variables[BASE]]).toEqual(["", EVIL]);
    }
  });

  test("under another name of the same address", async () => {
    const cwd = folder(contractOf({ OPENAI_API_KEY: {}, [BASE]: { aliases: ["OPENAI_API_BASE"] } }));
    const { variables, messages } = await startProgram([], { cwd, env: { ...KEY, OPENAI_API_BASE: EVIL } });
    expect([messages, variables[BASE]]).toEqual(["", EVIL]);
  });
});

describe("a sophia-run in the program", () => {
  const inner = [...sophiaRun, "--no-contract"];

  test("gets the key and the address of one file, and passes them on", async () => {
    const cwd = folder({ ".env": `OPENAI_API_KEY=sk-of-the-file\n${BASE}=${EVIL}\n` });
    const { status, stdout, stderr } = await sophia(["--no-contract", "--", ...inner, "--", "/usr/bin/env"], { cwd });
    expect([status, stderr]).toEqual([0, ""]);
    expect(parseEnvironment(stdout)).toMatchObject({ OPENAI_API_KEY: "sk-of-the-file", [BASE]: EVIL });
  });

  test("does not send its own key to the address of a file", async () => {
    const server = await startEscServer();
    onTestFinished(() => server.close());
    server.environment(ESC_NAME, { values: KEY });
    const cwd = folder({ ".env": `OPENAI_API_KEY=sk-of-the-file\n${BASE}=${EVIL}\n` });
    const esc = [`ESC_TOKEN=${server.token}`, `PULUMI_BACKEND_URL=${server.url}`, `ESC_ENV=${ESC_NAME}`];
    const command = ["env", ...esc, ...inner, "--prefer", "esc", "--", "/usr/bin/env"];
    const { status, stdout, stderr } = await sophia(["--no-contract", "--", ...command], { cwd });
    expect(status).toBe(0);
    expect(parseEnvironment(stdout)).toMatchObject(KEY);
    expect(parseEnvironment(stdout)).not.toHaveProperty(BASE);
    expect(unwrapLines(stderr)).toContain(`${BASE} in a file`);
  });
});

test("explain, check and export report the withheld address", async () => {
  const cwd = folder({
    ...contractOf({ OPENAI_API_KEY: {}, [BASE]: { required: true } }),
    ".env": `${BASE}=${EVIL}\n`,
  });
  const explained = await sophia(["explain", BASE], { cwd, env: KEY });
  expect(unwrapLines(explained.stdout)).toMatch(/withheld +\.env:1: .*--allow/);
  const checked = await sophia(["check"], { cwd, env: KEY });
  expect(checked.status).toBe(1);
  expect(checked.stdout).toContain(`❌ ${BASE}: `);
  expect(checked.stdout).not.toContain(`${BASE}: Not configured`);
  const exported = await sophia(["export", "--format", "json", "--no-contract"], { cwd, env: KEY });
  expect(exported.stdout).not.toContain(EVIL);
  expect(unwrapLines(exported.stderr)).toContain(`${BASE} in .env`);
});
