/** A program may print anything, and does not wait for its masking: 1 MB takes at most a second of the processor. */
import { expect, it } from "vitest";
import { noAddon, skipBecause } from "../../helpers/skip.ts";
import { folder } from "../../helpers/sophia.ts";
import { outcome, SECRET } from "./masked.ts";

skipBecause(noAddon);

const BYTES = 1_000_000;
const escaped = (front: string, width: number): string =>
  Array.from(SECRET, (one) => front + one.charCodeAt(0).toString(16).padStart(width, "0")).join("");

it.each([
  ["backslashes", "\\"],
  ["percent signs", "%"],
  ["ampersands", "&"],
  ["quotes", "'\""],
  ["carriage returns", "\r"],
  ["the secret in a URL, without its end", escaped("%", 2).slice(0, -1)],
  ["the secret in JSON, without its end", escaped(String.raw`\u`, 4).slice(0, -1)],
  ["the secret in JSON in JSON", escaped(String.raw`\\u`, 4)],
  ["the secret in JSON in JSON in JSON, without its end", escaped(String.raw`\\\\u`, 4).slice(0, -1)],
  ["the secret in a URL in a URL", escaped("%25", 2)],
  ["the secret in XML, without its end", escaped("&#x", 2).slice(0, -1)],
  ["unfinished escapes", String.raw`\x`],
])("1 MB of %s", { timeout: 60_000 }, async (_, unit) => {
  const cwd = folder({ output: Buffer.alloc(BYTES, unit) });
  // With these all bytes that may begin an escape are looked at.
  const env = { QUIET_TOKEN: `${SECRET} it's "a" \\ & %\n\u0001`, OUTPUT: `${cwd}/output` };
  const { status, stderr } = await outcome(`TIMEFORMAT=%U; time $L cat "$OUTPUT" >/dev/null`, env);
  expect(status).toBe(0);
  expect(Number(stderr)).toBeLessThan(1);
});
