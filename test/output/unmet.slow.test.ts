import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { secret, startEscServer } from "../esc-server/index.ts";
import { REFUSED_PORT } from "../esc-server/sockets.ts";
import { CONTRACT_VALUES, folder, sophia, unwrapLines } from "../helpers/sophia.ts";
import { expectWording } from "../helpers/wording.ts";

const ENVIRONMENT = "acme/sophia/dev";
const MISSING_NAMES = [
  "PULUMI_ACCESS_TOKEN",
  "QDRANT_URL",
  "QDRANT_API_KEY",
  "GH_FINE_GRAINED_TOKEN",
  "OPENAI_API_KEY",
];

/** Starts an ESC whose environment has the values, and returns the variables that lead to it. */
async function startEscWith(
  values: Readonly<Record<string, string>> = {},
  options: Parameters<typeof startEscServer>[0] = {},
) {
  const server = await startEscServer(options);
  onTestFinished(() => server.close());
  server.environment(ENVIRONMENT, {
    values: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, secret(value)])),
  });
  return { server, env: { ESC_ENV: ENVIRONMENT, ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url } };
}

/** Expects that every line fits 80 columns, and that the text has few lines. Returns the lines. */
function expectShortLines(text: string, maxLines = 15): readonly string[] {
  const lines = text.trimEnd().split("\n");
  for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
  expect(lines.length, text).toBeLessThanOrEqual(maxLines);
  return lines;
}

/** Runs a start, an export and a check, which fail for the same reason, and compares their messages with the snapshot. */
async function runAll(env: Readonly<Record<string, string>>, files: Readonly<Record<string, string>> = {}) {
  const cwd = folder(files);
  const launched = await sophia(["--", "node", "server.js"], { cwd, env });
  const exported = await sophia(["export"], { cwd, env });
  const checked = await sophia(["check"], { cwd, env });
  expect([launched.status, exported.status, checked.status]).toEqual([78, 78, 1]);
  expect(launched.stdout + exported.stdout).toBe("");
  const summary = /^--- Summary ---\n([^]*)$/m.exec(checked.stdout)?.[1] ?? "";
  expectShortLines(exported.stderr);
  expectShortLines(checked.stdout, 60);
  expect(exported.stderr).not.toContain("launch");
  for (const text of [launched.stderr, exported.stderr, summary])
    expectWording(text.replace(/request ID \S+/, "<request>"));
  return { lines: expectShortLines(launched.stderr), text: launched.stderr, summary };
}

test("with the built-in contract the message begins with that contract and two remedies, then ESC, and .env last", async () => {
  const { lines, text, summary } = await runAll({ PULUMI_ACCESS_TOKEN: "pul-0123456789abcdef" });
  expect(lines[0]).toMatch(/^sophia-run: no contract .* built-in one/);
  expect(lines[1]).toMatch(/sophia-run init.*--no-contract$/);
  expect(lines[2]).toContain("ESC_ENV and ESC_TOKEN");
  expect(lines[4]).toBe("    export ESC_TOKEN_COMMAND='printenv PULUMI_ACCESS_TOKEN'");
  expect(lines[5]).toMatch(/\(4 violations\); node was not started$/);
  for (const name of MISSING_NAMES.slice(1)) expect(text).toContain(name);
  expect(lines.at(-1)).toContain(".env");
  expect(summary).toMatch(/^⚠️ No contract .*\n {3}.*sophia-run init.*\n❌ .*ESC_ENV/);
});

test("the message names an incomplete configuration of ESC once", async () => {
  const { lines, text } = await runAll({ ESC_ENV: ENVIRONMENT });
  expect(lines[2]).toContain("ESC_ENV is set but ESC_TOKEN");
  expect(text.match(/ESC_TOKEN/g)).toHaveLength(1);
});

test("with ESC the message has one remedy for all missing variables", async () => {
  const { env } = await startEscWith();
  const { lines, text, summary } = await runAll(env);
  expect(lines[2]).toMatch(/\(5 violations\); node was not started$/);
  for (const name of MISSING_NAMES) expect(text).toContain(name);
  for (const message of [text, summary]) {
    expect(message.match(/^ +sophia-run set .*$/gm)).toStrictEqual([
      expect.stringMatching(/^ {4,5}sophia-run set PULUMI_ACCESS_TOKEN --in acme\/sophia\/dev$/),
    ]);
  }
});

