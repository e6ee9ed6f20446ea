import { describe, expect, it } from "vitest";
import { createPatternWork } from "../../../src/contract/format.ts";
import { compilePattern } from "../../../src/contract/pattern/pattern.ts";

/** Returns those of the values that the pattern matches. */
function matchesOf(pattern: string, values: readonly string[]): readonly string[] {
  const { matches } = compilePattern(pattern);
  return values.filter((value) => matches(value, { name: "NAME", work: createPatternWork() }));
}

/** All characters of ASCII, and some others. */
const CHARACTERS = Array.from({ length: 128 }, (_, code) => String.fromCodePoint(code)).concat(
  "é",
  "\u00A0",
  "\u2028",
  "😀",
  "\u{10FFFF}",
);

describe("a pattern of one character", () => {
  it.each(Array.from("^$\\.*+?()[]{}|/"))("matches only %s if it has a backslash before it", (character) => {
    expect(matchesOf(`\\${character}`, CHARACTERS)).toEqual([character]);
  });

  it.each([
    [String.raw`\n`, "\n"],
    [String.raw`\r`, "\r"],
    [String.raw`\t`, "\t"],
    [String.raw`\f`, "\f"],
    [String.raw`\v`, "\v"],
    [String.raw`\x4a`, "J"],
    [String.raw`\x4A`, "J"],
    [String.raw`\u004a`, "J"],
    [String.raw`\u00E9`, "é"],
    [String.raw`\u{a}`, "\n"],
    [String.raw`\u{4A}`, "J"],
    [String.raw`\u{0e9}`, "é"],
    [String.raw`\u{00e9}`, "é"],
    [String.raw`\u{1F600}`, "😀"],
    [String.raw`\u{01f600}`, "😀"],
    [String.raw`\u{10ffff}`, "\u{10FFFF}"],
    ["😀", "😀"],
    ["-", "-"],
    ["/", "/"],
  ])("%s matches exactly this character: %j", (pattern, character) => {
    expect(matchesOf(pattern, CHARACTERS)).toEqual([character]);
  });

  it.each([
    [".", /[^\n\r\u2028\u2029]/u],
    [String.raw`\d`, /\d/u],
    [String.raw`\D`, /\D/u],
    [String.raw`\w`, /\w/u],
    [String.raw`\W`, /\W/u],
    [String.raw`\s`, /\s/u],
    [String.raw`\S`, /\S/u],
    ["[a-cx]", /[a-cx]/u],
    ["[^a-cx]", /[^a-cx]/u],
    [String.raw`[\]\-\\]`, /[\]\-\\]/u],
    [String.raw`[\x41-\u0043\n]`, /[A-C\n]/u],
    ["[(*+.$|]", /[(*+.$|]/u],
    ["[^]", /[^]/u],
    // No character is a member of the empty class.
    ["[]", /(?!)/u],
  ])("%s matches the same characters as in JavaScript", (pattern, expression) => {
    expect(matchesOf(pattern, CHARACTERS)).toEqual(CHARACTERS.filter((character) => expression.test(character)));
  });
});

describe("a pattern with", () => {
  const REPEATED = ["", "a", "aa", "aaa", "aaaa"];

  it.each([
    ["a*", REPEATED],
    ["a*?", REPEATED],
    ["a+", ["a", "aa", "aaa", "aaaa"]],
    ["a+?", ["a", "aa", "aaa", "aaaa"]],
    ["a?", ["", "a"]],
    ["a??", ["", "a"]],
    ["a{0}", [""]],
    ["a{2}", ["aa"]],
    ["a{2}?", ["aa"]],
    ["a{3,3}", ["aaa"]],
    ["a{1,2}", ["a", "aa"]],
    ["a{000003,}", ["aaa", "aaaa"]],
    ["a{0,000001}", ["", "a"]],
    ["(?:aa)*", ["", "aa", "aaaa"]],
    ["(aa)?a", ["a", "aaa"]],
    ["(a{2}){2}", ["aaaa"]],
    ["(a*)*", REPEATED],
    ["()*", [""]],
  ])("the repetition %s matches the values that are long enough and not too long", (pattern, values) => {
    expect(matchesOf(pattern, REPEATED)).toEqual(values);
  });

  it.each([
    ["", [""]],
    ["^", [""]],
    ["$", [""]],
    ["^$", [""]],
    ["|a", ["", "a"]],
    ["a|", ["", "a"]],
    ["a|b|ab", ["a", "b", "ab"]],
    ["^a$|^b$", ["a", "b"]],
    ["(a|b)b", ["bb", "ab"]],
    ["a(?:|b)", ["a", "ab"]],
  ])("the alternatives %j matches each of them as a whole", (pattern, values) => {
    const tested = ["", "a", "b", "aa", "bb", "ab", "ba", "abb", "^", "$"];
    expect(matchesOf(pattern, tested)).toEqual(values);
  });

  it("fifty nested groups is accepted", () => {
    expect(matchesOf(`${"(".repeat(50)}a${")".repeat(50)}`, ["", "a"])).toEqual(["a"]);
  });

  it("a thousand repetitions is accepted, whichever limit it is", () => {
    const lengths = [0, 999, 1000, 1001];
    const matchedLengths = (pattern: string) =>
      matchesOf(
        pattern,
        lengths.map((length) => "a".repeat(length)),
      ).map((value) => value.length);
    expect(matchedLengths("a{1000}")).toEqual([1000]);
    expect(matchedLengths("a{1000,}")).toEqual([1000, 1001]);
    expect(matchedLengths("a{0,1000}")).toEqual([0, 999, 1000]);
  });
});

