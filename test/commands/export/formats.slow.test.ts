import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EXPORT_FORMATS } from "../../../src/commands/export/formats.ts";
import {
  dockerClient,
  dotenvPackage,
  fishConsumer,
  flatObject,
  githubRunner,
  nodeEnvFile,
  nodeParseEnv,
  ownParser,
  pythonDotenv,
  pythonShlex,
  shellConsumer,
  type Consumer,
} from "./consumers.ts";
import { caseCount } from "../../helpers/seed.ts";
import { notInstalled, skipBecause } from "../../helpers/skip.ts";

function findFormat(name: string) {
  const format = EXPORT_FORMATS[name];
  if (format === undefined) throw new Error(`no format ${name}`);
  return format;
}

/** Characters and sequences that some parser or other takes for more than themselves. */
const TRICKY = [
  ...charactersOf("\"'`\\#$!%&*;|<>()[]{}=~? \t\n\r\u000B\u001C\u007F\u0085\u00A0\u2028\uFEFF"),
  "\\n",
  "\\r",
  "\\\\",
  "\\'",
  '\\"',
  "${HOME}",
  "$HOME",
  "$(id)",
  "`id`",
  "''",
  '""',
  " #",
  "export A=",
  "\nA=b",
  ...charactersOf("abnrtv019é😀"),
];

function charactersOf(text: string): string[] {
  return Array.from(text);
}

const value = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.constantFrom(...TRICKY), { maxLength: 12 }).map((parts) => parts.join("")) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
);

/** Many values at once, so that a consumer need not be started for each. */
const batch = fc.array(value, { minLength: 100, maxLength: 200, size: "max" });

const TABLE = [
  "",
  " ",
  "  both ends  ",
  "plain",
  "a b",
  'say "hi"',
  "it's",
  `both " and '`,
  "back\\slash",
  "ends in \\",
  "C:\\new\\table",
  "a#b",
  "a #b",
  "#a",
  "$HOME ${HOME:-x} $(id) `id`",
  "!history !!",
  "100%",
  "a=b=c",
  "-----BEGIN KEY-----\nMIIB\n-----END KEY-----\n",
  '{\n  "key": "-----BEGIN-----\\nMII\\n"\n}\n',
  "two\n\nlines",
  "\n",
  "carriage\r\nreturn\r",
  "tab\tbell\u0007escape\u001B[31m",
  "café 😀 \u00A0\u2028",
  "*?[a-z]~",
];

const CONSUMERS: readonly (readonly [format: string, name: string, Consumer, obstacle: string | undefined])[] = [
  ...[["bash"], ["bash", "--posix"], ["dash"], ["zsh", "-f"], ["zsh", "-f", "-o", "rcquotes"]].flatMap((command) =>
    (["source", "eval"] as const).map(
      (how) =>
        [
          "shell",
          `${command.join(" ")}, ${how}`,
          shellConsumer(command, how),
          notInstalled(command[0] ?? "", "-c", ":"),
        ] as const,
    ),
  ),
  ["fish", "fish", fishConsumer, notInstalled("fish", "-c", "true")],
  ["shell", "Python's shlex", pythonShlex, notInstalled("python3", "-c", "import shlex")],
  ["dotenv", "dotenv for Node.js", dotenvPackage, undefined],
  ["dotenv", "sophia-run itself", ownParser, undefined],
  ["dotenv", "util.parseEnv", nodeParseEnv, undefined],
  ["dotenv", "node --env-file", nodeEnvFile, undefined],
  ["dotenv", "python-dotenv", pythonDotenv, notInstalled("python3", "-c", "import dotenv.main")],
  ["docker", "docker create --env-file", dockerClient, notInstalled("docker", "--version")],
  ["github", "the runner's algorithm", githubRunner, undefined],
  ["json", "JSON.parse", async (text) => flatObject(text), undefined],
];

