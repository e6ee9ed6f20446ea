import { expect, test } from "vitest";
import { maskCommands } from "../../src/output/github-masks.ts";

const masksOf = (value: string): readonly string[] =>
  maskCommands([{ name: "A", value }])
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => /^::add-mask::(.+)$/.exec(line)?.[1] ?? "no command");

test("each line of eight characters or more by itself, escaped, without its indentation", () => {
  const masks = masksOf("{\n  first-line-100%\r\n  two\n  another-line\n}\n");
  expect(masks).toContain("first-line-100%25");
  expect(masks).toContain("another-line");
  expect(masks.filter((mask) => mask.length < 8 || /%0[AD]/.test(mask))).toEqual([]);
});

test("not what the runner derives: JSON, a URL's data, XML, base64 of the whole", () => {
  const value = `quo"te <and> per%cent`;
  const masks = masksOf(value);
  expect(masks).toContain(value.replaceAll("%", "%25"));
  expect(masks).not.toContain(String.raw`quo\"te <and> per%25cent`);
  expect(masks).not.toContain(encodeURIComponent(value).replaceAll("%", "%25"));
  expect(masks).not.toContain("quo&quot;te &lt;and&gt; per%25cent");
  // Of three bytes each, the whole in base64 has no padding: it is what the runner derives.
  expect(masks).not.toContain(Buffer.from("nine-byte").toString("base64"));
});

test("what the runner does not derive: base64 without its end, base64url, quoted for a shell", () => {
  const value = "sk~secret>>value?it's";
  const masks = masksOf(value);
  const inside = Buffer.from(`user:${value}:more`).toString("base64url");
  expect(masks.some((mask) => inside.includes(mask))).toBe(true);
  expect(masks).toContain(String.raw`sk~secret>>value?it'\''s`);
});

test("nothing for what is too short, common or a part of the armour", () => {
  expect([masksOf("short"), masksOf("production"), masksOf("-----BEGIN PRIVATE KEY-----")]).toEqual([[], [], []]);
});
