import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FAKE_TOKEN } from "../../contract/corpus.ts";
import { type EscServer, secret } from "../../esc-server/index.ts";
import { type ProcessResult, sophia, sophiaRun } from "../../helpers/sophia.ts";
import { atTerminal, startAtTerminal, type Step } from "../../helpers/terminal.ts";
import { expectWording } from "../../helpers/wording.ts";
import { flatObject } from "../export/consumers.ts";
import { ENV, startEscProject } from "../parts/writing/esc-project.ts";
import { SENTINEL, expectNoValue, sentinelOf } from "../sophia-environment.ts";

const CONTRACT = JSON.stringify({
  variables: {
    API_KEY: { required: true, format: { type: "text", prefix: "sk-", minLength: 12 }, aliases: ["OLD_API_KEY"] },
    PIN: { format: { type: "text", pattern: "^[0-9]{4}$" } },
    REGION: { secret: false },
    SAMPLE: { example: "sample-of-the-contract" },
    SOPHIA_API_KEY: {},
  },
});
const KEY = `sk-${sentinelOf("key")}-$\{x}`;

async function startEscWithEnvironment(spec: Parameters<EscServer["environment"]>[1] = { values: { KEEP: "1" } }) {
  const project = await startEscProject(spec, { "sophia.contract.json": CONTRACT });
  const { server, cwd, env } = project;
  const run = (
    args: readonly string[],
    input = "",
    more: Readonly<Record<string, string>> = {},
  ): Promise<ProcessResult> => sophia(["set", ...args], { cwd, env: { ...env, ...more }, input });
  const values = async (): Promise<Readonly<Record<string, unknown>>> => {
    const launched = { PULUMI_BACKEND_URL: server.url, ESC_ENV: ENV, ESC_TOKEN: server.token };
    const { stdout } = await sophia(["export", "--no-contract", "--format", "json"], { env: launched });
    return flatObject(stdout);
  };
  return { ...project, run, values };
}