for (const [name, consumer, read, obstacle] of CONSUMERS) {
  describe(`the format ${name}, read by ${consumer},`, () => {
    skipBecause(obstacle);
    const format = findFormat(name);
    const roundTrip = async (values: readonly string[]): Promise<void> => {
      const variables = values
        .map((delimiter, index) => ({ name: `V${index}`, value: delimiter, secret: true }))
        .filter((variable) => !variable.value.includes("\0") && format.findFault(variable) === undefined);
      const readValues = await read(format.write(variables));
      const expected = Object.fromEntries(variables.map((variable) => [variable.name, variable.value]));
      expect(Object.fromEntries(Object.entries(readValues).filter(([key]) => /^V\d+$/.test(key)))).toEqual(expected);
    };

    test("keeps values that are known to break formats", async () => {
      await expect(roundTrip(TABLE)).resolves.toBeUndefined();
    });

    test("keeps any values, byte for byte", async () => {
      const property = fc.asyncProperty(batch, roundTrip);
      await expect(fc.assert(property, { numRuns: caseCount(3, 50), endOnFailure: true })).resolves.toBeUndefined();
    });
  });
}

function findRefusal(format: string, delimiter: string, name = "NAME"): string | undefined {
  return findFormat(format).findFault({ name, value: delimiter, secret: true });
}

describe("a format refuses what it cannot hold:", () => {
  test("shell, github and json refuse no value", () => {
    fc.assert(
      fc.property(value, (delimiter) => {
        for (const name of ["shell", "github", "json"]) expect(findRefusal(name, delimiter)).toBeUndefined();
      }),
    );
  });

  test("docker refuses line breaks, a carriage return at the end and lines of 64 KiB", () => {
    fc.assert(
      fc.property(value, (delimiter) => {
        expect(findRefusal("docker", delimiter) !== undefined).toBe(
          delimiter.includes("\n") || delimiter.endsWith("\r"),
        );
      }),
    );
    const longest = "x".repeat(65_535 - "NAME=".length);
    expect(findRefusal("docker", longest)).toBeUndefined();
    expect(findRefusal("docker", `${longest}x`)).toContain("64 KiB");
  });

  test("Docker reads the longest line that is not refused", async ({ skip }) => {
    const reason = notInstalled("docker", "--version");
    skip(reason !== undefined, reason);
    const longest = "x".repeat(65_535 - "NAME=".length);
    const text = findFormat("docker").write([{ name: "NAME", value: longest, secret: true }]);
    expect((await dockerClient(text))["NAME"]).toBe(longest);
    await expect(dockerClient(text.replace("=", "=x"))).rejects.toThrow(/docker:/);
  });

  test.each([
    ["a\rb", "carriage return"],
    ["x${Y}", "python-dotenv"],
    [`'"\n`, "combines"],
    [`'"#`, "combines"],
    ["'\"", "combines"],
  ])("dotenv refuses %j", (delimiter, why) => {
    expect(findRefusal("dotenv", delimiter)).toContain(why);
  });

  test("dotenv accepts everything else that has one kind of quotes and no backslashes", () => {
    fc.assert(
      fc.property(value, fc.constantFrom("'", '"'), (delimiter, quote) => {
        const simple = delimiter.replaceAll(quote, "").replaceAll(/[\\\r]|\$\{/g, "");
        expect(findRefusal("dotenv", simple)).toBeUndefined();
      }),
    );
  });

  test.each([
    ["shell", "a-b"],
    ["shell", "UID"],
    ["shell", "path"],
    ["shell", "GROUPS"],
    ["shell", "WATCH"],
    ["shell", "commands"],
    ["shell", "RANDOM"],
    ["shell", "OPTIND"],
    ["fish", "status"],
    ["fish", "a-b"],
    ["docker", "a b"],
    ["dotenv", "a b"],
    ["dotenv", "__proto__"],
    ["github", "NODE_OPTIONS"],
    ["github", "a<<b"],
  ])("%s refuses the name %s", (format, name) => {
    expect(findRefusal(format, "x", name)).toBeDefined();
  });
});

describe("the format of GitHub Actions", () => {
  test("has a different, long delimiter each time", () => {
    const text = findFormat("github").write([
      { name: "A", value: "1", secret: false },
      { name: "B", value: "2", secret: false },
    ]);
    const delimiters = Array.from(text.matchAll(/<<(\w+)/g), ([, word]) => word);
    expect(new Set(delimiters).size).toBe(2);
    for (const delimiter of delimiters) expect(delimiter).toMatch(/^sophia_run_[0-9a-f]{48}$/);
  });
});
