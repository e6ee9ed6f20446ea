import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { secret, startEscServer } from "../../esc-server/index.ts";
import { notInstalled, notLinux } from "../../helpers/skip.ts";
import { folder, sophia, sophiaRun } from "../../helpers/sophia.ts";
import { atTerminal } from "../../helpers/terminal.ts";
import { expectWording } from "../../helpers/wording.ts";
import { escVariables, SENTINEL, sentinelOf } from "../sophia-environment.ts";

const CONTRACT = JSON.stringify({
  variables: {
    KEY: { required: true },
    LEVEL: { default: "info" },
    OPTIONAL: {},
    PORT: { format: "port" },
    URL: { aliases: ["OLD_URL"] },
  },
  scopes: { web: ["KEY"] },
});

/** Runs a command line of a shell, in which "$@" is sophia-run. */
function inShell(script: string, cwd: string, env: Readonly<Record<string, string>>) {
  const { status, stdout, stderr } = spawnSync("sh", ["-c", script, "sh", ...sophiaRun], {
    cwd,
    env: { PATH: process.env["PATH"], HOME: cwd, ...env },
    encoding: "latin1",
  });
  return { status, stdout, stderr };
}

describe("get prints the value", () => {
  test("of each source, without a line break behind it", async () => {
    await using server = await startEscServer();
    server.environment("acme/app/dev", {
      values: { KEY: secret("of ESC"), BOTH: "of ESC" },
      files: { CERTIFICATE: secret("line\n") },
    });
    const cwd = folder({ "sophia.contract.json": CONTRACT, ".env": 'URL="two\nlines\n"\n' });
    const env = { ...escVariables(server, "acme/app/dev"), BOTH: "of the caller" };
    const values = await Promise.all(
      ["KEY", "BOTH", "URL", "LEVEL", "CERTIFICATE"].map((name) => sophia(["get", name], { cwd, env })),
    );
    expect(values.map(({ stdout }) => stdout)).toEqual(["of ESC", "of the caller", "two\nlines\n", "info", "line\n"]);
    for (const result of values) expect(result).toMatchObject({ status: 0, stderr: "" });
    expect((await sophia(["get", "BOTH", "--prefer", "esc"], { cwd, env })).stdout).toBe("of ESC");
    expect((await sophia(["get", "BOTH", "--fake"], { cwd, env })).stdout).toBe("of the caller");
  });

  test("of an alias, and of a variable that no contract declares", async () => {
    const cwd = folder({ "sophia.contract.json": CONTRACT, ".env": "OLD_URL=x://y\nOWN=1\n" });
    expect((await sophia(["get", "OLD_URL"], { cwd })).stdout).toBe("x://y");
    expect((await sophia(["get", "URL"], { cwd })).stdout).toBe("x://y");
    expect((await sophia(["get", "OWN"], { cwd })).stdout).toBe("1");
    expect((await sophia(["get", "EMPTY"], { cwd, env: { EMPTY: "" } })).stdout).toBe("");
  });

  test("byte for byte, even if it is not UTF-8; --json refuses to hold it then", async ({ skip }) => {
    skip(notLinux !== undefined, notLinux);
    const cwd = folder({ "sophia.contract.json": CONTRACT });
    const set = "OPTIONAL=$(printf 'a\\377\\200b'); export OPTIONAL; ";
    expect(inShell(`${set}"$@" get OPTIONAL`, cwd, {})).toEqual({ status: 0, stdout: "a\xFF\x80b", stderr: "" });
    const refused = inShell(`${set}"$@" get OPTIONAL --json`, cwd, {});
    expect(refused).toMatchObject({ status: 125, stdout: "" });
    expect(refused.stderr).toContain("not UTF-8");
    // The replacement character itself is a value like any other.
    expect(inShell('OPTIONAL=$(printf "\\357\\277\\275") "$@" get OPTIONAL', cwd, {}).stdout).toBe("\xEF\xBF\xBD");
  });

  test("and its origin with --json", async () => {
    const cwd = folder({ "sophia.contract.json": CONTRACT, ".env": "\nKEY='é\u0007'\n" });
    const json = async (...words: readonly string[]): Promise<unknown> =>
      JSON.parse((await sophia(["get", ...words, "--json"], { cwd })).stdout);
    expect(await json("KEY")).toEqual({
      version: 1,
      name: "KEY",
      value: "é\u0007",
      secret: true,
      delivery: "value",
      origin: { source: "dotenv", file: ".env", line: 2 },
    });
    expect(await json("LEVEL")).toMatchObject({ value: "info", secret: false, origin: { source: "contract" } });
  });

  test("and fails if the disk is full", async ({ skip }) => {
    skip(notLinux !== undefined, notLinux);
    const result = inShell('"$@" get PATH > /dev/full', folder(), {});
    expect(result.status).toBe(125);
    expect(result.stderr).toContain("ENOSPC");
  });
});

