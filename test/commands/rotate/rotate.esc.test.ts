import { describe, expect, test } from "vitest";
import { type EscServer, secret } from "../../esc-server/index.ts";
import { runCommand } from "../../helpers/command-in-process.ts";
import { folder } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { ENV, commandRunner, startEscProject } from "../parts/writing/esc-project.ts";
import { sentinelOf } from "../sophia-environment.ts";

const CONTRACT = JSON.stringify({
  variables: {
    API_KEY: { format: { type: "text", prefix: "sk-", minLength: 40 } },
    PIN: { format: { type: "text", pattern: "^[0-9]{4}$" } },
    REGION: { secret: false },
  },
});
const OLD = `sk-${sentinelOf("old")}-${"x".repeat(40)}`;
const NEW = `sk-${sentinelOf("new")}-${"y".repeat(40)}`;
const DEFINITION = `imports:
  - app/base
  - app/fixed@1
values:
  login: {fn::rotate::aws: {}}
  environmentVariables:
    API_KEY: {fn::secret: ${OLD}}
    REGION: eu
    LEVEL: debug
    PIN: {fn::secret: "1234"}
    ADDRESS: {fn::secret: "HTTPS+x://qdrant.example:6333"}
    LINK: \${environmentVariables.LEVEL}/x
    PROVIDED: {fn::open::text: {}}
    ROTATED: {fn::rotate::text: {}}
    LINKED: \${login.key}
  files:
    FILE: x
`;

async function startEscWithDefinition(definition = DEFINITION) {
  const project = await startEscProject({ definition }, { "sophia.contract.json": CONTRACT });
  const { server } = project;
  server.provider("aws", { key: secret(sentinelOf("aws")) });
  server.provider("text", secret(sentinelOf("text")));
  server.environment("acme/app/base", { values: { BASE_KEY: secret(sentinelOf("base")) } });
  server.environment("acme/app/fixed", { values: { FIXED_KEY: secret(sentinelOf("fixed")) } });
  return { ...project, run: commandRunner(["rotate"], project) };
}

describe("rotate refuses, before it reads anything,", () => {
  test.each([
    [[]],
    [["--yes"]],
    [["API_KEY", "--token"]],
    ...["kind=team", "team=web", "expires=9"].map((option) => [["API_KEY", `--${option}`]]),
    ...["in=acme/app/dev", "generate", "to=1"].map((option) => [["--token", `--${option}`]]),
    [["API_KEY", "--to", "1", "--generate"]],
    [["API_KEY", "PIN"]],
    [["--token", "--kind", "user"]],
  ])("%j", async (args) => {
    const result = await runCommand(["rotate", ...args]);
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expectWording(result.stderr);
  });
});

