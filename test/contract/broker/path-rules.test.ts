import { describe, expect, test } from "vitest";
import {
  isAmbiguous,
  isCovered,
  isDenied,
  parseRule,
  type PathRule,
  readingsOf,
} from "../../../src/contract/broker/path-rules.ts";

function rules(...texts: readonly string[]): readonly PathRule[] {
  return texts.map((text) => {
    const rule = parseRule(text);
    if (rule === undefined) throw new TypeError(text);
    return rule;
  });
}

test.each([
  ["POST /v2/query", "POST", "/v2/query", true],
  ["POST /v2/query", "POST", "/v2/query/", true],
  ["POST /v2/query", "GET", "/v2/query", false],
  ["POST /v2/query", "POST", "/v2/query/x", false],
  ["* /v2/*/read", "PATCH", "/v2/documents/read", true],
  ["* /v2/*/read", "PATCH", "/v2/a/b/read", false],
  ["GET /v2/documents/**", "GET", "/v2/documents", true],
  ["GET /v2/documents/**", "GET", "/v2/documents/a/b/c", true],
  ["GET /v2/documents/**", "GET", "/v2/documentsx", false],
  ["get /a", "GET", "/a", true],
  ["* /**", "DELETE", "/", true],
  ["GET /", "GET", "/", true],
  ["GET /A", "GET", "/a", false],
])("%s, asked for %s %s: %s", (rule, method, path, expected) => {
  expect(isCovered(rules(rule), { host: "a.test", method, path })).toBe(expected);
});

test.each([
  "",
  "POST",
  "/v1",
  "POST v1",
  "POST /a b",
  "POST /a?x",
  "POST /a#x",
  "POST /a//b",
  "POST /a/../b",
  "POST /%61",
  "POST /**/a",
  "POST /a*",
  "PO ST /a",
  "POST /ä",
])("is no rule: %j", (text) => {
  expect(parseRule(text)).toBeUndefined();
});

describe("a denied path", () => {
  test.each(["/v1/keys", "/V1/Keys", "/v1/keys/", "/v1/keys/new", "/v1;x=1/keys", "/v1/keys;x", "/v1/keys%3bx"])(
    "is recognized in the form %s",
    (path) => expect(isDenied(rules("* /v1/keys/**"), { host: "a.test", method: "POST", path })).toBe(true),
  );

  test.each([
    ["* /v1/models/a:run", "/v1/models/a%3Arun"],
    ["* /v1/models/a:run", "/v1/models/a%253arun"],
    ["* /v1/models/a%3Arun", "/v1/models/A:run"],
    ["* /v1/@me/**", "/v1/%40me/keys"],
    ["* /v1/a;b", "/v1/a;b"],
  ])("of the rule %s is recognized with other escapes: %s", (rule, path) => {
    expect(isDenied(rules(rule), { host: "a.test", method: "GET", path })).toBe(true);
  });

  test("does not deny its neighbours", () => {
    expect(isDenied(rules("* /v1/keys/**"), { host: "a.test", method: "POST", path: "/v1/keysets" })).toBe(false);
    expect(isDenied(rules("POST /v1/keys"), { host: "a.test", method: "GET", path: "/v1/keys" })).toBe(false);
  });
});

test.each([
  ["/a//b", true],
  ["//a", true],
  ["/a/./b", true],
  ["/a/..", true],
  ["/a/.", true],
  ["/a/;x=1/b", true],
  ["/a/..;x/b", true],
  ["/a/.%3bx", true],
  ["/a/b;x/c", false],
  ["/a\\b", true],
  ["/a%2fb", true],
  ["/a%2F", true],
  ["/a/%2e%2e/b", true],
  ["/a%5cb", true],
  ["/%61", true],
  ["/a%2Db", true],
  ["/a%7e", true],
  ["/a%00b", true],
  ["/a%", true],
  ["/a%2", true],
  ["/a%zz", true],
  ["/a%252fb", true],
  ["/a/%252e%252E/b", true],
  ["/a%25252Fb", true],
  ["/a%255cb", true],
  ["/a/..%253bx", true],
  ["/a%2500", true],
  ["/%2561", true],
  ["/a%2520b", false],
  ["/a%253ab", false],
  ["/100%25", false],
  ["/100%25off", false],
  ["/100%25%20", false],
  ["/a/...", false],
  ["/a/.well-known", false],
  ["/a%20b", false],
  ["/a%C3%A4", false],
  ["/a:b@c", false],
  ["/", false],
])("%s is ambiguous: %s", (path, expected) => {
  expect(isAmbiguous(path)).toBe(expected);
});

test.each([
  ["/a/b", ["/a/b"]],
  ["/a%2fb", ["/a%2fb", "/a/b"]],
  ["/a%20b%2Fc", ["/a%20b%2Fc", "/a%20b/c"]],
  ["/a%2F..%2Fb", undefined],
  ["/a%2F", ["/a%2F", "/a/"]],
  ["/a%2F/b", undefined],
  ["/%2Fa", undefined],
  ["/a%2F.%3bx", undefined],
  ["/a%2Fb%2e", undefined],
  ["/a%5c%2Fb", undefined],
  ["/a%2Fb%", undefined],
  ["/a%252Fb", undefined],
  ["/a%2Fb%252F", undefined],
  ["/a%2Fb%2520", ["/a%2Fb%2520", "/a/b%2520"]],
])("the readings of %s", (path, expected) => {
  expect(readingsOf(path)).toEqual(expected);
});

test("a rule may name a host, and is then for that one alone", () => {
  const some = rules("API.a.test:8443: GET /a");
  expect(isCovered(some, { host: "api.a.test:8443", method: "GET", path: "/a" })).toBe(true);
  expect(isCovered(some, { host: "a.test", method: "GET", path: "/a" })).toBe(false);
  expect(isDenied(some, { host: "api.a.test:8443", method: "get", path: "/A/" })).toBe(true);
  expect(isDenied(some, { host: "a.test", method: "GET", path: "/a" })).toBe(false);
  expect(parseRule("a.test GET /a")).toBeUndefined();
  expect(parseRule("https://a.test: GET /a")).toBeUndefined();
});
