import { describe, expect, test } from "vitest";
import type { EscServer } from "../../esc-server/index.ts";
import { runCommand } from "../../helpers/command-in-process.ts";
import { folder, unwrapLines } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { ENV, commandRunner, startEscProject } from "../parts/writing/esc-project.ts";
import { sentinelOf } from "../sophia-environment.ts";

const CONTRACT = {
  variables: {
    DATABASE_URL: { required: true, format: { type: "url", schemes: ["postgresql"] } },
    PORT: { format: "port" },
    LEVEL: { format: { type: "enum", values: ["debug", "info"] } },
    REPLICA_URL: { required: { when: "LEVEL", equals: "debug" } },
  },
};
const DEFINITION = `values:
  environmentVariables:
    DATABASE_URL: {"fn::secret": "postgresql://${sentinelOf("url")}@db/app"}
    PORT: 8080
    LEVEL: info
    OTHER: ${sentinelOf("plain")}
`;

async function startEscWithDefinition(
  definition = DEFINITION,
  spec: Omit<Parameters<EscServer["environment"]>[1], "definition"> = {},
) {
  const files = { "sophia.contract.json": JSON.stringify(CONTRACT) };
  const project = await startEscProject({ definition, ...spec }, files);
  return { ...project, run: commandRunner(["enforce"], project) };
}

test("enforce writes the schema, checks it and removes it again", async () => {
  const { server, handle, env, run } = await startEscWithDefinition();
  const before = handle.definition;
  const missing = await run(["--check"]);
  expect(missing).toMatchObject({ status: 1, stderr: "" });
  expectWording(missing.stdout);
  const dry = await run(["--dry-run"]);
  expect(dry).toMatchObject({ status: 0, stderr: "" });
  expectWording(dry.stdout);
  expect(handle.revisions).toHaveLength(1);
  const written = await run(["--yes"]);
  expect(written).toMatchObject({ status: 0, stderr: "", questions: [] });
  expectWording(written.stdout);
  const again = await run(["--yes"]);
  expect(again).toMatchObject({ status: 0, stderr: "" });
  expectWording(again.stdout);
  const current = await run(["--check"], { env: { ESC_ADMIN_TOKEN: "", ESC_TOKEN: server.token } });
  expect(current).toMatchObject({ status: 0, stderr: "", stdout: `✅ ${ENV}@2 is checked by this contract.\n` });
  const other = folder({ "sophia.contract.json": JSON.stringify({ variables: { PORT: { format: "integer" } } }) });
  const different = await runCommand(["enforce", "--check"], { cwd: other, env });
  expect(different).toMatchObject({ status: 1, stderr: "" });
  expectWording(different.stdout);
  const changed = await runCommand(["enforce", "--dry-run"], { cwd: other, env });
  expectWording(changed.stdout);
  const removed = await run(["--remove", "--yes"]);
  expect(removed).toMatchObject({ status: 0, stderr: "" });
  expectWording(removed.stdout);
  expect(handle.definition).toBe(before);
  const none = await run(["--remove", "--yes"]);
  expect(none).toMatchObject({ status: 0, stderr: "" });
  expect(none.stdout).toMatch(/^✅ acme\/app\/dev has no schema of a contract\.\n/);
  expect(handle.revisions).toHaveLength(3);
  expect(server.violations).toEqual([]);
});

test("enforce writes nothing while values violate the contract, unless the schema does not check them", async () => {
  const { handle, run } = await startEscWithDefinition(DEFINITION.replace("8080", "none").replace("info", "debug"));
  const refused = await run(["--yes"]);
  expect(refused).toMatchObject({ status: 78, stderr: "" });
  expectWording(refused.stdout);
  // The rule about REPLICA_URL is also about LEVEL.
  for (const excluded of ["PORT,LEVEL", "PORT,REPLICA_URL"]) {
    expect(await run(["--dry-run", "--except", excluded])).toMatchObject({ status: 0 });
  }
  expect(await run(["--yes", "--except", "PORT"])).toMatchObject({ status: 78 });
  expect(handle.revisions).toHaveLength(1);
});

