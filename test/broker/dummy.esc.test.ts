import { expect, test } from "vitest";
import { createDummy } from "../../src/broker/dummy.ts";
import { compilePattern } from "../../src/contract/pattern/pattern.ts";

const RANDOM = "[A-Za-z0-9]{32}";

test.each([
  ["nothing", {}, `^sophia-${RANDOM}$`],
  ["an example with a prefix", { example: "sk-ant-<key>" }, `^sk-ant-sophia-${RANDOM}$`],
  ["an example without one", { example: "<qdrant-api-key>" }, `^sophia-${RANDOM}$`],
  ["prefixes", { format: { kind: "text", prefixes: ["pplx-"], minLength: 60 } }, `^pplx-sophia-${RANDOM}0+$`],
  ["hexadecimal digits", { format: drawText("^[0-9a-f]{32}$") }, "^[0-9a-f]{32}$"],
  ["longer patterns", { format: drawText("^key_[A-Z0-9]{40,60}$") }, "^key_[A-Z0-9]{40,60}$"],
  ["small letters", { format: drawText("^[a-z-]{39,}$") }, "^sophia-[a-z]{32}$"],
  ["small letters and digits", { format: drawText("^sk-[a-z0-9-]{39}$") }, "^sk-sophia-[a-z0-9]{32}$"],
  ["a length that leaves less room", { format: drawText("^sk-[A-Za-z0-9-]{32}$") }, "^sk-sophia-[A-Za-z0-9]{25}$"],
  ["parts of their own", { format: drawText("^key-[a-z]+-[0-9a-f]{32}$") }, "^key-[a-z]*sophia-[0-9a-f]{32}$"],
  [
    "a part behind the random one",
    { format: drawText("^[A-Z0-9]{32}\\.[a-z-]{4,}$") },
    "^[A-Z0-9]{32}\\.[a-z-]*sophia-[a-z-]*$",
  ],
  [
    "a word that must be there",
    { format: drawText("^(?:live|test)-[a-z-]{40,}$") },
    "^live-[a-z-]*sophia-[a-z]{32}[a-z-]*$",
  ],
  ["base64 of URLs", { format: { kind: "base64" } }, `^sophia-${RANDOM}$`],
] as const)("a dummy is random and fits the declaration: %s", (_, declaration, expected) => {
  const [first, second] = [createDummy({ name: "X", ...declaration }), createDummy({ name: "X", ...declaration })];
  expect(first).toMatch(new RegExp(expected));
  expect(first).not.toBe(second);
});

test.each([
  ["short patterns", { format: drawText("^[a-z]{8}$") }],
  ["patterns with room for the word alone", { format: drawText("^sophia-[a-z]{8}$") }],
  ["URLs", { format: { kind: "url", schemes: [] } }],
  ["a choice", { format: { kind: "enum", values: ["a", "b"] } }],
] as const)("a key gets no dummy if its format leaves no room for randomness: %s", (_, declaration) => {
  expect(createDummy({ name: "X", ...declaration })).toBeUndefined();
});

function drawText(pattern: string) {
  return { kind: "text", prefixes: [], minLength: 0, pattern: compilePattern(pattern) } as const;
}
