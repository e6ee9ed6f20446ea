import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ProcessResult, folder, sophia, sophiaRun, unwrapLines } from "../../helpers/sophia.ts";
import { startProcess } from "../../helpers/start-process.ts";
import { atTerminal } from "../../helpers/terminal.ts";
import { expectWording } from "../../helpers/wording.ts";
import { ENV, startEscProject } from "../parts/writing/esc-project.ts";
import { expectNoValue, sentinelOf } from "../sophia-environment.ts";

const CONTRACT = {
  variables: {
    DATABASE_URL: { required: true, format: { type: "url", schemes: ["postgresql"] } },
    PORT: { format: "port" },
    LOG_LEVEL: { format: { type: "enum", values: ["debug", "info"] } },
  },
};
const DEFINITION = `# The service.
values:
  environmentVariables:
    DATABASE_URL: {"fn::secret": "postgresql://${sentinelOf("url")}@db/app"}
    PORT: 8080  # of the proxy
    LOG_LEVEL: info
    OTHER: ${sentinelOf("plain")}
`;

async function startEscWithDefinition(
  definition = DEFINITION,
  spec: { readonly updates?: "approval"; readonly stacks?: readonly string[] } = {},
) {
  const files = { "sophia.contract.json": JSON.stringify(CONTRACT) };
  const project = await startEscProject({ definition, ...spec }, files);
  const { server, cwd, env } = project;
  const run = (args: readonly string[] = [], more: Readonly<Record<string, string>> = {}): Promise<ProcessResult> =>
    sophia(["enforce", ...args], { cwd, env: { ...env, ...more } });
  const command = (words: readonly string[], input = ""): Promise<ProcessResult> =>
    sophia(words, { cwd, env: { ...env, ESC_TOKEN: server.token }, input });
  const start = (): Promise<ProcessResult> =>
    sophia(["--", "sh", "-c", 'echo "$PORT ${#DATABASE_URL} ${contract-none}"'], {
      cwd,
      env: { PULUMI_BACKEND_URL: server.url, ESC_ENV: ENV, ESC_TOKEN: server.token },
    });
  return { ...project, run, command, start };
}

/** Each line of a definition that is not part of the schema, as the service stores it. */
function withoutSchema(definition: string): string {
  return definition.replace(/^ {2}contract:\n(?: {4}.*\n)*/m, "");
}

