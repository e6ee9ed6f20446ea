import { execFileSync } from "node:child_process";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startActionsIssuer } from "../../esc-server/actions-issuer.ts";
import { type EscServer, startEscServer } from "../../esc-server/index.ts";
import { type Finished, runProgram, sophiaRun } from "../command.ts";
import { sophiaRun as program } from "../../helpers/sophia.ts";
import { closeStrictly, failing, reading, values } from "../reading.ts";

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

function access(more: Readonly<Record<string, string>>): Record<string, string> {
  return { ESC_ENV: "demo-org/sophia/dev", PULUMI_BACKEND_URL: server.url, ...more };
}

function operations(): (string | undefined)[] {
  return server.calls.map(({ operation }) => operation);
}

describe("a token file", () => {
  test.each([
    ["alone", ""],
    ["with a line break", "\n"],
    ["with a Windows line break", "\r\n"],
  ])("%s", async (_, end) => {
    await writeFile(file, server.token + end);
    expect(values(await reading(access({ ESC_TOKEN_FILE: file })))).toEqual({ A: "x" });
  });

  test("may be a pipe that is written to later", async () => {
    execFileSync("mkfifo", [file]);
    const pending = reading(access({ ESC_TOKEN_FILE: file }));
    await writeFile(file, `${server.token}\n`);
    expect(values(await pending)).toEqual({ A: "x" });
  });

  test.each<[string, string, Partial<Finished>]>([
    ["that is slow to write", 'sleep 0.1; echo "$TOKEN"', { status: 0, stdout: "x\n", stderr: "" }],
    [
      "that ends with nothing",
      "true",
      { status: 1, stdout: "", stderr: expect.stringContaining("ESC_TOKEN_FILE: /dev/fd/3 is empty") },
    ],
  ])("may be a pipe of a shell %s", async (_, command, expected) => {
    const script = `exec "$0" "$@" --no-contract -- printenv A 3< <(${command})`;
    const variables = { ...access({ ESC_TOKEN_FILE: "/dev/fd/3" }), TOKEN: server.token };
    expect(await runProgram(["bash", "-c", script, ...program], variables, folder)).toMatchObject(expected);
  });

  test.each(["without a writer", "without an end"])("that is a pipe %s is given up at the deadline", async (kind) => {
    execFileSync("mkfifo", [file]);
    const pending = failing(access({ ESC_TOKEN_FILE: file }), { timeoutMs: 300 });
    const writer = kind === "without an end" ? await open(file, "w") : undefined;
    await writer?.write("pul-");
    const message: unknown = expect.stringContaining("ran out while reading ESC_TOKEN_FILE");
    expect(await pending).toMatchObject({ code: "esc-timeout", message });
    await writer?.close();
  });

  test("that nobody writes to does not keep sophia-run from ending", async () => {
    execFileSync("mkfifo", [file]);
    const args = ["--require-esc", "--timeout", "200ms", "--", "true"];
    const { status, stderr } = await sophiaRun(args, access({ ESC_TOKEN_FILE: file }), folder);
    expect(status).toBe(125);
    expect(stderr).toContain("ran out while reading ESC_TOKEN_FILE");
  });

  test.each<[string, string, string]>([
    ["with two lines", "pul-a\npul-b\n", "holds more than a token: a space, line break or control character is in it"],
    ["that is blank", " \n\n", "is empty"],
    ["that is too large", "x".repeat(70_000), "is too large to hold a token"],
  ])("%s", async (_, content, why) => {
    await writeFile(file, content);
    const failure = await failing(access({ ESC_TOKEN_FILE: file }));
    expect(failure).toMatchObject({
      code: "esc-credential",
      message: `ESC environment demo-org/sophia/dev cannot be read: ESC_TOKEN_FILE: ${file} ${why}`,
      hint: "let ESC_TOKEN_FILE name a readable file that holds the token alone",
    });
    expect(operations()).toEqual([]);
  });

  test("that is a folder", async () => {
    const failure = await failing(access({ ESC_TOKEN_FILE: folder }));
    expect(failure.message).toContain(`ESC_TOKEN_FILE: ${folder} is a folder (EISDIR)`);
  });
});