describe("rotate NAME", () => {
  test("sets a new value, and prints the commands that follow", async () => {
    const { server, handle, run } = await startEscWithDefinition();
    const result = await run(["API_KEY", "--yes"], { input: `${NEW}\n` });
    expect(result).toMatchObject({ status: 0, stderr: "", questions: [] });
    expectWording(result.stdout);
    const again = await run(["API_KEY", "--yes"], { input: NEW });
    expect(again).toMatchObject({ status: 0, stdout: `✅ API_KEY in ${ENV}@2 already has this value.\n` });
    expect(handle.revisions).toHaveLength(2);
    const back = await run(["API_KEY", "--to", "1", "--yes", "--in", ENV]);
    expect(back).toMatchObject({ status: 0, stderr: "" });
    expectWording(back.stdout);
    expect(server.violations).toEqual([]);
  });

  test.each([
    ["REGION", "us", "plain text"],
    ["LEVEL", "info", "secret"],
    ["PIN", "4321", "secret"],
  ])("stores %s as the contract and the old value say", async (name, input, kind) => {
    const { run } = await startEscWithDefinition();
    const result = await run([name, "--dry-run"], { input });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toBe(`${name} in ${ENV}@1:\n  ~ a new value, ${kind}\nNothing was written: --dry-run.\n`);
  });

  test("--generate makes a value of the declared format", async () => {
    const { handle, run } = await startEscWithDefinition();
    const result = await run(["API_KEY", "--generate", "--yes"]);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toContain("  ~ a generated value, secret\n");
    expect(handle.revisions).toHaveLength(2);
  });

  test("--to restores a variable that was removed, and no other", async () => {
    const { handle, run } = await startEscWithDefinition();
    handle.revise({ definition: (handle.revisions[0]?.yaml ?? "").replace(/ {4}API_KEY: .*\n/, "") });
    const mistyped = await run(["API_KYE", "--to", "1", "--yes"]);
    expect(mistyped).toMatchObject({ status: 125, stdout: "" });
    expectWording(mistyped.stderr);
    const absent = await run(["API_KEY", "--yes"], { input: NEW });
    expect(absent).toMatchObject({ status: 125, stdout: "" });
    expectWording(absent.stderr);
    const result = await run(["API_KEY", "--to", "1", "--yes"]);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expectWording(result.stdout);
    expect(handle.definition).toContain("API_KEY: ");
  });

  test.each<[what: string, args: readonly string[], input: string]>([
    ["no value", ["API_KEY", "--yes"], "\n"],
    ["a value of another format", ["API_KEY", "--yes"], sentinelOf("bad")],
    ["a mistyped name", ["API_KYE", "--yes"], NEW],
    ["a reference", ["LINK", "--yes"], NEW],
    ["the result of a function", ["PROVIDED", "--yes"], NEW],
    ["a file", ["FILE", "--yes"], NEW],
    ["an import", ["BASE_KEY", "--yes"], NEW],
    ["an import of a fixed version", ["FIXED_KEY", "--yes"], NEW],
    ["a format without random values", ["PIN", "--generate"], ""],
    ["a URL", ["ADDRESS", "--generate"], ""],
    ["a revision that does not exist", ["API_KEY", "--to", "9", "--yes"], ""],
    ["a revision without the variable", ["BASE_KEY", "--to", "1", "--yes"], ""],
    ["a malformed revision", ["API_KEY", "--to", "1/2", "--yes"], ""],
    ["two dots for a revision", ["API_KEY", "--to", "..", "--yes"], ""],
    ["a computed value of a revision", ["PROVIDED", "--to", "1", "--yes"], ""],
    ["several environments in --in", ["API_KEY", "--in", `${ENV},acme/app/base`], NEW],
    ["a value for what ESC rotates", ["ROTATED", "--generate", "--yes"], ""],
    ["a revision for what ESC rotates", ["ROTATED", "--to", "1", "--yes"], ""],
    ["no --yes", ["API_KEY"], NEW],
  ])("refuses %s", async (_, args, input) => {
    const { server, run } = await startEscWithDefinition();
    const result = await run(args, { input });
    expect(result.status).toBe(125);
    expectWording(result.stderr);
    expect([server.count("update"), server.count("rotate")]).toEqual([0, 0]);
  });

  test("names all environments that do not have the variable", async () => {
    const { server, run } = await startEscWithDefinition();
    const result = await run(["FIXED_KYE", "--yes"], { env: { ESC_ENV: "acme/app/base,acme/app/fixed" }, input: NEW });
    expect(result.status).toBe(125);
    expectWording(result.stderr);
    expect(server.count("update")).toBe(0);
  });

  test("changes the last environment that has the variable, or that of --in", async () => {
    const { server, handle, run } = await startEscWithDefinition();
    const values = { API_KEY: secret(OLD), LEVEL: "debug" };
    const others = ["one", "two"].map((name) => server.environment(`acme/app/${name}`, { values }));
    const env = { ESC_ENV: "acme/app/one,acme/app/two,acme/app/base" };
    expect(await run(["API_KEY", "--yes"], { env, input: NEW })).toMatchObject({ status: 0 });
    expect(others.map(({ revisions }) => revisions.length)).toEqual([1, 2]);
    expect(await run(["API_KEY", "--in", "acme/app/one", "--yes"], { env, input: NEW })).toMatchObject({ status: 0 });
    expect(others.map(({ revisions }) => revisions.length)).toEqual([2, 2]);
    expect(handle.revisions).toHaveLength(1);
  });

  test.each([
    ["ROTATED", "ESC rotates it (fn::rotate)"],
    ["LINKED", "refers to a value that ESC rotates: login (fn::rotate)"],
  ])("has ESC rotate %s", async (name, description) => {
    const { server, run } = await startEscWithDefinition();
    const dry = await run([name, "--dry-run"]);
    expect(dry).toMatchObject({ status: 0 });
    expect(dry.stdout).toBe(`${name} in ${ENV}@1:\n  ~ ${description}\nNothing was written: --dry-run.\n`);
    expect(await run([name], { answers: ["n"] })).toMatchObject({ status: 1 });
    expect(server.count("rotate")).toBe(0);
    const result = await run([name, "--yes"]);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expectWording(result.stdout);
    expect(server.count("rotate")).toBe(1);
  });

  test.each<[title: string, theirs: string, status: number]>([
    ["another variable is kept", DEFINITION.replace("LEVEL: debug", "LEVEL: info"), 0],
    ["the same variable is kept", DEFINITION.replace(OLD, `${OLD}z`), 125],
    ["the same variable to the same value is enough", DEFINITION.replace(OLD, NEW), 0],
    ["the variable to a reference is kept", DEFINITION.replace(`{fn::secret: ${OLD}}`, "${login.key}"), 125],
  ])("a change that another user makes meanwhile to %s", async (_, theirs, status) => {
    const { server, handle, run } = await startEscWithDefinition();
    const update = server.hold("update");
    const running = run(["API_KEY", "--yes"], { input: NEW });
    await server.waitFor("update");
    handle.revise({ definition: theirs });
    update.release();
    const result = await running;
    expect(result.status).toBe(status);
    expectWording(result.stderr);
    expect(handle.revisions).toHaveLength(theirs.includes("LEVEL: info") ? 3 : 2);
  });

  test("asks at a terminal, and writes nothing without a yes", async () => {
    const { server, run } = await startEscWithDefinition();
    const declined = await run(["API_KEY"], { answers: [NEW, "no"] });
    expect(declined.questions).toEqual(["hidden: New value of API_KEY (not shown): ", "Change it? [y/N] "]);
    expect(declined.status).toBe(1);
    expect(declined.stdout).toMatch(/\nNothing was written\.\n$/);
    expect(server.count("update")).toBe(0);
    expect(await run(["API_KEY"], { answers: [NEW, "y"] })).toMatchObject({ status: 0 });
  });

  test("names the found file that chose the environment", async () => {
    const { run } = await startEscWithDefinition();
    const cwd = folder({ "sophia.contract.json": CONTRACT, ".env": `ESC_ENV=${ENV}\n` });
    const env = { ESC_ENV: "" };
    const { questions } = await run(["API_KEY"], { cwd, env, answers: [NEW, "n"] });
    expect(questions.at(-1)).toBe(`Change it in ${ENV} (by ESC_ENV in .env)? [y/N] `);
    expect(await run(["API_KEY", "--yes"], { cwd, env, answers: [] })).toMatchObject({ status: 125, questions: [] });
    expect(await run(["API_KEY", "--dry-run"], { cwd, env, input: NEW })).toMatchObject({ status: 0 });
  });

  test.each<[title: string, fault: Parameters<EscServer["failNext"]>[1]]>([
    ["ESC does not store the value", { kind: "status", status: 200, body: {} }],
    ["the token may not write", 403],
  ])("fails with the reason if %s", async (_, fault) => {
    const { server, handle, run } = await startEscWithDefinition();
    server.failAlways("update", fault);
    const result = await run(["API_KEY", "--yes"], { input: NEW });
    expect(result.status).toBe(125);
    expectWording(result.stderr);
    expect(handle.revisions).toHaveLength(1);
  });
});
