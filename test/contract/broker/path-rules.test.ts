import { describe, expect, test } from "vitest";
import { isAmbiguous, isCovered, isDenied, parseRule, type PathRule } from "../../../src/contract/broker/path-rules.ts";

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
  expect(isCovered(rules(rule), method, path)).toBe(expected);
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
    (path) => expect(isDenied(rules("* /v1/keys/**"), "POST", path)).toBe(true),
  );

  test("does not deny its neighbours", () => {
    expect(isDenied(rules("* /v1/keys/**"), "POST", "/v1/keysets")).toBe(false);
    expect(isDenied(rules("POST /v1/keys"), "GET", "/v1/keys")).toBe(false);
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
  ["/a/...", false],
  ["/a/.well-known", false],
  ["/a%20b", false],
  ["/a%C3%A4", false],
  ["/a:b@c", false],
  ["/", false],
])("%s is ambiguous: %s", (path, expected) => {
  expect(isAmbiguous(path)).toBe(expected);
});