test("enforce needs variables to check, one environment and its name", async () => {
  const { server, run } = await startEscWithDefinition("values:\n  pulumiConfig: {}\n");
  const empty = await run(["--yes", "--only", "LEVEL"]);
  expect(empty).toMatchObject({ status: 125, stdout: "" });
  expectWording(empty.stderr);
  const several = await run(["--yes", "--in", `${ENV},acme/app/base`]);
  expect(several.status).toBe(125);
  expect(several.stderr).toContain("--in names several environments");
  const conflict = await run(["--check", "--remove"]);
  expect(conflict).toMatchObject({ status: 125, stdout: "" });
  const unconfirmed = await startEscWithDefinition();
  expect(await unconfirmed.run()).toMatchObject({ status: 125 });
  expect(server.count("update") + unconfirmed.server.count("update")).toBe(0);
});

test("enforce makes a draft of a change that needs an approval", async () => {
  const { handle, run } = await startEscWithDefinition(DEFINITION, { updates: "approval" });
  const draft = await run(["--yes"]);
  expect(draft).toMatchObject({ status: 3, stderr: "" });
  expect(draft.stdout).toContain("⏸️ Not in effect yet");
  expect(handle.drafts).toHaveLength(1);
});

test("enforce plans again on top of a change that another user makes meanwhile", async () => {
  const { server, handle, run } = await startEscWithDefinition();
  const update = server.hold("update");
  const running = run(["--yes"]);
  await server.waitFor("update");
  handle.revise({ definition: DEFINITION.replace("8080", "9090") });
  update.release();
  expect(await running).toMatchObject({ status: 0, stderr: "" });
  expect(handle.definition).toContain("PORT: 9090");
  expect(handle.definition).toContain("fn::validate");
});

describe("enforce asks at a terminal", () => {
  test("and writes nothing without a yes", async () => {
    const { handle, run } = await startEscWithDefinition();
    const declined = await run([], { answers: ["n"] });
    expect(declined).toMatchObject({ status: 1, questions: [`Write the schema to ${ENV}? [y/N] `] });
    expect(declined.stdout).toMatch(/\nNothing was written\.\n$/);
    expect(handle.revisions).toHaveLength(1);
    expect(await run([], { answers: ["y"] })).toMatchObject({ status: 0 });
    const removal = await run(["--remove"], { answers: ["y"] });
    expect(removal).toMatchObject({ status: 0, questions: [`Remove the schema from ${ENV}? [y/N] `] });
  });

  test.each([
    [1, ", which acme/app/user1 uses"],
    [2, ", which acme/app/user1 and acme/app/user2 use"],
    [5, ", which acme/app/user1, acme/app/user2, acme/app/user3, acme/app/user4 and acme/app/user5 use"],
    [7, ", which acme/app/user1, acme/app/user2, acme/app/user3, acme/app/user4, acme/app/user5 and 2 more use"],
  ])("and names the environments that use this one, of %i five at most", async (count, text) => {
    const { server, run } = await startEscWithDefinition();
    for (let index = 1; index <= count; index += 1) {
      server.environment(`acme/app/user${index}`, { imports: ["app/dev"], values: {} });
    }
    const { questions } = await run([], { answers: ["n"] });
    expect(questions.map(unwrapLines).map((line) => line.replaceAll("\n", " "))).toEqual([
      `Write the schema to ${ENV}${text}? [y/N] `,
    ]);
    expect(await run(["--remove", "--dry-run"], { answers: [] })).toMatchObject({ status: 0, questions: [] });
  });

  test("about the environment that a found file names", async () => {
    const { run } = await startEscWithDefinition();
    const cwd = folder({ "sophia.contract.json": JSON.stringify(CONTRACT), ".env": `ESC_ENV=${ENV}\n` });
    const { questions } = await run([], { env: { ESC_ENV: "" }, cwd, answers: ["n"] });
    expect(questions).toEqual([`Write the schema to ${ENV} (by ESC_ENV in .env)? [y/N] `]);
    expect(await run(["--yes"], { env: { ESC_ENV: "" }, cwd, answers: [] })).toMatchObject({ status: 125 });
    expect(await run(["--check"], { env: { ESC_ENV: "" }, cwd })).toMatchObject({ status: 1 });
  });
});
