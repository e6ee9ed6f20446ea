/** A program may print anything, and must not wait for the masking. 1 MB takes at most a second of processor time. */
import { expect, it } from "vitest";
import { noAddon, skipBecause } from "../../helpers/skip.ts";
import { folder } from "../../helpers/sophia.ts";
import { runBash, SECRET } from "./masked-process.ts";

skipBecause(noAddon);

const BYTES = 1_000_000;
const escapeSecret = (front: string, width: number): string =>
  Array.from(SECRET, (character) => front + character.charCodeAt(0).toString(16).padStart(width, "0")).join("");

it.each([
  ["backslashes", "\\"],
  ["percent signs", "%"],
  ["ampersands", "&"],
  ["quotes", "'\""],
  ["carriage returns", "\r"],
  ["the secret in a URL, without its end", escapeSecret("%", 2).slice(0, -1)],
  ["the secret in JSON, without its end", escapeSecret(String.raw`\u`, 4).slice(0, -1)],
  ["the secret in JSON in JSON", escapeSecret(String.raw`\\u`, 4)],
  ["the secret in JSON in JSON in JSON, without its end", escapeSecret(String.raw`\\\\u`, 4).slice(0, -1)],
  ["the secret in a URL in a URL", escapeSecret("%25", 2)],
  ["the secret in XML, without its end", escapeSecret("&#x", 2).slice(0, -1)],
  ["unfinished escapes", String.raw`\x`],
])(
  "sophia-run masks 1 MB in less than a second of processor time, if it consists of %s",
  { timeout: 60_000 },
  async (_, unit) => {
    const cwd = folder({ output: Buffer.alloc(BYTES, unit) });
    // A value with these characters makes the search check each byte that may begin an escape.
    const env = { QUIET_TOKEN: `${SECRET} it's "a" \\ & %\n\u0001`, OUTPUT: `${cwd}/output` };
    const { status, stderr } = await runBash(`TIMEFORMAT=%U; time $L cat "$OUTPUT" >/dev/null`, env);
    expect(status).toBe(0);
    expect(Number(stderr)).toBeLessThan(1);
  },
);
