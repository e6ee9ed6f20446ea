import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { VariableChange } from "../../../src/esc/definition/definition-variables.ts";
import { setVariables } from "../../../src/esc/definition/edit.ts";
import { startEscServer } from "../../esc-server/index.ts";

const secret = (name: string, value: string): VariableChange => ({ kind: "value", name, value, secret: true });
const plain = (name: string, value: string): VariableChange => ({ kind: "value", name, value, secret: false });

describe("a change of a definition", () => {
  test.each<[what: string, before: string, after: string]>([
    ["an empty text", "", 'values:\n  environmentVariables:\n    NEW:\n      fn::secret: "s"\n'],
    ["comments alone", "# c", '# c\nvalues:\n  environmentVariables:\n    NEW:\n      fn::secret: "s"\n'],
    [
      "no values",
      "imports:\n  - base # first\n",
      'imports:\n  - base # first\nvalues:\n  environmentVariables:\n    NEW:\n      fn::secret: "s"\n',
    ],
    [
      "values without environmentVariables",
      "values:\n    app: 1\n",
      'values:\n    app: 1\n    environmentVariables:\n      NEW:\n        fn::secret: "s"\n',
    ],
    [
      "an empty mapping with a comment",
      "values:\n  environmentVariables: {} # none\nx: 1\n",
      'values:\n  environmentVariables: # none\n    NEW:\n      fn::secret: "s"\nx: 1\n',
    ],
    [
      "JSON",
      '{"values": {"environmentVariables": {"A": 1}}}',
      '{"values": {"environmentVariables": {"A": 1, "NEW": {"fn::secret": "s"}}}}',
    ],
    ["an empty object", "{}", '{"values": {"environmentVariables": {"NEW": {"fn::secret": "s"}}}}'],
    [
      "a long text, a long number and odd blanks",
      `values:\n  environmentVariables:\n    A:   12345678901234567890   # big\n    B: ${"long ".repeat(40)}end\n`,
      `values:\n  environmentVariables:\n    A:   12345678901234567890   # big\n    B: ${"long ".repeat(40)}end\n    NEW:\n      fn::secret: "s"\n`,
    ],
    [
      "a secret's ciphertext, its comment kept",
      "values:\n  environmentVariables:\n    NEW:\n      fn::secret:\n        ciphertext: abc # mine\n    Z: 1\n",
      'values:\n  environmentVariables:\n    NEW:\n      fn::secret: "s" # mine\n    Z: 1\n',
    ],
    [
      "a plain value, its comment kept",
      "values:\n  environmentVariables:\n    NEW: old # note\n    Z: 1\n",
      'values:\n  environmentVariables:\n    NEW: {"fn::secret": "s"} # note\n    Z: 1\n',
    ],
    [
      "a block scalar with a comment at its head",
      "values:\n  environmentVariables:\n    NEW: | # head\n      a\n      b\n\n    Z: 1",
      'values:\n  environmentVariables:\n    NEW: {"fn::secret": "s"} # head\n\n    Z: 1',
    ],
    [
      "blank lines that belong to the last text",
      "values:\n  environmentVariables:\n    B: |+\n      text\n\n\n",
      'values:\n  environmentVariables:\n    B: |+\n      text\n\n\n    NEW:\n      fn::secret: "s"\n',
    ],
    [
      "a last text that never ends with a line break",
      "values:\n  environmentVariables:\n    B: |-\n      text",
      'values:\n  environmentVariables:\n    B: |-\n      text\n    NEW:\n      fn::secret: "s"',
    ],
    [
      "blank lines that belong to the last text of a list",
      "values:\n  a:\n  - |+\n    text\n\n",
      'values:\n  a:\n  - |+\n    text\n\n  environmentVariables:\n    NEW:\n      fn::secret: "s"\n',
    ],
    [
      "no value yet",
      "values:\n  environmentVariables:\n    NEW: # soon\n    Z: 1\n",
      'values:\n  environmentVariables:\n    NEW: {"fn::secret": "s"} # soon\n    Z: 1\n',
    ],
    [
      "CRLF and a comment between key and value",
      "values:\r\n  environmentVariables:\r\n    NEW: # why\r\n      fn::secret: old\r\n    Z: 'x'\r\n",
      "values:\r\n  environmentVariables:\r\n    NEW: # why\r\n      fn::secret: \"s\"\r\n    Z: 'x'\r\n",
    ],
    [
      "an explicit key",
      "values:\n  environmentVariables:\n    ? NEW\n    : old\n",
      'values:\n  environmentVariables:\n    ? NEW\n    : {"fn::secret": "s"}\n',
    ],
    [
      "a flow mapping",
      "values: {environmentVariables: {A: 1,}}\n",
      'values: {environmentVariables: {A: 1, "NEW": {"fn::secret": "s"},}}\n',
    ],
    [
      "a byte order mark, and a comment behind it",
      "\uFEFFimports: [] # c\n",
      '\uFEFFimports: [] # c\nvalues:\n  environmentVariables:\n    NEW:\n      fn::secret: "s"\n',
    ],
    [
      "a byte order mark and a comment in a value",
      "\uFEFF# c\nvalues:\n  environmentVariables:\n    NEW: # d\n      old # e\n",
      '\uFEFF# c\nvalues:\n  environmentVariables:\n    NEW: # d\n      {"fn::secret": "s"} # e\n',
    ],
    [
      "anchors, aliases and merges elsewhere",
      "values:\n  a: &a {x: 1}\n  b: *a\n  environmentVariables:\n    <<: *a\n    NEW: old\n    O: &o 1 # o\n    P: *o\n",
      'values:\n  a: &a {x: 1}\n  b: *a\n  environmentVariables:\n    <<: *a\n    NEW: {"fn::secret": "s"}\n    O: &o 1 # o\n    P: *o\n',
    ],
    [
      "an alias as the last entry",
      "values:\n  environmentVariables:\n    O: &o 1\n    P: *o # p\n",
      'values:\n  environmentVariables:\n    O: &o 1\n    P: *o # p\n    NEW:\n      fn::secret: "s"\n',
    ],
    [
      "a document with an end",
      "---\nvalues:\n  environmentVariables:\n    A: 1\n...\n",
      '---\nvalues:\n  environmentVariables:\n    A: 1\n    NEW:\n      fn::secret: "s"\n...\n',
    ],
  ])("adds or sets the variable and keeps the rest: %s", (_, before, after) => {
    expect(setVariables(before, [secret("NEW", "s")])).toBe(after);
  });

  test("writes several variables into an empty object", () => {
    expect(setVariables("{}", [plain("A", "1"), plain("B", "2")])).toBe(
      '{"values": {"environmentVariables": {"A": "1", "B": "2"}}}',
    );
  });

  test("keeps a secret secret, and escapes references", () => {
    const before = "values:\n  environmentVariables:\n    S: {fn::secret: old}\n    P: old\n";
    expect(setVariables(before, [plain("S", "a${b}"), plain("P", "a${b}$$c$d")])).toBe(
      'values:\n  environmentVariables:\n    S: {fn::secret: "a${b}"}\n    P: "a$${b}$$$$c$d"\n',
    );
  });

  test.each([
    ["an alias", "values:\n  a: &x 1\n  environmentVariables:\n    NEW: *x\n", "has an anchor or is an alias"],
    ["an anchor", "values:\n  environmentVariables:\n    NEW: &x 1\n    A: *x\n", "has an anchor or is an alias"],
    [
      "an anchor inside",
      "values:\n  environmentVariables:\n    NEW:\n      fn::secret: &x s\n    A: *x\n",
      "has an anchor",
    ],
    [
      "an anchor above",
      "values:\n  environmentVariables: &x\n    A: 1\n  b: *x\n",
      "environmentVariables has an anchor",
    ],
    ["an alias above", "values:\n  b: &x {A: 1}\n  environmentVariables: *x\n", "is not a mapping"],
    ["an anchor of nothing", "values:\n  environmentVariables: &x\n  b: *x\n", "is not a mapping"],
    ["two documents", "a: 1\n---\nb: 2\n", "more than one document"],
    ["a tab", "values:\n\tx: 1\n", "not valid YAML (line 2)"],
    ["a name twice", "values:\n  environmentVariables:\n    A: 1\n    A: 2\n", "not valid YAML (line 4)"],
    [
      "a last text without a line break",
      "values:\n  environmentVariables:\n    B: |\n      b",
      "would get a line break",
    ],
    ["such a text in a list", "values:\n  a:\n  - >+\n    b", "would get a line break"],
    ["a list", "values:\n  environmentVariables:\n    - a\n", "is not a mapping"],
    ["a reference", "values:\n  environmentVariables: ${x}\n", "is not a mapping"],
    ["a function", "values:\n  environmentVariables:\n    fn::open::p: {}\n", "is a function"],
    ["a scalar", "text", "not a mapping"],
  ])("refuses %s", (_, before, why) => {
    expect(() => setVariables(before, [secret("NEW", "s")])).toThrow(why);
  });
});

