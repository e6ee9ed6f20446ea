import { describe, expect, test } from "vitest";
import { AWS_PATH as PATH, createAwsPath } from "../../../../src/commands/run/refresh/aws-answers.ts";
import { type LoopbackServices, answerRequest } from "../../../../src/commands/run/refresh/loopback-paths.ts";
import type { RequestHead } from "../../../../src/broker/admit.ts";
import type { AwsCredentials } from "../../../../src/commands/run/refresh/cloud-credentials.ts";
import { PAGE_REQUESTS, pageRequest } from "../../../helpers/web-page.ts";

const CREDENTIALS: AwsCredentials = {
  cloud: "aws",
  keyId: "ASIA1",
  secretKey: "secret",
  sessionToken: "session",
  openedAt: 0,
  expirySource: "AWS_CREDENTIAL_EXPIRATION",
  expiresAt: Date.UTC(2026, 10, 30, 18, 5, 0, 250),
};
const DOOR = {
  hosts: new Set(["127.0.0.1:4000", "localhost:4000"]),
  isAlone: true,
  paths: new Map([[PATH, createAwsPath("the-token", () => CREDENTIALS)]]),
};

function awsAnswer(head: RequestHead, door: LoopbackServices) {
  const answer = answerRequest(head, door);
  if (answer !== undefined && !("status" in answer)) throw new TypeError("AWS needs no body");
  return answer;
}
const HEAD = {
  method: "GET",
  version: "1.1",
  target: PATH,
  rawHeaders: ["Host", "127.0.0.1:4000", "Authorization", "the-token"],
  isUpgrade: false,
};

describe("the server of AWS credentials", () => {
  test("answers in the form that SDKs expect, with a time without fractions", () => {
    const answer = awsAnswer(HEAD, DOOR);
    expect(answer?.status).toBe(200);
    expect(JSON.parse(answer?.body ?? "")).toEqual({
      AccessKeyId: "ASIA1",
      SecretAccessKey: "secret",
      Token: "session",
      Expiration: "2026-11-30T18:05:00Z",
    });
    expect(answer?.headers["cache-control"]).toBe("no-store");
  });

  test.each([
    ["another path", { target: "/" }, 404],
    ["a query", { target: `${PATH}?x` }, 404],
    ["the absolute form", { target: `http://127.0.0.1:4000${PATH}` }, 404],
    ["another method", { method: "POST" }, 405],
    ["another host", { rawHeaders: ["Host", "example.com", "Authorization", "the-token"] }, 403],
    ["no host", { rawHeaders: ["Authorization", "the-token"] }, 403],
    ["two hosts", { rawHeaders: [...HEAD.rawHeaders, "host", "127.0.0.1:4000"] }, 403],
    ["a web page", { rawHeaders: [...HEAD.rawHeaders, "Origin", "http://127.0.0.1:4000"] }, 403],
    ["a wrong token", { rawHeaders: ["Host", "localhost:4000", "Authorization", "the-tokem"] }, 401],
    ["no token", { rawHeaders: ["Host", "localhost:4000"] }, 401],
    ["two tokens", { rawHeaders: [...HEAD.rawHeaders, "authorization", "the-token"] }, 401],
  ])("refuses %s, without a credential", (_, changed, status) => {
    const answer = awsAnswer({ ...HEAD, ...changed }, DOOR);
    expect(answer?.status).toBe(status);
    expect(answer?.body).not.toMatch(/ASIA1|secret|session/);
  });

  test.each(PAGE_REQUESTS.map((request) => [request.name, request] as const))(
    "refuses %s of a web page, even with the token",
    (_, request) => {
      const text = pageRequest(request, { origin: "http://127.0.0.1:4000", path: PATH, authorization: "the-token" });
      const [line = "", ...lines] = text.slice(0, text.indexOf("\r\n\r\n")).split("\r\n");
      const [method = "", target = ""] = line.split(" ");
      const rawHeaders = lines.flatMap((each) => [each.replace(/:.*$/, ""), each.replace(/^[^:]*: /, "")]);
      const answer = awsAnswer({ ...HEAD, method, target, rawHeaders }, DOOR);
      expect(answer?.status).toBe(403);
      expect(answer?.body).not.toMatch(/ASIA1|secret|session/);
    },
  );

  test("leaves other paths to the broker, if it has keys, but not those next to the credentials", () => {
    const door = { ...DOOR, isAlone: false };
    expect(awsAnswer({ ...HEAD, target: "/v1/models" }, door)).toBeUndefined();
    expect(awsAnswer({ ...HEAD, target: `${PATH}/x` }, door)?.status).toBe(404);
  });

  test("does not give expired credentials, but answers 503 with a message that SDKs show", () => {
    const answer = awsAnswer(HEAD, { ...DOOR, paths: new Map([[PATH, createAwsPath("the-token", () => undefined)]]) });
    expect(answer?.status).toBe(503);
    expect(JSON.parse(answer?.body ?? "")).toMatchObject({
      code: "CredentialsExpired",
      message: expect.stringContaining("sophia-run: the AWS credentials have expired"),
    });
  });
});
