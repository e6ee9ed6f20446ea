import { expect, test } from "vitest";
import { AGENTS, GITHUB_VARIABLE, findOutputReader, readerName } from "../../../src/commands/run/agents.ts";

const findAgent = (environment: Readonly<Record<string, string>>): string | undefined =>
  findOutputReader(new Map(Object.entries(environment)));

test.each(Object.keys(AGENTS))("%s means that an agent runs sophia-run, unless it is empty or off", (name) => {
  expect(findAgent({ [name]: "1" })).toBe(name);
  expect([findAgent({ [name]: "" }), findAgent({ [name]: "0" }), findAgent({ [name]: "false" })]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test("GitHub Actions is recognized by its variable", () => {
  expect(findAgent({ GITHUB_ACTIONS: "true", CLAUDECODE: "1" })).toBe(GITHUB_VARIABLE);
  expect([readerName(GITHUB_VARIABLE), readerName("CLAUDECODE"), readerName("AGENT")]).toEqual([
    "GitHub Actions",
    "Claude Code",
    "a coding agent",
  ]);
  expect(findAgent({ GITHUB_ACTIONS: "false" })).toBeUndefined();
  expect(Object.keys(AGENTS).filter((name) => readerName(name) === "a coding agent")).toEqual(["AI_AGENT"]);
});

test.each(["amp", "goose", "crush", "1", "true"])("AGENT=%s means that an agent runs sophia-run", (value) => {
  expect(findAgent({ AGENT: value })).toBe("AGENT");
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
])("%s does not mean an agent: users' own terminals have it too, or it is a setting", (name) => {
  expect(findAgent({ [name]: "1" })).toBeUndefined();
  expect(findAgent({ AGENT: "build-host-7" })).toBeUndefined();
});