describe("an ID token in a file", () => {
  test("is exchanged for a token of the organization", async () => {
    server.oidc = { subjectTokens: ["projected-id-token"], organization: "demo-org" };
    await writeFile(file, "projected-id-token\n");
    const variables = access({ ESC_OIDC_TOKEN_FILE: file, ESC_OIDC_ORG: "demo-org" });
    expect(values(await reading(variables))).toEqual({ A: "x" });
    expect(operations()).toEqual(["exchangeToken", "open", "read"]);
    expect(server.connections).toBe(1);
  });

  test.each<[string, Record<string, string>]>([
    ["a team", { ESC_OIDC_TYPE: "team", ESC_OIDC_SCOPE: "team:ops" }],
    ["a person", { ESC_OIDC_TYPE: "personal", ESC_OIDC_SCOPE: "user:demo-user" }],
    ["the organization, for a while", { ESC_OIDC_EXPIRATION: "600" }],
  ])("is exchanged for a token of %s", async (_, more) => {
    server.oidc = { subjectTokens: ["projected-id-token"] };
    await writeFile(file, "projected-id-token");
    const variables = access({ ESC_OIDC_TOKEN_FILE: file, ESC_OIDC_ORG: "demo-org", ...more });
    expect(values(await reading(variables))).toEqual({ A: "x" });
  });

  test("that is not trusted is said to be so, with the service's reason", async () => {
    await writeFile(file, "unknown-id-token");
    const failure = await failing(access({ ESC_OIDC_TOKEN_FILE: file, ESC_OIDC_ORG: "demo-org" }));
    expect(failure).toMatchObject({
      code: "esc-credential",
      message: expect.stringMatching(/exchanging the ID token: 127\.0\.0\.1:\d+ refuses it: invalid_grant$/),
      details: ["no trust relationship accepts this token"],
    });
    expect(operations()).toEqual(["exchangeToken"]);
  });

  test("that the answer repeats is masked", async () => {
    await writeFile(file, "id-token-5678");
    server.failAlways("exchangeToken", {
      kind: "status",
      status: 400,
      body: { error: "invalid_grant", error_description: "id-token-5678 and id%2Dtoken are not known\u001B[2J\n" },
    });
    const failure = await failing(access({ ESC_OIDC_TOKEN_FILE: file, ESC_OIDC_ORG: "demo-org" }));
    expect(failure.details).toEqual(["*** and id%2Dtoken are not known\\u001b[2J"]);
  });

  test("and a backend that knows no exchange", async () => {
    await writeFile(file, "projected-id-token");
    server.failAlways("exchangeToken", { kind: "status", status: 404, body: "" });
    const failure = await failing(access({ ESC_OIDC_TOKEN_FILE: file, ESC_OIDC_ORG: "demo-org" }));
    expect(failure.code).toBe("esc-credential");
    expect(failure.message).toMatch(/exchanging the ID token: 127\.0\.0\.1:\d+ refuses it: HTTP 404$/);
    expect(operations()).toEqual(["exchangeToken"]);
  });

  test.each(["html", "empty", "truncated"] as const)("and an answer of %s", async (fault) => {
    server.oidc = { subjectTokens: ["projected-id-token"] };
    await writeFile(file, "projected-id-token");
    server.failAlways("exchangeToken", fault);
    const failure = await failing(access({ ESC_OIDC_TOKEN_FILE: file, ESC_OIDC_ORG: "demo-org" }));
    expect(failure.code).toBe("esc-answer");
    expect(failure.message).toContain("cannot be read: exchanging the ID token: ");
  });
});

describe("GitHub Actions", () => {
  test("gives an ID token for the organization, which is exchanged", async () => {
    await using issuer = await startActionsIssuer();
    server.oidc = { subjectTokens: [issuer.idToken], organization: "demo-org" };
    const variables = access({
      ESC_OIDC_ORG: "demo-org",
      ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
    });
    expect(values(await reading(variables))).toEqual({ A: "x" });
    expect(issuer.audiences).toEqual(["urn:pulumi:org:demo-org"]);
    expect(operations()).toEqual(["exchangeToken", "open", "read"]);
  });

  test("is not asked when there is a token", async () => {
    await using issuer = await startActionsIssuer();
    const variables = access({
      ESC_TOKEN: server.token,
      ESC_OIDC_ORG: "demo-org",
      ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
    });
    expect(values(await reading(variables))).toEqual({ A: "x" });
    expect(issuer.audiences).toEqual([]);
    expect(operations()).toEqual(["open", "read"]);
  });

  test("that gives no ID token is named", async () => {
    await using issuer = await startActionsIssuer();
    issuer.fault = 403;
    const failure = await failing(
      access({
        ESC_OIDC_ORG: "demo-org",
        ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
      }),
    );
    expect(failure.code).toBe("esc-credential");
    expect(failure.message).toMatch(/asking GitHub Actions for an ID token: 127\.0\.0\.1:\d+ gives none \(HTTP 403\)$/);
    expect(failure.hint).toContain("id-token: write");
    expect(operations()).toEqual([]);
  });

  test("is asked by the outer one of nested launches alone", async () => {
    await using issuer = await startActionsIssuer();
    server.oidc = { subjectTokens: [issuer.idToken], organization: "demo-org" };
    const variables = access({
      ESC_OIDC_ORG: "demo-org",
      ESC_OIDC_TYPE: "organization",
      ESC_OIDC_EXPIRATION: "600",
      ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
    });
    const nested = ["--no-contract", "--", ...program, "--no-contract", "--", "printenv", "A"];
    expect(await sophiaRun(nested, variables, folder)).toMatchObject({ status: 0, stdout: "x\n", stderr: "" });
    expect(issuer.audiences).toHaveLength(1);
  });
});
