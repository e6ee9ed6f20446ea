import { describe, expect, test } from "vitest";
import { SophiaError } from "../../../src/core/error.ts";
import { candidates, formatName, parseEnvironmentNames } from "../../../src/esc/settings/names.ts";

function names(value: string) {
  return parseEnvironmentNames(value, "ESC_ENV");
}

function opened(value: string, organization?: string): string[] {
  return names(value).flatMap((name) =>
    candidates(name, organization).map(
      (full) => formatName(full) + (full.version === undefined ? "" : `@${full.version}`),
    ),
  );
}

describe("what a name stands for", () => {
  test.each<[string, string | undefined, readonly string[]]>([
    ["acme/sophia/dev", undefined, ["acme/sophia/dev"]],
    ["acme/sophia/dev", "other", ["acme/sophia/dev"]],
    ["acme/sophia/dev@3", "other", ["acme/sophia/dev@3"]],
    ["sophia/dev", "acme", ["acme/sophia/dev", "sophia/default/dev"]],
    ["sophia/dev@stable", "acme", ["acme/sophia/dev@stable", "sophia/default/dev@stable"]],
    ["sophia/dev", undefined, ["sophia/default/dev"]],
    // No organization has such a name, so that the old form cannot be meant.
    ["my.app/dev", "acme", ["acme/my.app/dev"]],
    ["my.app/dev", undefined, []],
    ["dev", "acme", ["acme/default/dev"]],
    ["dev", undefined, []],
  ])("%s with the organization %s", (value, organization, expected) => {
    expect(opened(value, organization)).toEqual(expected);
  });
});

describe("several names", () => {
  test("keep their order", () => {
    expect(names("sophia/base,acme/sophia/dev@2,x").map(({ text }) => text)).toEqual([
      "sophia/base",
      "acme/sophia/dev@2",
      "x",
    ]);
  });

  test("count once, where they stand last", () => {
    expect(names("a/b,c/d,a/b").map(({ text }) => text)).toEqual(["c/d", "a/b"]);
    expect(names("a/b@1,a/b").map(({ text }) => text)).toEqual(["a/b@1", "a/b"]);
  });
});

describe("refused", () => {
  test.each([
    ["a/b/c/d", "ESC_ENV: 'a/b/c/d' has 4 parts, three at most"],
    ["a//b", "ESC_ENV: 'a//b' has an empty part"],
    ["/a", "ESC_ENV: '/a' has an empty part"],
    ["a/", "ESC_ENV: 'a/' has an empty part"],
    ["@1", "ESC_ENV: '@1' has an empty part"],
    ["a/b,", "ESC_ENV has an empty name between commas: 'a/b,'"],
    [",", "ESC_ENV has an empty name between commas: ','"],
    ["a b/c", "ESC_ENV has a space or line break in it: 'a b/c'"],
    ["a/b, c/d", "ESC_ENV has a space or line break in it: 'a/b, c/d'"],
    [" a/b", "ESC_ENV has a space or line break in it: ' a/b'"],
    ["a/b\n", "ESC_ENV has a space or line break in it: 'a/b\\n'"],
    ["a/b@", "ESC_ENV: 'a/b@' names no revision or tag after the @"],
    ["a@1/b", "ESC_ENV: 'a@1/b' has characters that no name has: '1/b'"],
    ["a/ü", "ESC_ENV: 'a/ü' has characters that no name has: 'ü'"],
    ["a/b?x", "ESC_ENV: 'a/b?x' has characters that no name has: 'b?x'"],
    ["acme/../dev", "ESC_ENV: 'acme/../dev' has characters that no name has: '..'"],
    ["acme/sophia/.", "ESC_ENV: 'acme/sophia/.' has characters that no name has: '.'"],
    ["acme/sophia/dev@..", "ESC_ENV: 'acme/sophia/dev@..' has characters that no name has: '..'"],
    ["a/sophia/dev", "ESC_ENV: 'a' is no name of an organization"],
    ["-acme/sophia/dev", "ESC_ENV: '-acme' is no name of an organization"],
    [`${"x".repeat(101)}/dev`, `ESC_ENV has a name of more than 100 characters: '${"x".repeat(100)}…'`],
    ["pul-0123456789abcdef0123456789abcdef01234567", "ESC_ENV holds an access token in place of a name"],
    ["a\u001B[31m", "ESC_ENV: 'a\\u001b[31m' has characters that no name has: 'a\\u001b[31m'"],
  ])("%s", (value, message) => {
    expect(() => names(value)).toThrow(expect.objectContaining({ message, status: 125, code: "esc-settings" }));
    expect(() => names(value)).toThrow(SophiaError);
  });
});
