import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startActionsIssuer } from "../../esc-server/actions-issuer.ts";
import { type EscServer, startEscServer } from "../../esc-server/index.ts";
import { runProgram, runSophia } from "../run-program.ts";
import { sophiaRun as program } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { expectFailure } from "../expect-failure.ts";
import { closeStrictly, expectEscFailure, expectEscReading, valuesByName } from "../read-esc.ts";

let server: EscServer;
let folder: string;
let file: string;
beforeEach(async () => {
  server = await startEscServer();
  server.environment("demo-org/sophia/dev", { values: { A: "x" } });
  folder = await mkdtemp(join(tmpdir(), "esc-credentials-"));
  file = join(folder, "token");
});
afterEach(async () => {
  await rm(folder, { recursive: true });
  await closeStrictly(server);
});

function accessVariables(more: Readonly<Record<string, string>>): Record<string, string> {
  return { ESC_ENV: "demo-org/sophia/dev", PULUMI_BACKEND_URL: server.url, ...more };
}

/** A port before the server's. `connected` resolves with the first connection, once that is reset where it is to be. */
async function startGate(port: number, { resetsFirst = false } = {}) {
  const sockets: net.Socket[] = [];
  const gate = net.createServer((socket) => {
    sockets.push(socket);
    if (resetsFirst && sockets.length === 1) return;
    const link = net.connect(port, "127.0.0.1");
    socket.on("error", () => link.destroy()).pipe(link);
    link.on("error", () => socket.destroy()).pipe(socket);
  });
  const connected = firstConnection(gate, resetsFirst);
  gate.listen(0, "127.0.0.1");
  await once(gate, "listening");
  const address = gate.address();
  if (address === null || typeof address === "string") throw new Error("the gate does not listen on a port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    connected,
    [Symbol.asyncDispose]: async () => {
      gate.close();
      for (const socket of sockets) socket.destroy();
      await once(gate, "close");
    },
  };
}

async function firstConnection(gate: net.Server, resets: boolean): Promise<void> {
  const [socket]: net.Socket[] = await once(gate, "connection");
  if (!resets || socket === undefined) return;
  // The client, on the same event loop, has seen the connection by then.
  await setImmediate();
  await setImmediate();
  socket.resetAndDestroy();
  await once(socket, "close");
}

function requestedOperations(): (string | undefined)[] {
  return server.calls.map(({ operation }) => operation);
}

