import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { loadContract } from "../../src/contract/find-contract.ts";
import { foldersOf } from "../helpers/folders.ts";

let areBrokersExamined = false;
let folder = "";
beforeEach(() => {
  vi.resetModules();
  areBrokersExamined = false;
  vi.doMock("../../src/contract/file/validate-brokers.ts", (importOriginal) => {
    areBrokersExamined = true;
    return importOriginal();
  });
  folder = mkdtempSync(join(tmpdir(), "contract-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

it.each<[string, object, boolean]>([
  ["a built-in name", { variables: { OPENAI_API_KEY: {} } }, false],
  ["a built-in name that is taken out", { variables: { OPENAI_API_KEY: { broker: false } } }, false],
  ["a broker member", { variables: { OPENAI_API_KEY: { broker: true } } }, true],
  [
    "a broker member in a profile alone",
    { variables: {}, profiles: { p: { variables: { OPENAI_API_KEY: { broker: {} } } } } },
    true,
  ],
])(
  "the check of broker members is loaded only for contracts with broker members: %s",
  async (_, document, expected) => {
    writeFileSync(join(folder, "c.json"), JSON.stringify(document));
    expect((await loadContract({ contractFile: "c.json" }, foldersOf(folder))).profiles).toHaveLength(
      "profiles" in document ? 1 : 0,
    );
    expect(areBrokersExamined).toBe(expected);
  },
);