describe("enforce", () => {
  test("writes the contract into the definition, leaves the variables as they are byte for byte, and writes nothing the second time", async () => {
    const { server, handle, run, start } = await startEscWithDefinition();
    const before = handle.definition;
    const result = await run(["--yes"]);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expectWording(result.stdout);
    expectNoValue(result);
    expect(result.stdout).toContain("+  contract:\n+    fn::validate:");
    expect(withoutSchema(handle.definition)).toBe(before);
    expect(handle.definition).toContain("value: ${environmentVariables}");
    expect(await start()).toMatchObject({ status: 0, stdout: expect.stringMatching(/^8080 \d+ none\n$/) });
    const again = await run(["--yes"]);
    expect(again).toMatchObject({ status: 0, stderr: "", stdout: expect.stringContaining("already") });
    expect(handle.revisions).toHaveLength(2);
    expect(server.violations).toEqual([]);
  });

  test("has ESC refuse a wrong value from then on, and accept a correct one", async () => {
    const { handle, run, command } = await startEscWithDefinition();
    await run(["--yes"]);
    const wrong = await command(["rotate", "DATABASE_URL", "--yes"], "mysql://h/d");
    expect(wrong.status).toBe(125);
    const right = await command(["rotate", "DATABASE_URL", "--yes"], "postgresql://h/other");
    expect(right).toMatchObject({ status: 0, stderr: "" });
    expect(handle.revisions).toHaveLength(3);
  });

  test("writes nothing if today's values violate the contract, and lists them as check does", async () => {
    const { handle, run } = await startEscWithDefinition(DEFINITION.replace("PORT: 8080", "PORT: 80800"));
    const result = await run(["--yes"]);
    expect(result).toMatchObject({ status: 78, stderr: "" });
    expect(result.stdout).toContain(`PORT must be a port: a whole number from 1 to 65535 (${ENV}, line 5)`);
    expectWording(result.stdout);
    expectNoValue(result);
    expect(handle.revisions).toHaveLength(1);
    expect(await run(["--yes", "--except", "PORT"])).toMatchObject({ status: 0 });
    expect(handle.definition).not.toMatch(/^ +PORT: \{/m);
  });

  test("--dry-run shows the diff and writes nothing; --check ends with 1 until the schema is there, and after a change", async () => {
    const { handle, run, cwd, env } = await startEscWithDefinition();
    const dry = await run(["--dry-run"]);
    expect(dry).toMatchObject({ status: 0, stderr: "" });
    expect(dry.stdout).toContain(`--- ${ENV}@1\n+++ ${ENV}\n@@ -7,0 +8,`);
    expectNoValue(dry);
    const missing = await run(["--check"]);
    expect(missing).toMatchObject({ status: 1, stderr: "" });
    expect(missing.stdout).toContain("the schema values.contract is missing");
    expectWording(missing.stdout);
    await run(["--yes"]);
    const there = await run(["--check"]);
    expect(there).toMatchObject({ status: 0, stderr: "" });
    const other = folder({
      "sophia.contract.json": JSON.stringify({ variables: { ...CONTRACT.variables, PORT: { format: "integer" } } }),
    });
    const changed = await sophia(["enforce", "--check"], { cwd: other, env });
    expect(changed).toMatchObject({
      status: 1,
      stdout: expect.stringContaining("values.contract is not what the contract gives"),
    });
    const diff = await sophia(["enforce", "--dry-run"], { cwd: other, env });
    expect(diff.stdout).toMatch(/^-\s+PORT: .*\n\+\s+PORT: /m);
    expect(handle.revisions).toHaveLength(2);
    expect(cwd).not.toBe(other);
  });

  test("the schema records --only and --except, by which --check compares it", async () => {
    const { handle, run } = await startEscWithDefinition(DEFINITION, {});
    await run(["--only", "PORT", "--only", "LOG_*", "--yes"]);
    expect(handle.definition).toContain(String.raw`Written by \"sophia-run enforce --only 'PORT,LOG_*'\". Change`);
    expect(await run(["--check"])).toMatchObject({ status: 0, stderr: "" });
    expect(await run(["--check", "--except", "PORT"])).toMatchObject({ status: 1 });
    // The options that the schema records select the same variables when they are pasted.
    expect(await run(["--check", "--only", "PORT,LOG_*"])).toMatchObject({ status: 0, stderr: "" });
    // Without options it checks all again.
    await run(["--yes"]);
    expect(handle.definition).toContain("DATABASE_URL: {type: string");
    expect(await run(["--check"])).toMatchObject({ status: 0 });
  });

  test("finds its schema under another key, for --check, --remove and the next time", async () => {
    const { handle, run } = await startEscWithDefinition();
    const before = handle.definition;
    await run(["--key", "checked", "--yes"]);
    expect(await run(["--check"])).toMatchObject({ status: 0 });
    expect(await run(["--only", "PORT", "--yes"])).toMatchObject({ status: 0 });
    expect(handle.definition).toMatch(/^ {2}checked:$/m);
    expect(handle.definition).not.toMatch(/^ {2}contract:$/m);
    expect(await run(["--remove", "--yes"])).toMatchObject({ status: 0 });
    expect(handle.definition).toBe(before);
  });

  test("--remove removes the schema again, byte for byte", async () => {
    const { handle, run } = await startEscWithDefinition();
    const before = handle.definition;
    await run(["--yes"]);
    const removed = await run(["--remove", "--yes"]);
    expect(removed).toMatchObject({ status: 0, stderr: "" });
    expectWording(removed.stdout);
    expect(handle.definition).toBe(before);
    expect(await run(["--remove", "--yes"])).toMatchObject({ status: 0, stdout: expect.stringContaining("no schema") });
    expect(handle.revisions).toHaveLength(3);
  });

  test.each([
    ["a key that is not ours", `${DEFINITION}  contract: {mine: true}\n`, [], "is not a schema of sophia-run"],
    ["no variables", "values:\n  other: x\n", [], "the definition has no environmentVariables to check"],
    ["values within braces", "values: {environmentVariables: {DATABASE_URL: postgresql://x}}\n", [], "within braces"],
  ])("changes nothing in a definition that it cannot use: %s", async (_, definition, args, message) => {
    const { handle, run } = await startEscWithDefinition(definition);
    const result = await run(["--yes", ...args]);
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain(message);
    expectNoValue(result);
    expect(handle.revisions).toHaveLength(1);
  });

  test.each([
    [["--check", "--remove"], "--check"],
    [["--key", "a b"], "--key takes a name"],
    [["--key", "environmentVariables"], "ESC itself gives"],
    [["--only", "DB_[AB]", "--only", "it's"], "--only matches no name of a variable"],
    [["--only", ","], "--only matches no name of a variable"],
  ])("reports a mistake in one clear line: %j", async (args, message) => {
    const { handle, run } = await startEscWithDefinition();
    const result = await run([...args, "--yes"]);
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain(message);
    expect(handle.revisions).toHaveLength(1);
  });

  test("--key writes another name, and a mapping whose key is one of enforce's is replaced in place", async () => {
    const { handle, run } = await startEscWithDefinition(`${DEFINITION}  contract: mine\n  after: 1\n`);
    expect(await run(["--key", "sophia", "--yes"])).toMatchObject({ status: 0 });
    expect(handle.definition).toContain("  contract: mine\n  after: 1\n  sophia:\n");
    expect(await run(["--key", "sophia", "--only", "PORT", "--yes"])).toMatchObject({ status: 0 });
    expect(handle.definition).not.toContain("required:");
    expect(handle.definition.match(/fn::validate/g)).toHaveLength(1);
  });

  test("writes nothing without a terminal and without --yes", async () => {
    const { handle, run } = await startEscWithDefinition();
    expect(await run()).toMatchObject({ status: 125, stderr: expect.stringContaining("confirmation required") });
    expect(handle.revisions).toHaveLength(1);
  });

  test("finds out whether a change was made whose answer was lost, and writes nothing twice", async () => {
    const { server, handle, run } = await startEscWithDefinition();
    server.failNext("update", { kind: "reset", at: "headers" });
    expect(await run(["--yes"])).toMatchObject({ status: 0 });
    expect(handle.revisions).toHaveLength(2);
    expect(await run(["--check"])).toMatchObject({ status: 0 });
  });

  test("asks at a terminal, and writes nothing after a no", async () => {
    const { handle, cwd, env } = await startEscWithDefinition();
    const prompted = await atTerminal(["enforce"], { cwd, env }, [["[y/N]", "n\n"]]);
    expect(prompted.status).toBe(1);
    expect(prompted.stdout).toContain(`Write the schema to ${ENV}?`);
    expect(handle.revisions).toHaveLength(1);
  });

  test("asks with the names of what uses the environment, if the service knows them", async () => {
    const { server, handle, cwd, env } = await startEscWithDefinition(DEFINITION, { stacks: ["shop/prod"] });
    server.environment("acme/app/prod", { definition: "imports: [app/dev]\n" });
    const declined = [["[y/N]", "n\n"]] as const;
    const prompted = await atTerminal(["enforce"], { cwd, env }, declined);
    expect(prompted.status).toBe(1);
    expect(prompted.stdout.replaceAll(/\s+/g, " ")).toContain(
      `Write the schema to ${ENV}, which acme/app/prod and the stack shop/prod use? [y/N]`,
    );
    for (const fault of [404, 403, "html", "reset"] as const) {
      server.failAlways("referrers", fault === "reset" ? { kind: "reset", at: "start" } : fault);
      const silent = await atTerminal(["enforce"], { cwd, env }, declined);
      expect(silent.stdout.replaceAll(/\s+/g, " ")).toContain(`Write the schema to ${ENV}? [y/N]`);
    }
    expect(handle.revisions).toHaveLength(1);
  });

  test("asks with five names if many use the environment", async () => {
    const stacks = Array.from({ length: 101 }, (_, index) => `shop/s${index}`);
    const { cwd, env } = await startEscWithDefinition(DEFINITION, { stacks });
    const prompted = await atTerminal(["enforce"], { cwd, env }, [["[y/N]", "n\n"]]);
    expect(prompted.stdout.replaceAll(/\s+/g, " ")).toContain("the stack shop/s4 and others use? [y/N]");
    expect(prompted.stdout).not.toContain("shop/s5 ");
  });

  test("makes a draft if changes of the environment require an approval", async () => {
    const { handle, run } = await startEscWithDefinition(DEFINITION, { updates: "approval" });
    expect(await run(["--yes"])).toMatchObject({ status: 3, stdout: expect.stringContaining("requires an approval") });
    expect(handle.revisions).toHaveLength(1);
  });
});

describe("in an environment whose values ESC checks", () => {
  test("enforce does not require a secret file of the variables, even if opening the environment needs an approval", async () => {
    const definition = `${DEFINITION}  files:\n    CERTIFICATE: {"fn::secret": "${sentinelOf("file")}"}\n`;
    const contract = { variables: { ...CONTRACT.variables, CERTIFICATE: { required: true } } };
    const { server, cwd, run } = await startEscWithDefinition(definition);
    writeFileSync(join(cwd, "sophia.contract.json"), JSON.stringify(contract));
    const opened = await run(["--dry-run"]);
    server.environment(ENV, { definition, deny: "approval" });
    const evaluated = await run(["--dry-run"]);
    const added = ({ stdout }: ProcessResult): readonly string[] =>
      stdout.split("\n").filter((line) => line.startsWith("+"));
    expect(added(opened).length).toBeGreaterThan(5);
    expect(added(evaluated)).toEqual(added(opened));
    expectNoValue(evaluated);
  });

  test("set names the variables of a refused change, and corrects an environment that ESC does not open", async () => {
    const { handle, run, command, start } = await startEscWithDefinition();
    await run(["--yes"]);
    const wrong = await command(["set", "PORT", "--overwrite", "--yes"], "80800");
    expect(wrong.status).toBe(125);
    expectNoValue(wrong);
    // As a console that does not check, or a changed import, leaves it.
    handle.revise({ definition: handle.definition.replace("PORT: 8080", "PORT: 80800") });
    const refused = await start();
    expect(refused).toMatchObject({ status: 78, stdout: "" });
    expectWording(refused.stderr);
    expectNoValue(refused);
    const listed = await command(["check", "--against", ENV]);
    expect(listed).toMatchObject({ status: 1, stdout: expect.stringContaining("PORT must be a port") });
    const unrelated = await command(["set", "NEW_NAME", "--yes"], sentinelOf("new"));
    expect(unrelated).toMatchObject({
      status: 125,
      stderr: expect.stringContaining("PORT must be a port"),
    });
    expectWording(unrelated.stderr);
    expectNoValue(unrelated);
    const mended = await command(["set", "PORT", "--overwrite", "--yes"], "8081");
    expect(mended).toMatchObject({ status: 0, stderr: "" });
    expect(handle.definition).toContain("8081");
  });

  test("set replaces two invalid values in one revision, at a terminal", async () => {
    const { handle, run, cwd, env } = await startEscWithDefinition();
    await run(["--yes"]);
    const broken = handle.definition.replace("PORT: 8080", "PORT: 80800").replace("LOG_LEVEL: info", "LOG_LEVEL: loud");
    handle.revise({ definition: broken });
    const args = ["set", "PORT", "LOG_LEVEL", "--overwrite", "--yes"];
    const result = await atTerminal(args, { cwd, env }, [
      ["Value of PORT (not shown):", "8081\n"],
      ["Value of LOG_LEVEL (not shown):", "debug\n"],
    ]);
    expect(result.status).toBe(0);
    expect(handle.revisions).toHaveLength(4);
    expect(handle.definition).toMatch(/PORT: "8081".*\n.*LOG_LEVEL: "debug"\n/);
  });

  test.each([
    ["the standard input", ["PORT", "LOG_LEVEL"], "the standard input has the value of one variable"],
    [
      "a word that the contract does not declare",
      ["PORT", sentinelOf("typed")],
      "set takes no value on the command line",
    ],
    ["a name twice", ["PORT", "PORT"], "set names a variable twice"],
  ])("set with several names refuses %s", async (_, names, message) => {
    const { handle, command } = await startEscWithDefinition();
    const result = await command(["set", ...names, "--yes"], "1");
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr.replaceAll(/\s+/g, " ")).toContain(message);
    expectNoValue(result);
    expect(handle.revisions).toHaveLength(1);
  });
});

