import { expect, test } from "vitest";
import { secret, startEscServer } from "../../esc-server/index.ts";
import { CONTRACT_VALUES, folder, sophia, unwrapLines } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { escVariables } from "../sophia-environment.ts";

const OPENAI = "sk-real-openai-0a1b2c3d";

interface CheckRun {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly options?: readonly string[];
}

/** Runs `check --broker` for people and for programs. */
async function runCheck({ env = {}, files = {}, options = ["--broker"] }: CheckRun) {
  const cwd = folder(files);
  const { status, stdout } = await sophia(["check", ...options], { cwd, env });
  const programs = await sophia(["check", "--json", ...options], { cwd, env });
  expect(programs.status).toBe(status);
  for (const value of Object.values(env)) {
    if (value.includes("real")) expect(stdout + programs.stdout).not.toContain(value);
  }
  const text = unwrapLines(stdout);
  const section = /--- Broker ---\n([^]*?)\n\n/.exec(text)?.[1];
  return { status, text, section: section?.split("\n"), broker: JSON.parse(programs.stdout).broker };
}

function contractText(variables: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ name: "app", variables });
}

test("check --broker shows each key with its origin, the variables of the program and who decides; the other variables share one line", async () => {
  const { status, section, broker, text } = await runCheck({
    env: { ...CONTRACT_VALUES, TAVILY_API_KEY: "tvly-real-0a1b" },
  });
  expect(status).toBe(0);
  expect(section).toEqual([
    "✅ GITHUB_PAT → https://github.com, https://api.github.com, https://uploads.github.com (GITHUB_API_URL, GITHUB_GRAPHQL_URL), built in",
    "✅ QDRANT_API_KEY → https://sentinel-qdrant.example.test:6333 (QDRANT_URL), by QDRANT_URL of the caller's environment",
    "✅ OPENAI_API_KEY → https://api.openai.com (OPENAI_BASE_URL, OPENAI_API_BASE, OPENAI_HOST), built in",
    "✅ TAVILY_API_KEY → https://api.tavily.com (TAVILY_BASE_URL), built in",
    "➖ Not brokered: PULUMI_ACCESS_TOKEN and QDRANT_URL (no service is known)",
  ]);
  expect(text).toContain("✅ All checks passed!");
  expect(broker.keys[2]).toMatchObject({
    name: "OPENAI_API_KEY",
    origin: "https://api.openai.com",
    path: "",
    variables: ["OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_HOST"],
    by: "built-in",
    allow: [],
    deny: expect.arrayContaining(["* /v1/organization/**"]),
    copies: [],
  });
  expect(broker).toMatchObject({ failures: [], outer: [] });
});

test("check has no section about the broker without --broker or SOPHIA_BROKER", async () => {
  const without = await runCheck({ env: CONTRACT_VALUES, options: [] });
  expect([without.section, without.broker]).toEqual([undefined, undefined]);
  const by = await runCheck({ env: { ...CONTRACT_VALUES, SOPHIA_BROKER: "1" }, options: [] });
  expect(by.section).toHaveLength(4);
});

test("check --broker fails for an origin that is not trusted, and shows the remedy", async () => {
  const files = {
    "sophia.contract.json": contractText({ OPENAI_API_KEY: { broker: { upstream: "https://evil.test" } } }),
  };
  const { status, section, broker, text } = await runCheck({ env: { OPENAI_API_KEY: OPENAI }, files });
  expect(status).toBe(1);
  expect(section?.join(" ")).toMatch(
    /^❌ OPENAI_API_KEY: .*sophia\.contract\.json .*evil\.test.*--broker-to https:\/\/evil\.test$/,
  );
  expect(text).toContain("❌ 1 key cannot be brokered");
  expect(broker).toMatchObject({ keys: [], failures: [{ name: "OPENAI_API_KEY", code: "broker-untrusted" }] });
  expectWording(text);

  const allowed = await runCheck({
    env: { OPENAI_API_KEY: OPENAI },
    files,
    options: ["--broker", "--broker-to", "https://evil.test"],
  });
  expect(allowed.status).toBe(0);
  expect(allowed.section?.[0]).toMatch(/^✅ OPENAI_API_KEY → https:\/\/evil\.test .*, by --broker-to$/);

  const named = await runCheck({
    env: { OPENAI_API_KEY: OPENAI },
    files: { "own.json": files["sophia.contract.json"] },
    options: ["--broker", "--contract", "own.json"],
  });
  expect(named.section?.[0]).toMatch(/, by \S*own\.json, which the caller named$/);
});