test("with .env files only, the message begins with the violations, and only check mentions ESC", async () => {
  const contract = { variables: { DATABASE_URL: { required: true }, PORT: { format: "port" } } };
  const { lines, text, summary } = await runAll(
    {},
    { "sophia.contract.json": JSON.stringify(contract), ".env": "PORT=80\n" },
  );
  expect(lines[0]).toMatch(/^sophia-run: the contract is not met/);
  expect(lines[1]).toContain("DATABASE_URL");
  expect(text).not.toContain("ESC");
  expect(summary).toMatch(/^❌ 1 check failed\n[^]*ESC_ENV and ESC_TOKEN\n$/);
});

describe("if ESC is the cause, the message begins with it, and the missing variables follow", () => {
  test("ESC cannot be reached", async () => {
    const { lines, text, summary } = await runAll({
      ESC_ENV: ENVIRONMENT,
      ESC_TOKEN: "pul-0123456789abcd",
      PULUMI_BACKEND_URL: `http://127.0.0.1:${REFUSED_PORT}`,
    });
    expect(lines[0]).toMatch(/^sophia-run: .*acme\/sophia\/dev cannot be read: /);
    expect(text).toContain("ECONNREFUSED");
    expect(lines).toContain("  not set: PULUMI_ACCESS_TOKEN, QDRANT_URL, QDRANT_API_KEY");
    expect(text).toContain("in .env\n");
    expect(text).not.toContain("sophia-run set");
    expect(summary).toMatch(/^❌ .*acme\/sophia\/dev cannot be read: [^❌]*ECONNREFUSED[^❌]*❌ 5 checks failed/);
  });

  test.each([
    [401, "check ESC_TOKEN"],
    [403, "allow the token"],
    [404, "check ESC_ENV"],
  ])("ESC refuses access with status %i", async (status, hint) => {
    const { server, env } = await startEscWith();
    server.failAlways("open", { kind: "status", status });
    const { lines, text, summary } = await runAll(env, { ".env": `QDRANT_URL=${CONTRACT_VALUES.QDRANT_URL}` });
    expect(lines[0]).toMatch(/^sophia-run: .*acme\/sophia\/dev was refused: /);
    for (const fragment of [`HTTP ${status}`, hint]) expect(text).toContain(fragment);
    expect(text).toMatch(/\n {2}withheld .*: QDRANT_URL\n/);
    expect(text).toContain("unset ESC_TOKEN");
    expect(summary).toMatch(new RegExp(`^❌ .*acme/sophia/dev was refused: [^❌]*HTTP ${status}`));
  });

  test("ESC needs an approval, and the message has the command that requests it", async () => {
    const { server, env } = await startEscWith();
    server.environment(ENVIRONMENT, { values: {}, deny: "approval" });
    const { text } = await runAll(env);
    expect(text).toContain("  sophia-run request --reason TEXT");
  });

  test("the definition has very many errors, which are cut off", async () => {
    const { server, env } = await startEscWith();
    const diagnostics = Array.from({ length: 50 }, (_, index) => ({ summary: `fault ${index} ${"x".repeat(200)}` }));
    server.failAlways("open", { kind: "diagnostics", diagnostics });
    const { status, stderr } = await sophia(["--", "true"], { env });
    expect(status).toBe(78);
    expect(stderr.split("\n").length).toBeLessThan(20);
    expect(stderr).toContain("QDRANT_URL");
    expect(stderr).toContain("and 19 more");
  });
});

test("the message lists many violations by name, and has one remedy for the invalid values of each file", async () => {
  const names = Array.from({ length: 30 }, (_, index) => `VARIABLE_${index}`);
  const variables = Object.fromEntries(names.map((name) => [name, { required: true, format: "port" }]));
  const wrong = { VARIABLE_1: "x", VARIABLE_2: "x" };
  const { lines, text } = await runAll(wrong, {
    "sophia.contract.json": JSON.stringify({ variables }),
    ".env": "VARIABLE_3=x\nA=1\nVARIABLE_4=x\n",
  });
  for (const name of names) expect(text).toContain(name);
  expect(lines[1]).toMatch(/^ {2}not set: VARIABLE_0, VARIABLE_5, /);
  expect(lines.at(-1)).toContain("--no-contract launches anyway");
  expect(text).toMatch(/VARIABLE_1 and VARIABLE_2 in the environment/);
  expect(text).toMatch(/\.env, lines 1 and 3\n/);
});

