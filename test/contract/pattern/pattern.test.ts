import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectWording } from "../../helpers/wording.ts";
import { createPatternWork } from "../../../src/contract/format.ts";
import { compilePattern } from "../../../src/contract/pattern/pattern.ts";
import { patterns, patternValues as values } from "./arbitrary.ts";

const matcher = (pattern: string): ((value: string) => boolean) => {
  const { matches } = compilePattern(pattern);
  return (value) => matches(value, { name: "NAME", work: createPatternWork() });
};

describe("a compiled pattern", () => {
  it("matches a whole value exactly if JavaScript's regular expression does", () => {
    fc.assert(
      fc.property(patterns, fc.array(values, { minLength: 5, maxLength: 20 }), (pattern, texts) => {
        const ours = matcher(pattern);
        const theirs = new RegExp(`^(?:${pattern})$`, "u");
        for (const text of texts) expect([pattern, text, ours(text)]).toStrictEqual([pattern, text, theirs.test(text)]);
      }),
      { numRuns: 1000 },
    );
  });

  it("ignores ^ and $ at its ends", () => {
    expect(["ab", "xab", "abx"].map(matcher("^ab$"))).toStrictEqual([true, false, false]);
    expect(["a", "b", "ab"].map(matcher("^a$|^b$"))).toStrictEqual([true, true, false]);
  });

  it("agrees with JavaScript on the escapes of whole classes within a class", () => {
    expect(["a", "1", " "].map(matcher(String.raw`[\D]`))).toStrictEqual([true, false, true]);
    expect(["a", "1", " "].map(matcher(String.raw`[^\S\d]`))).toStrictEqual([false, false, true]);
  });

  it("matches long values even if a backtracking engine would hang", () => {
    const catastrophic = matcher("(a+)+b");
    expect(catastrophic("a".repeat(50_000))).toBe(false);
    expect(catastrophic(`${"a".repeat(50_000)}b`)).toBe(true);
    expect(matcher("(a|a)*(a|a)*c")("a".repeat(20_000))).toBe(false);
  });
});

function messageOf(pattern: string): string {
  try {
    compilePattern(pattern);
  } catch (error) {
    return String(error);
  }
  return "";
}

describe("the pattern language", () => {
  it.each([
    ["(a"],
    ["a)"],
    ["[a"],
    ["*a"],
    ["a**"],
    ["a{2}{3}"],
    ["a{"],
    ["a{3,2}"],
    ["a{1001}"],
    ["a{0,999999}"],
    ["(?=a)"],
    ["(?<n>a)"],
    ["(a)\\1"],
    ["\\b"],
    ["\\x1"],
    ["\\u{110000}"],
    ["a\\"],
    ["[b-a]"],
    ["[\\d-z]"],
    ["a$b"],
    ["a^b"],
    ["]"],
    ["(".repeat(60) + ")".repeat(60)],
    ["(".repeat(51) + ")".repeat(51)],
    ["a{1234567}"],
    ["a{0000005}"],
    ["a{,3}"],
    ["a{1001,}"],
    ["a{0,1001}"],
    ["{"],
    ["}"],
    ["a*??"],
    ["a?+"],
    ["(?"],
    ["(?:a"],
    ["a(b"],
    ["(^a)"],
    ["(a$)"],
    ["^^a"],
    ["a$$"],
    ["\\k"],
    ["\\-"],
    ["\\xg1"],
    ["\\u12"],
    ["\\u{}"],
    ["\\u{1F600"],
    ["\\u{0110000}"],
    ["[\\b]"],
    ["[\\"],
    ["[\\x1]"],
    ["[a-"],
  ])("refuses %s", (pattern) => {
    expect(() => compilePattern(pattern)).toThrow(SyntaxError);
    expectWording(messageOf(pattern));
  });

  it("refuses repetitions that multiply", () => {
    expectWording(messageOf("((a{100}){100}){100}"));
    expect(matcher("[a-z]{1000}")("a".repeat(1000))).toBe(true);
  });

  it("does not multiply groups that match only the empty string", () => {
    const nothing = `${"(".repeat(10)}${"){1000}".repeat(10)}`;
    expect(matcher(nothing)("")).toBe(true);
    expect(matcher(`${nothing}a{0,1000}`)("aa")).toBe(true);
    expect(compilePattern(nothing).sample("fake", 9)).toBe("");
  });
});

describe("the sample of a pattern", () => {
  it("is a text that the pattern matches, if there is such a text", () => {
    fc.assert(
      fc.property(patterns, (pattern) => {
        // A class without members matches nothing, so a pattern that needs one has no sample.
        fc.pre(!pattern.includes("[]"));
        const sample = compilePattern(pattern).sample("fake", 0);
        expect([pattern, sample, matcher(pattern)(sample)]).toStrictEqual([pattern, sample, true]);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ["[a-z]+", 0, "fake"],
    ["[a-z]{2}", 0, "fa"],
    ["sk-[A-Za-z0-9]{6}", 0, "sk-fakefa"],
    [String.raw`\d{3}|\w+`, 0, "fake"],
    ["[A-Z]+-\\d+", 0, "A-0"],
    ["[a-z]+", 10, "fakefakefakef".slice(0, 10)],
  ])("for %s has at least %i characters", (pattern, least, expected) => {
    const text = compilePattern(pattern).sample("fake", least);
    expect(text.slice(0, expected.length)).toBe(expected);
    expect(text.length).toBeGreaterThanOrEqual(least);
  });
});

describe("the work of a pattern check", () => {
  const base64 = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo".repeat(300);

  it("is about one step for each character, whatever the number of states", () => {
    for (const pattern of ["[A-Za-z0-9+/]+=*", "(a+|[A-Z]+|[a-z0-9])*", "(?:.{4})*(?:..)?"]) {
      const [short, long] = [1, 2].map((times) => {
        const work = createPatternWork();
        compilePattern(pattern).matches(base64.repeat(times), { name: "NAME", work });
        return work.steps;
      });
      expect((long ?? 0) - (short ?? 0), pattern).toBe(base64.length);
    }
  });

  it("allows a hundred patterns over ten thousand characters each", () => {
    const work = createPatternWork();
    for (let index = 0; index < 100; index++) {
      const { matches } = compilePattern("[A-Za-z0-9+/]+=*");
      expect(matches(base64, { name: `NAME_${index}`, work })).toBe(true);
    }
    expect(work.steps).toBeLessThan(1_200_000);
  });

  it("stops after about a second, and the error names the variable of the slowest pattern", () => {
    const work = createPatternWork();
    compilePattern("a*").matches("a".repeat(1000), { name: "QUICK", work });
    const { matches } = compilePattern("(a|b)*a(a|b){200}");
    let value = "";
    for (let bits = 1; value.length < 100_000; bits = (bits * 48_271) % 0x7fff_ffff)
      value += bits % 2 === 0 ? "a" : "b";
    expect(() => matches(value, { name: "SLOW", work })).toThrow(
      expect.objectContaining({ code: "contract-slow", status: 125, message: expect.stringContaining("SLOW") }),
    );
  });

  it("builds no automaton before there is a value, and none that is too large", () => {
    const work = createPatternWork();
    const { matches } = compilePattern("(?:a?b?){900}");
    expect(work.steps).toBe(0);
    matches("", { name: "NAME", work });
    expect(work.steps).toBeGreaterThan(3000);
    expect(() => compilePattern("((((a{999}){999}){999}){999})")).toThrow("is too large");
  });
});
