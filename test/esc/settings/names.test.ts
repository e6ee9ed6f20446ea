import { describe, expect, test } from "vitest";
import { SophiaError } from "../../../src/core/error.ts";
import { candidates, formatName, parseEnvironmentNames } from "../../../src/esc/settings/names.ts";

function names(value: string) {
  return parseEnvironmentNames({ name: "ESC_ENV", value });
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
    ["a/b/c/d", "ESC_ENV: 'a/b/c/d' has 4 parts; at most three are allowed"],
    ["a//b", "ESC_ENV: 'a//b' has an empty part"],
    ["/a", "ESC_ENV: '/a' has an empty part"],
    ["a/", "ESC_ENV: 'a/' has an empty part"],
    ["@1", "ESC_ENV: '@1' has an empty part"],
    ["a/b,", "ESC_ENV has an empty name between commas: 'a/b,'"],
    [",", "ESC_ENV has an empty name between commas: ','"],
    ["a b/c", "ESC_ENV contains a space or line break: 'a b/c'"],
    ["a/b, c/d", "ESC_ENV contains a space or line break: 'a/b, c/d'"],
    [" a/b", "ESC_ENV contains a space or line break: ' a/b'"],
    ["a/b\n", "ESC_ENV contains a space or line break: 'a/b\\n'"],
    ["a/b@", "ESC_ENV: 'a/b@' has no revision or tag after the @"],
    ["a@1/b", "ESC_ENV: 'a@1/b' has a part that is not a valid name: '1/b'"],
    ["a/ü", "ESC_ENV: 'a/ü' has a part that is not a valid name: 'ü'"],
    ["a/b?x", "ESC_ENV: 'a/b?x' has a part that is not a valid name: 'b?x'"],
    ["acme/../dev", "ESC_ENV: 'acme/../dev' has a part that is not a valid name: '..'"],
    ["acme/sophia/.", "ESC_ENV: 'acme/sophia/.' has a part that is not a valid name: '.'"],
    ["acme/sophia/dev@..", "ESC_ENV: 'acme/sophia/dev@..' has a part that is not a valid name: '..'"],
    ["a/sophia/dev", "ESC_ENV: 'a' is not a valid organization name"],
    ["-acme/sophia/dev", "ESC_ENV: '-acme' is not a valid organization name"],
    [`${"x".repeat(101)}/dev`, `ESC_ENV: '${"x".repeat(100)}…' has a part of more than 100 characters`],
    ["a\u001B[31m", "ESC_ENV: 'a\\u001b[31m' has a part that is not a valid name: 'a\\u001b[31m'"],
  ])("%s", (value, message) => {
    expect(() => names(value)).toThrow(expect.objectContaining({ message, status: 125, code: "esc-settings" }));
    expect(() => names(value)).toThrow(SophiaError);
  });

  test.each([
    ["sophia/dev:2", "sophia/dev@2"],
    ["dev:stable", "dev@stable"],
    ["acme/sophia/dev:v1.2", "acme/sophia/dev@v1.2"],
  ])("%s, with how a revision is written", (value, right) => {
    expect(() => names(value)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining("has a part that is not a valid name"),
        hint: `write @ before a revision or tag: ${right}`,
      }),
    );
    expect(names(right)).toHaveLength(1);
  });
});
