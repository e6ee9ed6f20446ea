import { parseArgs } from "node:util";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { SophiaError } from "../../src/core/error.ts";
import { parseWords, type OptionShape } from "../../src/command-line/parse.ts";

const shapes: Record<string, OptionShape> = {
  quiet: { type: "boolean", short: "q" },
  verbose: { type: "boolean", short: "v" },
  mode: { type: "string" },
  format: { type: "string", short: "f" },
  file: { type: "list", short: "F" },
};

/** The same by Node.js itself; what is wrong is only "wrong". */
function reference(words: readonly string[]): unknown {
  const options = Object.fromEntries(
    Object.entries(shapes).map(([name, { type, short }]) => [
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

function ours(words: readonly string[]): unknown {
  try {
    return parseWords(words, shapes);
  } catch (error) {
    if (error instanceof SophiaError && error.code === "usage" && error.status === 125) return "wrong";
    throw error;
  }
}

test("words mean what they mean to util.parseArgs", () => {
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
      expect(ours(words)).toEqual(reference(words));
    }),
    { numRuns: 3000 },
  );
});
