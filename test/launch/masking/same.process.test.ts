/** The program under test, which is the package or the executable, must mask exactly what the search in TypeScript masks. */
import { asyncProperty, assert } from "fast-check";
import { describe, expect, it } from "vitest";
import { createMasking } from "../../../src/masking/masking.ts";
import { caseCount, SEED } from "../../helpers/seed.ts";
import { noAddon, skipBecause } from "../../helpers/skip.ts";
import { folder, sophia } from "../../helpers/sophia.ts";
import { secretOutput } from "../../masking/outputs.ts";

skipBecause(noAddon);

const NAMES = ["SECRET_0", "SECRET_1", "SECRET_2", "SECRET_3"];
const CONTRACT = JSON.stringify({ variables: Object.fromEntries(NAMES.map((name) => [name, { secret: true }])) });

/** Returns what the program prints when it masks the values in the output. */
async function maskByProgram(values: readonly string[], output: Uint8Array): Promise<string> {
  const cwd = folder({ "sophia.contract.json": CONTRACT, output });
  const env = Object.fromEntries(values.map((value, index) => [NAMES[index], value]));
  const { status, stdout } = await sophia(["--redact", "--", "cat", "output"], { cwd, env });
  expect(status).toBe(0);
  return stdout;
}

describe("the program masks a secret with line ends of each kind", () => {
  const hex = (text: string, width: number, front: string, behind = ""): string =>
    Array.from(text, (character) => front + character.charCodeAt(0).toString(16).padStart(width, "0") + behind).join(
      "",
    );

  it.each([
    ["JSON", JSON.stringify],
    ["JSON in JSON", (text: string) => JSON.stringify(JSON.stringify(text))],
    ["a URL", encodeURIComponent],
    ["a URL in a URL", (text: string) => encodeURIComponent(encodeURIComponent(text))],
    ["JSON in a URL", (text: string) => encodeURIComponent(JSON.stringify(text))],
    ["XML", (text: string) => text.replaceAll("\r", "&#13;").replaceAll("\n", "&#xA;")],
    [String.raw`\u`, (text: string) => hex(text, 4, String.raw`\u`)],
    [String.raw`\x`, (text: string) => hex(text, 2, String.raw`\x`)],
    ["percent signs", (text: string) => hex(text, 2, "%")],
  ] as const)("in %s", async (_, encode) => {
    const values = ["Ab-Cd12\r\nEf-34gh", "Ij-Kl56\rMn-78op", "Qr-St90\nUv-12wx"];
    const output = await maskByProgram(values, Buffer.from(values.map((value) => `<${encode(value)}>\n`).join("")));
    expect(output.replaceAll(/["\\]|%(?:25)*22/g, "")).toBe("<***>\n".repeat(values.length));
  });
});

it("the program masks the string in a secret that is JSON of 20,000 levels, and the password in a secret URL", async () => {
  const deep = `${'[{"a":'.repeat(10_000)}"hush-9f8e7d6c"${"}]".repeat(10_000)}`;
  const url = "postgres://alice:lull%2D5b4a@db.example.test/app";
  const output = Buffer.from("<hush-9f8e7d6c> <lull-5b4a> <lull%2D5b4a>\n");
  expect(await maskByProgram([deep, url], output)).toBe("<***> <***> <***>\n");
});

it("the program masks any output as the search in TypeScript does", { timeout: 600_000 }, async () => {
  await assert(
    asyncProperty(secretOutput, async ({ values, output }) => {
      const masker = createMasking(values.map((value, index) => ({ name: NAMES[index] ?? "", value }))).stream();
      const expected = Buffer.concat([Buffer.from(masker.push(output)), masker.flush()]).toString();
      expect(await maskByProgram(values, output)).toBe(expected);
    }),
    { seed: SEED, numRuns: caseCount(40, 1000), endOnFailure: true },
  );
});
