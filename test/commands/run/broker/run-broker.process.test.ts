import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { secret, startEscServer } from "../../../esc-server/index.ts";
import { notInstalled } from "../../../helpers/skip.ts";
import { parseEnvironment, folder, sophia, sophiaRun, unwrapLines } from "../../../helpers/sophia.ts";
import { expectWording } from "../../../helpers/wording.ts";
import { createClientFolder, REAL_KEY, startService } from "./openai-service.ts";

const BROKER = ["--no-contract", "--broker"];
const DUMMY = /^sk-sophia-[A-Za-z0-9]{32}$/;

test("--broker starts nothing if the loopback interface is down", async ({ skip }) => {
  const unshare = ["--user", "--map-root-user", "--net"] as const;
  const problem = notInstalled("unshare", ...unshare, "true");
  skip(problem !== undefined, problem);
  const { env } = await startService();
  const [node, ...prefix] = sophiaRun;
  const options = { cwd: folder(), env: { PATH: process.env["PATH"], ...env }, encoding: "utf8" } as const;
  const command = [...unshare, node, ...prefix, ...BROKER, "--", "echo", "started"];
  const { status, stdout, stderr } = spawnSync("unshare", command, options);
  expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
  expect(stderr).toContain("127.0.0.1 (ENETUNREACH)");
});

