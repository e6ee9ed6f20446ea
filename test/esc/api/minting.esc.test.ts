import { expect, test } from "vitest";
import { mayMint } from "../../../src/esc/api/minting.ts";

const constant = { schema: { type: "string", const: "x" }, literal: "x" };
const value = { value: "x" };
/** An answer with one variable, A. */
const answer = (exprs: unknown, further: object = {}) => ({
  exprs: { environmentVariables: { object: exprs } },
  properties: { environmentVariables: { value: { A: value } } },
  ...further,
});
const schema = (one: object) => ({
  schema: { properties: { environmentVariables: { type: "object", properties: { A: one } } } },
});

test.each<[string, object, boolean]>([
  ["an empty environment", { environmentFunctionSummary: { funcCounts: {}, rotationPaths: null } }, false],
  ["literals of its own", answer({ A: constant }), false],
  ["a secret of its own", answer({ A: { builtin: { name: "fn::secret", arg: constant } } }), false],
  ["a call of a provider", answer({ A: { builtin: { name: "fn::open::aws-login", arg: {} } } }), true],
  ["a call of a provider in its general form", answer({ A: { builtin: { name: "fn::open", arg: {} } } }), true],
  [
    "a call somewhere below, of which the variable is a part",
    {
      ...answer({ A: { symbol: [{ key: "aws" }] } }),
      exprs: {
        aws: { object: { login: { builtin: { name: "fn::open::aws-login" } } } },
        environmentVariables: { object: { A: { symbol: [{ key: "aws" }, { key: "login" }] } } },
      },
    },
    true,
  ],
  [
    "a call that the summary counts",
    answer({ A: constant }, { environmentFunctionSummary: { funcCounts: { "fn::open::x": 1 } } }),
    true,
  ],
  [
    "a call that the summary counts as none",
    answer({ A: constant }, { environmentFunctionSummary: { funcCounts: { "fn::open::x": 0 } } }),
    false,
  ],
  ["another function with a like name", answer({ A: { builtin: { name: "fn::opener", arg: {} } } }), false],
  ["an import's value that is always the same", answer({}, schema({ type: "string", const: "x" })), false],
  ["an import's value of which only the type is known", answer({}, schema({ type: "string" })), true],
  [
    "an import's member of an object of its own",
    {
      ...answer({ A: { symbol: [] } }),
      exprs: { aws: { object: { region: constant } }, environmentVariables: { object: { A: { symbol: [] } } } },
      properties: { aws: { value: { region: value, login: value } }, environmentVariables: { value: { A: value } } },
    },
    true,
  ],
  ["no expressions at all", { properties: { environmentVariables: { value: { A: value } } } }, true],
])("%s: credentials may end with the session: %#", (_, fields, expected) => {
  expect(mayMint({ ...fields })).toBe(expected);
});
