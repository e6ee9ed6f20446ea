/** What docs/masking.md says of commands that print a secret in parts, and what it says to do instead. */
import { describe, expect, it } from "vitest";
import { notLinux, skipBecause } from "../helpers/skip.ts";
import { folder, sophia, sophiaRun } from "../helpers/sophia.ts";

const SECRET = "sk-hush-9f8e7d6c5b4a39281706f5e4d3c2b1a0";
const CONTRACT = JSON.stringify({ variables: { KEY: { required: true } } });
/** A part of so many characters is not there by chance. */
const PART = 8;

skipBecause(notLinux);

/** Runs a script of sh under masking. `$MASK` is `sophia-run mask`; the files `a` and `b` hold the secret. */
async function runMasked(script: string): Promise<string> {
  const cwd = folder({ "sophia.contract.json": CONTRACT, a: `KEY=${SECRET}\n`, b: `KEY=${SECRET} # new\n` });
  const env = { KEY: SECRET, MASK: `${sophiaRun.join(" ")} mask`, HOME: cwd };
  const { status, stdout, stderr } = await sophia(["--redact", "--", "sh", "-c", script], { cwd, env });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
}

/** Returns the length of the longest part of the secret in an output. */
function longestPart(output: string): number {
  const lengths = Array.from({ length: SECRET.length }, (_, from) => {
    let length = 0;
    while (from + length < SECRET.length && output.includes(SECRET.slice(from, from + length + 1))) length += 1;
    return length;
  });
  return Math.max(...lengths);
}

describe.each([
  ["head -c", "printf %s $KEY | head -c 20", "printf %s $KEY | $MASK | head -c 2000"],
  ["tail -c", "printf %s $KEY | tail -c 20", "printf %s $KEY | $MASK | tail -c 20"],
  ["cut -c", "cut -c 1-20 a", "$MASK <a | cut -c 1-20"],
  ["printf %.10s", "printf %.10s $KEY", "printf %s $KEY | $MASK | cut -c 1-10"],
  ["diff -y", "diff -y -W 40 a b; true", "diff -u a b; true"],
  ["pr", "pr -m -t -w 40 a b", "$MASK <a | pr -m -t -w 40 -"],
  ["fold", "fold -w 20 a", "$MASK <a | fold -w 20"],
  ["grep --color=always", "grep --color=always 7d6c5 a", "grep --color=never 7d6c5 a"],
])("the documented command %s", (_, parts, instead) => {
  it("shows a part of a secret", async () => {
    const length = longestPart(await runMasked(parts));
    expect(length).toBeGreaterThanOrEqual(PART);
    expect(length).toBeLessThan(SECRET.length);
  });

  it("shows no part of a secret in the way that the documents name", async () => {
    const output = await runMasked(instead);
    expect(output).toContain("**");
    expect(longestPart(output)).toBeLessThan(PART);
  });
});

it("the documented commands compare and measure a value without showing it", async () => {
  expect(await runMasked('[ "$KEY" = "$(cut -d = -f 2 a)" ] && echo same; echo ${#KEY}')).toBe(
    `same\n${SECRET.length}\n`,
  );
});