describe("--broker: the program", () => {
  test("gets a dummy and the broker's address, and its requests carry the real key", async () => {
    const service = await startService();
    const { status, stdout, stderr } = await sophia([...BROKER, "--", "node", "ask.mjs", "7"], {
      cwd: createClientFolder(),
      env: service.env,
    });
    expect({ status, stdout, stderr }).toEqual({ status: 7, stdout: "200 answered\n", stderr: "" });
    expect(service.requests.map(({ method, target, headers }) => [method, target, headers.authorization])).toEqual([
      ["POST", "/v1/models", `Bearer ${REAL_KEY}`],
    ]);
  });

  test("has the real key nowhere, and neither have the processes that it starts", async () => {
    const { env } = await startService();
    const look = `cat /proc/self/environ /proc/$$/environ /proc/$$/cmdline | tr '\\0' '\\n'; env`;
    const { stdout } = await sophia([...BROKER, "--", "sh", "-c", look], { env });
    const variables = parseEnvironment(stdout);
    expect(variables["OPENAI_API_KEY"]).toMatch(DUMMY);
    expect(variables["OPENAI_BASE_URL"]).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/);
    expect(variables["OPENAI_API_BASE"]).toBe(variables["OPENAI_BASE_URL"]);
    expect(variables["SOPHIA_BROKERED"]).toBe("OPENAI_API_KEY");
    expect(stdout).not.toContain(REAL_KEY);
  });

  test("reaches the broker without the caller's proxy", async () => {
    const { env } = await startService();
    const { stdout } = await sophia([...BROKER, "--", "env"], { env: { ...env, HTTPS_PROXY: "http://127.0.0.1:9" } });
    expect(parseEnvironment(stdout)).toMatchObject({ NO_PROXY: "127.0.0.1", no_proxy: "127.0.0.1" });
  });

  test("gets the same dummy under the aliases that the contract declares", async () => {
    const { env } = await startService();
    const contract = { variables: { OPENAI_API_KEY: { aliases: ["LLM_KEY"] } } };
    const cwd = folder({ "sophia.contract.json": JSON.stringify(contract) });
    const { OPENAI_API_KEY, ...others } = env;
    const { stdout } = await sophia(["--broker", "--", "env"], {
      cwd,
      env: { ...others, LLM_KEY: OPENAI_API_KEY ?? "" },
    });
    const variables = parseEnvironment(stdout);
    expect(variables["LLM_KEY"]).toMatch(/^sophia-[A-Za-z0-9]{32}$/);
    expect(variables["OPENAI_API_KEY"]).toBe(variables["LLM_KEY"]);
    expect(stdout).not.toContain(REAL_KEY);
  });

  test("prints dummies and keys masked with --redact", async () => {
    const { env } = await startService();
    const cwd = folder({ ".env": `COPY=${REAL_KEY}\n` });
    const script = 'echo "$OPENAI_API_KEY"; cat .env';
    const { status, stdout } = await sophia(["--no-contract", "--broker", "--redact", "--", "sh", "-c", script], {
      cwd,
      env,
    });
    expect([status, stdout]).toEqual([0, "***\nCOPY=***\n"]);
  });

  test("of a nested sophia-run starts with values that the formats of the contract do not have", async () => {
    const url = { type: "url", schemes: ["https"] };
    const text = { type: "text", prefix: "sk-project-" };
    const outer = { variables: { QDRANT_API_KEY: {}, QDRANT_URL: { format: url }, OPENAI_API_KEY: {} } };
    const inner = {
      variables: { ...outer.variables, OPENAI_API_KEY: { format: text }, PORT: { format: { type: "port" } } },
    };
    const cwd = folder({
      "sophia.contract.json": JSON.stringify(outer),
      "inner/sophia.contract.json": JSON.stringify(inner),
    });
    const [key, ...own] = sophiaRun;
    const run = (env: Readonly<Record<string, string>>) => {
      const script = 'cd inner; export $SET; exec "$0" "$@" -- sh -c \'echo "$QDRANT_URL $OPENAI_API_KEY"\'';
      return sophia(["--broker", "--", "sh", "-c", script, key, ...own], {
        cwd,
        env: { QDRANT_API_KEY: "0123456789abcdef", QDRANT_URL: "https://q.test", OPENAI_API_KEY: REAL_KEY, ...env },
      });
    };
    const { status, stdout, stderr } = await run({ SET: "A=b" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+ sophia-[A-Za-z0-9]{32}\n$/);
    // An address that is not the broker's has no excuse.
    const other = await run({ SET: "QDRANT_URL=ftp://q.test" });
    expect(other.status).toBe(78);
    expect(unwrapLines(other.stderr)).toContain("QDRANT_URL must be");
    const refused = await run({ SET: "PORT=none" });
    expect(refused.status).toBe(78);
    expect(unwrapLines(refused.stderr)).toContain("(1 violation)");
    expect(unwrapLines(refused.stderr)).toContain("PORT must be");
  });

  test("of a nested sophia-run gets no warning about values of ESC for which the dummies stand", async () => {
    await using server = await startEscServer();
    const values = { OPENAI_API_KEY: secret("sk-of-esc"), QDRANT_URL: "https://q.test", PORT: "1" };
    server.environment("acme/app/dev", { values });
    const variables = { OPENAI_API_KEY: {}, QDRANT_API_KEY: {}, QDRANT_URL: {}, PORT: { secret: false } };
    const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables }) });
    const env = {
      PULUMI_BACKEND_URL: server.url,
      ESC_ENV: "acme/app/dev",
      ESC_TOKEN: server.token,
      OPENAI_API_KEY: "sophia-dummy",
      QDRANT_API_KEY: "sophia-other",
      QDRANT_URL: "http://127.0.0.1:4",
      SOPHIA_BROKERED: "OPENAI_API_KEY,QDRANT_API_KEY",
      PORT: "2",
    };
    const { stderr } = await sophia(["--", "true"], { cwd, env });
    expect(unwrapLines(stderr)).toBe("sophia-run: the environment overrides ESC for PORT\n");
  });

  test("of a nested sophia-run keeps the dummies of the outer one", async () => {
    const service = await startService();
    const inner = 'echo "$SOPHIA_BROKERED"; exec node ask.mjs';
    const { stdout, stderr } = await sophia(
      [...BROKER, "--", "sh", "-c", '"$@"', "sh", ...innerPrefix(), "sh", "-c", inner],
      { cwd: createClientFolder(), env: service.env },
    );
    expect({ stdout, stderr }).toEqual({ stdout: "OPENAI_API_KEY\n200 answered\n", stderr: "" });
    expect(service.requests).toHaveLength(1);
  });
});

function innerPrefix(): readonly string[] {
  return [...sophiaRun, "--no-contract", "--broker", "--"];
}

