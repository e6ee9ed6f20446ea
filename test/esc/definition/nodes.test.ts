import { describe, expect, it } from "vitest";
import { SophiaError } from "../../../src/core/error.ts";
import { escapeReferences, keyText, parseDefinition, quoted } from "../../../src/esc/definition/nodes.ts";

describe("a definition that cannot be changed safely", () => {
  it.each<[what: string, yaml: string, why: string]>([
    ["two documents", "a: 1\n---\nb: 2\n", "it is more than one document"],
    ["a text", "s3cr3t", "it is not a mapping"],
    ["a number", "1", "it is not a mapping"],
    ["a list", "- s3cr3t\n", "it is not a mapping"],
    ["broken YAML on the first line", "a: [s3cr3t", "it is not valid YAML (line 1)"],
    ["broken YAML on the third line", "a: 1\nb:\n\tc: s3cr3t\n", "it is not valid YAML (line 3)"],
    ["a key twice", "a: 1\nb: 2\n\na: s3cr3t\n", "it is not valid YAML (line 4)"],
    ["a key twice, in another spelling", "a: 1\n'a': 2\n", "it is not valid YAML (line 2)"],
    ["a key twice, deeper", "x:\n  - {a: 1}\n  - a: 1\n    b: 2\n    a: 3\n", "it is not valid YAML (line 5)"],
    ["a key twice in two places", "x: {a: 1, b: 1,\n  a: 2}\ny: {c: 1, c: 2}\n", "it is not valid YAML (line 2)"],
    ["a key three times", "a: 1\na: 2\na: 3\n", "it is not valid YAML (line 2)"],
  ])("is refused with the line, and without a word of it: %s", (_, yaml, why) => {
    let thrown: unknown;
    try {
      parseDefinition(yaml);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(SophiaError);
    expect(thrown).toMatchObject({
      code: "esc-edit",
      message: `the definition is not changed: ${why}`,
      hint: "change it by hand: pulumi env edit",
    });
  });

  it("is not one whose mappings share keys, or whose keys are collections", () => {
    const yaml = "a: {a: 1, b: 2}\nb: {a: 1}\n? [x]\n: 1\n? [x]\n: 2\n1: one\n'1': text\n";
    expect(parseDefinition(yaml).top?.items).toHaveLength(6);
  });
});

describe("a parsed definition", () => {
  it.each<[what: string, yaml: string, hasTop: boolean]>([
    ["an empty text", "", false],
    ["a comment", "# c\n", false],
    ["a document without content", "---\n", false],
    ["null", "null\n", false],
    ["an empty object", "{}\n", true],
    ["an entry", "a:\n", true],
  ])("has entries, or is empty: %s", (_, yaml, hasTop) => {
    expect(parseDefinition(yaml).top !== undefined).toBe(hasTop);
  });

  it("has all comments with their positions, and no text that only looks like one", () => {
    const yaml = [
      "# first",
      "a: '# text' # second",
      "b: |  # third",
      "  # text",
      "  more",
      "#fourth",
      "c: [x, # fifth",
      "  y#z, '#']",
      "d: plain",
      "  # sixth",
      "e: >",
      "",
      "  #text",
      "# last",
    ].join("\n");
    for (const text of [yaml, `\uFEFF${yaml}`, yaml.replaceAll("\n", "\r\n"), `---\n${yaml}\n...\n`]) {
      const { comments } = parseDefinition(text);
      expect(comments.map((comment) => comment.text)).toEqual([
        "# first",
        "# second",
        "# third",
        "#fourth",
        "# fifth",
        "# sixth",
        "# last",
      ]);
      for (const comment of comments)
        expect(text.slice(comment.position, comment.position + comment.text.length)).toBe(comment.text);
    }
  });

  it.each([
    ["", "\n"],
    ["a: 1\n", "\n"],
    ["a: 1\r\nb: 2\n", "\r\n"],
    ["a: 1", "\n"],
  ] as const)("has the line break that new lines end with: %j", (yaml, eol) => {
    expect(parseDefinition(yaml).eol).toBe(eol);
  });
});

describe("a name that becomes a key", () => {
  it.each([
    ["PORT", "PORT"],
    ["_p1", "_p1"],
    ["1P", '"1P"'],
    ["A-B", '"A-B"'],
    ["A ", '"A "'],
    [" A", '" A"'],
    ["", '""'],
    ["x\n", String.raw`"x\n"`],
    ...["true", "FALSE", "Null", "y", "N", "yes", "No", "on", "OFF"].map((word) => [word, `"${word}"`] as const),
    ...["truely", "untrue", "nothing", "yy", "son"].map((word) => [word, word] as const),
  ] as const)("is in quotes if YAML would read it otherwise: %j", (name, key) => {
    expect(keyText(name)).toBe(key);
    expect(parseDefinition(`${key}: 1\n`).top?.items[0]?.key).toMatchObject({ value: name });
  });
});

it("a text in quotes is one line of printable characters", () => {
  expect(quoted('a "b"\\\n\t\0\u007F\u0080\u009F\u00A0\u2027\u2028\u2029\u202A\uFEFF\uFFFD\uFFFE\uFFFF')).toBe(
    '"a \\"b\\"\\\\\\n\\t\\u0000\\u007f\\u0080\\u009f\u00A0\u2027\\u2028\\u2029\u202A\\ufeff\uFFFD\\ufffe\\uffff"',
  );
});

it.each([
  ["", ""],
  ["$", "$"],
  ["a$b $", "a$b $"],
  ["$$", "$$$$"],
  ["$$$", "$$$$$$"],
  ["${", "$${"],
  ["$${", "$$$${"],
  ["a${b}c$d$$e", "a$${b}c$d$$$$e"],
  ["{$}", "{$}"],
])("ESC reads %j from its escaped form", (text, escaped) => {
  expect(escapeReferences(text)).toBe(escaped);
});
