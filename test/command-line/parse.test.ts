/** Compares the reading of options with util.parseArgs of Node.js. */
import { parseArgs } from "node:util";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Option } from "../../src/command-line/options.ts";
import { parse } from "../../src/command-line/parse.ts";

const OPTIONS: Readonly<Record<string, Option>> = {
  quiet: { type: "boolean", short: "q", describe: "" },
  verbose: { type: "boolean", short: "v", describe: "" },
  mode: { type: "string", describe: "" },
  format: { type: "string", short: "f", describe: "" },
  file: { type: "list", short: "F", describe: "" },
};

/** The same by util.parseArgs in its strict mode; what is wrong is only "wrong". */
function parseByNode(words: readonly string[]): unknown {
  const options = Object.fromEntries(
    Object.entries(OPTIONS).map(([name, { type, short }]) => [
      name,
      {
        type: type === "boolean" ? ("boolean" as const) : ("string" as const),
        multiple: type === "list",
        ...(short !== undefined && { short }),
      },
    ]),
  );
  try {
    const { values, tokens } = parseArgs({ args: [...words], options, allowPositionals: true, tokens: true });
    const positionals = tokens.flatMap((token) =>
      token.kind === "positional" ? [{ word: token.value, index: token.index }] : [],
    );
    return { values: { ...values }, positionals };
  } catch {
    return "wrong";
  }
}

function parseByProgram(words: readonly string[]): unknown {
  const { values, positionals, problems } = parse(words, OPTIONS);
  return problems.length > 0 ? "wrong" : { values, positionals };
}

test("options and values are read as util.parseArgs reads them in its strict mode", () => {
  const any = fc.oneof(
    fc.constantFrom("--", "-", "", "a", "--quiet", "--mode", "--mode=", "--mode=-x", "--quiet=1", "-q", "-qv", "-qf"),
    fc.constantFrom("-fx", "-f", "-f=x", "-F", "-Fa", "--file", "--file=a=b", "--none", "-x", "-qx", "--no-quiet"),
    fc.constantFrom("--__proto__", "--toString", "--constructor=1", "--=", "--=x", "---", "-fq", "-vF", "--file="),
    fc.string({ unit: fc.constantFrom("-", "=", "q", "f", "F", "a"), maxLength: 5 }),
  );
  // There, a dash among letters ends the options (`-q-`); here it is an unknown one.
  const word = any.filter((one) => !/^-[^-].*-/.test(one) || /^-q?[fF]/.test(one));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (words) => {
      expect(parseByProgram(words)).toEqual(parseByNode(words));
    }),
    { numRuns: 3000 },
  );
});

test.each([
  [["--redact"], "always", []],
  [["--redact=never"], "never", []],
  [["--redact", "never"], "never", []],
  [["--redact", "npm", "never"], "always", ["npm", "never"]],
  [["--redact", "--quiet", "never"], "always", ["never"]],
  [["--redact=other"], "other", []],
])("an option that means something alone: %j", (words, value, rest) => {
  const redact: Option = { type: "string", choices: ["never", "always"], alone: "always", describe: "" };
  const { values, positionals, problems } = parse(words, { ...OPTIONS, redact });
  expect([values["redact"], positionals.map(({ word }) => word), problems]).toEqual([value, rest, []]);
});