test("the message lists empty values and missing values separately if there are many violations", async () => {
  const names = Array.from({ length: 12 }, (_, index) => `VARIABLE_${index}`);
  const variables = Object.fromEntries(names.map((name) => [name, { required: true }]));
  const { lines } = await runAll(
    { VARIABLE_1: "" },
    { "sophia.contract.json": JSON.stringify({ variables }), ".env": "VARIABLE_2=\nVARIABLE_3=' '\n" },
  );
  expect(lines).toContain("  empty: VARIABLE_1, VARIABLE_2, VARIABLE_3");
  expect(lines.find((line) => line.includes("not set:"))).not.toMatch(/VARIABLE_[123]\b/);
});

test("many remarks on a file do not hide other notices", async () => {
  const invalidLines = Array.from({ length: 30 }, (_, index) => `bad line ${index}\n`).join("");
  const contract = { "sophia.contract.json": '{"variables":{"A":{"required":true}}}' };
  const { text } = await runAll({ ESC_ENV: ENVIRONMENT }, { ...contract, ".env": `${invalidLines}BASH_ENV=x\n` });
  expect(text).toContain("warning: BASH_ENV in .env");
  expect(text).toMatch(/\n {2}and \d+ further notices\n/);
});

describe("a variable that an option withholds is reported as withheld, not as missing,", () => {
  test.each([
    [["--exclude", "QDRANT_URL"], /QDRANT_URL .*\s+withheld by --exclude/],
    [["--exclude", "*_API_KEY"], /OPENAI_API_KEY .*\s+withheld by --exclude/],
  ])("with %j", async (options, expected) => {
    const { env } = await startEscWith(CONTRACT_VALUES);
    const launched = await sophia([...options, "--", "true"], { env });
    const checked = await sophia(["check", ...options], { env });
    expect([launched.status, checked.status]).toEqual([78, 1]);
    expect(expectShortLines(launched.stderr)[2]).toContain("the contract is not met");
    for (const text of [launched.stderr, checked.stdout]) {
      expect(text).toMatch(expected);
      expect(text).not.toContain("sophia-run set");
      expect(text).not.toContain("Not configured\n❌");
    }
    expect(checked.stdout).toMatch(/^❌ .*: Withheld by --(?:ex|in)clude$/m);
  });
});

test("the message about an invalid value does not mention ESC", async () => {
  const env = { ...CONTRACT_VALUES, QDRANT_URL: "<value>" };
  const { status, stderr } = await sophia(["--", "true"], { env });
  expect(status).toBe(78);
  expect(expectShortLines(stderr)[2]).toMatch(/\(1 violation\); true was not started$/);
  expect(stderr).toContain("QDRANT_URL in the environment");
  expect(stderr).not.toContain("ESC");
});

test("the message names fifty of thousands of violations and counts the others, and JSON has all", async () => {
  const names = Array.from({ length: 8000 }, (_, index) => `VARIABLE_NUMBER_${index}`);
  const contract = { variables: Object.fromEntries(names.map((name) => [name, { required: true }])) };
  const cwd = folder({ "sophia.contract.json": JSON.stringify(contract) });
  const launched = await sophia(["--", "true"], { cwd });
  const checked = await sophia(["check"], { cwd });
  expect([launched.status, checked.status]).toEqual([78, 1]);
  const summary = checked.stdout.slice(checked.stdout.indexOf("--- Summary ---"));
  for (const text of [launched.stderr, summary]) {
    expect(new Set(text.match(/VARIABLE_NUMBER_\d+/g))).toEqual(new Set(names.slice(0, 50)));
    expect(text).toContain("and 7950 violations more");
  }
  const { stdout } = await sophia(["check", "--json"], { cwd });
  const { violations }: { violations: { names: string[] }[] } = JSON.parse(stdout);
  expect(violations.map((violation) => violation.names[0])).toEqual(names);
});

test("the message names fifty variables of a group with thousands", async () => {
  const names = Array.from({ length: 5000 }, (_, index) => `MEMBER_${index}`);
  for (const rule of ["all-or-none", "one-of", "exactly-one"]) {
    const contract = {
      variables: Object.fromEntries(names.map((name) => [name, {}])),
      groups: { all: { rule, variables: names } },
    };
    const env = rule === "one-of" ? {} : { MEMBER_0: "a", ...(rule === "exactly-one" ? { MEMBER_1: "b" } : {}) };
    const cwd = folder({ "sophia.contract.json": JSON.stringify(contract) });
    const { status, stderr } = await sophia(["--", "true"], { cwd, env });
    expect(status).toBe(78);
    expect(new Set(stderr.match(/MEMBER_\d+/g)).size).toBeLessThanOrEqual(51);
  }
});

