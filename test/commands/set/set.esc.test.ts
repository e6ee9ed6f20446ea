import { describe, expect, test } from "vitest";
import { type EscServer, secret } from "../../esc-server/index.ts";
import { folder, unwrapLines } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { ENV, commandRunner, startEscProject } from "../parts/writing/esc-project.ts";
import { sentinelOf } from "../sophia-environment.ts";

const CONTRACT = JSON.stringify({
  variables: {
    API_KEY: { format: { type: "text", prefix: "sk-" }, aliases: ["OLD_API_KEY"] },
    PIN: { format: { type: "text", pattern: "^[0-9]{4}$" } },
    REGION: { secret: false },
    SAMPLE: { example: "sample-of-the-contract" },
    SOPHIA_API_KEY: {},
  },
});
const KEY = `sk-${sentinelOf("key")}`;

async function startEscWithEnvironment(spec: Parameters<EscServer["environment"]>[1] = { values: { KEEP: "1" } }) {
  const project = await startEscProject(spec, { "sophia.contract.json": CONTRACT });
  return { ...project, run: commandRunner(["set"], project) };
}

describe("set without a terminal", () => {
  test("writes the first value, reads it back, and writes it only once", async () => {
    const { server, handle, run } = await startEscWithEnvironment();
    const result = await run(["API_KEY"], { input: `${KEY}\n` });
    expect(result).toMatchObject({ status: 0, stderr: "", questions: [] });
    expectWording(result.stdout);
    expect(handle.definition).toMatch(/KEEP: "1"\n +API_KEY:\n? *\{?fn::secret/);
    const again = await run(["API_KEY"], { input: KEY });
    expect(again).toMatchObject({ status: 0, stderr: "" });
    expect(again.stdout).toBe(`${ENV}@2:\n  API_KEY: already the same in ESC\n`);
    expect(handle.revisions).toHaveLength(2);
    expect(server.violations).toEqual([]);
  });

  test("keeps another value, and replaces it with --overwrite; an empty declared variable is unset", async () => {
    const values = { API_KEY: secret(`sk-${sentinelOf("old")}`), PIN: "", LEVEL: "", BEHIND: "${LEVEL}" };
    const { handle, run } = await startEscWithEnvironment({ values });
    const keptRun = await run(["API_KEY"], { input: KEY });
    expect(keptRun).toMatchObject({ status: 1, stderr: "" });
    expectWording(keptRun.stdout);
    expect(handle.revisions).toHaveLength(1);
    const replaced = await run(["API_KEY", "--overwrite"], { input: KEY });
    expect(replaced).toMatchObject({ status: 0, stderr: "" });
    expect(replaced.stdout).toMatch(/^acme\/app\/dev@1:\n {2}~ API_KEY {2}secret\n✅ API_KEY written and read back\. /);
    expect(await run(["PIN"], { input: "1234" })).toMatchObject({ status: 0 });
    expect(await run(["LEVEL"], { input: "debug" })).toMatchObject({ status: 0 });
    expect(handle.revisions).toHaveLength(4);
  });

  test("--plain writes plain text, but not for what the contract declares a secret", async () => {
    const { handle, run } = await startEscWithEnvironment();
    expect(await run(["LEVEL", "--plain"], { input: "debug" })).toMatchObject({ status: 0 });
    expect(handle.definition).toContain('LEVEL: "debug"\n');
    const refused = await run(["API_KEY", "--plain"], { input: KEY });
    expect(refused).toMatchObject({ status: 125, stdout: "" });
    expectWording(refused.stderr);
  });

  test("--dry-run shows the plan, and warns of a name that may be mistyped", async () => {
    const { server, run } = await startEscWithEnvironment();
    const { value } = server.addToken({ owner: { kind: "organization", organization: "acme" }, access: "open" });
    const env = { ESC_ADMIN_TOKEN: "", ESC_TOKEN: value };
    const dry = await run(["API_KYE", "--dry-run"], { env, input: KEY });
    expect(dry).toMatchObject({ status: 0, stderr: "" });
    expectWording(dry.stdout);
    expect(server.count("update")).toBe(0);
    // The launcher's token is not used for a change, even one with this right.
    const real = await run(["API_KEY"], { env: { ...env, ESC_TOKEN: server.token }, input: KEY });
    expect(real).toMatchObject({ status: 125, stdout: "" });
    expectWording(real.stderr);
  });

  test("--yes sets a name that may be mistyped, with a warning", async () => {
    const { handle, run } = await startEscWithEnvironment();
    const result = await run(["API_KYE", "--yes"], { input: KEY });
    expect(result.stdout).toContain('⚠️ the contract does not declare API_KYE: did you mean "API_KEY"?\n');
    expect(result.status).toBe(0);
    expect(handle.revisions).toHaveLength(2);
  });

  test.each<[what: string, args: readonly string[], input: string | Uint8Array]>([
    ["no value", ["API_KEY"], "\n"],
    ["blanks", ["API_KEY"], " \t\n"],
    ["another format", ["API_KEY"], sentinelOf("bad")],
    ["the example of the contract", ["SAMPLE"], "sample-of-the-contract\n"],
    ["NUL", ["LEVEL"], "a\0b"],
    ["bytes that are not UTF-8", ["LEVEL"], Uint8Array.of(0x61, 0xff)],
    ["an assignment", [`API_KEY=${sentinelOf("word")}`], ""],
    ["an assignment to no name", [`1=${sentinelOf("word")}`], ""],
    ["a value in place of the name", [`sk-${sentinelOf("word")}`], ""],
    ["a name with a digit in front", ["1A"], ""],
    ["a value behind a declared name", ["API_KEY", sentinelOf("word")], ""],
    ["a value behind another name", ["NEW_KEY_2", sentinelOf("word")], ""],
    ["a value in front of the name", [sentinelOf("word").replaceAll("-", "_"), "NEW_KEY"], ""],
    ["a name twice", ["API_KEY", "PIN", "API_KEY"], ""],
    ["several names", ["API_KEY", "PIN"], KEY],
    ["a setting of sophia-run", ["ESC_TOKEN"], KEY],
    ["an undeclared variable that is named like a setting", ["SOPHIA_LATER"], KEY],
    ["several environments", ["API_KEY", "--in", "acme/a/b,acme/c/d"], KEY],
    ["a revision", ["API_KEY", "--in", `${ENV}@1`], KEY],
    ["an environment that does not exist", ["API_KEY", "--in", "acme/app/new"], KEY],
    ["a name that may be mistyped", ["API_KYE"], KEY],
  ])("refuses %s", async (_, args, input) => {
    const { server, run } = await startEscWithEnvironment();
    const result = await run(args, { input });
    expect(result.status).toBe(125);
    expectWording(result.stderr);
    expect(server.count("update")).toBe(0);
  });

  test.each([
    ["SOPHIA_FAKE", "secrets"],
    ["SOPHIA_OFFLINE", "1"],
  ])("writes nothing while %s=%s keeps sophia-run from using ESC", async (name, value) => {
    const { server, run } = await startEscWithEnvironment();
    const result = await run(["API_KEY"], { env: { [name]: value }, input: KEY });
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expectWording(result.stderr);
    expect(server.calls).toEqual([]);
  });

  test("needs an environment, which the contract may name, too", async () => {
    const { handle, run } = await startEscWithEnvironment();
    const refused = await run(["API_KEY"], { env: { ESC_ENV: "" }, input: KEY });
    expect(refused).toMatchObject({ status: 125, stdout: "" });
    expectWording(refused.stderr);
    expect(await run(["API_KEY", "--in", ENV], { env: { ESC_ENV: "" }, input: KEY })).toMatchObject({ status: 0 });
    const cwd = folder({ "sophia.contract.json": JSON.stringify({ environment: ENV, variables: {} }) });
    expect(await run(["LEVEL"], { env: { ESC_ENV: "" }, cwd, input: "debug" })).toMatchObject({ status: 125 });
    expect(handle.revisions).toHaveLength(2);
  });

  test("makes a draft of a change that needs an approval", async () => {
    const { handle, run } = await startEscWithEnvironment({ values: {}, updates: "approval" });
    const draft = await run(["API_KEY"], { input: KEY });
    expect(draft).toMatchObject({ status: 3, stderr: "" });
    expectWording(draft.stdout, { [handle.drafts[0]?.id ?? ""]: "<id>" });
    expect(handle.revisions).toHaveLength(1);
  });

  test("does not read back an environment that opens only with an approval", async () => {
    const { handle, run } = await startEscWithEnvironment({
      values: { API_KEY: secret(`sk-${sentinelOf("old")}`) },
      deny: "approval",
    });
    const keptRun = await run(["API_KEY"], { input: KEY });
    expect(keptRun).toMatchObject({ status: 1, stderr: "" });
    expectWording(keptRun.stdout);
    const result = await run(["API_KEY", "--overwrite"], { input: KEY });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expectWording(result.stdout);
    expect(handle.revisions).toHaveLength(2);
  });

  test.each<[title: string, theirs: string, status: number]>([
    ["is not replaced", "sk-of-another-user", 125],
    ["is the same", KEY, 0],
  ])("a value that another user writes meanwhile %s", async (_, theirs, status) => {
    const { server, handle, run } = await startEscWithEnvironment();
    const update = server.hold("update");
    const running = run(["API_KEY", "--overwrite"], { input: KEY });
    await server.waitFor("update");
    handle.revise({ values: { API_KEY: secret(theirs) } });
    update.release();
    const result = await running;
    expect(result.status).toBe(status);
    expectWording(result.stderr);
    expect(handle.revisions).toHaveLength(2);
  });

  test.each<[title: string, fault: Parameters<EscServer["failNext"]>[1]]>([
    ["other users change it each time", 409],
    ["ESC does not store the value", { kind: "status", status: 200, body: {} }],
  ])("fails with the reason if %s", async (_, fault) => {
    const { server, handle, run } = await startEscWithEnvironment();
    server.failAlways("update", fault);
    const result = await run(["API_KEY"], { input: KEY });
    expect(result.status).toBe(125);
    expectWording(result.stderr);
    expect(handle.revisions).toHaveLength(1);
  });
});

describe("set at a terminal", () => {
  const PROMPT = "hidden: Value of API_KEY (not shown): ";
  const PIN_PROMPT = "hidden: Value of PIN (not shown): ";

  test("asks for the token and the value, and writes after a yes", async () => {
    const { server, handle, run } = await startEscWithEnvironment();
    const result = await run(["API_KEY"], { env: { ESC_ADMIN_TOKEN: "" }, answers: [server.token, KEY, "yes"] });
    expect(result).toMatchObject({ status: 0 });
    expect(result.questions).toEqual([
      "hidden: A token that may open and write the environment (not shown): ",
      PROMPT,
      `Write it to ${ENV}? [y/N] `,
    ]);
    expect(handle.revisions).toHaveLength(2);
  });

  test("writes several values in one revision", async () => {
    const { handle, run } = await startEscWithEnvironment();
    const result = await run(["API_KEY", "PIN"], { answers: [KEY, "1234", "Y"] });
    expect(result.questions).toEqual([PROMPT, PIN_PROMPT, `Write them to ${ENV}? [y/N] `]);
    expect(result).toMatchObject({ status: 0 });
    expect(result.stdout).toContain("✅ API_KEY and PIN written and read back. Revision 1 is now 2.\n");
    expect(handle.revisions).toHaveLength(2);
    expect(await run(["API_KEY", "PIN", "--overwrite", "--yes"], { answers: [KEY, "4321"] })).toMatchObject({
      status: 0,
    });
  });

  test.each<[what: string, answers: readonly (string | undefined)[], status: number]>([
    ["n", [KEY, "n"], 1],
    ["an answer that only begins with yes", [KEY, "yesterday"], 1],
    ["Ctrl-D for the answer", [KEY, undefined], 1],
    ["Ctrl-D for the value", [undefined], 125],
  ])("writes nothing after %s", async (_, answers, status) => {
    const { server, run } = await startEscWithEnvironment();
    const result = await run(["API_KEY"], { answers });
    expect(result.status).toBe(status);
    expect(result.stdout.endsWith("Nothing was written.\n")).toBe(status === 1);
    expect(server.count("update")).toBe(0);
  });

  test("writes nothing without a token", async () => {
    const { server, run } = await startEscWithEnvironment();
    for (const answer of [undefined, "", "  "]) {
      const result = await run(["API_KEY"], { env: { ESC_ADMIN_TOKEN: "" }, answers: [answer] });
      expect(result).toMatchObject({ status: 125, stdout: "" });
      expect(result.stderr).toContain("ESC_ADMIN_TOKEN is not set");
    }
    expect(server.calls).toEqual([]);
  });

  test("asks for no value that would not be written", async () => {
    const values = { API_KEY: secret(`sk-${sentinelOf("old")}`) };
    const { run } = await startEscWithEnvironment({ values });
    const result = await run(["PIN", "API_KEY"], { answers: [] });
    expect(result).toMatchObject({ status: 1, questions: [] });
    expect(result.stdout).toBe(`${ENV}@1:\n  API_KEY: kept, since ESC has another value; --overwrite replaces it\n`);
  });

  test("warns of a name that may be mistyped before it asks", async () => {
    const { run } = await startEscWithEnvironment();
    const result = await run(["API_KYE"], { answers: [KEY, "n"] });
    expect(result.stdout).toContain("⚠️ the contract does not declare API_KYE");
    expect(result.status).toBe(1);
  });

  test("does not replace a value that another user has set while the user typed", async () => {
    const { handle, run } = await startEscWithEnvironment();
    const beforeAnswer = (): void => {
      if (handle.revisions.length === 1) handle.revise({ values: { API_KEY: secret("sk-of-another-user") } });
    };
    const result = await run(["API_KEY"], { answers: [KEY, "y"], beforeAnswer });
    expect(result.status).toBe(125);
    expect(unwrapLines(result.stderr)).toContain("another user has changed API_KEY meanwhile (acme/app/dev@2)");
    expect(handle.revisions).toHaveLength(2);
  });

  test("asks a coding agent nothing", async () => {
    const { server, run } = await startEscWithEnvironment();
    const agent = { CLAUDECODE: "1" };
    const withoutValue = await run(["API_KEY"], { env: agent, answers: [] });
    expect(withoutValue).toMatchObject({ status: 125, questions: [] });
    expectWording(withoutValue.stderr);
    const withoutToken = await run(["API_KEY"], { env: { ...agent, ESC_ADMIN_TOKEN: "" }, answers: [] });
    expect(withoutToken).toMatchObject({ status: 125, questions: [] });
    expect(server.count("update")).toBe(0);
  });
});

describe("an environment that a found file names", () => {
  const CONTRACT_FILE = { "sophia.contract.json": CONTRACT };

  test("is changed only after a yes to a question that names the file", async () => {
    const { handle, run } = await startEscWithEnvironment();
    const env = { ESC_ENV: "" };
    const cwd = folder({ ...CONTRACT_FILE, ".env": `ESC_ENV=${ENV}\n` });
    const refused = await run(["API_KEY"], { env, cwd, input: KEY });
    expect(refused).toMatchObject({ status: 125, stdout: "" });
    expectWording(refused.stderr);
    const confirmed = await run(["API_KEY", "--yes"], { env, cwd, answers: [] });
    expect(confirmed).toMatchObject({ status: 125, stdout: "" });
    expectWording(confirmed.stderr);
    expect(handle.revisions).toHaveLength(1);
    const asked = await run(["API_KEY"], { env, cwd, answers: [KEY, "y"] });
    expect(asked.status).toBe(0);
    expect(asked.questions.at(-1)).toBe(`Write it to ${ENV} (by ESC_ENV in .env)? [y/N] `);
    expect(asked.stderr).not.toContain("ESC_ENV");
    expect(handle.revisions).toHaveLength(2);
  });

  test.each<[title: string, env: Readonly<Record<string, string>>, file: string, argument: string]>([
    ["the organization, too", { ESC_ENV: "" }, "ESC_ENV=app/dev\nESC_ORG=acme\n", "--in acme/app/dev"],
    ["the organization alone", { ESC_ENV: "app/dev" }, "ESC_ORG=acme\n", "--in acme/app/dev"],
    ["a revision", { ESC_ENV: "" }, "ESC_ENV=acme/app/dev@1\n", "--in acme/app/dev@1"],
    ["several", { ESC_ENV: "" }, "ESC_ENV=app/dev,app/base\n", "--in ORGANIZATION/PROJECT/ENVIRONMENT"],
  ])("is not changed without a terminal: it names %s", async (_, env, file, argument) => {
    const { server, run } = await startEscWithEnvironment();
    const cwd = folder({ ...CONTRACT_FILE, ".env": file });
    const result = await run(["API_KEY"], { env, cwd, input: KEY });
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(unwrapLines(result.stderr)).toContain(`name the environment: ${argument}\n`);
    expectWording(result.stderr);
    expect(server.count("any")).toBe(0);
  });

  test("is shown by a dry run with a notice", async () => {
    const { run } = await startEscWithEnvironment();
    const cwd = folder({ ...CONTRACT_FILE, ".env": `ESC_ENV=${ENV}\n` });
    const dry = await run(["API_KEY", "--dry-run"], { env: { ESC_ENV: "" }, cwd, input: KEY });
    expect(dry).toMatchObject({ status: 0 });
    expectWording(dry.stderr);
  });
});