describe("get prints no value", () => {
  const cwd = (): string => folder({ "sophia.contract.json": CONTRACT, ".env": `OTHER=${SENTINEL}\n` });

  test.each([
    [["KEY"], 78, "KEY is required"],
    [["PORT"], 78, "PORT must be a port"],
    [["OPTIONAL"], 1, "no source sets OPTIONAL"],
    [["KEY", "--no-contract"], 1, "no source sets KEY"],
    [["LEVEL", "--exclude", "LEV*"], 1, "LEVEL is withheld by --exclude"],
    [["LEVEL", "--scope", "web"], 1, "LEVEL is not in the scope web"],
    [["OPTOINAL"], 125, "did you mean OPTIONAL?"],
    [["ABSENT"], 125, "not declared by the contract, and set by no source"],
    [[], 125, "get needs NAME"],
    [["KEY", "PORT"], 125, "get takes no more than NAME"],
  ])("and says why for %j", async (words, status, message) => {
    const result = await sophia(["get", ...words], { cwd: cwd(), env: { PORT: `${SENTINEL}1` } });
    expect(result).toMatchObject({ status, stdout: "" });
    expect(result.stderr).toContain(message);
    expectWording(result.stderr);
    expect(result.stderr).not.toContain(SENTINEL);
  });

  test("that violates the contract, except with --no-contract; other variables' violations have no effect", async () => {
    const env = { PORT: "99999", LEVEL: "debug" };
    expect((await sophia(["get", "PORT", "--no-contract"], { cwd: cwd(), env })).stdout).toBe("99999");
    expect(await sophia(["get", "LEVEL"], { cwd: cwd(), env })).toMatchObject({ status: 0, stdout: "debug" });
  });

  test("if ESC cannot be read: the cause comes first", async () => {
    const env = { ESC_ENV: "acme/app/dev", ESC_TOKEN: "t", PULUMI_BACKEND_URL: "http://127.0.0.1:1" };
    const required = await sophia(["get", "KEY"], { cwd: cwd(), env });
    expect(required).toMatchObject({ status: 78, stdout: "" });
    expect(required.stderr).toMatch(/^sophia-run: ESC environment acme\/app\/dev cannot be read/);
    const optional = await sophia(["get", "OPTIONAL"], { cwd: cwd(), env });
    expect(optional).toMatchObject({ status: 1, stdout: "" });
    expect(optional.stderr).toMatch(/^sophia-run: warning: ESC environment acme\/app\/dev cannot be read/);
  });
});

describe("get refuses to print", () => {
  const project = (): string => folder({ "sophia.contract.json": CONTRACT, ".env": `KEY=${sentinelOf("key")}\n` });

  test("for a coding agent, even through a pipe", async () => {
    const [cwd, env] = [project(), { CLAUDECODE: "1" }];
    for (const words of [["KEY"], ["KEY", "--json"], ["LEVEL"]]) {
      const refused = await sophia(["get", ...words], { cwd, env });
      expect(refused).toMatchObject({ status: 125, stdout: "" });
      expect(refused.stderr).toContain("to Claude Code\n");
      expectWording(refused.stderr);
    }
    expect(await sophia(["get", "KEY", "--reveal"], { cwd, env })).toMatchObject({
      status: 0,
      stdout: sentinelOf("key"),
      stderr: "",
    });
  });

  test("to a terminal; with --reveal a line break ends the value there", async ({ skip }) => {
    const reason = notInstalled("python3", "--version");
    skip(reason !== undefined, reason);
    const cwd = project();
    for (const words of [["KEY"], ["KEY", "--json"]]) {
      const refused = await atTerminal(["get", ...words], { cwd, env: {} }, []);
      expect(refused.status).toBe(125);
      expect(refused.stdout).toContain("--reveal");
      expect(refused.stdout).not.toContain(SENTINEL);
    }
    const revealed = await atTerminal(["get", "KEY", "--reveal"], { cwd, env: {} }, []);
    expect([revealed.status, revealed.stdout]).toEqual([0, `${sentinelOf("key")}\r\n`]);
  });
});