test.each([
  [
    "the format has no room for a dummy",
    { A_KEY: createDeclaration({ format: { type: "text", pattern: "[a-z]{10}" } }) },
    "abcdefghij",
    "format",
  ],
  ["the value has a space", { A_KEY: createDeclaration({}) }, "a real key", "line break or a space"],
])("check --broker fails for a key that cannot be brokered: %s", async (_, variables, value, fragment) => {
  const options = ["--broker", "--broker-to", "https://a.test"];
  const { status, section, broker } = await runCheck({
    env: { A_KEY: value },
    files: { "sophia.contract.json": contractText(variables) },
    options,
  });
  expect(status).toBe(1);
  expect(section?.join(" ")).toMatch(/^❌ A_KEY: /);
  expect(section?.join(" ")).toContain(fragment);
  expect(broker.failures).toEqual([expect.objectContaining({ name: "A_KEY", code: "broker" })]);
});

function createDeclaration(more: object) {
  return { broker: { upstream: "https://a.test", headers: ["api-key"], base: { A_BASE_URL: "" } }, ...more };
}

test("check --broker names keys of an outer sophia-run, copies, and keys that the contract leaves to the program", async () => {
  const env = {
    OPENAI_API_KEY: "sk-sophia-dummy-0a1b2c3d",
    SOPHIA_BROKERED: "OPENAI_API_KEY",
    GROQ_API_KEY: "gsk-real-groq-0a1b2c3d",
    COPY: "x gsk-real-groq-0a1b2c3d",
    MISTRAL_API_KEY: "real-mistral-0a1b2c3d",
    TAVILY_API_KEY: "real-tavily-0a1b2c3d",
  };
  const variables = { OPENAI_API_KEY: {}, GROQ_API_KEY: {}, TAVILY_API_KEY: { broker: false } };
  const files = { "sophia.contract.json": contractText(variables) };
  const groq = [
    "✅ GROQ_API_KEY → https://api.groq.com (GROQ_BASE_URL, GROQ_API_BASE), built in",
    "⚠️ GROQ_API_KEY: COPY still has the value",
  ];
  const outer = "✅ OPENAI_API_KEY: Brokered by the outer sophia-run";
  const { status, section, broker, text } = await runCheck({ env, files });
  expect(status).toBe(1);
  expect(section?.slice(0, 2)).toEqual(groq);
  expect(section?.[2]).toMatch(
    /^❌ In clear: MISTRAL_API_KEY and TAVILY_API_KEY not declared by the contract: MISTRAL_API_KEY .*: TAVILY_API_KEY /,
  );
  expect(section?.[2]).toContain("--broker-except MISTRAL_API_KEY,TAVILY_API_KEY");
  expect(section?.slice(3)).toEqual([outer]);
  expect(text).toContain("❌ the program would get 2 keys in clear");
  expect(broker.failures).toMatchObject([
    { name: "MISTRAL_API_KEY", code: "broker-clear", why: "undeclared" },
    { name: "TAVILY_API_KEY", code: "broker-clear", why: "contract" },
  ]);
  const options = ["--broker", "--broker-except", "MISTRAL_API_KEY,TAVILY_API_KEY"];
  const allowed = await runCheck({ env, files, options });
  expect(allowed.status).toBe(0);
  expect(allowed.section).toEqual([
    ...groq,
    outer,
    "➖ Not brokered: MISTRAL_API_KEY and TAVILY_API_KEY (--broker-except)",
  ]);
});

test("check --broker shows that a file of ESC reaches the program if the caller allows it, and that ESC's address applies to its key", async () => {
  await using server = await startEscServer();
  server.environment("acme/app/dev", {
    values: { OPENAI_API_KEY: secret(OPENAI), OPENAI_BASE_URL: "https://gateway.test/v1" },
    files: { GROQ_API_KEY: secret("gsk-real-groq-0a1b2c3d") },
  });
  const files = { "sophia.contract.json": contractText({ OPENAI_API_KEY: {}, GROQ_API_KEY: {} }) };
  const env = escVariables(server, "acme/app/dev");
  const { status, section } = await runCheck({ env, files });
  expect(status).toBe(1);
  expect(section?.join("\n")).toMatch(
    /^✅ OPENAI_API_KEY → https:\/\/gateway\.test\/v1 \(.*\), by OPENAI_BASE_URL of ESC acme\/app\/dev.*, like the key\n/,
  );
  expect(section?.at(-1)).toMatch(/^❌ In clear: GROQ_API_KEY \(passed as a file\) leave it out: /);
  const allowed = await runCheck({ env, files, options: ["--broker", "--broker-except", "GROQ_API_KEY"] });
  expect([allowed.status, allowed.section?.at(-1)]).toEqual([0, "➖ Not brokered: GROQ_API_KEY (--broker-except)"]);
});

test("check --broker prints one line if there is no key", async () => {
  const { section } = await runCheck({ files: { "sophia.contract.json": contractText({ PORT: { format: "port" } }) } });
  expect(section).toEqual(["➖ No key is set that can be brokered"]);
});
