/** The checking mode of the executable's memory (runtime/native/checked/checked.h) must find each kind of fault. */
import { spawnSync } from "node:child_process";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { notLinux, skipBecause } from "../../test/helpers/skip.ts";
import { folder } from "../../test/helpers/sophia.ts";
import { checkedExecutable, noTestExecutables } from "../../test/helpers/executables.ts";

skipBecause(notLinux ?? noTestExecutables);

/** Runs a copy of the checking executable, which writes its reports into files beside it. @returns the result and both reports */
function runChecked(words: readonly string[]) {
  const cwd = folder({ "copy.findings": "", "copy.counts": "" });
  const copy = join(cwd, "copy");
  copyFileSync(checkedExecutable, copy);
  const { status, signal, stdout, stderr } = spawnSync(copy, words, { cwd, env: {}, encoding: "utf8" });
  const [findings, counts] = ["findings", "counts"].map((name) => readFileSync(join(cwd, `copy.${name}`), "utf8"));
  return { status, signal, stdout, stderr, findings, counts };
}

it.each([
  ["read-freed", "an address that does not exist is used"],
  ["free-cell-twice", "a block is freed or used after it was freed"],
  ["free-block-twice", "a block is freed or used after it was freed"],
  ["count-freed", "a freed block was counted (+1)"],
  ["write-freed-cell", "a freed block was changed"],
  ["write-freed-block", "a freed block was changed"],
  ["write-freed-mapping", "an address that does not exist is used"],
  ["write-behind-cell", "the header of a block was changed"],
  // The fault is found at the write itself, which is the first write to its page.
  ["count-fixed", "a count of references in the image is written to"],
  // The fault is found at the end, since the program has written to this page before, at an offset where it may write.
  ["count-fixed-late", "a count of references in the image is written to"],
  ["write-fixed-text", "a name in the image is written to"],
])("the checking mode ends a process with the fault %s, and reports: %s", (wrong, finding) => {
  const { signal, stderr, findings, counts } = runChecked([`--wrong-${wrong}`]);
  expect(signal).toBe("SIGABRT");
  expect(stderr).toMatch(/^sophia-run, checking mode: [^\n]+\n$/);
  expect(stderr).toContain(finding);
  expect(findings).toBe(stderr);
  expect(counts).toBe("");
});

it.each([
  ["is replaced by the program", ["--no-contract", "--", "/bin/true"]],
  ["is replaced by the monitor", ["--no-contract", "--mode", "spawn", "--", "/bin/true"]],
  ["is the parent process of the program", ["--no-contract", "--redact", "--", "/bin/true"]],
  ["ends by itself", ["help"]],
])("the checking mode finds no fault in a process that %s", (_, words) => {
  const { status, stderr, findings, counts } = runChecked(words);
  expect({ status, stderr, findings }).toEqual({ status: 0, stderr: "", findings: "" });
  const [, allocated, freed, written, pages] =
    /^(\d+) allocated, (\d+) freed, (\d+) of (\d+) pages of the image written; pages \d+-\d+, blocks \d+-\d+, large \d+-\d+; cells(?: \d+:\d+-\d+)+\n/
      .exec(counts ?? "")
      ?.map(Number) ?? [];
  expect(allocated).toBeGreaterThan(1000);
  expect(freed).toBeLessThanOrEqual(allocated ?? 0);
  expect(freed).toBeGreaterThan(500);
  // A start shares most pages of the image with other starts.
  expect(written).toBeLessThan((pages ?? 0) / 4);
  expect(written).toBeGreaterThan(5);
});

it("a long computation, in which the engine collects garbage, does not change what is constant in the image", () => {
  const names = Array.from({ length: 20_000 }, (_, index) => `NAME_${index}=${"value".repeat(index % 50)}`);
  const cwd = folder({ ".env": `${names.join("\n")}\n`, "sophia.contract.json": '{"variables":{}}' });
  const { status, stderr } = spawnSync(checkedExecutable, ["export", "--format", "json", "--include", "NAME_*"], {
    cwd,
    env: {},
    maxBuffer: 1 << 26,
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
