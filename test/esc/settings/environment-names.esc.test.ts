import { describe, expect, test } from "vitest";
import { expectWording } from "../../helpers/wording.ts";
import { SophiaError } from "../../../src/core/error.ts";
import { listMeanings, formatName, parseEnvironmentNames } from "../../../src/esc/settings/environment-names.ts";

function parseNames(value: string) {
  return parseEnvironmentNames({ name: "ESC_ENV", value });
}

function openedEnvironments(value: string, organization?: string): string[] {
  return parseNames(value).flatMap((name) =>
    listMeanings(name, organization).map(
      (full) => formatName(full) + (full.version === undefined ? "" : `@${full.version}`),
    ),
  );
}

describe("a name is read as the organization, project, environment and version that it means", () => {
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
    expect(openedEnvironments(value, organization)).toEqual(expected);
  });
});

describe("several names in one setting", () => {
  test("keep their order", () => {
    expect(parseNames("sophia/base,acme/sophia/dev@2,x").map(({ text }) => text)).toEqual([
      "sophia/base",
      "acme/sophia/dev@2",
      "x",
    ]);
  });

  test("are used once, at their last position", () => {
    expect(parseNames("a/b,c/d,a/b").map(({ text }) => text)).toEqual(["c/d", "a/b"]);
    expect(parseNames("a/b@1,a/b").map(({ text }) => text)).toEqual(["a/b@1", "a/b"]);
  });
});

function catchRefusal(value: string): SophiaError {
  try {
    parseNames(value);
  } catch (error) {
    if (error instanceof SophiaError) return error;
    throw error;
  }
  throw new Error("accepted");
}

describe("an invalid name is refused", () => {
  test.each([
    "a/b/c/d",
    "a//b",
    "/a",
    "a/",
    "@1",
    "a/b,",
    ",",
    "a b/c",
    "a/b, c/d",
    " a/b",
    "a/b\n",
    "a/b@",
    "a@1/b",
    "a/ü",
    "a/b?x",
    "acme/../dev",
    "acme/sophia/.",
    "acme/sophia/dev@..",
    "a/sophia/dev",
    "-acme/sophia/dev",
    `${"x".repeat(101)}/dev`,
    "a\u001B[31m",
  ])("%s", (value) => {
    const error = catchRefusal(value);
    expect(error).toMatchObject({ status: 125, code: "esc-settings" });
    expectWording(`${error.message}\n${error.hint ?? ""}`);
  });

  test.each([
    ["sophia/dev:2", "sophia/dev@2"],
    ["dev:stable", "dev@stable"],
    ["acme/sophia/dev:v1.2", "acme/sophia/dev@v1.2"],
  ])("%s, with the form of a revision", (value, right) => {
    expect(catchRefusal(value).hint).toMatch(new RegExp(`@.*: ${right}$`));
    expect(parseNames(right)).toHaveLength(1);
  });
});
