/** A folder without a contract, where nothing suggests that the built-in one is meant. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folder, sophia, unwrapLines } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";

// The built-in contract has the first two as well.
const DOTENV = { ".env": "DATABASE_URL=postgresql://localhost/app\nOPENAI_API_KEY=sk-0123456789\nPORT=3000\n" };
/** Variables and names of the platform of the built-in contract, and of ESC. */
const FOREIGN = /Sophia|QDRANT|PULUMI|ESC_|Pulumi|GitHub|LLM/;

test("a start and an export without a contract end with 78, and offer init and --no-contract, which work", async () => {
  const cwd = folder(DOTENV);
  for (const [words, consequence] of [
    [["--", "true"], "true was not started"],
    [["export"], "nothing was exported"],
  ] as const) {
    const { status, stdout, stderr } = await sophia(words, { cwd });
    expect([status, stdout]).toEqual([78, ""]);
    expect(stderr).not.toMatch(FOREIGN);
    expect(unwrapLines(stderr)).toMatch(/^sophia-run: there is no contract here \(sophia.contract.json\); /);
    expect(unwrapLines(stderr)).toContain(consequence);
    expect(stderr).toContain("sophia-run init");
    expect(stderr).toContain("--no-contract");
    expect(stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(4);
    expectWording(stderr);
  }
  expect((await sophia(["--no-contract", "--", "true"], { cwd })).status).toBe(0);
  expect((await sophia(["init"], { cwd })).status).toBe(0);
  expect((await sophia(["--", "true"], { cwd })).status).toBe(0);
});

test("check without a contract reports that to people and programs, with status 1", async () => {
  const cwd = folder(DOTENV);
  const { status, stdout } = await sophia(["check"], { cwd });
  expect(status).toBe(1);
  expect(stdout).not.toMatch(FOREIGN);
  expectWording(stdout);
  const json = await sophia(["check", "--json"], { cwd });
  expect(json.status).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({
    met: false,
    sections: [],
    variables: [],
    violations: [{ kind: "no-contract", names: [], remedies: ["write one: sophia-run init"] }],
  });
});

test("explain without a contract lists the variables of the files alone", async () => {
  const { status, stdout } = await sophia(["explain"], { cwd: folder(DOTENV) });
  expect(status).toBe(0);
  expect(stdout).toContain("Contract: none; sophia-run init writes one\n");
  expect(stdout).toContain("DATABASE_URL");
  expect(stdout).not.toMatch(/QDRANT|PULUMI|not met/);
});

test("the audit log names no contract if there is none, and get prints what a file has", async () => {
  const cwd = folder(DOTENV);
  await sophia(["--audit-log", "log", "--watch", "--", "true"], { cwd });
  expect(JSON.parse(readFileSync(join(cwd, "log"), "utf8"))).toMatchObject({
    event: "start",
    outcome: "refused",
    met: false,
    contract: "none",
    names: {},
  });
  expect((await sophia(["get", "PORT"], { cwd })).stdout).toBe("3000");
});

test("the built-in contract applies where ESC is configured, or a source sets what it requires by name", async () => {
  for (const [files, env] of [
    [{}, { ESC_ENV: "acme/sophia/dev" }],
    [{}, { QDRANT_URL: "https://qdrant.example.com" }],
    [{ ".env": "QDRANT_URL=https://qdrant.example.com\n" }, {}],
  ] as const) {
    const { status, stderr } = await sophia(["--", "true"], { cwd: folder(files), env });
    expect(status).toBe(78);
    expect(stderr).toContain("QDRANT_API_KEY (Qdrant API Key) is required and not set");
  }
});
