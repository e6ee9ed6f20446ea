import { spawn } from "node:child_process";
import { describe, expect, onTestFinished, test } from "vitest";
import { type EscServer, startEscServer } from "../../esc-server/index.ts";
import { folder, sophia, sophiaRun } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { escVariables, sentinelOf, SENTINEL } from "../sophia-environment.ts";

const NAME = "acme/sophia/prod";

async function startEscWithRequests() {
  const server = await startEscServer();
  onTestFinished(async () => {
    expect(server.violations).toEqual([]);
    await server.close();
  });
  const base = server.environment("acme/sophia/base", { values: { A: sentinelOf("a") }, deny: "approval" });
  const environment = server.environment(NAME, {
    values: { B: sentinelOf("b") },
    imports: ["sophia/base"],
    deny: "approval",
  });
  return { server, base, environment, env: escVariables(server, NAME) };
}

const runRequest = (env: Readonly<Record<string, string>>, ...more: readonly string[]) =>
  sophia(["request", "--reason", "deploy of 2.4", ...more], { env });

test("a start that ESC refuses names the request command, which files and submits a request for the environment and each import", async () => {
  const { base, environment, env } = await startEscWithRequests();
  const started = await sophia(["--require-esc", "--", "true"], { env });
  expect(started.status).toBe(125);
  expect(started.stderr).toContain("sophia-run request");

  const { status, stdout, stderr } = await runRequest(env);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const [own] = environment.openRequests;
  const [imported] = base.openRequests;
  expect([own, imported]).toMatchObject([
    { status: "pending", description: "deploy of 2.4" },
    { status: "pending", description: "deploy of 2.4" },
  ]);
  expectWording(stdout, { [own?.id ?? ""]: "<own>", [imported?.id ?? ""]: "<imported>" });
  for (const changeRequest of [own, imported])
    expect(stdout).toContain(`pulumi env change-request approve ${changeRequest?.id} -o acme`);
  expect(stdout).toContain("   acme/sophia/base:\n");
});

test("request files nothing for an environment that opens without an approval", async () => {
  const { server, env } = await startEscWithRequests();
  const free = server.environment("acme/sophia/dev", { values: {} });
  const { status, stdout, stderr } = await runRequest(env, "--in", "acme/sophia/dev", "--wait");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expectWording(stdout);
  expect(free.openRequests).toEqual([]);
});

