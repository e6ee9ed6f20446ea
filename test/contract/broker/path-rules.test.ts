import { describe, expect, test } from "vitest";
import { isAmbiguous, listReadings } from "../../../src/contract/broker/path-forms.ts";
import { isCovered, isDenied, parseRule, type PathRule } from "../../../src/contract/broker/path-rules.ts";

function parsePathRules(...texts: readonly string[]): readonly PathRule[] {
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
])("the rule %s covers the request %s %s: %s", (rule, method, path, expected) => {
  expect(isCovered(parsePathRules(rule), { host: "a.test", method, path })).toBe(expected);
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
])("a rule with a wrong form is refused: %j", (text) => {
  expect(parseRule(text)).toBeUndefined();
});

describe("a path that a rule denies", () => {
  test.each(["/v1/keys", "/V1/Keys", "/v1/keys/", "/v1/keys/new", "/v1;x=1/keys", "/v1/keys;x", "/v1/keys%3bx"])(
    "is recognized in the form %s",
    (path) => expect(isDenied(parsePathRules("* /v1/keys/**"), { host: "a.test", method: "POST", path })).toBe(true),
  );

  test.each([
    ["* /v1/models/a:run", "/v1/models/a%3Arun"],
    ["* /v1/models/a:run", "/v1/models/a%253arun"],
    ["* /v1/models/a%3Arun", "/v1/models/A:run"],
    ["* /v1/@me/**", "/v1/%40me/keys"],
    ["* /v1/a;b", "/v1/a;b"],
  ])("of the rule %s is recognized with other escapes: %s", (rule, path) => {
    expect(isDenied(parsePathRules(rule), { host: "a.test", method: "GET", path })).toBe(true);
  });

  const spellings = `
    /v1/keys.json /v1/keys. /v1/keys.tar.gz /v1/keys%20 /v1/keys+ /v1/keys%3f /v1/keys%3Fa=b/c
    /v1/keys%23 /v1/keys%253f /v1/keys%2520 /v1/keys,x /v1/keys=1 /v1/keys() /v1/keys| /v1/keys%
    /v1/%20keys /v1/keys%c2%85 /v1/keys%c2%a0 /v1/keys%e2%80%8b /v1/ke%e2%80%8bys /v1%20/keys
    /v1/%ef%bd%8b%ef%bd%85%ef%bd%99%ef%bd%93 /v1/%ef%bd%8beys /v1/keys%ef%bc%8ejson /v1/%e2%84%aaeys
    /v1/key%c5%bf /v1/k%c3%a9ys /v1/ke%cc%81ys /v1/%25ef%25bd%258beys
    /v1%2fkeys /v1%2Fkeys%2f1 /v1%ef%bc%8fkeys /v1%e2%81%84keys /v1%e2%88%95keys /v1%ef%bc%bckeys
  `;
  // The spellings contain fullwidth letters, the Kelvin sign, a long s, accents, and the slashes of fractions and of
  // division.
  test.each(spellings.trim().split(/\s+/))("is recognized in the spelling %s", (path) => {
    expect(isDenied(parsePathRules("* /v1/keys/**"), { host: "a.test", method: "POST", path })).toBe(true);
  });

  test.each([
    ["* /v1/sessions", "/v1/sessions%3f/x"],
    ["* /v1/sessions", "/v1/sessions%23/x/y"],
    ["* /v1/sessions", "/v1%2Fsessions%2F"],
    // A name may contain an escaped slash, and an ordinary slash may follow the name.
    ["* /repos/*/*/keys/**", "/repos/acme/a%2fb/keys"],
    ["* /repos/*/*/keys/**", "/repos/acme%2fapp/keys"],
    ["* /repos/*/*/keys/**", "/repos/acme%2fa%2fb%2fkeys/1"],
    ["* /repos/*/*/environments/*/secrets/**", "/repos/acme/app/environments/a%2fb/secrets"],
    ["* /repos/*/*/environments/*/secrets/**", "/repos/acme/app/environments/a%2fb%2fsecrets"],
    ["* /api/files.upload", "/api/files.upload.json"],
    ["* /api/%ef%bd%8beys", "/api/keys"],
    ["* /adm\u0069n/**", "/adm%c4%b1n"],
  ])("of the rule %s is recognized as %s", (rule, path) => {
    expect(isDenied(parsePathRules(rule), { host: "a.test", method: "GET", path })).toBe(true);
  });

  test.each([
    ["* /user/keys/**", "/user/keysets"],
    ["* /user/keys/**", "/user/keys-of-others"],
    ["* /user/keys/**", "/user/keys_2"],
    ["* /user/keys/**", "/users/keys"],
    ["* /user/keys/**", "/user"],
    ["* /user/keys/**", "/user/k%C3%A9"],
    ["* /v1/models/a", "/v1/models/a:run"],
    ["* /api/files.upload", "/api/files.list"],
    ["* /repos/*/*/keys/**", "/repos/acme/app/contents/keys"],
    ["* /repos/*/*/keys/**", "/repos/acme/keys.json/contents/a"],
    ["* /repos/*/*/keys/**", "/repos/acme/app/git/ref/heads%2Fkeys"],
    ["* /repos/*/*/keys/**", "/repos/acme/app/contents/docs%2Fkeys"],
    ["* /v1/sessions", "/v1/sessions/x"],
  ])("of the rule %s is not confused with the allowed path %s", (rule, path) => {
    expect(isDenied(parsePathRules(rule), { host: "a.test", method: "GET", path })).toBe(false);
  });

  // A search that tried each way to read the slashes would not end.
  test("is recognized in reasonable time, however many slashes are escaped", () => {
    const path = `/repos${"%2fa".repeat(4000)}`;
    const many = parsePathRules(...Array.from({ length: 50 }, (_, index) => `* /repos/*/*/*/*/*/*/x${index}`));
    expect(isDenied(many, { host: "a.test", method: "GET", path })).toBe(false);
    expect(isDenied(many, { host: "a.test", method: "GET", path: `${path}%2fx49` })).toBe(true);
  });

  test("does not make its neighbours denied", () => {
    expect(isDenied(parsePathRules("* /v1/keys/**"), { host: "a.test", method: "POST", path: "/v1/keysets" })).toBe(
      false,
    );
    expect(isDenied(parsePathRules("POST /v1/keys"), { host: "a.test", method: "GET", path: "/v1/keys" })).toBe(false);
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
  // A tab, a line break and DEL; overlong and otherwise malformed UTF-8; surrogates.
  ["/a%09", true],
  ["/a%0ab", true],
  ["/a%7f", true],
  ["/a%c0%afb", true],
  ["/a/%c0%ae%c0%ae/b", true],
  ["/a%e0%80%afb", true],
  ["/%c1%a1", true],
  ["/a%ff", true],
  ["/a%E4", true],
  ["/a%ed%a0%80", true],
  ["/a%25c0%25af", true],
  ["/a%25E4", true],
  ["/a%u0061", true],
  // Empty segments and dot segments that are written with other characters.
  ["/a/%20/b", true],
  ["/a/%20", true],
  ["/a/.%20/b", true],
  ["/a/%20../b", true],
  ["/a/..%2520", true],
  ["/a/%ef%bc%8e%ef%bc%8e/b", true],
  ["/a/.%e2%80%8b./b", true],
  ["/a/%e2%80%a5/b", true],
  ["/a%ef%bc%8f..%ef%bc%8fb", true],
  ["/a/%e2%80%8b/b", true],
  ["/%E8%B3%87%E6%96%99%EF%BC%91%EF%BC%8E%EF%BC%90.txt", false],
  ["/foo%E2%80%A6.md", false],
  ["/what%3F.md", false],
  ["/c%23", false],
  ["/%F0%9F%90%9B%20bug", false],
  ["/type%3A%20bug", false],
  ["/c%2B%2B", false],
  ["/compare/main...dev", false],
  ["/a/...", false],
  ["/a/.well-known", false],
  ["/a%20b", false],
  ["/a%C3%A4", false],
  ["/a:b@c", false],
  ["/", false],
])("the path %s is ambiguous: %s", (path, expected) => {
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
  ["/a%EF%BC%8Fb", ["/a%EF%BC%8Fb", "/a/b"]],
  ["/a%3Fb/c", ["/a%3Fb/c", "/a"]],
  ["/a%23b", ["/a%23b", "/a"]],
  ["/a%253fb", ["/a%253fb", "/a"]],
  ["/a%2fb%3f/c", ["/a%2fb%3f/c", "/a/b%3f/c", "/a%2fb", "/a/b"]],
  ["/a%2Fb%c0%af", undefined],
  ["/a%2f%ef%bc%8e%2fb", undefined],
])("the possible readings of %s are found", (path, expected) => {
  expect(listReadings(path)).toEqual(expected);
});

test("a rule that names a host applies to that host only", () => {
  const some = parsePathRules("API.a.test:8443: GET /a");
  expect(isCovered(some, { host: "api.a.test:8443", method: "GET", path: "/a" })).toBe(true);
  expect(isCovered(some, { host: "a.test", method: "GET", path: "/a" })).toBe(false);
  expect(isDenied(some, { host: "api.a.test:8443", method: "get", path: "/A/" })).toBe(true);
  expect(isDenied(some, { host: "a.test", method: "GET", path: "/a" })).toBe(false);
  expect(parseRule("a.test GET /a")).toBeUndefined();
  expect(parseRule("https://a.test: GET /a")).toBeUndefined();
});

describe("a rule is parsed", () => {
  test.each([
    ["GET /", { method: "GET", segments: [], names: [] }],
    ["get /a", { method: "GET", segments: ["a"], names: ["a"] }],
    ["* /A/*/**", { method: "*", segments: ["A", "*", "**"], names: ["a", "*", "**"] }],
    ["API.test:8443: x-get /b;c", { host: "api.test:8443", method: "X-GET", segments: ["b;c"], names: ["b"] }],
  ])("with its host, method and path: %j", (text, parts) => {
    expect(parseRule(text)).toStrictEqual({ ...parts, text });
  });

  test.each([
    "a.test:123456: GET /a",
    "a.test:: GET /a",
    "a_b.test: GET /a",
    "a.test:GET /a",
    "x a.test: GET /a",
    "2GET /a",
    `G${"E".repeat(32)} /a`,
    "GET /a b",
    "GET /a*b",
    " GET /a",
  ])("only if its host, method and path have their forms: not %j", (text) => expect(parseRule(text)).toBeUndefined());
});

test("each rule of a list is tried, and only for its host and method", () => {
  const rules = parsePathRules("a.test: GET /x", "b.test: * /y", "PUT /z");
  const requests = [
    ["a.test", "GET", "/x"],
    ["b.test", "GET", "/x"],
    ["a.test", "POST", "/x"],
    ["b.test", "POST", "/y"],
    ["a.test", "POST", "/y"],
    ["c.test", "PUT", "/z"],
    ["c.test", "GET", "/z"],
  ] as const;
  for (const decide of [isCovered, isDenied]) {
    expect(requests.map(([host, method, path]) => decide(rules, { host, method, path }))).toEqual([
      true,
      false,
      false,
      true,
      false,
      true,
      false,
    ]);
  }
});