describe(".env.local, which is not read,", () => {
  const contract = JSON.stringify({
    variables: { KEY: { required: true, aliases: ["OLD_KEY"] }, PORT: { format: "port" } },
  });
  const findNamedOption = (text: string): string | undefined =>
    /\S*\.env\.local has .*? (--dotenv \S+)/s.exec(unwrapLines(text))?.[1];

  test("is named with the option that reads it if it has the missing variables, and the option works", async () => {
    const files = { "sophia.contract.json": contract, ".env": "A=1\n", ".env.local": "OLD_KEY=sentinel\nB=1\n" };
    const cwd = folder(files);
    for (const args of [["--", "true"], ["export"], ["get", "KEY"], ["check"]]) {
      const { stdout, stderr } = await sophia(args, { cwd });
      expect(stdout + stderr).toContain(".env.local has OLD_KEY, and is not read");
      expect(stdout + stderr).not.toContain("sentinel");
      const options = findNamedOption(stdout + stderr)?.split(" ") ?? [];
      expect(options).toEqual(["--dotenv", ".env,.env.local"]);
      expect((await sophia([...options, ...args], { cwd })).status).toBe(0);
    }
    expectWording((await sophia(["--", "true"], { cwd })).stderr);
  });

  test.each([
    ["if it is read already", { ".env.local": "KEY=1\n" }, ["--dotenv", ".env.local", "--exclude", "KEY"]],
    ["if it cannot be parsed", { ".env.local": 'KEY="1\n' }, []],
  ])("is not named %s", async (_, files, options) => {
    const cwd = folder({ "sophia.contract.json": contract, ...files });
    const result = await sophia([...options, "--", "true"], { cwd });
    expect(result.status).toBe(78);
    expect(result.stderr).not.toContain(".env.local");
  });

  test.each([
    ["has other variables", "B=1\nPORT=1\n"],
    ["has an empty value", "KEY=\n"],
    ["is empty", ""],
  ])("is reported to have none of the missing variables if it %s", async (_, text) => {
    const cwd = folder({ "sophia.contract.json": contract, ".env.local": text });
    const result = await sophia(["--", "true"], { cwd });
    expect(result.status).toBe(78);
    expect(result.stderr).toContain(".env.local has none of what is missing, and is not read");
    expect(result.stderr).not.toContain("--dotenv");
  });

  test("is searched in linear time for the missing variables", async () => {
    const others = Array.from({ length: 300_000 }, (_, index) => `NAME_${index}=1\n`).join("");
    const cwd = folder({ "sophia.contract.json": contract, ".env.local": `${others}KEY=1\n` });
    const { status, stderr } = await sophia(["--", "true"], { cwd });
    expect([status, stderr]).toEqual([78, expect.stringContaining(".env.local has KEY, and is not read")]);
  });

  test("is not named if other users may write it", async () => {
    const cwd = folder({ "sophia.contract.json": contract, ".env.local": "KEY=1\n" });
    chmodSync(join(cwd, ".env.local"), 0o666);
    const result = await sophia(["--", "true"], { cwd });
    expect(result.status).toBe(78);
    expect(result.stderr).not.toContain(".env.local");
  });

  test("is also found beside the contract in a folder above, and the option keeps the files that were read", async () => {
    const root = folder({ "sophia.contract.json": contract, ".env": "A=1\n", ".env.local": "KEY=1\n" });
    const cwd = join(root, "a,b");
    mkdirSync(cwd);
    writeFileSync(join(cwd, ".env"), "B=1\n", { mode: 0o600 });
    const { stderr } = await sophia(["--", "true"], { cwd });
    const option = findNamedOption(stderr) ?? "";
    expect(option).toBe(`--dotenv ${root}/.env,.env,${root}/.env.local`);
    const started = await sophia([...option.split(" "), "--", "sh", "-c", 'echo "$A$B$KEY"'], { cwd });
    expect(started).toMatchObject({ status: 0, stdout: "111\n" });
    writeFileSync(join(cwd, ".env.local"), "KEY=2\n", { mode: 0o600 });
    const resultInProject = await sophia(["--dotenv", ".env", "--", "true"], { cwd });
    expect(findNamedOption(resultInProject.stderr)).toBe("--dotenv .env,.env.local");
  });
});
