import { expect, test } from "vitest";
import { createMaskCommands } from "../../src/output/workflow-commands.ts";

/** Returns the masks in the commands that {@link createMaskCommands} prints for a value. */
const masksOf = (value: string): readonly string[] =>
  createMaskCommands([{ name: "A", value }])
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => /^::add-mask::(.+)$/.exec(line)?.[1] ?? "no command");

test("createMaskCommands masks each line of at least eight characters by itself, escaped and without its indentation", () => {
  const masks = masksOf("{\n  first-line-100%\r\n  two\n  another-line\n}\n");
  expect(masks).toContain("first-line-100%25");
  expect(masks).toContain("another-line");
  expect(masks.filter((mask) => mask.length < 8 || /%0[AD]/.test(mask))).toEqual([]);
});

test("createMaskCommands masks the value and the strings in it, and no encoded forms, which the runner derives itself", () => {
  const value = `quo"te <and> per%cent`;
  expect(masksOf(value)).toEqual([value.replaceAll("%", "%25")]);
  expect(masksOf(JSON.stringify({ key: "in-a-string" }))).toEqual(['{"key":"in-a-string"}', "in-a-string"]);
});

test("createMaskCommands prints one command for each line of a key, not for each form of the line", () => {
  const lines = Array.from({ length: 26 }, (_, line) => `${line}`.padStart(64, "abcdefgh"));
  const key = ["-----BEGIN PRIVATE KEY-----", ...lines, "-----END PRIVATE KEY-----", ""].join("\n");
  expect(masksOf(key)).toEqual(lines);
  expect(masksOf(JSON.stringify({ type: "service_account", private_key: key })).length).toBeLessThan(60);
});

test("createMaskCommands prints no command for a value that is too short, common, or the first or last line of PEM", () => {
  expect([masksOf("short"), masksOf("production"), masksOf("-----BEGIN PRIVATE KEY-----")]).toEqual([[], [], []]);
});
