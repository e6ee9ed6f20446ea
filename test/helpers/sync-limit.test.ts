import { execFileSync, execSync, spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { withLimit } from "./sync-limit.ts";

const LIMIT = { timeout: 120_000, killSignal: "SIGKILL" };

describe("a limit for synchronous child processes", () => {
  it.each([
    [["true"], ["true", LIMIT]],
    [
      ["sh", ["-c", "exit"]],
      ["sh", ["-c", "exit"], LIMIT],
    ],
    [
      ["sh", [], { cwd: "/" }],
      ["sh", [], { cwd: "/", ...LIMIT }],
    ],
    [
      ["sh", [], undefined],
      ["sh", [], LIMIT],
    ],
    [
      ["sh", [], { timeout: 5 }],
      ["sh", [], { ...LIMIT, timeout: 5 }],
    ],
    [
      ["sh", { killSignal: "SIGINT" }],
      ["sh", { ...LIMIT, killSignal: "SIGINT" }],
    ],
  ])("is among the options: %j", (args, expected) => {
    expect(withLimit(args).args).toStrictEqual(expected);
  });

  it.each([
    ["spawnSync", spawnSync],
    ["execFileSync", execFileSync],
    ["execSync", execSync],
  ])("holds for %s of every test", (_, call) => {
    expect(Object.getOwnPropertySymbols(call)).toContain(Symbol.for("sophia-run limited"));
  });

  it("ends what ignores SIGTERM, although a grandchild holds the output, and names it", () => {
    const script = "trap '' TERM; sleep 5 & while :; do sleep 0.1; done";
    const message = "killed, since it did not end within 0.5 s: sh -c trap";
    expect(() => spawnSync("sh", ["-c", script], { timeout: 500 })).toThrow(message);
    expect(() => execFileSync("sh", ["-c", script], { timeout: 500 })).toThrow(message);
  });
});