describe("a token file", () => {
  test.each([
    ["nothing", ""],
    ["a line break", "\n"],
    ["a Windows line break", "\r\n"],
  ])("opens ESC if %s follows the token", async (_, end) => {
    await writeFile(file, server.token + end, { mode: 0o600 });
    expect(valuesByName(await expectEscReading(accessVariables({ ESC_TOKEN_FILE: file })))).toEqual({ A: "x" });
  });

  test("may be a pipe that is written to later", async () => {
    execFileSync("mkfifo", [file]);
    const pending = expectEscReading(accessVariables({ ESC_TOKEN_FILE: file }));
    await writeFile(file, `${server.token}\n`, { mode: 0o600 });
    expect(valuesByName(await pending)).toEqual({ A: "x" });
  });

  test("may be a pipe of a shell that writes after sophia-run has connected", async () => {
    const go = join(folder, "go");
    execFileSync("mkfifo", [go]);
    await using gate = await startGate(server.port);
    const script = `exec "$0" "$@" --no-contract -- printenv A 3< <(read -r _ < "$GO"; echo "$TOKEN")`;
    const variables = { ESC_TOKEN_FILE: "/dev/fd/3", TOKEN: server.token, GO: go, PULUMI_BACKEND_URL: gate.url };
    const finished = await runProgram(
      ["bash", "-c", script, ...program],
      accessVariables(variables),
      folder,
      async () => {
        await gate.connected;
        await writeFile(go, "");
      },
    );
    expect(finished).toEqual({ status: 0, signal: null, stdout: "x\n", stderr: "" });
  });

  test("may be a pipe of a shell that ends with nothing", async () => {
    const script = `exec "$0" "$@" --no-contract -- printenv A 3< <(true)`;
    const variables = accessVariables({ ESC_TOKEN_FILE: "/dev/fd/3" });
    const { status, stdout, stderr } = await runProgram(["bash", "-c", script, ...program], variables, folder);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expectWording(stderr);
  });

  test("may come after the first connection is reset", async () => {
    execFileSync("mkfifo", [file]);
    await using gate = await startGate(server.port, { resetsFirst: true });
    const pending = expectEscReading(accessVariables({ ESC_TOKEN_FILE: file, PULUMI_BACKEND_URL: gate.url }));
    await gate.connected;
    await writeFile(file, server.token, { mode: 0o600 });
    expect(valuesByName(await pending)).toEqual({ A: "x" });
    expect(requestedOperations()).toEqual(["open", "read"]);
  });

  test.each(["without a writer", "without an end"])("that is a pipe %s is read until the deadline", async (kind) => {
    execFileSync("mkfifo", [file]);
    const pending = expectEscFailure(accessVariables({ ESC_TOKEN_FILE: file }), { timeoutMs: 300 });
    const writer = kind === "without an end" ? await open(file, "w") : undefined;
    await writer?.write("pul-");
    const failure = await pending;
    expect(failure.code).toBe("esc-timeout");
    expectWording(failure.message);
    await writer?.close();
  });

  test("that is a pipe without a writer does not keep sophia-run from ending", async () => {
    execFileSync("mkfifo", [file]);
    const args = ["--require-esc", "--timeout", "200ms", "--", "true"];
    const { status, stderr } = await runSophia(args, accessVariables({ ESC_TOKEN_FILE: file }), folder);
    expect(status).toBe(125);
    expectWording(stderr);
  });

  test.each([
    ["with two lines", "pul-a\npul-b\n"],
    ["that is blank", " \n\n"],
    ["that is too large", "x".repeat(70_000)],
  ])("%s is refused", async (_, content) => {
    await writeFile(file, content, { mode: 0o600 });
    const failure = await expectEscFailure(accessVariables({ ESC_TOKEN_FILE: file }));
    expect(failure.code).toBe("esc-credential");
    expect(failure.message).toContain(file);
    expectFailure(failure);
    expect(requestedOperations()).toEqual([]);
  });

  test("whose path begins with ~ is refused by a message that says that ~ is not expanded", async () => {
    const failure = await expectEscFailure(accessVariables({ ESC_TOKEN_FILE: "~/token" }));
    expect([failure.code, failure.hint]).toEqual(["esc-credential", expect.stringContaining("~ is not expanded")]);
    expectFailure(failure);
    const idToken = await expectEscFailure(
      accessVariables({ ESC_OIDC_TOKEN_FILE: "~me/token", ESC_OIDC_ORG: "demo-org" }),
    );
    expect(idToken.hint).toContain("~ is not expanded in ESC_OIDC_TOKEN_FILE");
    const other = await expectEscFailure(accessVariables({ ESC_TOKEN_FILE: `${folder}/~/token` }));
    expect(other.hint).not.toContain("expanded");
  });

  test("that is a folder is refused", async () => {
    const failure = await expectEscFailure(accessVariables({ ESC_TOKEN_FILE: folder }));
    expect(failure.message).toContain("EISDIR");
    expectFailure(failure);
  });
});