describe("--broker does not broker a key", () => {
  test("if it is a dummy of --fake", async () => {
    const { stdout, stderr } = await sophia(["--broker", "--fake", "--no-contract", "--", "env"]);
    expect(parseEnvironment(stdout)).not.toHaveProperty("SOPHIA_BROKERED");
    expectWording(stderr);
  });

  test("if the program does not get it", async () => {
    const { env } = await startService();
    const { stdout } = await sophia([...BROKER, "--exclude", "OPENAI_API_KEY", "--", "env"], { env });
    expect(parseEnvironment(stdout)).not.toHaveProperty("OPENAI_API_KEY");
  });

  test("if ESC delivers it as a file, which the caller must allow: the program can read the key", async () => {
    const server = await startEscServer();
    onTestFinished(() => server.close());
    server.environment("acme/sophia/dev", { values: {}, files: { OPENAI_API_KEY: secret(REAL_KEY) } });
    const env = { ESC_ENV: "acme/sophia/dev", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
    const program = ["--", "sh", "-c", 'cat "$OPENAI_API_KEY"'];
    const refused = await sophia([...BROKER, ...program], { env });
    expect([refused.status, refused.stdout]).toEqual([125, ""]);
    expectWording(refused.stderr);
    const { stdout } = await sophia([...BROKER, "--broker-except", "OPENAI_API_KEY", ...program], { env });
    expect(stdout).toBe(REAL_KEY);
  });
});

describe("--broker starts nothing", () => {
  const { OPENAI_BASE_URL: _, ...alone } = { OPENAI_API_KEY: REAL_KEY, OPENAI_BASE_URL: "" };

  test.each([
    ["with --mode exec", ["--mode", "exec"], alone],
    ["if --broker-to is no origin", ["--broker-to", "https://api.example.test/v1"], alone],
    ["if --broker-to has a wildcard", ["--broker-to", "https://*"], alone],
    ["if --broker-except has a name that is no key", ["--broker-except", "OPENAI_KEY"], alone],
    ["for a key with a line break", [], { OPENAI_API_KEY: `${REAL_KEY}\n` }],
    ["if a gateway is plain http to another machine", [], { ...alone, OPENAI_BASE_URL: "http://gateway.test/v1" }],
    ["if a gateway is no address", [], { ...alone, OPENAI_BASE_URL: "gateway" }],
    ["if the variable with the address is not set", [], { QDRANT_API_KEY: REAL_KEY }],
  ])("%s", async (_title, options, env) => {
    const { status, stdout, stderr } = await sophia([...BROKER, ...options, "--", "echo", "started"], { env });
    expect([status, stdout]).toEqual([125, ""]);
    expect(stderr).not.toContain(REAL_KEY);
    expectWording(stderr);
  });
});

describe("--broker warns the user", () => {
  test("if there is nothing to broker, but not because of the inherited variable", async () => {
    const { status, stderr } = await sophia([...BROKER, "--", "true"]);
    expect(status).toBe(0);
    expectWording(stderr);
    expect(await sophia(["--no-contract", "--", "true"], { env: { SOPHIA_BROKER: "1" } })).toMatchObject({
      status: 0,
      stderr: "",
    });
  });

  test("if the program gets the key under another name", async () => {
    const { env } = await startService();
    const copies = { COPY: REAL_KEY, DATABASE_URL: `postgres://user:${REAL_KEY}@localhost/db` };
    const { stderr } = await sophia([...BROKER, "--", "true"], { env: { ...env, ...copies } });
    expectWording(stderr);
  });

  test("but not if the key is a placeholder that other values contain by chance", async () => {
    const { env } = await startService();
    const { stderr } = await sophia([...BROKER, "--", "true"], { env: { ...env, OPENAI_API_KEY: "x", TERM: "xterm" } });
    expect(stderr).toBe("");
  });

  test("but not about a key in the value of another key that is brokered", async () => {
    const { env } = await startService();
    const longer = { broker: { upstream: "https://api.example.test", headers: ["x-key"], base: { OTHER_URL: "" } } };
    const cwd = folder({ "c.json": JSON.stringify({ variables: { OPENAI_API_KEY: {}, OTHER_KEY: longer } }) });
    const { stdout, stderr } = await sophia(["--contract", "c.json", "--broker", "--", "env"], {
      cwd,
      env: { ...env, OTHER_KEY: `${REAL_KEY}0` },
    });
    expect(stderr).toBe("");
    expect(stdout).not.toContain(REAL_KEY);
  });

  test("if ESC has a gateway for its own key alone, and another key needs the same variable", async () => {
    const server = await startEscServer();
    onTestFinished(() => server.close());
    const gateway = { ANTHROPIC_API_KEY: secret(REAL_KEY), ANTHROPIC_BASE_URL: "https://gateway.example.test/team" };
    server.environment("acme/sophia/dev", { values: gateway });
    const variables = { ANTHROPIC_API_KEY: {}, CLAUDE_CODE_OAUTH_TOKEN: {} };
    const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables }) });
    const env = {
      ESC_ENV: "acme/sophia/dev",
      ESC_TOKEN: server.token,
      PULUMI_BACKEND_URL: server.url,
      CLAUDE_CODE_OAUTH_TOKEN: `${REAL_KEY}0`,
    };
    const { stdout, stderr } = await sophia(["--broker", "--", "env"], { cwd, env });
    expect(parseEnvironment(stdout)["ANTHROPIC_BASE_URL"]).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/team$/);
    expectWording(stderr);
    const { status, ...one } = await sophia(["--broker", "--exclude", "CLAUDE_CODE_OAUTH_TOKEN", "--", "true"], {
      cwd,
      env,
    });
    expect({ status, stderr: one.stderr }).toEqual({ status: 0, stderr: "" });
  });

  test("about keys for which no request came, when the program ends with a failure", async () => {
    const { env } = await startService();
    const { stderr } = await sophia([...BROKER, "--", "sh", "-c", "exit 3"], { env });
    expectWording(stderr);
    const ends = ["exit 0", "kill -TERM $$"];
    for (const end of ends) expect((await sophia([...BROKER, "--", "sh", "-c", end], { env })).stderr).toBe("");
    expect((await sophia([...BROKER, "-q", "--", "sh", "-c", "exit 3"], { env })).stderr).toBe("");
  });
});

