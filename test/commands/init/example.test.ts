import { describe, expect, test } from "vitest";
import { parseExample } from "../../../src/commands/init/example.ts";
import { FAKE_TOKEN } from "../../contract/corpus.ts";
import { SENTINEL } from "../sophia-environment.ts";

const required = (name: string, more: object = {}) => ({ name, required: true, ...more });
const optional = (name: string, more: object = {}) => ({ name, required: false, isOptional: true, ...more });

describe("init reads from a .env.example", () => {
  test.each([
    ["A=1", [required("A", { example: "1" })]],
    ["\uFEFFA=1", [required("A", { example: "1" })]],
    [
      "  A =1\r\n\texport  B= 2 \rexport C=\nexportD=4",
      [
        required("A", { example: "1" }),
        required("B", { example: "2" }),
        required("C"),
        required("exportD", { example: "4" }),
      ],
    ],
    [
      "lower_1=a\n_B=b\n1C=c\nD.E=d\nF-G=e\nH",
      [required("lower_1", { example: "a" }), required("_B", { example: "b" })],
    ],
    ["A=1\nA=2\n#A=3", [required("A", { example: "1" })]],
    ["#A=1\nA=2", [optional("A", { example: "1" })]],
    [
      "#A=1\n# export B=2\n#  C = 3\n  # D=4",
      [
        optional("A", { example: "1" }),
        optional("B", { example: "2" }),
        optional("C", { example: "3" }),
        optional("D", { example: "4" }),
      ],
    ],
    ["# see a=b\n# Ab=c\n# AB_2=c", [optional("AB_2", { description: "see a=b Ab=c", example: "c" })]],
    ["##A=1\nB=2", [required("B", { description: "A=1", example: "2" })]],
    ["", []],
    ["A=a=b", [required("A", { example: "a=b" })]],
  ])("the variables of %j", (text, candidates) => {
    expect(parseExample(text)).toEqual(candidates);
  });

  test.each([
    ["# one\n#two\n###  three  \nA=", "one two three"],
    ["# one\n\n# two\nA=", "two"],
    ["# one\n#\n# 123\n# two\nA=", "one two"],
    ["# ---- Title ----\n# === x\n# ** y\n## # z\nA=", undefined],
    ["# one\nB=\n# two\nA=", "two"],
    ["# one\nother\n# two\nA=", "two"],
    ["  # indented\nA=", "indented"],
    ["A=", undefined],
  ])("the description above an assignment: %j", (text, description) => {
    expect(parseExample(text).find(({ name }) => name === "A")).toEqual({ name: "A", required: true, description });
  });

  test.each([
    "# optional\nA=",
    "# The port (Optional)\nA=",
    "# It is\n# optional here\nA=",
    "A= # optional",
    "A=x # optional",
    "A='#x' # optional",
    'A="x" #optional',
    "A=`x` # an optional port",
    "# Optional:\n\t# B=\nA=",
    "# ---- Optional ----\nB=\n# about A\nA=",
    "#*= optional settings\nB=\nA=",
    "# not required, so optional\nA=",
  ])("that the variable A is optional: %j", (text) => {
    expect(parseExample(text).find(({ name }) => name === "A")).toMatchObject({ required: false, isOptional: true });
  });

  test.each([
    "# not optional\nA=",
    "# no longer optional\nA=",
    "# non-optional\nA=",
    "# optionally\nA=",
    "# anoptional\nA=",
    "# It is optional\nB=\nA=",
    "# optional\n\nA=",
    "# ---- Optional ----\nB=\n\nA=",
    "A=x#optional",
    "A='x # optional'",
    'A="# optional"',
    "A=optional",
  ])("that the variable A is required: %j", (text) => {
    const candidate = parseExample(text).find(({ name }) => name === "A");
    expect(candidate).toMatchObject({ required: true });
    expect(candidate?.isOptional).toBeUndefined();
  });

  test.each([
    ["A=x y", "x y"],
    ["A= x # comment", "x"],
    ["A=x  \t # comment # more", "x"],
    ["A=x#y", "x#y"],
    ["A='x # y' # z", "x # y"],
    ['A="it\'s" # z', "it's"],
    ['A="x" # say "hi"', "x"],
    ['A="say \\"hi\\"" # z', 'say \\"hi\\"'],
    ["A=`x`", "x"],
    ["A='x", "'x"],
    [`A='x"`, `'x"`],
    ["A=x'y'", "x'y'"],
    ["A=# comment", undefined],
    ["A=  # comment", undefined],
    ["A=''", undefined],
    ["URL=https://api.test/a:b@c", "https://api.test/a:b@c"],
    ["URL=postgres://user@host/db", "postgres://user@host/db"],
    ["URL=postgres://user:<password>@host/db", "postgres://user:<password>@host/db"],
    ["URL=https://<key>@host", "https://<key>@host"],
    ["API_KEY=your-key", "your-key"],
    ["API_KEY=<key>", "<key>"],
    ["API_URL=a:b", "a:b"],
  ])("the value of %s, if it is no secret, as the example", (text, example) => {
    expect(parseExample(text)[0]?.example).toBe(example);
  });

  test.each([
    ["the name of a secret", `API_KEY=${SENTINEL}`],
    ["a user and a password", `URL=postgres://user:${SENTINEL}@host/db`],
    ["a password without a user", `URL=redis://:${SENTINEL}@host`],
    ["a key in the place of the user", `URL=https://${SENTINEL}@host`],
    ["a key in the place of the user of plain HTTP", `URL=http://${SENTINEL}@host`],
    ["the form of a token", `LEVEL=${FAKE_TOKEN}`],
    ["the form of a token behind a user", `URL=postgres://user@host/?x=${FAKE_TOKEN}`],
  ])("no example from a value with %s", (_, text) => {
    expect(parseExample(text)[0]).toEqual({ name: text.split("=")[0], required: true });
  });
});
