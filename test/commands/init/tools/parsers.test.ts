import { describe, expect, test } from "vitest";
import { parseEnvSchema } from "../../../../src/commands/init/tools/env-schema.ts";
import { parseSecretspec } from "../../../../src/commands/init/tools/secretspec.ts";
import { parseDoppler, parseDotenvVault, parseInfisical } from "../../../../src/commands/init/tools/stores.ts";
import { parseYaml, topLevelEntry } from "../../../../src/commands/init/tools/yaml.ts";
import { FAKE_TOKEN } from "../../../contract/corpus.ts";
import { SENTINEL } from "../../sophia-environment.ts";

/** Returns the candidate of the variable A. */
const itemOf = (text: string): unknown => parseEnvSchema(text).candidates.find(({ name }) => name === "A");
const item = (more: object = {}) => ({ name: "A", required: false, secret: true, ...more });
const COMPUTED = ["values that .env.schema computes or fetches are not copied: set them in ESC, or in .env"];

describe("an item of .env.schema", () => {
  test.each([
    ["A=", item()],
    ["A=1", item({ required: true })],
    ["\uFEFF  export  A = 1\r\n", item({ required: true })],
    ["A=1\nA=", item({ required: true })],
    ["# @public\nA=1", item({ secret: false, default: "1" })],
    ["# @public\nA= 1 # x", item({ secret: false, default: "1" })],
    ["# @public\nA=a#b", item({ secret: false, default: "a#b" })],
    ["# @public\nA=#b", item({ secret: false })],
    ["# @public\nA='a # b' # x", item({ secret: false, default: "a # b" })],
    ['# @public\nA="a\\"b"', item({ secret: false, default: 'a\\"b' })],
    ["# @public\nA=`a`", item({ secret: false, default: "a" })],
    [`# @public\nA='a"`, item({ secret: false, default: `'a"` })],
    ["# @public\nA='a' b", item({ secret: false, default: "'a' b" })],
    ["# @public\nA='a$b'", item({ secret: false, default: "a$b" })],
    [`# @public\nA=${FAKE_TOKEN}`, item({ required: true, secret: false })],
    ['# @public\nA="a$b"', item({ required: true, secret: false, hasValue: true })],
    ["# @public\nA=a$b", item({ required: true, secret: false, hasValue: true })],
    ["# @public\nA=exec1('x') # @optional", item({ secret: false, hasValue: true })],
    ["# @public\nA=1exec('x')", item({ secret: false, default: "1exec('x')" })],
    ["A= # @required", item({ required: true })],
    ["A='' #@required", item({ required: true })],
    ["# @required\nA=", item({ required: true })],
    ["# @required=true\nA=", item({ required: true })],
    ["# @required=false\nA=1", item()],
    ["# @optional\nA=1", item()],
    ["# @optional=false\nA=", item({ required: true })],
    ["# @required @optional\nA=", item({ required: true })],
    ["# @sensitive=false\nA=", item({ secret: false })],
    ["# @sensitive @public\nA=", item()],
    ["# @public=false\nA=", item()],
    ["# about x@public @public\nA=", item({ description: "about x@public @public" })],
    ["#  @a @public\nA=", item({ secret: false })],
    ["## @public\nA=", item({ secret: false })],
    ["# @a(x @public) @sensitive\nA=", item()],
    ["# @a=b(c @public)\nA=", item()],
    ["# @a='b @public'\nA=", item()],
    ['# @a="b @public"\nA=', item()],
    ["# @example=1#2\nA=", item({ example: "1" })],
    ["# @example='1 2'\nA=", item({ example: "1 2" })],
    ['# @placeholder="1"\nA=', item({ example: "1" })],
    ["# @placeholder=1 @example=2\nA=", item({ example: "2" })],
    [`# @example=${FAKE_TOKEN}\nA=`, item()],
    ["# @docs(https://a.test)\nA=", item({ docs: "https://a.test" })],
    ['# @docs("x", http://a.test/b )\nA=', item({ docs: "http://a.test/b" })],
    ["# @docsUrl=https://a.test\nA=", item({ docs: "https://a.test" })],
    ["# @docs(ftp://a.test)\nA=", item()],
    ["# @docs(a https://a.test)\nA=", item()],
    ["# @docs(https://a.test b)\nA=", item()],
    ["# one\n#  two \n# --\n### three\nA=", item({ description: "one\ntwo\nthree" })],
    ["# one\n\n# two\nA=", item({ description: "two" })],
    ["# one\nB=\n# two\nA=", item({ description: "two" })],
    ["# one\nx\nA=", item()],
    ["B=\n# one\n# ---\n# two\nA=", item({ description: "two" })],
    ["B=\n# one\n \t# === \n# two\nA=", item({ description: "two" })],
    ["B=\n# one\n# --- x\nA=", item({ description: "one\n--- x" })],
    ["B=\n# one\n# --\nA=", item({ description: "one" })],
    ["B=\n# @type=port\nA=8080", item({ required: true, format: "port" })],
    ["# @public @type=port\nA=80x", item({ required: true, secret: false, format: "port" })],
    ["# @type=port @example=x\nA=", item({ format: "port" })],
    ["# @type=boolean\nA=", item({ format: "boolean" })],
    ["# @type=email\nA=", item({ format: "email" })],
    ["# @type=number\nA=", item({ format: "number" })],
    ["# @type=number(isInt=true)\nA=", item({ format: "integer" })],
    ["# @type=number(min=1, isInt='true')\nA=", item({ format: "integer" })],
    ["# @type=number(isInt=false)\nA=", item({ format: "number" })],
    ["# @public @type=number(isInt=true)\nA=1.5", item({ required: true, secret: false, format: "integer" })],
    ["# @public @type=number\nA=x", item({ required: true, secret: false, format: "number" })],
    ["# @type=url\nA=", item({ format: "url" })],
    ["# @public @type=url\nA=x", item({ required: true, secret: false, format: "url" })],
    ["# @type=enum(a, 'b', a,, c=d)\nA=", item({ format: { type: "enum", values: ["a", "b"] } })],
    [
      "# @public @type=enum(a, b)\nA=c",
      item({ required: true, secret: false, format: { type: "enum", values: ["a", "b"] } }),
    ],
    ["# @type=enum(c=d)\nA=", item()],
    ["# @type=string(startsWith=sk-)\nA=", item({ format: { type: "text", prefix: "sk-" } })],
    [
      "# @public @type=string(startsWith=sk-)\nA=x",
      item({ required: true, secret: false, format: { type: "text", prefix: "sk-" } }),
    ],
    ["# @type=string(minLength=1)\nA=", item()],
    ["# @type=string\nA=", item()],
    ["# @type=other\nA=", item()],
    ["# @type=xport\nA=", item()],
    ["# @type=port/x\nA=", item()],
  ])("becomes a candidate: %j", (text, candidate) => {
    expect(itemOf(text)).toEqual(candidate);
  });

  test.each([
    ["# @defaultRequired=true\n# ---\nA=", item({ required: true })],
    ["# @defaultRequired=false\n# ---\nA=1", item()],
    ["# @defaultRequired=false\n# ---\n# @required\nA=", item({ required: true })],
    ["# @defaultRequired=infer\n# ---\nA=1", item({ required: true })],
    ["# @defaultSensitive=false\n# ===\nA=", item({ secret: false })],
    ["# @defaultSensitive=false\n# ---\n# @sensitive\nA=", item()],
    ["# @defaultSensitive=true\n# ---\nA=", item()],
    ["# @defaultSensitive=inferFromPrefix(A)\n# ---\nA=", item({ secret: false })],
    ["# @defaultSensitive=inferFromPrefix('A')\n# ---\nA=", item({ secret: false })],
    ["# @defaultSensitive=inferFromPrefix(B)\n# ---\nA=", item()],
    ["# @defaultSensitive=xinferFromPrefix(A)\n# ---\nA=", item()],
    ["# @defaultSensitive=false\nA=", item()],
    ["B=\n# @defaultSensitive=false\n# ---\nA=", item()],
    ["# about the file\n# ---\nA=", item()],
  ])("obeys the header of the file: %j", (text, candidate) => {
    expect(itemOf(text)).toEqual(candidate);
  });

  test("may have any name, and a remark says that computed values are not copied", () => {
    expect(parseEnvSchema("a.b-c_1=\n1A=\nA B=\n=x\n# C=1\n")).toEqual({
      candidates: [{ name: "a.b-c_1", required: false, secret: true }],
      remarks: [],
    });
    expect(parseEnvSchema("# @public\nA=$B\nC=\n").remarks).toEqual(COMPUTED);
    expect(parseEnvSchema("# ---")).toEqual({ candidates: [], remarks: [] });
    expect(JSON.stringify(parseEnvSchema(`A=${SENTINEL}\n# @sensitive\nB=${SENTINEL}\n`))).not.toContain(SENTINEL);
  });
});

