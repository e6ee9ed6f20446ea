import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { hasColours, layOutReport, createReportStyler } from "../../src/output/colour.ts";
import { PLAIN_LAYOUT } from "../../src/output/layout.ts";
import { layOutMessage, colourMessage } from "../../src/output/stderr.ts";
import { folder, sophia, sophiaRun } from "../helpers/sophia.ts";
import { atTerminal } from "../helpers/terminal.ts";

const ESCAPE = "\u001B";

describe("sophia-run uses colours, or none, as the environment allows it:", () => {
  const terminal = { TERM: "xterm-256color" };
  test.each([
    ["a terminal", terminal, true, true],
    ["no terminal", terminal, false, false],
    ["NO_COLOR", { ...terminal, NO_COLOR: "1" }, true, false],
    ["NO_COLOR, whatever its value", { ...terminal, NO_COLOR: "0" }, true, false],
    ["an empty NO_COLOR", { ...terminal, NO_COLOR: "" }, true, true],
    ["a terminal that has no colours", { TERM: "dumb" }, true, false],
    ["a terminal with an empty name", { TERM: "" }, true, false],
    ["a terminal without a name", {}, true, false],
    ...["", "1", "2", "3", "true"].map(
      (value) => [`FORCE_COLOR=${value}`, { FORCE_COLOR: value }, false, true] as const,
    ),
    ...["0", "false", "4", "no"].map(
      (value) => [`FORCE_COLOR=${value}`, { ...terminal, FORCE_COLOR: value }, true, false] as const,
    ),
    [
      "FORCE_COLOR, which has precedence over NO_COLOR as in Node.js",
      { FORCE_COLOR: "1", NO_COLOR: "1", TERM: "dumb" },
      false,
      true,
    ],
  ] as const)("%s", (_, variables, isTerminal, expected) => {
    const environment = new Map<string, string>(Object.entries(variables));
    expect(hasColours({ environment, isTerminal: () => isTerminal }, 1)).toBe(expected);
  });

  test("each stream has colours only if it is a terminal itself", () => {
    const environment = new Map(Object.entries(terminal));
    const isTerminal = (descriptor: number): boolean => descriptor === 2;
    expect([hasColours({ environment, isTerminal }, 1), hasColours({ environment, isTerminal }, 2)]).toEqual([
      false,
      true,
    ]);
  });
});

describe("these parts have colours:", () => {
  const colourLines = (kind: "failure" | "notice", ...lines: [string, ...string[]]): string =>
    `${colourMessage(layOutMessage(lines, PLAIN_LAYOUT), kind).join("\n")}\n`;

  test("of a report the headings, all lines of a failure, and passed checks in the summary", () => {
    const long = `❌ ${"word ".repeat(14)}word`;
    const text = `=== A ===\n\n--- B ---\n✅ C: ***abcd\n➖ D\n⚠️ E\n${long} goes on\n   what to do\n\n--- Summary ---\n✅ F\n`;
    expect(layOutReport(text, PLAIN_LAYOUT, createReportStyler())).toBe(
      [
        `${ESCAPE}[1m=== A ===${ESCAPE}[22m`,
        "",
        `${ESCAPE}[1m--- B ---${ESCAPE}[22m`,
        "✅ C: ***abcd",
        `${ESCAPE}[2m➖ D${ESCAPE}[22m`,
        `${ESCAPE}[33m⚠️ E${ESCAPE}[39m`,
        `${ESCAPE}[31m${long}${ESCAPE}[39m`,
        `${ESCAPE}[31m   goes on${ESCAPE}[39m`,
        "   what to do",
        "",
        `${ESCAPE}[1m--- Summary ---${ESCAPE}[22m`,
        `${ESCAPE}[32m✅ F${ESCAPE}[39m`,
        "",
      ].join("\n"),
    );
  });

  test("of a failure the cause and the violated rules", () => {
    expect(colourLines("failure", "broken", "✗ A", "do this")).toBe(
      `${ESCAPE}[31m${ESCAPE}[1msophia-run:${ESCAPE}[22m broken${ESCAPE}[39m\n` +
        `${ESCAPE}[31m  ✗ A${ESCAPE}[39m\n  do this\n`,
    );
  });

  test("of a notice the word warning", () => {
    expect(colourLines("notice", "warning: odd", "do this")).toBe(
      `${ESCAPE}[1msophia-run:${ESCAPE}[22m ${ESCAPE}[33mwarning:${ESCAPE}[39m odd\n  do this\n`,
    );
  });
});

