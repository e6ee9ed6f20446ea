import { expect, test } from "vitest";
import { TomlSyntaxError, parseToml } from "../../../../src/commands/init/tools/toml.ts";

const SENTINEL = "sentinel-of-a-value";

function messageOf(text: string): string {
  try {
    parseToml(text);
  } catch (error) {
    if (error instanceof TomlSyntaxError) return error.message;
    throw error;
  }
  return "";
}

test.each([
  [`a = "${SENTINEL}`, 1, 5],
  [`# one\r\na = "${SENTINEL}" b`, 2, 27],
  [`[a\n# ${SENTINEL}`, 1, 3],
  [`[a]\nb = ${SENTINEL}`, 2, 5],
  [`a = {}\na.b = "${SENTINEL}"`, 2, 1],
  [`a = 1\na = "${SENTINEL}"`, 2, 1],
])("parsing refuses %j as TOML, and the message has the position and no value", (text, line, column) => {
  expect(messageOf(text)).toBe(`it is not TOML that init understands (line ${line}, column ${column})`);
});

test("parsing accepts a number that JavaScript cannot hold", () => {
  expect(parseToml("a = 123456789012345678901234567890")["a"]).toBe(123456789012345678901234567890n);
});

test.each(["[", "{a=", "{a=["])("parsing refuses values that are nested by %j a hundred thousand times", (level) => {
  expect(messageOf(`a = ${level.repeat(100_000)}`)).toMatch(/^it is not TOML that init understands \(line 1, /);
  expect(parseToml(`a = ${"[".repeat(30)}${"]".repeat(30)}`)).toHaveProperty("a");
});

test("parsing accepts names that every object has as keys", () => {
  const { __proto__: inner, constructor: other } = parseToml('__proto__ = { a = "b" }\nconstructor = "c"');
  expect(JSON.stringify([inner, other])).toBe('[{"a":"b"},"c"]');
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
});