describe("secretspec.toml", () => {
  test("has the default profile with its defaults, and names of other profiles", () => {
    const text = `[profiles.default]
defaults = { required = false, default = "info", description = "no" }
A = { description = "" }
B = { description = "About B", required = true, default = 1 }
API_KEY = { default = "x" }
text = "no secret"
[profiles.one]
A = {}
C = { required = true, description = "About C" }
[profiles.two]
[profiles.three]
D = {}
`;
    expect(parseSecretspec(text)).toEqual({
      candidates: [
        { name: "A", required: false, secret: true, default: "info" },
        { name: "B", required: true, secret: true, description: "About B" },
        { name: "API_KEY", required: false, secret: true },
        { name: "C", required: false, secret: true, description: "About C", default: "info" },
        { name: "D", required: false, secret: true, default: "info" },
      ],
      remarks: ["of the profiles one and three of secretspec.toml only names were read"],
    });
  });

  test("has required secrets by default, and may have no profile", () => {
    const candidates = [{ name: "A", required: true, secret: true }];
    expect(parseSecretspec("[profiles.default]\nA = {}\n")).toEqual({ candidates, remarks: [] });
    for (const text of ["", "profiles = 1", "[profiles]\ndefault = [1]\n"])
      expect(parseSecretspec(text)).toEqual({ candidates: [], remarks: [] });
    expect(parseSecretspec("a = 1\nb = [\n")).toEqual({
      candidates: [],
      remarks: [expect.stringMatching(/^secretspec\.toml is not read: it is not TOML that init understands \(line \d/)],
    });
  });
});

describe("the file of a store", () => {
  const remarksFor = (place: string) => [
    `${place} has them; to write them into ESC, in bash or zsh:`,
    expect.stringMatching(/^ {2}sophia-run import <\(.+\)$/),
  ];

  test.each([
    ["setup:\n  project: app\n  config: dev\n", " (project app, config dev)"],
    ["setup:\n  - project: one\n  - project: two\n", " (project one)"],
    ["setup:\n  config: dev\n  project: 1\n", " (config dev)"],
    ["setup:\n  project: ''\n", ""],
    [`setup:\n  project: ${"x".repeat(81)}\n`, ` (project ${"x".repeat(80)})`],
    ["setup: []", ""],
    ["", ""],
    ["- a", ""],
  ])("of Doppler says where the values are: %j", (text, place) => {
    const { candidates, remarks } = parseDoppler(text);
    expect(candidates).toEqual([]);
    expect(remarks).toEqual(remarksFor(`doppler.yaml${place} names no variable: Doppler`));
    expect(remarks?.[1]).toBe("  sophia-run import <(doppler secrets download --no-file --format env)");
  });

  test("of Infisical, and of dotenv-vault, say where the values are", () => {
    expect(parseInfisical('{"workspaceId":"12","defaultEnvironment":"dev"}')).toEqual({
      candidates: [],
      remarks: [
        ".infisical.json (project 12, environment dev) names no variable: Infisical has them; to write them into ESC, in bash or zsh:",
        "  sophia-run import <(infisical export --format=dotenv)",
      ],
    });
    expect(parseInfisical("{").remarks).toEqual(remarksFor(".infisical.json names no variable: Infisical"));
    const end = "names no variable: it is encrypted; decrypt it into .env, and start init again";
    const vault =
      "DOTENV_VAULT_PRODUCTION=x\n \tDOTENV_VAULT_CI_2\t =y\nDOTENV_VAULT_CI_2_VERSION=1\n#DOTENV_VAULT_A=\nXDOTENV_VAULT_B=\nDOTENV_VAULT_C\n";
    expect(parseDotenvVault(vault)).toEqual({
      candidates: [],
      remarks: [`.env.vault (environments production, ci_2) ${end}`],
    });
    expect(parseDotenvVault("").remarks).toEqual([`.env.vault ${end}`]);
  });
});

describe("YAML is read", () => {
  test("up to a length and a depth within one line", () => {
    const comment = (length: number): string => `a: 1\n#${"x".repeat(length - 6)}`;
    expect(parseYaml(comment(32_768))).toEqual({ a: 1 });
    expect(parseYaml(comment(32_769))).toBeUndefined();
    expect(parseYaml(`${"- ".repeat(7)}a`)).toEqual([[[[[[["a"]]]]]]]);
    for (const line of [`${"- ".repeat(8)}a`, `x: 1\n \t${"-\t ".repeat(8)}a`, "? ".repeat(8), ": ".repeat(8)])
      expect(parseYaml(line)).toBeUndefined();
    expect(parseYaml(`a: "${"- ".repeat(9)}"`)).toEqual({ a: "- ".repeat(9) });
  });

  test("without aliases, and with repeated keys and brackets that do not close", () => {
    expect(parseYaml("a: &x [1]\nb: *x\n")).toBeUndefined();
    expect(parseYaml("a: 1\na: 2\n")).toEqual({ a: 2 });
    expect(parseYaml("a: [\n")).toEqual({ a: [] });
  });

  test.each([
    ["packages:\n- a\nother: 1", "packages:\n- a"],
    ["x: 1\r\n'packages':\r  - a\n# b\n]\n\nother: 1", "'packages':\n  - a\n# b\n]\n"],
    ['"packages": [a]', '"packages": [a]'],
    [" packages: 1", ""],
    ["packages2: 1", ""],
    ["x\npackages:", "packages:"],
  ])("by its top-level entries: %j", (text, entry) => {
    expect(topLevelEntry(text, "packages")).toBe(entry);
  });
});