// The environment has a required variable, without which the built-in contract would not apply.
const coloured = { FORCE_COLOR: "1", GITHUB_PAT: "ghp_0123456789abcdef", QDRANT_URL: "https://q.example.test" };
const uncoloured = { ...coloured, FORCE_COLOR: "0" };

describe("the program", () => {
  test.each([
    [["check"]],
    [["explain"]],
    [["scan"]],
    [["--help"]],
    [["check", "--help"]],
    [["--", "true"]],
    [["no-such-command"]],
    [["check", "--jsno"]],
  ])("prints for %j the same text with colours and without", async (args) => {
    const cwd = folder();
    const [with_, without] = [await sophia(args, { cwd, env: coloured }), await sophia(args, { cwd, env: uncoloured })];
    expect(with_.stdout + with_.stderr).toContain(`${ESCAPE}[`);
    expect(without.stdout + without.stderr).not.toContain(ESCAPE);
    const stripped = { stdout: stripVTControlCharacters(with_.stdout), stderr: stripVTControlCharacters(with_.stderr) };
    expect({ ...with_, ...stripped }).toEqual(without);
  });

  test.each([
    [["check", "--json"]],
    [["explain", "--json"]],
    [["scan", "--json"]],
    [["export", "--no-contract", "--include", "GITHUB_PAT"]],
    [["docs", "--check"]],
    [["completion", "bash"]],
    [["--version"]],
  ])("prints no colours for %j, whose output is for programs", async (args) => {
    const { stdout } = await sophia(args, { env: coloured });
    expect(stdout).not.toContain(ESCAPE);
  });

  test("ignores FORCE_COLOR in a .env file", async () => {
    const cwd = folder({ ".env": "FORCE_COLOR=1\n" });
    expect((await sophia(["check"], { cwd })).stdout).not.toContain(ESCAPE);
  });

  test("prints colours to a terminal, and not to the stream that is a file", async () => {
    const cwd = folder();
    const env = { TERM: "xterm", QDRANT_URL: "https://q.example.test" };
    const red = `${ESCAPE}[31m❌ ESC_ENV: Not configured${ESCAPE}[39m`;
    expect((await atTerminal(["check"], { cwd, env }, [])).stdout).toContain(red);
    const refused = await atTerminal(["check"], { cwd, env: { ...env, NO_COLOR: "1" } }, []);
    expect(refused.stdout).not.toContain(ESCAPE);
    expect(refused.stdout).toContain("❌ ESC_ENV: Not configured");
    expect((await atTerminal(["--", "true"], { cwd, env: { ...env, TERM: "dumb" } }, [])).stdout).not.toContain(ESCAPE);

    // One stream of the inner sophia-run is a file, and its other stream is the terminal.
    const inner = (script: string): Promise<{ readonly stdout: string }> =>
      atTerminal(["--no-contract", "--", "sh", "-c", script, "sh", ...sophiaRun], { cwd, env }, []);
    const { stdout: message } = await inner('"$@" -- true > out');
    expect(message).toContain(`${ESCAPE}[31m${ESCAPE}[1msophia-run:${ESCAPE}[22m no contract`);
    const { stdout: shown } = await inner('"$@" check --jsno 2> err; "$@" check');
    expect(shown).toContain(red);
    expect(readFileSync(join(cwd, "err"), "utf8")).toMatch(/^sophia-run: unknown option --jsno of check\n/);
    const { stdout: mixed } = await inner('"$@" check > report; "$@" check --jsno');
    expect(mixed).toContain(`${ESCAPE}[1msophia-run:`);
    expect(readFileSync(join(cwd, "report"), "utf8")).toMatch(/^=== Sophia Configuration Smoke Check ===\n/);
  });
});