describe("an ID token in a file", () => {
  test("is exchanged for a token of the organization", async () => {
    server.oidc = { subjectTokens: ["projected-id-token"], organization: "demo-org" };
    await writeFile(file, "projected-id-token\n", { mode: 0o600 });
    const variables = accessVariables({ ESC_OIDC_TOKEN_FILE: file, ESC_OIDC_ORG: "demo-org" });
    expect(valuesByName(await expectEscReading(variables))).toEqual({ A: "x" });
    expect(requestedOperations()).toEqual(["exchangeToken", "open", "read"]);
    expect(server.connections).toBe(1);
  });

  test.each<[string, Record<string, string>]>([
    ["a team", { ESC_OIDC_TYPE: "team", ESC_OIDC_SCOPE: "team:ops" }],
    ["a person", { ESC_OIDC_TYPE: "personal", ESC_OIDC_SCOPE: "user:demo-user" }],
    ["the organization, for a while", { ESC_OIDC_EXPIRATION: "600" }],
  ])("is exchanged for a token of %s", async (_, more) => {
    server.oidc = { subjectTokens: ["projected-id-token"] };
    await writeFile(file, "projected-id-token", { mode: 0o600 });
    const variables = accessVariables({ ESC_OIDC_TOKEN_FILE: file, ESC_OIDC_ORG: "demo-org", ...more });
    expect(valuesByName(await expectEscReading(variables))).toEqual({ A: "x" });
  });

  test("that the organization does not trust is reported with the service's reason", async () => {
    await writeFile(file, "unknown-id-token", { mode: 0o600 });
    const failure = await expectEscFailure(accessVariables({ ESC_OIDC_TOKEN_FILE: file, ESC_OIDC_ORG: "demo-org" }));
    expect(failure).toMatchObject({
      code: "esc-credential",
      message: expect.stringMatching(/invalid_grant$/),
      details: ["no trust relationship accepts this token"],
    });
    expect(requestedOperations()).toEqual(["exchangeToken"]);
  });

  test("is masked in the service's answer", async () => {
    await writeFile(file, "id-token-5678", { mode: 0o600 });
    server.failAlways("exchangeToken", {
      kind: "status",
      status: 400,
      body: { error: "invalid_grant", error_description: "id-token-5678 and id%2Dtoken are not known\u001B[2J\n" },
    });
    const failure = await expectEscFailure(accessVariables({ ESC_OIDC_TOKEN_FILE: file, ESC_OIDC_ORG: "demo-org" }));
    expect(failure.details).toEqual(["*** and id%2Dtoken are not known\\u001b[2J"]);
  });

  test("cannot be exchanged by a backend without an exchange", async () => {
    await writeFile(file, "projected-id-token", { mode: 0o600 });
    server.failAlways("exchangeToken", { kind: "status", status: 404, body: "" });
    const failure = await expectEscFailure(accessVariables({ ESC_OIDC_TOKEN_FILE: file, ESC_OIDC_ORG: "demo-org" }));
    expect(failure.code).toBe("esc-credential");
    expectFailure(failure);
    expect(requestedOperations()).toEqual(["exchangeToken"]);
  });

  test.each(["html", "empty", "truncated"] as const)("cannot be exchanged if the answer is %s", async (fault) => {
    server.oidc = { subjectTokens: ["projected-id-token"] };
    await writeFile(file, "projected-id-token", { mode: 0o600 });
    server.failAlways("exchangeToken", fault);
    const failure = await expectEscFailure(accessVariables({ ESC_OIDC_TOKEN_FILE: file, ESC_OIDC_ORG: "demo-org" }));
    expect(failure.code).toBe("esc-answer");
    expectFailure(failure);
  });
});

describe("GitHub Actions' issuer of ID tokens", () => {
  test("gives an ID token for the organization, which sophia-run exchanges", async () => {
    await using issuer = await startActionsIssuer();
    server.oidc = { issuers: [issuer.trust], organization: "demo-org" };
    const variables = accessVariables({
      ESC_OIDC_ORG: "demo-org",
      ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
    });
    expect(valuesByName(await expectEscReading(variables))).toEqual({ A: "x" });
    expect(issuer.audiences).toEqual(["urn:pulumi:org:demo-org"]);
    expect(requestedOperations()).toEqual(["exchangeToken", "open", "read"]);
  });

  test("is not asked when there is a token", async () => {
    await using issuer = await startActionsIssuer();
    const variables = accessVariables({
      ESC_TOKEN: server.token,
      ESC_OIDC_ORG: "demo-org",
      ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
    });
    expect(valuesByName(await expectEscReading(variables))).toEqual({ A: "x" });
    expect(issuer.audiences).toEqual([]);
    expect(requestedOperations()).toEqual(["open", "read"]);
  });

  test("is named in the failure if it gives no ID token", async () => {
    await using issuer = await startActionsIssuer();
    issuer.fault = 403;
    const failure = await expectEscFailure(
      accessVariables({
        ESC_OIDC_ORG: "demo-org",
        ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
      }),
    );
    expect(failure.code).toBe("esc-credential");
    expectFailure(failure);
    expect(failure.hint).toContain("id-token: write");
    expect(requestedOperations()).toEqual([]);
  });

  test("is asked only by the outer of two nested sophia-runs", async () => {
    await using issuer = await startActionsIssuer();
    server.oidc = { issuers: [issuer.trust], organization: "demo-org" };
    const variables = accessVariables({
      ESC_OIDC_ORG: "demo-org",
      ESC_OIDC_TYPE: "organization",
      ESC_OIDC_EXPIRATION: "600",
      ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
    });
    const nested = ["--no-contract", "--", ...program, "--no-contract", "--", "printenv", "A"];
    expect(await runSophia(nested, variables, folder)).toMatchObject({ status: 0, stdout: "x\n", stderr: "" });
    expect(issuer.audiences).toHaveLength(1);
  });
});