describe("request --wait", () => {
  test.each([
    ["applied", 0],
    ["closed", 1],
  ] as const)("ends when the request is %s, even after failures of ESC", async (how, expected) => {
    const { server, base, environment, env } = await startEscWithRequests();
    server.failNext("open", { kind: "status", status: 503 }, 1);
    const waiting = runRequest(env, "--wait");
    await server.waitFor("changeRequest");
    for (const changeRequest of [base, environment]) changeRequest.decide(how);
    const { status, stdout, stderr } = await waiting;
    expect(status).toBe(expected);
    expectWording(how === "applied" ? `${stdout.trimEnd().split("\n").at(-1)}\n${stderr}` : stderr, {
      [environment.openRequests[0]?.id ?? ""]: "<request>",
      [base.openRequests[0]?.id ?? ""]: "<request>",
    });
    expect(stdout + stderr).not.toContain(SENTINEL);
  });

  test("waits for the request that was filed before, and files no other", async () => {
    const { server, base, environment, env } = await startEscWithRequests();
    expect((await runRequest(env)).status).toBe(0);
    const waiting = runRequest(env, "--wait");
    await server.waitFor("changeRequest", 4);
    for (const changeRequest of [base, environment]) changeRequest.decide("applied");
    const { status, stdout } = await waiting;
    expect(status).toBe(0);
    for (const { openRequests } of [base, environment]) {
      expect(openRequests).toHaveLength(1);
      expect(stdout).toContain(`pulumi env change-request approve ${openRequests[0]?.id} -o acme`);
    }
    expectWording(stdout.split("\n", 1)[0] ?? "");
    expect(server.count("requestOpen")).toBe(1);
  });

  test("waits for the request of an import whose definition cannot be read at first", async () => {
    const { server, env } = await startEscWithRequests();
    expect((await runRequest(env)).status).toBe(0);
    server.failNext("definition", { kind: "status", status: 503 }, 2);
    const { status, stdout } = await runRequest(env, "--wait", "--wait-limit", "50ms");
    expect(status).toBe(3);
    expect(stdout).toContain("   acme/sophia/base:\n");
    expect(server.count("requestOpen")).toBe(1);
  });

  test.each<[what: string, meanwhile: (them: Awaited<ReturnType<typeof startEscWithRequests>>) => void]>([
    ["of another user", ({ server }) => void (server.user = { login: "another" })],
    ["that was closed", ({ environment }) => environment.decide("closed")],
    ["of the environment without its import's", ({ base }) => base.decide("closed")],
    ["that the token may not see", ({ server }) => server.failAlways("metadata", { kind: "status", status: 403 })],
  ])("waits for no request %s", async (_, meanwhile) => {
    const them = await startEscWithRequests();
    expect((await runRequest(them.env)).status).toBe(0);
    meanwhile(them);
    expect((await runRequest(them.env, "--wait", "--wait-limit", "50ms")).status).toBe(3);
    expect(them.server.count("requestOpen")).toBe(2);
  });

  test("ends at its limit with a status of its own, and the request stays", async () => {
    const { environment, env } = await startEscWithRequests();
    const { status, stderr } = await runRequest(env, "--wait", "--wait-limit", "50ms");
    expect(status).toBe(3);
    expectWording(stderr);
    expect(environment.openRequests).toMatchObject([{ status: "pending" }]);
  });

  test("ends if the token is revoked", async () => {
    const { server, env } = await startEscWithRequests();
    const waiting = runRequest(env, "--wait");
    await server.waitFor("submitChangeRequest", 2);
    server.failAlways("open", { kind: "status", status: 401 });
    const { status, stderr } = await waiting;
    expect(status).toBe(125);
    expect(stderr).toContain("HTTP 401");
  });

  test("ends when the environment opens, even if the token may not read the request", async () => {
    const { server, base, environment, env } = await startEscWithRequests();
    server.failAlways("changeRequest", { kind: "status", status: 403 });
    const waiting = runRequest(env, "--wait");
    await server.waitFor("changeRequest");
    for (const changeRequest of [base, environment]) changeRequest.decide("applied");
    expect((await waiting).status).toBe(0);
  });

  test("ends by SIGINT after Ctrl-C, with a message that the request stays", async () => {
    const { server, env } = await startEscWithRequests();
    const [command, ...prefix] = sophiaRun;
    const child = spawn(command, [...prefix, "request", "--reason", "x", "--wait"], {
      cwd: folder(),
      env: { PATH: process.env["PATH"], ...env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    await server.waitFor("changeRequest");
    child.kill("SIGINT");
    const signal = await new Promise((resolve) => {
      child.once("close", (_, by) => resolve(by));
    });
    expect(signal).toBe("SIGINT");
    expect(stderr).toContain("request");
  });
});

test.each<[readonly string[], Readonly<Record<string, string>>, string]>([
  [["request"], {}, "--reason TEXT"],
  [["request", "--reason", `pul-${"0".repeat(40)}`], {}, "token"],
  [["request", "--reason", "x".repeat(1001)], {}, "1000 characters"],
  [["request", "--reason", "x", "--wait-limit", "1m"], {}, "--wait-limit"],
  [["request", "--reason", "x", "--wait", "--wait-limit", "soon"], {}, "--wait-limit"],
  [["request", "--reason", "x"], { SOPHIA_OFFLINE: "1" }, "SOPHIA_OFFLINE"],
  [["request", "--reason", "x", "--offline"], {}, "--offline"],
  [["request", "--reason", "x"], { ESC_TOKEN: "" }, "ESC_TOKEN"],
])("request sends nothing with %j", async (args, variables, words) => {
  const { server, env } = await startEscWithRequests();
  const { status, stderr } = await sophia(args, { env: { ...env, ...variables } });
  expect(status).toBe(125);
  expect(stderr).toContain(words);
  expect(stderr).not.toContain("0".repeat(40));
  expect(server.calls).toEqual([]);
});

test("request refuses a token that may not file requests", async () => {
  const { server, env } = await startEscWithRequests();
  failFiling(server);
  const { status, stderr } = await runRequest(env);
  expect(status).toBe(125);
  expect(stderr).toContain("HTTP 403");
});

test("request names requests that were filed before a submission failed, with the commands that close them", async () => {
  const { server, base, environment, env } = await startEscWithRequests();
  server.failAlways("submitChangeRequest", { kind: "status", status: 403 });
  const { status, stdout, stderr } = await runRequest(env);
  expect([status, stdout]).toEqual([125, ""]);
  const [own] = environment.openRequests;
  const [imported] = base.openRequests;
  expect(stderr).toContain("acme/sophia/base");
  for (const changeRequest of [own, imported])
    expect(stderr).toContain(`\n    pulumi env change-request close ${changeRequest?.id} -o acme\n`);
});

test("request does not take the page of a network that requires a sign-in for an answer", async () => {
  const { server, env } = await startEscWithRequests();
  server.failAlways("submitChangeRequest", "html");
  const { status, stdout, stderr } = await runRequest(env);
  expect([status, stdout]).toEqual([125, ""]);
  expect(stderr).toContain("web page");
});

function failFiling(server: EscServer): void {
  server.failAlways("requestOpen", { kind: "status", status: 403 });
}
