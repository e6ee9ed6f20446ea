import { describe, expect, it } from "vitest";
import { findRotation, followReferences, importsOf } from "../../../src/esc/definition/follow-references.ts";
import { parseDefinition } from "../../../src/esc/definition/nodes.ts";

const follow = (yaml: string, path: readonly string[] = ["environmentVariables", "V"]): unknown =>
  followReferences(parseDefinition(yaml), path);

/** Returns a definition whose variable V has a value, beside other values. */
const withVariable = (value: string, ...others: readonly string[]): string =>
  ["values:", "  environmentVariables:", `    V: ${value}`, ...others.map((line) => `  ${line}`), ""].join("\n");

describe("the source of a value", () => {
  it.each<[what: string, yaml: string, source: object]>([
    ["a text", withVariable("plain"), { text: '"plain"', outside: [], isMinted: false }],
    ["a number with every digit", withVariable("1.50"), { text: "1.50", outside: [], isMinted: false }],
    ["nothing", withVariable(""), { text: "", outside: [], isMinted: false }],
    [
      "a secret, whose text refers to nothing",
      withVariable('{fn::secret: "${a.b}"}'),
      { text: '{"fn::secret": "${a.b}"}', outside: [], isMinted: false },
    ],
    [
      "a value that a provider makes",
      withVariable("{fn::open::aws-login: {region: r}}"),
      { text: '{"fn::open::aws-login": {"region": "r"}}', outside: [], isMinted: true },
    ],
    [
      "a function of another kind, whose argument refers to other values",
      withVariable('{fn::toJSON: ["${one}", {b: "x${two.c}y${three}"}]}', "one: 1"),
      {
        text: '{"fn::toJSON": ["${one}", {"b": "x${two.c}y${three}"}]}\n1',
        outside: [{ path: ["two", "c"] }, { path: ["three"] }],
        isMinted: false,
      },
    ],
    [
      "a chain of references to a provider's value",
      withVariable('"a${one.url}"', 'one: {url: "${login.keys.id}"}', "login: {fn::open::p: {}}"),
      { text: '"a${one.url}"\n"${login.keys.id}"\n{"fn::open::p": {}}', outside: [], isMinted: true },
    ],
    [
      "a value beside one that a provider makes",
      withVariable('"${one}${two}"', "one: {fn::open: {provider: p}}", "two: 2"),
      { text: '"${one}${two}"\n{"fn::open": {"provider": "p"}}\n2', outside: [], isMinted: true },
    ],
    [
      "two values that refer to each other",
      withVariable('"${one}"', 'one: "${two}"', 'two: "${one}"'),
      { text: '"${one}"\n"${two}"\n"${one}"', outside: [], isMinted: false },
    ],
    [
      "a reference that occurs twice",
      withVariable('"${elsewhere} ${elsewhere} ${other}"'),
      {
        text: '"${elsewhere} ${elsewhere} ${other}"',
        outside: [{ path: ["elsewhere"] }, { path: ["other"] }],
        isMinted: false,
      },
    ],
    [
      "other environments",
      withVariable(
        "'${imports[\"acme/base\"].A.b} ${imports.base.C} ${environments.acme.base.D.e[1]} ${environments.x}'",
      ),
      {
        text: expect.any(String),
        outside: [
          { environment: "acme/base", path: ["A", "b"] },
          { environment: "base", path: ["C"] },
          { environment: "acme/base", path: ["D", "e", "1"] },
          { environment: "x/", path: [] },
        ],
        isMinted: false,
      },
    ],
    [
      "references with quotes, indexes and escapes",
      withVariable('\'${a["b \\"c\\" \\\\d."][10].e} $${no} ${} $ {x} ${unclosed\''),
      { text: expect.any(String), outside: [{ path: ["a", 'b "c" \\d.', "10", "e"] }], isMinted: false },
    ],
    [
      "an item of a list, and one that the list lacks",
      withVariable('"${list[1].b} ${list[2]}"', "list: [a, {b: c}]"),
      { text: '"${list[1].b} ${list[2]}"\n"c"', outside: [{ path: ["list", "2"] }], isMinted: false },
    ],
    [
      "a mapping of two entries, which is no function",
      withVariable("{fn::open: 1, b: 2}"),
      { text: '{"fn::open": 1, "b": 2}', outside: [], isMinted: false },
    ],
  ])("is %s", (_, yaml, source) => {
    expect(follow(yaml)).toEqual(source);
  });

  it("is not in a definition that lacks the value, or has no values", () => {
    expect(follow(withVariable("1"), ["environmentVariables", "W"])).toBeUndefined();
    expect(follow(withVariable("1"), ["other", "V"])).toBeUndefined();
    expect(follow("imports: [a]\n")).toBeUndefined();
    expect(follow("")).toBeUndefined();
    expect(follow("values:\n  a: {}\n", ["a", "b"])).toBeUndefined();
  });

  it("is the reference or function above a path that goes on within it", () => {
    const yaml = 'values:\n  a: "${b}"\n  c: {fn::open::p: {x: 1}}\n';
    expect(follow(yaml, ["a", "x", "y"])).toEqual({ text: '"${b}"', outside: [{ path: ["b"] }], isMinted: false });
    expect(follow(yaml, ["c", "x"])).toEqual({ text: '{"fn::open::p": {"x": 1}}', outside: [], isMinted: true });
  });

  it("is followed for 20 references, and no further", () => {
    const chain = (count: number): string =>
      [
        "values:",
        '  V: "${a1}"',
        ...Array.from({ length: count }, (_, index) => `  a${index + 1}: "\${a${index + 2}}"`),
        `  a${count + 1}: end`,
      ].join("\n");
    const textOf = (count: number): string | undefined => followReferences(parseDefinition(chain(count)), ["V"])?.text;
    expect(textOf(19)?.split("\n").at(-1)).toBe('"end"');
    expect(textOf(20)?.split("\n").at(-1)).toBe('"${a21}"');
    expect(textOf(20)?.split("\n")).toHaveLength(21);
  });
});

