import { describe, expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../../esc-server/index.ts";
import { type Ended, folder, sophia } from "../../helpers/sophia.ts";
import { atTerminal } from "../../helpers/terminal.ts";
import { expectWording } from "../../helpers/wording.ts";
import { SENTINEL, sentinel } from "../world.ts";

const ENV = "acme/app/dev";
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
    DATABASE_URL: {"fn::secret": "postgresql://${sentinel("url")}@db/app"}
    PORT: 8080  # of the proxy
    LOG_LEVEL: info
    OTHER: ${sentinel("plain")}
`;

async function world(definition = DEFINITION, spec: { readonly updates?: "approval" } = {}) {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  const handle = server.environment(ENV, { definition, ...spec });
  const cwd = folder({ "sophia.contract.json": JSON.stringify(CONTRACT) });
  const env = { PULUMI_BACKEND_URL: server.url, ESC_ENV: ENV, ESC_ADMIN_TOKEN: server.token };
  const run = (args: readonly string[] = [], more: Readonly<Record<string, string>> = {}): Promise<Ended> =>
    sophia(["enforce", ...args], { cwd, env: { ...env, ...more } });
  const command = (words: readonly string[], input = ""): Promise<Ended> =>
    sophia(words, { cwd, env: { ...env, ESC_TOKEN: server.token }, input });
  const start = (): Promise<Ended> =>
    sophia(["--", "sh", "-c", 'echo "$PORT ${#DATABASE_URL} ${contract-none}"'], {
      cwd,
      env: { PULUMI_BACKEND_URL: server.url, ESC_ENV: ENV, ESC_TOKEN: server.token },
    });
  return { server, handle, cwd, env, run, command, start };
}

function expectNoValue({ stdout, stderr }: { stdout: string; stderr: string }): void {
  expect(stdout + stderr).not.toContain(SENTINEL);
}

/** Each line of a definition that is not part of the schema, as the service stores it. */
function withoutSchema(definition: string): string {
  return definition.replace(/^ {2}contract:\n(?: {4}.*\n)*/m, "");
}

describe("enforce", () => {
  test("writes the contract beside the variables, which stay byte for byte, and nothing the second time", async () => {
    const { server, handle, run, start } = await world();
    const before = handle.definition;
    const ended = await run(["--yes"]);
    expect(ended).toMatchObject({ status: 0, stderr: "" });
    expectWording(ended.stdout);
    expectNoValue(ended);
    expect(ended.stdout).toContain("+  contract:\n+    fn::validate:");
    expect(withoutSchema(handle.definition)).toBe(before);
    expect(handle.definition).toContain("value: ${environmentVariables}");
    expect(await start()).toMatchObject({ status: 0, stdout: expect.stringMatching(/^8080 \d+ none\n$/) });
    const again = await run(["--yes"]);
    expect(again).toMatchObject({ status: 0, stderr: "", stdout: expect.stringContaining("already") });
    expect(handle.revisions).toHaveLength(2);
    expect(server.violations).toEqual([]);
  });

  test("ESC refuses a wrong value from then on, and takes a right one", async () => {
    const { handle, run, command } = await world();
    await run(["--yes"]);
    const wrong = await command(["rotate", "DATABASE_URL", "--yes"], "mysql://h/d");
    expect(wrong.status).toBe(125);
    const right = await command(["rotate", "DATABASE_URL", "--yes"], "postgresql://h/other");
    expect(right).toMatchObject({ status: 0, stderr: "" });
    expect(handle.revisions).toHaveLength(3);
  });

  test("writes nothing if today's values violate the contract, and lists them as check does", async () => {
    const { handle, run } = await world(DEFINITION.replace("PORT: 8080", "PORT: 80800"));
    const ended = await run(["--yes"]);
    expect(ended).toMatchObject({ status: 78, stderr: "" });
    expect(ended.stdout).toContain("PORT must be a port: a whole number from 1 to 65535");
    expectWording(ended.stdout);
    expectNoValue(ended);
    expect(handle.revisions).toHaveLength(1);
    expect(await run(["--yes", "--except", "PORT"])).toMatchObject({ status: 0 });
    expect(handle.definition).not.toMatch(/^ +PORT: \{/m);
  });

  test("--dry-run shows the diff and writes nothing; --check ends with 1 until the schema is there, and after a change", async () => {
    const { handle, run, cwd, env } = await world();
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

  test("--remove takes it out again, byte for byte", async () => {
    const { handle, run } = await world();
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
  ])("changes nothing of an unfit definition: %s", async (_, definition, args, message) => {
    const { handle, run } = await world(definition);
    const ended = await run(["--yes", ...args]);
    expect(ended).toMatchObject({ status: 125, stdout: "" });
    expect(ended.stderr).toContain(message);
    expectNoValue(ended);
    expect(handle.revisions).toHaveLength(1);
  });

  test.each([
    [["--check", "--remove"], "--check"],
    [["--key", "a b"], "--key takes a name"],
    [["--key", "environmentVariables"], "ESC itself gives"],
  ])("a mistake is one clear line: %j", async (args, message) => {
    const { handle, run } = await world();
    const ended = await run([...args, "--yes"]);
    expect(ended).toMatchObject({ status: 125, stdout: "" });
    expect(ended.stderr).toContain(message);
    expect(handle.revisions).toHaveLength(1);
  });

  test("--key takes another name, and a mapping with a key of ours is replaced in place", async () => {
    const { handle, run } = await world(`${DEFINITION}  contract: mine\n  after: 1\n`);
    expect(await run(["--key", "sophia", "--yes"])).toMatchObject({ status: 0 });
    expect(handle.definition).toContain("  contract: mine\n  after: 1\n  sophia:\n");
    expect(await run(["--key", "sophia", "--only", "PORT", "--yes"])).toMatchObject({ status: 0 });
    expect(handle.definition).not.toContain("required:");
    expect(handle.definition.match(/fn::validate/g)).toHaveLength(1);
  });

  test("without a terminal and without --yes nothing is written", async () => {
    const { handle, run } = await world();
    expect(await run()).toMatchObject({ status: 125, stderr: expect.stringContaining("confirmation required") });
    expect(handle.revisions).toHaveLength(1);
  });

  test("asks at a terminal, and no is no", async () => {
    const { handle, cwd, env } = await world();
    const asked = await atTerminal(["enforce"], { cwd, env }, [["[y/N]", "n\n"]]);
    expect(asked.status).toBe(1);
    expect(asked.stdout).toContain(`Write the schema to ${ENV}?`);
    expect(handle.revisions).toHaveLength(1);
  });

  test("an environment whose changes require an approval gets a draft", async () => {
    const { handle, run } = await world(DEFINITION, { updates: "approval" });
    expect(await run(["--yes"])).toMatchObject({ status: 3, stdout: expect.stringContaining("requires an approval") });
    expect(handle.revisions).toHaveLength(1);
  });
});

describe("an environment that ESC checks", () => {
  test("a refused change names the variables, and a change corrects an environment that ESC does not open", async () => {
    const { handle, run, command, start } = await world();
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
    const unrelated = await command(["set", "NEW_NAME", "--yes"], sentinel("new"));
    expect(unrelated).toMatchObject({
      status: 125,
      stderr: expect.stringContaining("PORT: the schema refuses its value"),
    });
    expectWording(unrelated.stderr);
    expectNoValue(unrelated);
    const mended = await command(["set", "PORT", "--overwrite", "--yes"], "8081");
    expect(mended).toMatchObject({ status: 0, stderr: "" });
    expect(handle.definition).toContain("8081");
  });

  test("two values that are wrong are replaced in one revision, at a terminal", async () => {
    const { handle, run, cwd, env } = await world();
    await run(["--yes"]);
    const broken = handle.definition.replace("PORT: 8080", "PORT: 80800").replace("LOG_LEVEL: info", "LOG_LEVEL: loud");
    handle.revise({ definition: broken });
    const args = ["set", "PORT", "LOG_LEVEL", "--overwrite", "--yes"];
    const ended = await atTerminal(args, { cwd, env }, [
      ["Value of PORT (not shown):", "8081\n"],
      ["Value of LOG_LEVEL (not shown):", "debug\n"],
    ]);
    expect(ended.status).toBe(0);
    expect(handle.revisions).toHaveLength(4);
    expect(handle.definition).toMatch(/PORT: "8081".*\n.*LOG_LEVEL: "debug"\n/);
  });

  test.each([
    ["the standard input", ["PORT", "LOG_LEVEL"], "the standard input has the value of one variable"],
    [
      "a word that the contract does not declare",
      ["PORT", sentinel("typed")],
      "set takes no value on the command line",
    ],
    ["a name twice", ["PORT", "PORT"], "set names a variable twice"],
  ])("set with several names refuses %s", async (_, names, message) => {
    const { handle, command } = await world();
    const ended = await command(["set", ...names, "--yes"], "1");
    expect(ended).toMatchObject({ status: 125, stdout: "" });
    expect(ended.stderr.replaceAll(/\s+/g, " ")).toContain(message);
    expectNoValue(ended);
    expect(handle.revisions).toHaveLength(1);
  });
});
