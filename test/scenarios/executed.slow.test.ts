/** The functions that a start executes. A start that executes less is easier to follow, and to trust. */
import { spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folder } from "../helpers/sophia.ts";
import { noAddon, notPackage, skipBecause } from "../helpers/skip.ts";

const SCRIPT = join(import.meta.dirname, "../../scripts/executed.mjs");

skipBecause(notPackage ?? noAddon);

// A change that needs more says in its message what for.
test.each([
  ["without a contract and files", ["--no-contract"], {}, { functions: 131, files: 43 }],
  [
    "with a contract and a .env",
    [],
    { "sophia.contract.json": '{"variables":{"A":{"required":true}}}', ".env": "A=1\n" },
    { functions: 187, files: 58 },
  ],
])("a start %s executes no more functions, in no more files, than today", (_, options, files, most) => {
  const cwd = folder(files);
  if (".env" in files) chmodSync(join(cwd, ".env"), 0o600);
  const env = { PATH: process.env["PATH"], HOME: cwd };
  const { stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...options, "--", "true"], {
    cwd,
    env,
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  const [, functions, inFiles] = /^(\d+) functions in (\d+) files\n$/m.exec(stdout) ?? [];
  expect(Number(functions)).toBeLessThanOrEqual(most.functions);
  expect(Number(inFiles)).toBeLessThanOrEqual(most.files);
});