test("ESC returns each written value, and all others unchanged", async () => {
  await using server = await startEscServer();
  const text = fc.string({ unit: "grapheme", maxLength: 40 }).filter((value) => !value.includes("\0"));
  const odd = fc.constantFrom(
    "${",
    "$",
    "$$",
    "}",
    "\n",
    "\r\n",
    "\t",
    "'",
    '"',
    "\\",
    "\u0085",
    "\u2028",
    "\u007F",
    "#",
    ": ",
    "😀",
    "\u001B[0m",
  );
  const value = fc.oneof(
    text,
    fc.array(fc.oneof(text, odd), { maxLength: 6 }).map((parts) => parts.join("")),
  );
  await fc.assert(
    fc.asyncProperty(value, value, async (one, two) => {
      const definition = "values:\n  # keep\n  environmentVariables:\n    KEEP: 1.0\n";
      const handle = server.environment("acme/app/dev", {
        definition: setVariables(definition, [secret("SECRET", one), plain("PLAIN", two)]),
      });
      const headers = {
        Authorization: `token ${server.token}`,
        Accept: "application/vnd.pulumi+8",
        "Content-Type": "application/json",
        "User-Agent": "test",
      };
      const opened = await fetch(`${server.url}/api/esc/environments/acme/app/dev/open`, { method: "POST", headers });
      const { id }: { id: string } = JSON.parse(await opened.text());
      const read = await fetch(`${server.url}/api/esc/environments/acme/app/dev/open/${id}`, { headers });
      const answer: { properties: { environmentVariables: { value: Record<string, { value: unknown }> } } } =
        JSON.parse(await read.text());
      const values = answer.properties.environmentVariables.value;
      expect([values["SECRET"]?.value, values["PLAIN"]?.value, values["KEEP"]?.value]).toEqual([one, two, 1]);
      handle.remove();
    }),
    { numRuns: 60 },
  );
});
