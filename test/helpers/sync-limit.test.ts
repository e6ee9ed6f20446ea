import { execFileSync, execSync, spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { withLimit } from "./sync-limit.ts";

const LIMIT = { timeout: 120_000, killSignal: "SIGKILL" };

describe("the time limit for synchronous child processes", () => {
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
  ])("is added to the options of the arguments %j", (args, expected) => {
    expect(withLimit(args).args).toStrictEqual(expected);
  });

  it.each([
    ["spawnSync", spawnSync],
    ["execFileSync", execFileSync],
    ["execSync", execSync],
  ])("applies to %s in every test", (_, call) => {
    expect(Object.getOwnPropertySymbols(call)).toContain(Symbol.for("sophia-run limited"));
  });

  it("ends a child process that ignores SIGTERM, even if a grandchild holds the output open, and names the child", () => {
    const script = "trap '' TERM; sleep 5 & while :; do sleep 0.1; done";
    const message = "killed, since it did not end within 0.5 s: sh -c trap";
    expect(() => spawnSync("sh", ["-c", script], { timeout: 500 })).toThrow(message);
    expect(() => execFileSync("sh", ["-c", script], { timeout: 500 })).toThrow(message);
  });
});