describe("set NAME", () => {
  test("writes the value of the standard input as a secret, reads it back, and changes nothing the second time", async () => {
    const { server, handle, run, values } = await startEscWithEnvironment();
    const result = await run(["API_KEY"], `${KEY}\n`);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toContain("  + API_KEY  secret\n");
    expect(result.stdout).toContain(`pulumi env version rollback ${ENV}@1`);
    expectWording(result.stdout);
    expectNoValue(result);
    expect(handle.definition).toContain("ciphertext");
    expect(handle.definition).toContain('KEEP: "1"');
    expect(await values()).toMatchObject({ API_KEY: KEY, KEEP: "1" });
    const again = await run(["API_KEY"], KEY);
    expect(again).toMatchObject({ status: 0, stderr: "" });
    expectWording(again.stdout);
    expect(handle.revisions).toHaveLength(2);
    expect(server.violations).toEqual([]);
  });

  test.each([
    ["an undeclared variable with the name of a secret", "SESSION_TOKEN", sentinelOf("t"), true],
    ["an undeclared private key", "PEM", privateKey(), true],
    ["a variable that is declared public", "REGION", "eu", false],
    ["a variable that is declared public, with a credential", "REGION", FAKE_TOKEN, true],
    ["another undeclared variable", "LEVEL", "debug", true],
    ["the alias of a declared variable", "OLD_API_KEY", KEY, true],
    ["a declared variable that is named like a setting", "SOPHIA_API_KEY", KEY, true],
  ])("stores a secret or plain text: %s", async (_, name, value, isSecret) => {
    const { handle, run, values } = await startEscWithEnvironment();
    const result = await run([name], value);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toContain(`  + ${name}  ${isSecret ? "secret" : "plain text"}\n`);
    expect(handle.definition.includes("ciphertext")).toBe(isSecret);
    expect(await values()).toMatchObject({ [name]: value.replace(/\n$/, "") });
  });

  test("--plain writes plain text, but not for what the contract declares a secret", async () => {
    const { handle, run, values } = await startEscWithEnvironment();
    const result = await run(["LEVEL", "--plain"], "debug");
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toContain("  + LEVEL  plain text\n");
    expect(handle.definition).not.toContain("ciphertext");
    expect(await values()).toMatchObject({ LEVEL: "debug" });
    const refused = await run(["API_KEY", "--plain"], KEY);
    expect(refused).toMatchObject({ status: 125, stdout: "" });
    expect(refused.stderr).toContain("--plain: the contract declares API_KEY a secret");
    expectNoValue(refused);
  });

  test.each<[what: string, input: string, value: string]>([
    ["one line break at the end is dropped", "a\n", "a"],
    ["only one", "a\n\n", "a\n"],
    ["also that of Windows", "a\r\nb\r\n", "a\r\nb"],
    ["blanks are part of it", "  a b\t\n", "  a b\t"],
  ])("reads the standard input: %s", async (_, input, value) => {
    const { run, values } = await startEscWithEnvironment();
    expect(await run(["LEVEL"], input)).toMatchObject({ status: 0 });
    expect(await values()).toMatchObject({ LEVEL: value });
  });

  test("keeps the value in ESC, and replaces it with --overwrite", async () => {
    const { handle, run, values } = await startEscWithEnvironment({
      values: { API_KEY: secret(`sk-${sentinelOf("old")}`), PIN: "" },
      files: { SAMPLE: "file" },
    });
    const keptRun = await run(["API_KEY"], KEY);
    expect(keptRun).toMatchObject({ status: 1, stderr: "" });
    expect(keptRun.stdout).toContain("--overwrite");
    expectWording(keptRun.stdout);
    expect(await run(["SAMPLE"], "x")).toMatchObject({ status: 1 });
    expect(handle.revisions).toHaveLength(1);
    // A declared variable that is empty is not set.
    expect(await run(["PIN"], "1234")).toMatchObject({ status: 0 });
    expect(await run(["API_KEY", "--overwrite"], KEY)).toMatchObject({ status: 0 });
    expect(await values()).toMatchObject({ API_KEY: KEY, PIN: "1234" });
  });

  test("keeps a secret a secret: its own, one behind a reference, and one of an import", async () => {
    const { server, handle, run, values } = await startEscWithEnvironment();
    server.environment("acme/app/base", { values: { IMPORTED: secret(sentinelOf("base")) } });
    const variables = { OWN: { "fn::secret": sentinelOf("own") }, BEHIND: "host-${hidden}" };
    const definition = { hidden: { "fn::secret": sentinelOf("top") }, environmentVariables: variables };
    handle.revise({ definition: JSON.stringify({ imports: ["app/base"], values: definition }) });
    for (const name of ["OWN", "BEHIND", "IMPORTED"]) {
      const result = await run([name, "--overwrite"], sentinelOf(`new-${name}`));
      expect(result).toMatchObject({ status: 0, stderr: "" });
      expect(result.stdout).toContain(`  ~ ${name}  secret\n`);
      expect(await values()).toMatchObject({ [name]: sentinelOf(`new-${name}`) });
    }
    expect(handle.definition).not.toContain(SENTINEL);
  });

  test("--dry-run writes nothing, and needs only the token of the launcher", async () => {
    const { server, env, run } = await startEscWithEnvironment();
    const { value } = server.addToken({ owner: { kind: "organization", organization: "acme" }, access: "open" });
    const dry = await run(["API_KEY", "--dry-run"], KEY, { ESC_ADMIN_TOKEN: "", ESC_TOKEN: value });
    expect(dry).toMatchObject({ status: 0, stderr: "" });
    expect(dry.stdout).toContain("  + API_KEY  secret\n");
    expectWording(dry.stdout);
    const real = await run(["API_KEY"], KEY, { ESC_ADMIN_TOKEN: "", ESC_TOKEN: env.ESC_ADMIN_TOKEN });
    expect(real).toMatchObject({ status: 125, stdout: "" });
    expect(real.stderr).toContain("ESC_ADMIN_TOKEN");
    expectWording(real.stderr);
    expect(server.count("update")).toBe(0);
    expectNoValue(dry);
    expectNoValue(real);
  });

  test.each<[what: string, args: readonly string[], input: string, reached: string]>([
    ["no value", ["API_KEY"], "", "API_KEY"],
    ["blanks", ["API_KEY"], " \n", "API_KEY"],
    ["another format", ["API_KEY"], sentinelOf("bad"), "sk-"],
    ["another pattern", ["PIN"], "12345", "PIN"],
    ["the example of the contract", ["SAMPLE"], "sample-of-the-contract", "SAMPLE"],
    ["NUL", ["LEVEL"], "a\0b", "NUL"],
    ["an assignment", [`API_KEY=${sentinelOf("word")}`], "", "sophia-run set API_KEY"],
    ["a value in place of the name", [`sk-${sentinelOf("word")}`], "", "name"],
    ["a setting of sophia-run", ["ESC_TOKEN"], KEY, "ESC_TOKEN"],
    ["an undeclared variable that is named like a setting", ["SOPHIA_LATER"], KEY, "only if the contract declares it"],
    ["several environments", ["API_KEY", "--in", "acme/a/b,acme/c/d"], KEY, "--in"],
    ["a revision", ["API_KEY", "--in", `${ENV}@1`], KEY, "--in acme/app/dev"],
    ["a name that may be mistyped, without --yes", ["API_KYE"], KEY, '"API_KEY"?'],
  ])("refuses %s", async (_, args, input, reached) => {
    const { server, run } = await startEscWithEnvironment();
    const result = await run(args, input);
    expect(result).toMatchObject({ status: 125 });
    expect(result.stderr).toContain(reached);
    expectWording(result.stderr);
    expect(server.count("update")).toBe(0);
    expectNoValue(result);
  });

  test.each<[what: string, args: readonly string[], input: string, reached: string]>([
    ["more than a variable can have", ["LEVEL"], "a".repeat(131_073), "128 KiB"],
    ["a value as an argument", ["API_KEY", sentinelOf("word")], "", "sophia-run set API_KEY asks"],
    ["an environment that does not exist", ["API_KEY", "--in", "acme/app/new"], KEY, "env init acme/app/new"],
  ])("refuses %s", async (_, args, input, reached) => {
    const { server, run } = await startEscWithEnvironment();
    const result = await run(args, input);
    expect(result).toMatchObject({ status: 125 });
    expect(result.stderr).toContain(reached);
    expect(server.count("update")).toBe(0);
    expectNoValue(result);
  });

  test.each([
    ["SOPHIA_FAKE", "secrets"],
    ["SOPHIA_FAKE", "missing"],
    ["SOPHIA_OFFLINE", "1"],
  ])("writes nothing while %s=%s keeps sophia-run from using ESC, and names the variable", async (name, value) => {
    const { server, run } = await startEscWithEnvironment();
    const result = await run(["API_KEY"], KEY, { [name]: value });
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain(`${name} is set`);
    expect(server.calls).toEqual([]);
    expectNoValue(result);
  });

  test("suggests the variable that the user may mean", async () => {
    const { run } = await startEscWithEnvironment();
    expect((await run(["API_KYE", "--yes"], KEY)).stdout).toContain('"API_KEY"?');
  });

  test.each<[what: string, theirs: Parameters<EscServer["environment"]>[1], status: number, value: string]>([
    ["a change by another user in between is not lost", { values: { KEEP: "2" } }, 0, KEY],
    [
      "the value of another user in between is not replaced",
      { values: { KEEP: "2", API_KEY: secret("sk-of-another-user") } },
      125,
      "sk-of-another-user",
    ],
  ])("reads the definition again: %s", async (_, theirs, status, value) => {
    const { server, handle, run, values } = await startEscWithEnvironment();
    const update = server.hold("update");
    const running = run(["API_KEY", "--overwrite"], KEY);
    await server.waitFor("update");
    handle.revise(theirs);
    update.release();
    const result = await running;
    expect(result.status).toBe(status);
    expect(result.stderr.includes("API_KEY")).toBe(status === 125);
    expectWording(result.stderr);
    expect(await values()).toMatchObject({ KEEP: "2", API_KEY: value });
    expectNoValue(result);
  });

  test("makes a draft of a change that needs an approval, and no second revision if an answer is lost", async () => {
    const gated = await startEscWithEnvironment({ values: {}, updates: "approval" });
    const draft = await gated.run(["API_KEY"], KEY);
    expect(draft).toMatchObject({ status: 3, stderr: "" });
    const id = gated.handle.drafts[0]?.id ?? "";
    expect(draft.stdout).toContain(`pulumi env change-request approve ${id}`);
    expectWording(draft.stdout, { [id]: "<id>" });
    expect(gated.handle.revisions).toHaveLength(1);
    expectNoValue(draft);
    const { server, handle, run } = await startEscWithEnvironment();
    server.failNext("update", { kind: "disconnect", at: "body" });
    expect(await run(["API_KEY"], KEY)).toMatchObject({ status: 0 });
    expect(handle.revisions).toHaveLength(2);
  });

  test.each<[fault: Parameters<EscServer["failNext"]>[1], reached: string]>([
    [401, "HTTP 401"],
    [403, "HTTP 403"],
    [409, "4 times"],
    [500, "HTTP 500"],
    [{ kind: "status", status: 200, body: {} }, "rollback"],
  ])("fails with the reason after %j from the update", async (fault, reached) => {
    const { server, handle, run } = await startEscWithEnvironment();
    server.failAlways("update", fault);
    const result = await run(["API_KEY"], KEY);
    expect(result).toMatchObject({ status: 125 });
    expect(result.stderr).toContain(reached);
    expect(handle.revisions).toHaveLength(1);
    expectNoValue(result);
  });

  test.each<[fault: Parameters<EscServer["failNext"]>[1], isKnown: boolean]>([
    [{ kind: "status", status: 429, headers: { "retry-after": "600" } }, true],
    [503, false],
    [{ kind: "disconnect", at: "start" }, false],
  ])("knows after %j from the update that nothing changed: %s", async (fault, isKnown) => {
    const { server, run } = await startEscWithEnvironment();
    server.failAlways("update", fault);
    const { status, stderr } = await run(["API_KEY"], KEY);
    expect(status).toBe(125);
    expect(stderr.replaceAll(/\s+/g, " ").includes("not known whether ESC made the change")).toBe(!isKnown);
  });

  test.each<[fault: Parameters<EscServer["failNext"]>[1], operation: "open" | "definition"]>([
    [{ kind: "diagnostics", diagnostics: [{ summary: "not JSON" }] }, "open"],
    [400, "open"],
    [403, "open"],
    [403, "definition"],
    [404, "definition"],
    [503, "definition"],
  ])("says that the change is made after %j from %s, which comes after the update", async (fault, operation) => {
    const { server, handle, run } = await startEscWithEnvironment();
    const update = server.hold("update");
    const running = run(["API_KEY"], KEY);
    await server.waitFor("update");
    server.failAlways(operation, fault);
    update.release();
    const result = await running;
    expect(result.status).toBe(125);
    expect(handle.revisions).toHaveLength(2);
    const message = result.stderr.replaceAll(/\s+/g, " ");
    expect(message).toContain(`${ENV} was changed, but cannot be read back`);
    expect(message).not.toMatch(/nothing was changed|not known whether|to change it|new definition/);
    expectNoValue(result);
  });

  test("reports a wrong token and a server that is down", async () => {
    const { server, run } = await startEscWithEnvironment();
    const wrong = await run(["API_KEY"], KEY, { ESC_ADMIN_TOKEN: "pul-wrong" });
    expect(wrong).toMatchObject({ status: 125, stdout: "" });
    expect(wrong.stderr).toContain("ESC_ADMIN_TOKEN");
    await server.close();
    const down = await run(["API_KEY"], KEY);
    expect(down).toMatchObject({ status: 125, stdout: "" });
    expect(down.stderr).toContain("ECONNREFUSED");
    expectNoValue(down);
  });
});