interface Line {
  readonly event: string;
  readonly run: string;
  readonly [field: string]: unknown;
}

function linesOf(log: string): readonly Line[] {
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sophia-run wrote it
  return lines.map((line) => JSON.parse(line) as Line);
}

describe("the broker's audit log", () => {
  test("has a line for each request, without header, query and body", async () => {
    const service = await startService();
    const cwd = createClientFolder();
    const log = join(cwd, "audit.jsonl");
    const script = "node ask.mjs 0 '/models?q=query' && node ask.mjs 0 /realtime/sessions";
    await sophia([...BROKER, "--audit-log", log, "--", "sh", "-c", script], { cwd, env: service.env });
    const [start, answered, refused, ...others] = linesOf(log);
    expect(start).toMatchObject({ event: "start", brokered: ["OPENAI_API_KEY"] });
    const request = {
      version: 1,
      event: "request",
      run: start?.run,
      name: "OPENAI_API_KEY",
      method: "POST",
      path: "/v1/models",
      bytesSent: 2,
      requestId: "req-1",
    };
    expect(answered).toMatchObject({
      ...request,
      outcome: "answered",
      status: 200,
      host: new URL(service.origin).host,
    });
    expect(refused).toMatchObject({
      event: "request",
      run: start?.run,
      outcome: "refused",
      status: 403,
      code: "broker-denied",
    });
    expect(refused).toMatchObject({ path: "/v1/realtime/sessions", bytesSent: 0 });
    expect(others).toEqual([]);
    const text = readFileSync(log, "utf8");
    for (const part of [REAL_KEY, "query", "sk-sophia-", "Bearer"]) expect(text).not.toContain(part);
    expect(service.requests).toHaveLength(1);
  });

  test("has no secret that is in a path, and at most 512 characters of the path", async () => {
    const service = await startService();
    const cwd = createClientFolder();
    const log = join(cwd, "audit.jsonl");
    const token = "sentinel-token-of-a-bot";
    const contract = JSON.stringify({ variables: { OPENAI_API_KEY: {}, BOT_TOKEN: {} } });
    const path = `/bot${token}/${"x".repeat(600)}`;
    const files = createClientFolder({ "sophia.contract.json": contract });
    await sophia(["--broker", "--audit-log", log, "--", "node", "ask.mjs", "0", path], {
      cwd: files,
      env: { ...service.env, BOT_TOKEN: token },
    });
    const [, line] = linesOf(log);
    expect(String(line?.["path"])).toMatch(/^\/v1\/bot\*\*\*\/x+$/);
    expect(String(line?.["path"])).toHaveLength(512);
    expect(service.requests[0]?.target).toBe(`/v1${path}`);
  });

  test("has no dummy that is in the path of a refused request", async () => {
    const { env } = await startService();
    const cwd = createClientFolder();
    const log = join(cwd, "audit.jsonl");
    const script = 'node ask.mjs 0 "/$OPENAI_API_KEY"';
    await sophia([...BROKER, "--audit-log", log, "--", "sh", "-c", script], { cwd, env });
    expect(linesOf(log)[1]).toMatchObject({ outcome: "refused", code: "broker-denied", path: "/v1/***" });
  });

  test("keeps the lines of the program's requests, however many others are refused", async () => {
    const service = await startService();
    // As a web page in a browser can, or another user.
    const flood = `
      const { host, port } = new URL(process.env.OPENAI_BASE_URL);
      const { connect } = require("node:net");
      const ask = () => new Promise((resolve) => {
        const socket = connect(Number(port), "127.0.0.1").resume().once("close", resolve);
        socket.write("GET /v1/models HTTP/1.1\\r\\nHost: " + host + "\\r\\nOrigin: null\\r\\n\\r\\n");
      });
      (async () => {
        for (let round = 0; round < 21; round += 1) await Promise.all(Array.from({ length: 50 }, ask));
      })();`;
    const cwd = createClientFolder({ "flood.cjs": flood });
    const log = join(cwd, "audit.jsonl");
    const script = "node flood.cjs && node ask.mjs";
    await sophia([...BROKER, "--audit-log", log, "--", "sh", "-c", script], { cwd, env: service.env });
    const lines = linesOf(log);
    const refused = lines.filter(({ outcome, name }) => outcome === "refused" && name === undefined);
    expect(refused).toHaveLength(1000);
    expect(lines.at(-2)).toMatchObject({ event: "request", outcome: "answered", name: "OPENAI_API_KEY" });
    expect(lines.at(-1)).toMatchObject({ event: "refused-requests", run: lines[0]?.run, count: 50 });
  });

  test("closes the broker if it cannot be written, and the program continues without it", async () => {
    const service = await startService();
    const cwd = createClientFolder();
    const log = join(cwd, "audit.jsonl");
    const script =
      "node ask.mjs && rm audit.jsonl && mkdir audit.jsonl && node ask.mjs; node ask.mjs 2>/dev/null; exit 5";
    const { status, stdout, stderr } = await sophia([...BROKER, "-q", "--audit-log", log, "--", "sh", "-c", script], {
      cwd,
      env: service.env,
    });
    expect([status, stdout]).toEqual([5, "200 answered\n"]);
    expect(unwrapLines(stderr)).toContain("sophia-run: warning: the audit log ");
    expectWording(
      unwrapLines(stderr)
        .split("\n")
        .filter((line) => line.startsWith("sophia-run:"))
        .join("\n"),
    );
  });

  test("has the requests that are under way when the program ends", async () => {
    const service = await startService();
    service.server.removeAllListeners("request").on("request", () => {});
    const cwd = createClientFolder();
    const log = join(cwd, "audit.jsonl");
    // The service asks for the body: then the request is under way.
    const leave = `const { OPENAI_BASE_URL: base, OPENAI_API_KEY: key } = process.env;
      const { host, port } = new URL(base);
      const socket = require("node:net").connect(Number(port), "127.0.0.1");
      const head = ["POST /v1/x HTTP/1.1", "Host: " + host, "Authorization: Bearer " + key, "Content-Length: 5", "Expect: 100-continue"];
      socket.write(head.join("\\r\\n") + "\\r\\n\\r\\n");
      socket.once("data", () => process.exit(0));`;
    await sophia([...BROKER, "--audit-log", log, "--", "node", "-e", leave], { cwd, env: service.env });
    expect(linesOf(log)[1]).toMatchObject({ event: "request", outcome: "left", path: "/v1/x", name: "OPENAI_API_KEY" });
  });
});