describe("a pattern has at most 4000 states:", () => {
  it.each([
    ["characters", "a{1000}b{1000}c{1000}d{1000}"],
    ["alternatives, with one state more for the choice", "a{1000}|b{1000}|c{1000}|d{999}"],
    ["optional characters, which have two", "a{400,1000}b{600,1000}c{1000}"],
    ["a repetition without a limit, with one copy more for the loop", "(?:a{1000}){2,}b{999}"],
  ])("%s", (_, pattern) => {
    expect(compilePattern(pattern).source).toBe(pattern);
    const tooLarge = pattern.replace(/\d+\}$/, (limit) => `${Number.parseInt(limit, 10)}}e`);
    expect(() => compilePattern(tooLarge)).toThrow(new SyntaxError("is too large: its repetitions multiply"));
  });
});

describe("a match counts", () => {
  const stepsOf = (pattern: string, ...values: readonly string[]): readonly number[] => {
    const { matches } = compilePattern(pattern);
    return values.map((value) => {
      const work = createPatternWork();
      matches(value, { name: "NAME", work });
      return work.steps;
    });
  };

  it.each([
    ["", 0],
    ["abc", 3],
    ["(a)", 1],
    ["a|b", 3],
    ["a*", 2],
    ["a+", 3],
    ["a?", 2],
    ["a{3}", 3],
    ["a{1,3}", 5],
    ["a{2,}", 4],
    ["(ab|c){2}", 8],
    ["(){5}", 0],
    ["()*", 1],
  ])("the states of the pattern %j", (pattern, states) => {
    expect(stepsOf(pattern, "")).toEqual([states]);
  });

  it("a step for each character, and those for states only the first time", () => {
    expect(stepsOf("ab", "ab", "ab", "aba")).toEqual([8, 2, 3]);
    expect(stepsOf("a*", "aaa", "aaaa")).toEqual([2 + 4 + 3, 4]);
  });

  it("no character behind the one with which the value can no longer match", () => {
    expect(stepsOf("ab", "x".repeat(1000), "ax".repeat(1000), "x".repeat(1000))).toEqual([4, 5, 1]);
  });
});

describe("the sample of a pattern contains the word and has the length, if the pattern allows it:", () => {
  it.each([
    ["", 0, ""],
    ["x", 5, "x"],
    ["x{3}", 0, "xxx"],
    ["[a-z]{2,3}", 10, "fak"],
    ["[a-z]{6}", 0, "fakefa"],
    ["[a-z]*", 0, "fake"],
    ["[a-z]*", 6, "fakefa"],
    ["[a-z]*-[a-z]*", 9, "fake-fake"],
    ["(?:ab)+", 6, "ababababab"],
    ["(?:ab){1,2}", 6, "abab"],
    ["[0-9a]{3}", 0, "aaa"],
    [String.raw`\d`, 0, "0"],
    ["[A-Z]", 0, "A"],
    ["[^a-zA-Z0-9]", 0, "-"],
    ["[^a-zA-Z0-9-]", 0, "_"],
    ["[~}]", 0, "}"],
    ["[!]", 0, "!"],
    ["[~]", 0, "~"],
    ["[é]{2}", 0, "éé"],
    [String.raw`[\u{1F600}]`, 0, "😀"],
    [String.raw`[\ud800-\udfff\ue000]`, 0, "\uE000"],
    [String.raw`[\u{10ffff}]`, 0, "\u{10FFFF}"],
    ["xy|fake", 0, "fake"],
    ["xy|z", 0, "xy"],
    ["[]", 0, ""],
  ])("%j with at least %i characters has %j", (pattern, minLength, sample) => {
    expect(compilePattern(pattern).sample("fake", minLength)).toBe(sample);
  });
});
