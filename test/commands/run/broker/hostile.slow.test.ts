/** A repository that tries to get the user's keys to its own origin, or into its own program, although --broker is on. */
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { makeCertificates } from "../../../esc-server/tls.ts";
import { noCertificates } from "../../../helpers/certificates.ts";
import { folder, sophia, sophiaRun, unwrapLines } from "../../../helpers/sophia.ts";
import {
  parseClientAnswer,
  CLIENT,
  contractText,
  expectRefused,
  expectSent,
  OPENAI_KEY,
  OPENAI_CLIENT,
  OPENAI_CONTRACT,
  QDRANT_KEY,
  QDRANT_CLIENT,
  QDRANT_CONTRACT,
  searchContract,
  runClient,
  startRecordingService,
} from "./client-runs.ts";

const ADMIN = ["OPENAI_BASE_URL", "OPENAI_API_KEY", "authorization", "/organization/admin_api_keys"] as const;

describe("a found contract", () => {
  test.each([
    ["the header in which the service repeats it", { headers: ["OpenAI-Organization"] }, "headers"],
    ["the scheme of the header", { headers: ["Authorization: token"] }, "headers"],
    ["a prefix that hides denied paths", { prefix: "/team/v1" }, "prefix"],
  ])("does not choose how a known key is sent: %s", async (_, broker, part) => {
    const gateway = await startRecordingService();
    const result = await runClient({
      files: { "sophia.contract.json": contractText({ OPENAI_API_KEY: { broker } }) },
      env: { OPENAI_API_KEY: OPENAI_KEY, OPENAI_BASE_URL: `${gateway.origin}/team/v1` },
      client: ADMIN,
    });
    expectRefused(result, gateway, ["sophia.contract.json", part, "OPENAI_API_KEY", "--contract"]);
  });

  test("does not hide denied paths by its base", async () => {
    const gateway = await startRecordingService();
    const result = await runClient({
      files: {
        "sophia.contract.json": contractText({ OPENAI_API_KEY: { broker: { base: { OPENAI_BASE_URL: "" } } } }),
      },
      env: { OPENAI_API_KEY: OPENAI_KEY, OPENAI_BASE_URL: `${gateway.origin}/team/v1` },
      client: ADMIN,
    });
    expect(parseClientAnswer(result)).toMatchObject({ status: 403, body: expect.stringContaining("broker-denied") });
    expect(gateway.requests).toEqual([]);
  });

  test.each([
    ["an upstream with a path", { upstream: "https://api.openai.com/v1/organization" }],
    ["an upstream that looks like another", { upstream: "https://api.openai.com@evil.test" }],
    ["a cookie", { headers: ["Cookie"] }],
    ["the host", { headers: ["Host"] }],
    ["a variable that runs code", { base: { LD_PRELOAD: "" } }],
    ["the same in lower case", { base: { ld_preload: "" } }],
    ["a proxy", { base: { https_proxy: "" } }],
    ["an exception from proxies", { base: { no_proxy: "" } }],
    ["an option", { base: { SOPHIA_BROKER_TO: "" } }],
    ["the service of ESC", { base: { PULUMI_BACKEND_URL: "" } }],
    ["the key of another service", { base: { ANTHROPIC_API_KEY: "" } }],
    ["the address of another service", { base: { ANTHROPIC_BASE_URL: "" } }],
  ])("is not valid with %s", async (_, broker) => {
    const variables = { OPENAI_API_KEY: { broker }, ANTHROPIC_API_KEY: {} };
    const { status, stdout, stderr } = await runClient({
      files: { "sophia.contract.json": contractText(variables) },
      env: { OPENAI_API_KEY: OPENAI_KEY },
      client: OPENAI_CLIENT,
    });
    expect([status, stdout]).toEqual([125, ""]);
    expect(unwrapLines(stderr)).toContain("sophia.contract.json");
  });

  test("does not choose the upstream by a profile or a scope either", async () => {
    const evil = await startRecordingService();
    const broker = { upstream: evil.origin };
    const text = JSON.stringify({
      variables: { OPENAI_API_KEY: {} },
      scopes: { web: ["OPENAI_API_KEY"] },
      profiles: { dev: { variables: { OPENAI_API_KEY: { broker } } } },
    });
    for (const options of [
      ["--profile", "dev"],
      ["--profile", "dev", "--scope", "web"],
    ]) {
      const result = await runClient({
        files: { "sophia.contract.json": text },
        env: { OPENAI_API_KEY: OPENAI_KEY },
        options,
        client: OPENAI_CLIENT,
      });
      expectRefused(result, evil, ["sophia.contract.json", evil.origin]);
    }
  });

  test.each([
    ["one value alone", { format: { type: "text", pattern: "sk-real" } }],
    ["ten characters", { format: { type: "text", pattern: "[a-z]{10}" } }],
    ["another type", { format: "url" }],
  ])("does not make the dummy known in advance by its format: %s", async (_, declaration) => {
    const gateway = await startRecordingService();
    const { status, stdout, stderr } = await runClient({
      files: { "sophia.contract.json": contractText({ OPENAI_API_KEY: declaration }) },
      env: { OPENAI_API_KEY: "https://sk-real", OPENAI_BASE_URL: gateway.origin },
      options: ["--no-contract"],
      client: OPENAI_CLIENT,
    });
    expect([status, stdout, gateway.requests]).toEqual([125, "", []]);
    expect(unwrapLines(stderr)).toContain("format of OPENAI_API_KEY");
  });

  test.each([
    ["a line break", { format: { type: "text", pattern: "[^a]*" } }],
    ["an example", { example: "Authorization-Bearer_<key>" }],
    ["a long example", { example: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_<key>" }],
    ["a prefix", { format: { type: "text", prefix: "sk-", minLength: 500 } }],
  ])("does not shape the dummy to anything but a word that headers take: %s", async (_, declaration) => {
    const gateway = await startRecordingService();
    const result = await runClient({
      files: { "sophia.contract.json": contractText({ OPENAI_API_KEY: declaration }) },
      env: { OPENAI_API_KEY: OPENAI_KEY, OPENAI_BASE_URL: gateway.origin },
      options: ["--no-contract"],
      client: OPENAI_CLIENT,
    });
    expect(parseClientAnswer(result)).toMatchObject({ status: 200 });
    expect(parseClientAnswer(result).env["OPENAI_API_KEY"]).toMatch(/^[\u0021-\u007e]{32,600}$/);
  });
});

describe("a key that a found contract excludes from the broker", () => {
  test.each<[string, Readonly<Record<string, unknown>>]>([
    ["it is not declared", { PORT: { secret: false } }],
    ["it is another name of something", { MY_KEY: { aliases: ["OPENAI_API_KEY"] } }],
    ["it is never brokered", { OPENAI_API_KEY: { broker: false } }],
    ["it is no secret", { OPENAI_API_KEY: { secret: false } }],
    ["it is deprecated", { OPENAI_API_KEY: { deprecated: "PORT" }, PORT: { secret: false } }],
  ])("is not passed on as plain text: %s", async (_, variables) => {
    const cwd = folder({ "sophia.contract.json": contractText(variables) });
    const env = { OPENAI_API_KEY: OPENAI_KEY };
    const { status, stdout, stderr } = await sophia(["--broker", "--", "echo", "started"], { cwd, env });
    expect([status, stdout]).toEqual([125, ""]);
    const [, names = ""] = /the value of .*--exclude ([A-Z_,]+) /s.exec(unwrapLines(stderr)) ?? [];
    expect(names.split(",")).toContain("OPENAI_API_KEY");
    // What the message proposes works, and leaves the key nowhere.
    const without = await sophia(["--broker", "--exclude", names, "--", "env"], { cwd, env });
    expect(without.status).toBe(0);
    expect(without.stdout).not.toContain(OPENAI_KEY);
    const allowed = await sophia(["--broker", "--broker-except", names, "--", "env"], { cwd, env });
    expect(allowed.status).toBe(0);
    expect(allowed.stderr).not.toContain("--broker");
    expect(allowed.stdout).toContain(`OPENAI_API_KEY=${OPENAI_KEY}`);
  });

  test("is not named if the caller has named the contract", async () => {
    const cwd = folder({ "own.json": contractText({ OPENAI_API_KEY: { broker: false }, GROQ_API_KEY: {} }) });
    const env = { OPENAI_API_KEY: OPENAI_KEY, GROQ_API_KEY: "gsk-real-groq-0a1b2c3d" };
    const { status, stderr } = await sophia(["--broker", "--contract", "own.json", "--", "true"], { cwd, env });
    expect([status, stderr]).toEqual([0, ""]);
  });
});

describe("a found .env file", () => {
  const nested = (more: readonly string[], ...outer: readonly string[]): readonly string[] => [
    ...outer,
    "--",
    ...sophiaRun,
    ...more,
  ];

  test("does not decide about the proxy of requests to the broker", async () => {
    const service = await startRecordingService();
    const seen: string[] = [];
    const proxy = createServer((socket) => {
      seen.push("connection");
      socket.destroy();
    }).listen(0, "127.0.0.1");
    await once(proxy, "listening");
    onTestFinished(() => void proxy.close());
    const address = proxy.address();
    const evil = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    const names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
    const result = await runClient({
      files: {
        "sophia.contract.json": OPENAI_CONTRACT,
        ".env": names.map((name) => `${name}=${evil}\n`).join("") + "NO_PROXY=example.test\nno_proxy=example.test\n",
      },
      env: { OPENAI_API_KEY: OPENAI_KEY, OPENAI_BASE_URL: service.origin, NODE_USE_ENV_PROXY: "1" },
      client: OPENAI_CLIENT,
    });
    expectSent(result, service, OPENAI_KEY);
    expect(seen).toEqual([]);
    expect(parseClientAnswer(result).env).toMatchObject({
      NO_PROXY: "example.test,127.0.0.1",
      no_proxy: "example.test,127.0.0.1",
    });
  });

  test("does not turn off the verification of certificates in a nested sophia-run, nor does the caller", async ({
    skip,
  }) => {
    skip(noCertificates !== undefined, noCertificates);
    const certificates = await makeCertificates();
    onTestFinished(() => certificates.remove());
    const service = await startRecordingService(certificates.unknownAuthority);
    const scene = {
      files: { "sophia.contract.json": OPENAI_CONTRACT },
      env: { OPENAI_API_KEY: OPENAI_KEY, OPENAI_BASE_URL: service.origin },
      client: OPENAI_CLIENT,
    };
    const off = { NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    const byCaller = await runClient({ ...scene, env: { ...scene.env, ...off } });
    expect(parseClientAnswer(byCaller)).toMatchObject({ status: 502, body: expect.stringContaining("broker-tls") });
    const cwd = folder({ ...scene.files, ".env": "NODE_TLS_REJECT_UNAUTHORIZED=0\n", "client.cjs": CLIENT });
    const program = ["--broker", "--", process.execPath, "client.cjs", ...OPENAI_CLIENT];
    const inner = await sophia(nested(program, "-q"), { cwd, env: scene.env });
    expect(parseClientAnswer(inner)).toMatchObject({ status: 502, body: expect.stringContaining("broker-tls") });
    expect(service.requests).toEqual([]);
  });

  test("does not name an authority that a nested sophia-run trusts, as the caller does", async ({ skip }) => {
    skip(noCertificates !== undefined, noCertificates);
    const certificates = await makeCertificates();
    onTestFinished(() => certificates.remove());
    const service = await startRecordingService(certificates.valid);
    const files = { "sophia.contract.json": OPENAI_CONTRACT, "client.cjs": CLIENT };
    const trust = { NODE_EXTRA_CA_CERTS: certificates.caFile };
    const env = { OPENAI_API_KEY: OPENAI_KEY, OPENAI_BASE_URL: service.origin };
    const program = ["--broker", "--", process.execPath, "client.cjs", ...OPENAI_CLIENT];
    for (const name of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"]) {
      const cwd = folder({ ...files, ".env": `${name}=${certificates.caFile}\n` });
      const inner = await sophia(nested(program, "-q"), { cwd, env: { ...env, SOPHIA_ALLOW: name } });
      expect(parseClientAnswer(inner)).toMatchObject({ status: 502, body: expect.stringContaining("broker-tls") });
      expect(parseClientAnswer(inner).env[name]).toBe(certificates.caFile);
    }
    expect(service.requests).toEqual([]);
    const byCaller = await sophia(nested(program, "-q"), { cwd: folder(files), env: { ...env, ...trust } });
    expectSent(byCaller, service, OPENAI_KEY);
  });

  test("does not tell a nested sophia-run that a key is brokered already", async () => {
    const service = await startRecordingService();
    const cwd = folder({
      "sophia.contract.json": contractText({ OPENAI_API_KEY: {}, SOPHIA_BROKERED: { secret: false } }),
      ".env": "SOPHIA_BROKERED=OPENAI_API_KEY\n",
      "client.cjs": CLIENT,
    });
    const env = { OPENAI_API_KEY: OPENAI_KEY, OPENAI_BASE_URL: service.origin };
    const program = ["--broker", "--", process.execPath, "client.cjs", ...OPENAI_CLIENT];
    const result = await sophia(nested(program, "-q"), { cwd, env });
    expect(parseClientAnswer(result)).toMatchObject({ status: 200 });
    expect(parseClientAnswer(result).env["OPENAI_API_KEY"]).not.toBe(OPENAI_KEY);
    expect(service.requests).toHaveLength(1);
  });

  test("does not set a gateway for a nested sophia-run, even if its address is this machine's", async () => {
    const cwd = folder({
      "sophia.contract.json": OPENAI_CONTRACT,
      ".env": "OPENAI_BASE_URL=http://127.0.0.1:9/v1\n",
    });
    const result = await sophia(nested(["check", "--broker", "--json"]), { cwd, env: { OPENAI_API_KEY: OPENAI_KEY } });
    expect(JSON.parse(result.stdout).broker.keys).toEqual([
      expect.objectContaining({ name: "OPENAI_API_KEY", origin: "https://api.openai.com", by: "built-in" }),
    ]);
  });

  test("sets no address for the key of a nested sophia-run, but for its own key", async () => {
    const evil = await startRecordingService();
    const files = { "sophia.contract.json": QDRANT_CONTRACT, "client.cjs": CLIENT };
    const program = ["--broker", "--dotenv", "/dev/null", "--", process.execPath, "client.cjs", ...QDRANT_CLIENT];
    const url = `QDRANT_URL=${evil.origin}\n`;
    const foreignProject = folder({ ...files, ".env": url });
    expectRefused(await sophia(nested(program), { cwd: foreignProject, env: { QDRANT_API_KEY: QDRANT_KEY } }), evil, [
      "QDRANT_URL",
    ]);
    const own = folder({ ...files, ".env": `${url}QDRANT_API_KEY=${QDRANT_KEY}\n` });
    expectSent(await sophia(nested(program), { cwd: own }), evil, QDRANT_KEY);
  });

  test("does not make its own sophia-run send the keys that an outer sophia-run brokers", async () => {
    const service = await startRecordingService();
    const evil = await startRecordingService();
    const cwd = folder({ "sophia.contract.json": QDRANT_CONTRACT, "inner.json": searchContract(evil.origin) });
    const env = { QDRANT_API_KEY: QDRANT_KEY, QDRANT_URL: service.origin };
    const inner = nested(["check", "--broker", "--json"], "--broker");
    const result = await sophia(inner, { cwd, env });
    expect(JSON.parse(result.stdout).broker).toMatchObject({ keys: [], failures: [], outer: ["QDRANT_API_KEY"] });
    expect([service.requests, evil.requests]).toEqual([[], []]);
  });
});