describe("get in GitHub Actions", () => {
  const project = (): string =>
    folder({ "sophia.contract.json": CONTRACT, ".env": `KEY='${SENTINEL}-one\n${SENTINEL}-two'\n` });
  const env = { GITHUB_ACTIONS: "true" };
  const masks = `::add-mask::${SENTINEL}-one\n::add-mask::${SENTINEL}-two\n`;

  test("has the runner mask each line of a secret, and nothing public", async () => {
    const cwd = project();
    const result = await sophia(["get", "KEY"], { cwd, env });
    expect(result).toMatchObject({ status: 0, stdout: `${SENTINEL}-one\n${SENTINEL}-two`, stderr: masks });
    expect(await sophia(["get", "LEVEL"], { cwd, env })).toMatchObject({ stdout: "info", stderr: "" });
    expect((await sophia(["get", "KEY"], { cwd })).stderr).toBe("");
  });

  test("masks a value that holds a credential, even if the contract declares it public without a reason", async () => {
    const url = `https://user:${SENTINEL}@example.com/`;
    const variables = { ADDRESS: { secret: false }, KNOWN: { secret: false, reason: "browsers get it" } };
    const cwd = folder({
      "sophia.contract.json": JSON.stringify({ variables }),
      ".env": `ADDRESS=${url}\nKNOWN=${url}\n`,
    });
    const masked = await sophia(["get", "ADDRESS"], { cwd, env });
    expect(masked).toMatchObject({ status: 0, stdout: url });
    expect(masked.stderr).toContain(`::add-mask::${url}\n`);
    expect(await sophia(["get", "KNOWN"], { cwd, env })).toMatchObject({ stdout: url, stderr: "" });
  });

  test("prints neither masks nor value if both streams are one file", () => {
    const cwd = project();
    const value = `${SENTINEL}-one\n${SENTINEL}-two`;
    expect(inShell('"$@" get KEY 2>&1', cwd, env)).toEqual({ status: 0, stdout: value, stderr: "" });
    expect(inShell('"$@" get KEY 2> log', cwd, env).stdout).toBe(value);
    expect(readFileSync(join(cwd, "log"), "utf8")).toBe("");
  });
});

test("get writes its line into the audit log first, without the value", async () => {
  const cwd = folder({ "sophia.contract.json": CONTRACT, ".env": `KEY=${sentinelOf("key")}\n` });
  const get = (...words: readonly string[]) => sophia(["get", ...words, "--audit-log", "log"], { cwd });
  expect((await get("KEY", "--reason", "for a test")).status).toBe(0);
  expect((await get("KEY", "--exclude", "KEY")).status).toBe(78);
  const text = readFileSync(join(cwd, "log"), "utf8");
  const lines = text.trimEnd().split("\n");
  expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
    { event: "get", outcome: "allowed", names: { KEY: "dotenv" }, reason: "for a test" },
    { event: "get", outcome: "refused", names: {} },
  ]);
  expect(text).not.toContain(SENTINEL);
  const unrecorded = await sophia(["get", "KEY", "--audit-log", cwd], { cwd });
  expect(unrecorded).toMatchObject({ status: 125, stdout: "" });
});

test("get prints a notice if SOPHIA_BROKER is set, since the value is the real one; --quiet drops the notice", async () => {
  const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables: { OPENAI_API_KEY: {} } }) });
  const env = { OPENAI_API_KEY: sentinelOf("openai"), SOPHIA_BROKER: "1" };
  const loud = await sophia(["get", "OPENAI_API_KEY"], { cwd, env });
  expect([loud.status, loud.stdout]).toEqual([0, sentinelOf("openai")]);
  expectWording(loud.stderr);
  expect(loud.stderr).not.toContain(SENTINEL);
  expect((await sophia(["get", "-q", "OPENAI_API_KEY"], { cwd, env })).stderr).toBe("");
});