describe("the rotation of a value", () => {
  it.each<[what: string, yaml: string, path: string | undefined]>([
    ["the value itself", withVariable("{fn::rotate::p: {}}"), "environmentVariables.V"],
    ["a referenced value", withVariable('"${db.password}"', "db: {fn::rotate: {provider: p}}"), "db"],
    ["one behind two references", withVariable('"${a}"', 'a: "x${b.c}"', "b: {c: {fn::rotate::p: {}}}"), "b.c"],
    [
      "one at an unusual path",
      withVariable('\'${"a b"["c.d"][1]._e1["1f"]}\'', '"a b": {c.d: [0, {_e1: {1f: {fn::rotate::p: {}}}}]}'),
      '["a b"]["c.d"][1]._e1["1f"]',
    ],
    ["one that two references lead to", withVariable('"${a.x}${a.y}"', "a: {fn::rotate::p: {}}"), "a"],
    [
      "none, but two of them",
      withVariable('"${a}${b}"', "a: {fn::rotate::p: {}}", "b: {fn::rotate::p: {}}"),
      undefined,
    ],
    ["none, but a provider's value", withVariable('"${a}"', "a: {fn::open::p: {}}"), undefined],
    ["none, but a reference to itself", withVariable('"${environmentVariables.V}"'), undefined],
    ["none, but one in another environment", withVariable('"${imports.a.r}"', "r: {fn::rotate::p: {}}"), undefined],
    [
      "none within the rotation",
      withVariable('{fn::rotate::p: {in: "${a}"}}', "a: {fn::rotate::p: {}}"),
      "environmentVariables.V",
    ],
    ["none, since the value is missing", "values: {a: {fn::rotate::p: {}}}\n", undefined],
  ])("is %s", (_, yaml, path) => {
    expect(findRotation(parseDefinition(yaml), ["environmentVariables", "V"])).toBe(path);
  });
});

describe("the imports of a definition", () => {
  it.each<[what: string, yaml: string, imports: readonly object[] | undefined]>([
    ["none", "values: {a: 1}\n", []],
    ["an empty list", "imports: []\n", []],
    ["no list", "imports:\nvalues: {a: 1}\n", []],
    [
      "names, mappings and other items in their order",
      "imports:\n  - b\n  - a/c@2\n  - d: {merge: false}\n  - e: {merge: true}\n  - f:\n  - g: {merge: 'false'}\n  - 1\n  - [h]\n  - i: {}\n    j: {other: false}\n",
      [
        { written: "b", isMerged: true },
        { written: "a/c@2", isMerged: true },
        { written: "d", isMerged: false },
        { written: "e", isMerged: true },
        { written: "f", isMerged: true },
        { written: "g", isMerged: true },
        { written: "i", isMerged: true },
        { written: "j", isMerged: true },
      ],
    ],
    ["a list with an anchor", "imports: &a [b]\nvalues: *a\n", undefined],
    ["a list with an alias", "values: &a b\nimports: [*a]\n", undefined],
    ["a text", "imports: base\n", undefined],
    ["a mapping", "imports: {a: {}}\n", undefined],
  ])("are read from %s", (_, yaml, imports) => {
    expect(importsOf(parseDefinition(yaml))).toEqual(imports);
  });
});