/** The schema is there, and values violate it: as a console that does not check, or a changed import, leaves them. */
async function startEscWithViolations(edit: (definition: string) => string) {
  const all = await startEscWithDefinition();
  expect(await all.run(["--yes"])).toMatchObject({ status: 0 });
  all.handle.revise({ definition: edit(all.handle.definition) });
  const env = { PULUMI_BACKEND_URL: all.server.url, ESC_ENV: ENV, ESC_TOKEN: all.server.token };
  const by = (
    args: readonly string[],
    more: Readonly<Record<string, string>> = {},
    cwd: string = all.cwd,
  ): Promise<ProcessResult> => sophia(args, { cwd, env: { ...env, ...more } });
  return { ...all, by, env };
}

describe("with an environment whose values violate the schema in ESC", () => {
  const wrongPort = (definition: string): string => definition.replace("PORT: 8080", "PORT: 80800");
  const wrongUrl = (definition: string): string =>
    definition.replace(/DATABASE_URL: .*/, `DATABASE_URL: {"fn::secret": "mysql://${sentinelOf("wrong")}@db/app"}`);

  test.each([
    ["a plain value", wrongPort, "PORT must be a port: a whole number from 1 to 65535"],
    ["a secret", wrongUrl, "DATABASE_URL must be a URL that begins with postgresql://"],
    [
      "a required variable that is missing",
      (text: string): string => text.replace(/ {4}DATABASE_URL: .*\n/, ""),
      "DATABASE_URL is required and not set",
    ],
    [
      "a required variable that is empty",
      (text: string): string => text.replace(/DATABASE_URL: .*/, 'DATABASE_URL: ""'),
      "DATABASE_URL is required and empty",
    ],
  ])("a start ends with 78 and lists the violations: %s", async (_, edit, message) => {
    const { by } = await startEscWithViolations(edit);
    const result = await by(["--", "true"]);
    expect(result).toMatchObject({ status: 78, stdout: "" });
    expect(result.stderr).toContain(message);
    expect(result.stderr).not.toContain("--no-contract");
    expect(result.stderr).toContain(`--in ${ENV}`);
    expectWording(result.stderr);
    expectNoValue(result);
    expect(await by(["--require-esc", "--", "true"])).toMatchObject({ status: 78, stderr: result.stderr });
    expect(await by(["export"])).toMatchObject({
      status: 78,
      stdout: "",
      stderr: expect.stringContaining(message),
    });
  });

  test("the command that is printed for an empty value sets it", async () => {
    const { command, by } = await startEscWithViolations((text) =>
      text.replace(/DATABASE_URL: .*/, 'DATABASE_URL: ""'),
    );
    const mended = await command(["set", "DATABASE_URL", "--in", ENV], "postgresql://h/d");
    expect(mended).toMatchObject({ status: 0, stderr: "" });
    expect(await by(["--", "true"])).toMatchObject({ status: 0, stderr: "" });
  });

  test("a start fails if all variables are set elsewhere, too, and names the value that ESC refuses", async () => {
    const { by } = await startEscWithViolations(wrongPort);
    const result = await by(["--", "true"], { DATABASE_URL: "postgresql://x/y", PORT: "8080" });
    expect(result.status).toBe(78);
    expect(result.stderr).toContain("PORT must be a port");
    expect(result.stderr).toContain(`sophia-run set PORT --in ${ENV} --overwrite`);
  });

  test("a start with --no-contract does not use ESC's values, and warns", async () => {
    const { by } = await startEscWithViolations(wrongPort);
    const result = await by(["--no-contract", "--", "sh", "-c", 'echo "${PORT-none}"']);
    expect(result).toMatchObject({
      status: 0,
      stdout: "none\n",
      stderr: expect.stringContaining("PORT: the schema refuses its value"),
    });
    expect(await by(["--no-contract", "--require-esc", "--", "true"])).toMatchObject({ status: 125 });
  });

  test("a start lists the same violations with a token that may only open, or that may not evaluate", async () => {
    const { server, by } = await startEscWithViolations((text) => wrongUrl(wrongPort(text)));
    const { value: token } = server.addToken({
      owner: { kind: "personal", login: server.user.login ?? "demo-user" },
      access: "open",
    });
    const opener = await by(["--", "true"], { ESC_TOKEN: token });
    expect(opener).toMatchObject({ status: 78, stderr: expect.stringContaining("PORT must be a port") });
    server.failAlways("check", 403);
    const unseeing = await by(["--", "true"], { ESC_TOKEN: token });
    expect(unseeing).toMatchObject({ status: 78, stderr: expect.stringContaining("PORT must be a port") });
    expect(unseeing.stderr).toContain("DATABASE_URL must be a URL that begins with postgresql://");
    expect(unseeing.stderr).toContain("2 violations");
    expectNoValue(unseeing);
  });

  test("check, check --json and explain report the same violations, without a value", async () => {
    const { server, by } = await startEscWithViolations((text) => wrongUrl(wrongPort(text)));
    const text = await by(["check"]);
    expect(text.status).toBe(1);
    expectWording(text.stdout, { [server.token.slice(-4)]: "<end>" });
    expectNoValue(text);
    const json = await by(["check", "--json"]);
    expect(json.status).toBe(1);
    expectNoValue(json);
    expect(JSON.parse(json.stdout)).toMatchObject({
      met: false,
      esc: { status: "unavailable", environmentState: "rejected", failure: { code: "esc-schema" } },
      violations: [
        { kind: "malformed", names: ["PORT"] },
        { kind: "malformed", names: ["DATABASE_URL"] },
      ],
      variables: [
        { name: "DATABASE_URL", state: "invalid", origin: { source: "esc", environment: ENV, line: 4 } },
        { name: "PORT", state: "invalid", origin: { source: "esc", environment: ENV, line: 5 } },
        { name: "LOG_LEVEL", state: "set" },
      ],
    });
    const explained = await by(["explain", "PORT"]);
    expect(explained).toMatchObject({ status: 0, stdout: expect.stringContaining("PORT must be a port") });
    expectNoValue(explained);
  });

  test("a start keeps the cache but uses it only with --no-contract", async () => {
    const { handle, by } = await startEscWithViolations((text) => text);
    const cache = { XDG_CACHE_HOME: folder() };
    const print = ["--", "sh", "-c", 'echo "$PORT"'];
    expect(await by(["--cache", ...print], cache)).toMatchObject({ status: 0, stdout: "8080\n" });
    handle.revise({ definition: wrongPort(handle.definition) });
    expect(await by(["--cache", ...print], cache)).toMatchObject({
      status: 78,
      stderr: expect.stringContaining("PORT must be a port"),
    });
    expect(await by(["--cache", "--no-contract", ...print], cache)).toMatchObject({ status: 0, stdout: "8080\n" });
    expect(await by(["--offline", ...print], cache)).toMatchObject({ status: 0, stdout: "8080\n" });
  });

  test("a start names the schema if the contract allows the value, and reports an undeclared variable as an error of ESC", async () => {
    const { by } = await startEscWithViolations(wrongUrl);
    const looser = folder({
      "sophia.contract.json": JSON.stringify({
        variables: { ...CONTRACT.variables, DATABASE_URL: { required: true } },
      }),
    });
    const allowed = await by(["--", "true"], {}, looser);
    expect(allowed.status).toBe(78);
    expectWording(allowed.stderr);
    const other = folder({ "sophia.contract.json": JSON.stringify({ variables: { PORT: { format: "port" } } }) });
    const undeclared = await by(["--require-esc", "--", "true"], {}, other);
    expect(undeclared).toMatchObject({
      status: 125,
      stderr: expect.stringContaining("DATABASE_URL: the schema refuses"),
    });
    expectNoValue(undeclared);
  });

  test("rotate replaces the value that keeps the environment closed", async () => {
    const { command, by } = await startEscWithViolations(wrongUrl);
    const mended = await command(["rotate", "DATABASE_URL", "--yes"], "postgresql://h/d");
    expect(mended).toMatchObject({ status: 0, stderr: "" });
    expect(await by(["--", "true"])).toMatchObject({ status: 0 });
  });

  test("--watch keeps the program running, lists the violations once, and restarts it once they are corrected", async () => {
    const { server, handle, cwd, env } = await startEscWithViolations((text) => text);
    const right = handle.definition;
    const command = ["sh", "-c", 'echo "port $PORT"; exec sleep 600'];
    const started = startProcess([...sophiaRun, "--watch", "--watch-every", "1s", "--", ...command], {
      cwd,
      env: { ...env, PATH: process.env["PATH"] ?? "" },
    });
    await started.waitForStdout(/^port 8080$/m);
    handle.revise({ definition: wrongPort(right) });
    await started.waitForStderr(/PORT must be a port/);
    await server.waitFor("etag", server.count("etag") + 2);
    handle.revise({ definition: right.replace("PORT: 8080", "PORT: 8081") });
    await started.waitForStdout(/^port 8081$/m);
    process.kill(started.pid, "SIGTERM");
    const { stderr } = await started.finished;
    expect(stderr.match(/PORT must be a port/g)).toHaveLength(1);
    expect(unwrapLines(stderr)).toContain("the program keeps its current values");
  });
});