describe("set at a terminal", () => {
  const PROMPT = "Value of API_KEY (not shown): ";
  const QUESTION = `Write it to ${ENV}? [y/N] `;

  test("asks for the token and the value, shows neither, and writes once that is confirmed", async () => {
    const { server, cwd, env, values } = await startEscWithEnvironment();
    const result = await atTerminal(["set", "API_KEY"], { cwd, env: { ...env, ESC_ADMIN_TOKEN: "" } }, [
      ["(not shown): ", `${server.token}\n`],
      [PROMPT, `${KEY}\n`],
      [QUESTION, "y\n"],
    ]);
    expect(result).toMatchObject({ status: 0 });
    expect(result.stdout).not.toContain(server.token);
    expectNoValue(result);
    expect(await values()).toMatchObject({ API_KEY: KEY });
  });

  test("takes several pasted lines as one value, whatever the terminal sends for their ends", async () => {
    const { cwd, env, values } = await startEscWithEnvironment();
    const pem = privateKey();
    for (const end of ["\r", "\n", "\r\n"]) {
      const pasted = `\u001B[200~${pem.replaceAll("\n", end)}\u001B[201~`;
      const args = ["set", "API_PEM", "--overwrite", "--yes"];
      const result = await atTerminal(args, { cwd, env: { ...env, TERM: "xterm" } }, [
        ["\u001B[?2004hValue of API_PEM (not shown): ", `${pasted}\n`],
      ]);
      expect(result).toMatchObject({ status: 0 });
      expect(result.stdout).not.toContain("PRIVATE KEY");
      expect(await values()).toMatchObject({ API_PEM: pem.trimEnd() });
    }
  });

  test.each([
    [
      "n",
      [
        [PROMPT, `${KEY}\n`],
        [QUESTION, "n\n"],
      ],
      1,
    ],
    ["Ctrl-D for the value", [[PROMPT, "\u0004"]], 125],
    [
      "Ctrl-D for the answer",
      [
        [PROMPT, `${KEY}\n`],
        [QUESTION, "\u0004"],
      ],
      1,
    ],
  ] as const)("writes nothing after %s", async (_, answers, status) => {
    const { server, cwd, env } = await startEscWithEnvironment();
    const result = await atTerminal(["set", "API_KEY"], { cwd, env }, answers);
    expect(result.status).toBe(status);
    expect(server.count("update")).toBe(0);
    expectNoValue(result);
  });

  test("asks for no value that would not be written", async () => {
    const { cwd, env } = await startEscWithEnvironment({ values: { API_KEY: secret(`sk-${sentinelOf("old")}`) } });
    const result = await atTerminal(["set", "API_KEY"], { cwd, env }, []);
    expect(result).toMatchObject({ status: 1 });
    expect(result.stdout).toContain("--overwrite");
    expect(result.stdout).not.toContain(PROMPT);
  });

  test("is ended by SIGINT after Ctrl-C at the prompt, and restores the terminal", async () => {
    const { server, cwd, env } = await startEscWithEnvironment();
    const quoted = sophiaRun.map((word) => `'${word}'`).join(" ");
    const script = `stty -a > before; trap : INT; ${quoted} set API_KEY; echo "status $?"; stty -a > after; cmp before after && echo same`;
    const result = await startAtTerminal(
      ["bash", "-c", script],
      { cwd, env: { PATH: process.env["PATH"] ?? "", ...env } },
      [[PROMPT, `${sentinelOf("typed")}\u0003`]],
    ).finished;
    expect(result.stdout).toMatch(/status 130\r\nsame\r\n$/);
    expect(server.count("update")).toBe(0);
    expectNoValue(result);
  });

  /** Runs a script of bash at a terminal; its arguments are the command line. */
  const inScript = (
    { cwd, env }: Pick<Awaited<ReturnType<typeof startEscWithEnvironment>>, "cwd" | "env">,
    script: string,
    steps: readonly Step[],
  ) =>
    startAtTerminal(
      ["bash", "-c", script, "bash", ...sophiaRun, "set", "API_KEY"],
      { cwd, env: { PATH: process.env["PATH"] ?? "", ...env } },
      steps,
    ).finished;

  test("ends a script by Ctrl-C at the prompt, too, which would otherwise continue", async () => {
    const setScene = await startEscWithEnvironment();
    const result = await inScript(setScene, '"$@"; echo goes on', [[PROMPT, `${sentinelOf("typed")}\u0003`]]);
    expect(result.status).toBe(256 - constants.signals.SIGINT);
    expect(result.stdout).not.toContain("goes on");
    expectNoValue(result);
  });

  test("is ended by SIGQUIT after Ctrl-\\ at the prompt", async () => {
    const { cwd, env } = await startEscWithEnvironment();
    const result = await atTerminal(["set", "API_KEY"], { cwd, env }, [[PROMPT, `${sentinelOf("typed")}\u001C`]]);
    expect(result.status).toBe(-constants.signals.SIGQUIT);
    expectNoValue(result);
  });

  test("stops after Ctrl-Z at the prompt, and asks again after fg", async () => {
    const setScene = await startEscWithEnvironment();
    const result = await inScript(setScene, 'set -m; "$@"; echo "status $?"; stty -a; fg', [
      [PROMPT, `${sentinelOf("typed")}\u001A`],
      [PROMPT, `${KEY}\n`],
      [QUESTION, "y\n"],
    ]);
    expect(result.status).toBe(0);
    expect(result.stdout).toContain("status 148");
    expect(result.stdout).toMatch(/ icanon .* echo /s);
    expectNoValue(result);
    expect(await setScene.values()).toMatchObject({ API_KEY: KEY });
  });

  test("has no prompt under a coding agent: the value comes from the standard input only", async () => {
    const { server, cwd, env, run } = await startEscWithEnvironment();
    for (const [more, reached] of [
      [{}, "sophia-run set API_KEY < FILE"],
      [{ ESC_ADMIN_TOKEN: "" }, "ESC_ADMIN_TOKEN"],
    ] as const) {
      const result = await atTerminal(["set", "API_KEY"], { cwd, env: { ...env, ...more, CLAUDECODE: "1" } }, []);
      expect(result).toMatchObject({ status: 125 });
      const text = result.stdout.replaceAll("\r", "");
      expect(text).toContain(reached);
      expectWording(text);
    }
    expect(server.count("update")).toBe(0);
    expect(await run(["API_KEY"], KEY, { CLAUDECODE: "1" })).toMatchObject({ status: 0 });
  });

  test("asks for nothing if the user cannot see the prompt", async () => {
    const { cwd, env } = await startEscWithEnvironment();
    const script = `exec ${sophiaRun.join(" ")} set API_KEY 2>errors`;
    const result = await startAtTerminal(["sh", "-c", script], {
      cwd,
      env: { PATH: process.env["PATH"] ?? "", ...env },
    }).finished;
    expect(result).toMatchObject({ status: 125 });
    expectWording(readFileSync(join(cwd, "errors"), "utf8"));
  });
});

function privateKey(): string {
  const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
