import { describe, expect, test } from "vitest";
import type { LocalAnswer } from "../../../../src/broker/local-service.ts";
import {
  ACCESS_TOKEN_PATH,
  createGooglePaths,
  type LivingToken,
  SUBJECT_TOKEN_PATH,
} from "../../../../src/commands/run/refresh/google-answers.ts";
import { formatGoogleCredentials } from "../../../../src/commands/run/refresh/google-variables.ts";
import { answerRequest } from "../../../../src/commands/run/refresh/loopback-paths.ts";

const HEAD = {
  method: "GET",
  version: "1.1",
  target: SUBJECT_TOKEN_PATH,
  rawHeaders: ["Host", "127.0.0.1:4000", "X-Sophia-Run-Token", "the-header"],
  isUpgrade: false,
};
const POST = { ...HEAD, method: "POST", target: ACCESS_TOKEN_PATH, rawHeaders: ["Host", "127.0.0.1:4000"] };
const FORM = {
  grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
  audience: "//sophia-run/google",
  scope: "https://www.googleapis.com/auth/cloud-platform",
  requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
  subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
  subject_token: "the-subject",
};

interface RequestParts {
  readonly body?: Buffer | "too-long" | "too-late";
  readonly token?: LivingToken | undefined;
}

/** Answers a request, and its body if it needs one. */
function answerGoogle(head: typeof HEAD, asked: RequestParts = {}): LocalAnswer | undefined {
  const { body = formOf({}) } = asked;
  const token = "token" in asked ? asked.token : { token: "ya29.secret", remainingMs: 90_500 };
  const paths = createGooglePaths({ header: "the-header", subjectToken: "the-subject" }, () => token);
  const answer = answerRequest(head, { hosts: new Set(["127.0.0.1:4000"]), isAlone: true, paths });
  return answer === undefined || "status" in answer ? answer : answer.answerTo(body);
}

function formOf(changed: Readonly<Record<string, string>>): Buffer {
  return Buffer.from(new URLSearchParams({ ...FORM, ...changed }).toString());
}

describe("Google's subject token", () => {
  test("is text without a line break, which SDKs would send back", () => {
    expect(answerGoogle(HEAD)).toMatchObject({ status: 200, body: "the-subject" });
    expect(answerGoogle(HEAD)?.headers).toMatchObject({
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
    });
  });

  test.each([
    ["without the header", { rawHeaders: ["Host", "127.0.0.1:4000"] }, 401],
    ["with another one", { rawHeaders: ["Host", "127.0.0.1:4000", "X-Sophia-Run-Token", "the-headex"] }, 401],
    ["with two", { rawHeaders: [...HEAD.rawHeaders, "x-sophia-run-token", "the-header"] }, 401],
    ["by POST", { method: "POST" }, 405],
    ["at another host", { rawHeaders: ["Host", "example.com", "X-Sophia-Run-Token", "the-header"] }, 403],
    ["of a web page", { rawHeaders: [...HEAD.rawHeaders, "Sec-Fetch-Site", "cross-site"] }, 403],
    ["at another path", { target: `${SUBJECT_TOKEN_PATH}/` }, 404],
    ["for another protocol", { isUpgrade: true }, 400],
  ])("is refused %s", (_, changed, status) => {
    const answer = answerGoogle({ ...HEAD, ...changed });
    expect(answer?.status).toBe(status);
    expect(answer?.body).not.toContain("the-subject");
    expect(JSON.parse(answer?.body ?? "")).toEqual({
      error: expect.stringMatching(/^[a-z_]+$/),
      error_description: expect.stringMatching(/^sophia-run: /),
    });
  });
});

describe("Google's access token", () => {
  test("is given in the form of RFC 8693, with what remains of its life", () => {
    const answer = answerGoogle(POST);
    expect(answer?.status).toBe(200);
    expect(JSON.parse(answer?.body ?? "")).toEqual({
      access_token: "ya29.secret",
      issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
      token_type: "Bearer",
      expires_in: 90,
    });
  });

  test.each([
    [1000, 200],
    [999, 503],
    [0, 503],
  ])("is never said to live for no time, with %i ms left", (remainingMs, status) => {
    const answer = answerGoogle(POST, { token: { token: "ya29.secret", remainingMs } });
    expect(answer?.status).toBe(status);
    if (status === 200) expect(JSON.parse(answer?.body ?? "")).toMatchObject({ expires_in: 1 });
    else expect(answer?.body).not.toContain("ya29");
  });

  test.each([
    ["another subject token", formOf({ subject_token: "the-subjecu" }), 401, "invalid_client"],
    ["none", Buffer.from("grant_type=x"), 401, "invalid_client"],
    ["two", Buffer.concat([formOf({}), Buffer.from("&subject_token=the-subject")]), 401, "invalid_client"],
    ["another grant", formOf({ grant_type: "refresh_token" }), 400, "unsupported_grant_type"],
    ["no form", Buffer.from([0xff, 0, 0x25]), 401, "invalid_client"],
    ["nothing", Buffer.alloc(0), 401, "invalid_client"],
    ["too much", "too-long" as const, 413, "invalid_request"],
    ["no end", "too-late" as const, 408, "invalid_request"],
  ])("is refused for a body with %s", (_, body, status, error) => {
    const answer = answerGoogle(POST, { body });
    expect(answer?.status).toBe(status);
    expect(answer?.body).not.toContain("ya29");
    expect(JSON.parse(answer?.body ?? "")).toMatchObject({ error });
  });

  test("is answered with 503 once it has expired", () => {
    const answer = answerGoogle(POST, { token: undefined });
    expect(answer?.status).toBe(503);
    expect(JSON.parse(answer?.body ?? "")).toMatchObject({ error: "temporarily_unavailable" });
  });
});

test("the file has what the SDKs insist on, and names no project by its number", () => {
  const file: unknown = JSON.parse(
    formatGoogleCredentials("http://127.0.0.1:1/a", "http://127.0.0.1:1/b", "the-header"),
  );
  expect(file).toEqual({
    type: "external_account",
    audience: expect.not.stringMatching(/\/projects\/|\/workforcePools\//),
    subject_token_type: expect.stringMatching(/^urn:ietf:params:oauth:token-type:/),
    token_url: "http://127.0.0.1:1/b",
    credential_source: {
      url: "http://127.0.0.1:1/a",
      headers: { "X-Sophia-Run-Token": "the-header" },
      format: { type: "text" },
    },
  });
});
