import { expect, test } from "vitest";
import { AGENT_VARIABLES, GITHUB_VARIABLE, keeperOfOutput } from "../../../src/commands/run/agents.ts";
import { keeperBy } from "../../../src/commands/run/keepers.ts";

const keeper = (environment: Readonly<Record<string, string>>): string | undefined =>
  keeperOfOutput(new Map(Object.entries(environment)));

test.each(AGENT_VARIABLES)("%s tells of an agent, and nothing where it is empty or off", (name) => {
  expect(keeper({ [name]: "1" })).toBe(name);
  expect([keeper({ [name]: "" }), keeper({ [name]: "0" }), keeper({ [name]: "false" })]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test("GitHub Actions, by its variable", () => {
  expect(keeper({ GITHUB_ACTIONS: "true", CLAUDECODE: "1" })).toBe(GITHUB_VARIABLE);
  expect([keeperBy(GITHUB_VARIABLE), keeperBy("CLAUDECODE"), keeperBy("AGENT")]).toEqual([
    "GitHub Actions",
    "Claude Code",
    "a coding agent",
  ]);
  expect(keeper({ GITHUB_ACTIONS: "false" })).toBeUndefined();
  expect(AGENT_VARIABLES.filter((name) => keeperBy(name) === "a coding agent")).toEqual(["AI_AGENT"]);
});

test.each(["amp", "goose", "crush", "1", "true"])("AGENT=%s", (value) => {
  expect(keeper({ AGENT: value })).toBe("AGENT");
});

test.each([
  "CI",
  "CURSOR_TRACE_ID",
  "REPL_ID",
  "TERM_PROGRAM",
  "CODEX_HOME",
  "GOOSE_PROVIDER",
  "OPENCODE_CLIENT",
  "CLAUDE_CODE_USE_BEDROCK",
  "GEMINI_API_KEY",
])("%s is what people's own terminals have too, or a setting", (name) => {
  expect(keeper({ [name]: "1" })).toBeUndefined();
  expect(keeper({ AGENT: "build-host-7" })).toBeUndefined();
});
