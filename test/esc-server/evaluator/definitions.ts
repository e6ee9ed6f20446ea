/**
 * Definitions that the local ESC server and the real evaluator evaluate. The real one stores a definition in a form of its own, in
 * which functions are quoted within braces: what is wrong behind one has its place in a line of its own here.
 */
export interface DefinitionCase {
  /** What the definition is about. */
  readonly about: string;
  readonly definition: string;
  /** Evaluated without opening it. */
  readonly check?: true;
  /** The words of the finding are those of another library. */
  readonly hasOtherWords?: true;
}

/** The environments that the definitions import, by their names. */
export const IMPORTED: Readonly<Record<string, string>> = {
  "sophia/base": "values:\n  shared: {a: base-a, b: base-b}\n  list: [1, 2]\n",
  "sophia/secrets": "values:\n  environmentVariables:\n    BOTH: {fn::secret: under}\n    BASE: b\n",
  plain: "values:\n  plain: yes-it-is\n",
};

export const DEFINITIONS: readonly DefinitionCase[] = [
  { about: "nothing", definition: "" },
  { about: "no values", definition: "values: {}\n" },
  { about: "scalars", definition: 'values:\n  a: x\n  b: true\n  c: null\n  d: \'a"ü\'\n  e: "two\\nlines"\n' },
  { about: "numbers", definition: "values:\n  a: 1\n  b: 1.0\n  c: -0.5\n  d: 1e3\n  e: 9007199254740993\n" },
  { about: "a number beyond JavaScript's", definition: "values:\n  a: 123456789012345678901234567890\n" },
  { about: "a number beyond a double", definition: "values:\n  a: 1E400\n" },
  { about: "numbers of other forms", definition: "values:\n  a: 0x1f\n  b: 0o17\n  d: +1\n  e: 1_000\n" },
  { about: "words that YAML 1.1 had for booleans", definition: "values:\n  a: yes\n  b: No\n  c: on\n  d: ~\n" },
  { about: "a date", definition: "values:\n  a: 2030-01-02\n" },
  { about: "lists and objects", definition: "values:\n  a: [1, [b], {c: d}]\n  e: {}\n  f: []\n  __proto__: x\n" },
  { about: "long texts", definition: "values:\n  a: |\n    one\n    two\n  b: >-\n    one\n    two\n" },
  { about: "references", definition: 'values:\n  a: [{k: 7}]\n  b: ${a[0].k}\n  c: x${a[0]["k"]}$${y}\n' },
  {
    about: "a reference with a quoted name",
    definition: 'values:\n  "a b": {c: d}\n  e: ${["a b"].c}\n  f: ${["a b"]["c"]}\n',
  },
  { about: "a reference to what follows", definition: "values:\n  a: ${b}\n  b: 1\n" },
  { about: "references to objects and lists", definition: "values:\n  a: {b: 1}\n  c: [d]\n  e: ${a}\n  f: ${c}\n" },
  { about: "texts of other values", definition: "values:\n  a: true\n  b: null\n  c: 1.5\n  d: '${a} ${c}'\n" },
  { about: "dollars", definition: "values:\n  a: $\n  b: $x\n  c: $$\n  d: $${x}\n  e: a$$b\n" },
  { about: "secrets, literally", definition: "values:\n  a: {fn::secret: 'x${y}'}\n  b: '${a}!'\n" },
  {
    about: "secrets in lists and objects",
    definition: "values:\n  a: {fn::secret: s}\n  b: ['${a}', c]\n  d: {e: '${a}'}\n",
  },
  { about: "a provider", definition: "values:\n  l: {fn::open::test-login: {}}\n  k: '${l.key}'\n  u: '${l.user}'\n" },
  { about: "imports beneath", definition: "imports: [sophia/base, plain]\nvalues:\n  shared: {a: own}\n" },
  { about: "an import that is not merged", definition: "imports:\n  - sophia/base: {merge: false}\nvalues:\n  a: 1\n" },
  {
    about: "a secret of an import that is replaced",
    definition: "imports: [sophia/secrets]\nvalues:\n  environmentVariables:\n    BOTH: over\n",
  },
  { about: "a list of an import that is replaced", definition: "imports: [sophia/base]\nvalues:\n  list: [3]\n" },
  {
    about: "an object of an import that is replaced by a text",
    definition: "imports: [sophia/base]\nvalues:\n  shared: text\n",
  },
  {
    about: "a reference into an import",
    definition: "imports: [sophia/base]\nvalues:\n  a: ${shared.b}\n  b: ${list[1]}\n",
  },
  {
    about: "JSON of values",
    definition: "values:\n  a: {fn::toJSON: {k: [1, true, null, 'x\"']}}\n  b: {fn::toJSON: text}\n",
  },
  { about: "JSON of a secret", definition: "values:\n  s: {fn::secret: q}\n  a: {fn::toJSON: {k: '${s}'}}\n" },
  { about: "base64", definition: "values:\n  a: {fn::toBase64: hi}\n  b: {fn::fromBase64: aGk=}\n" },
  {
    about: "texts",
    definition: "values:\n  a: {fn::toString: 1.5}\n  b: {fn::toString: true}\n  c: {fn::toString: [1, x]}\n",
  },
  { about: "a joined list", definition: "values:\n  a: {fn::join: ['-', [a, b]]}\n" },
  { about: "a description", definition: "description: for tests\nvalues:\n  a: 1\n" },

  { about: "an unknown reference", definition: "values:\n  a: ${nothing}\n" },
  {
    about: "an unknown reference in quotes, behind a text",
    definition: "values:\n  a: 'ü ${b.nothing}'\n  b: {c: d}\n",
  },
  { about: "an unknown reference in quotes", definition: "values:\n  a: '${nothing}'\n" },
  { about: "an unknown reference behind a text", definition: "values:\n  a: x${nothing}\n" },
  { about: "an unknown property", definition: "values:\n  a: ${b.c.nothing}\n  b: {c: {d: e}}\n" },
  { about: "an unknown property of a text", definition: "values:\n  a: ${b.nothing}\n  b: c\n" },
  { about: "an unknown property in brackets", definition: 'values:\n  a: ${b["no thing"]}\n  b: {c: d}\n' },
  { about: "an unknown reference in a list", definition: "values:\n  a:\n    - ${nothing}\n" },
  { about: "an index beyond a list", definition: "values:\n  a: ${b[1]}\n  b: [c]\n" },
  { about: "a cycle", definition: "values:\n  a: ${b}\n  b: ${a}\n" },
  { about: "an import of itself", definition: "imports:\n  - sophia/dev\n" },
  { about: "an unknown function", definition: "values:\n  ü: {fn::nothing: 1}\n" },
  { about: "a function beside other keys", definition: "values:\n  a: {fn::toJSON: 1, b: 2}\n" },
  { about: "an unknown function beside other keys", definition: "values:\n  a: {b: 2, fn::nothing: 1}\n" },
  { about: "a function behind other keys", definition: "values:\n  a: {b: 2, fn::toJSON: 1}\n" },
  { about: "an unknown provider", definition: "values:\n  a:\n    fn::open::nothing: 1\n" },
  {
    about: "a foreign ciphertext",
    definition: "values:\n  a: {fn::secret: {ciphertext: AAAA}}\n",
    hasOtherWords: true,
  },
  { about: "a secret that is no text", definition: "values:\n  a:\n    fn::secret: {k: v}\n  b:\n    fn::secret: 5\n" },
  { about: "an unknown key", definition: "value: {}\n" },
  { about: "broken YAML", definition: "values:\n  a: [1\n", hasOtherWords: true },
  { about: "a key twice", definition: "values:\n  a: 1\n  a: 2\n" },
  { about: "an alias", definition: "values:\n  a: &x 1\n  b: *x\n" },
  { about: "a list in place of a definition", definition: "- 1\n" },
  { about: "values that are a list", definition: "values: [1]\n" },
  { about: "imports that are a text", definition: "imports: sophia/base\n" },
  { about: "a joined list with a number", definition: "values:\n  a:\n    fn::join: ['-', [a, 2]]\n" },
  { about: "an unterminated reference behind a text", definition: "values:\n  a: 'x ${b'\n  b: 1\n" },
  { about: "an empty reference", definition: "values:\n  a: ${}\n" },
  { about: "an unterminated reference", definition: "values:\n  a: ${b\n  b: 1\n" },

  {
    about: "a check: ciphertext and results of providers are unknown",
    definition:
      "values:\n  a: 1\n  s: {fn::secret: q}\n  l: {fn::open::test-login: {}}\n  k: '${l.key}'\n  m: {n: '${s}'}\n",
    check: true,
  },
  {
    about: "a check: a text with an unknown part",
    definition: "values:\n  s: {fn::secret: q}\n  t: 'x${s}'\n",
    check: true,
  },
  {
    about: "values that a schema allows",
    definition:
      'values:\n  environmentVariables:\n    A: y\n    B: "443"\n    C: 8080\n    D: {fn::secret: sk-1}\n  contract:\n    fn::validate:\n      schema:\n        type: object\n        properties:\n          A: {enum: [y, z]}\n          B: {anyOf: [{type: string, pattern: "^(?:[0-9]{2,5})$"}, {type: number}]}\n          C: {type: number, multipleOf: 1, minimum: 1, maximum: 65535}\n          D: {$ref: "#/$defs/key"}\n        required: [A]\n        $defs: {key: {type: string, pattern: "^sk-", minLength: 4}}\n      value: ${environmentVariables}\n',
  },
  {
    about: "values that a schema refuses",
    definition:
      'values:\n  environmentVariables:\n    A: x\n    B: 7\n    C: 0.5\n    D: {fn::secret: "é"}\n    E: true\n    F: null\n    G: 99\n  contract:\n    fn::validate:\n      schema:\n        type: object\n        properties:\n          A: {anyOf: [{type: string, pattern: "^y\\\\.$"}, {type: number, minimum: 1}]}\n          B: {type: string}\n          C: {type: number, multipleOf: 1, minimum: 1}\n          D: {type: string, minLength: 3, pattern: "^\\\\x{E8}"}\n          E: {enum: [a, b]}\n          F: {enum: [only]}\n          G: {type: number, maximum: 9}\n        required: [A, M, N]\n        anyOf: [{required: [X]}, {properties: {E: {type: string}}}]\n      value: ${environmentVariables}\n',
  },
  {
    about: "unknown values and a schema",
    check: true,
    definition:
      'values:\n  environmentVariables:\n    S: {fn::secret: zzz}\n    P: {fn::open::test-login: {}}\n  contract:\n    fn::validate:\n      schema:\n        type: object\n        properties:\n          S: {anyOf: [{type: string, pattern: "^y"}, {type: number}]}\n          P: {anyOf: [{type: string}, {type: number}]}\n      value: ${environmentVariables}\n',
  },
];
