import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FAKE_TOKEN } from "../../contract/corpus.ts";
import { type EscServer, secret } from "../../esc-server/index.ts";
import { runCommand } from "../../helpers/command-in-process.ts";
import { expectWording } from "../../helpers/wording.ts";
import { ENV, commandRunner, startEscProject } from "../parts/writing/esc-project.ts";
import { SENTINEL, sentinelOf } from "../sophia-environment.ts";

const CONTRACT = JSON.stringify({
  variables: { API_KEY: {}, REGION: { secret: false }, EMPTY: {}, SOPHIA_REGION: { secret: false } },
});
const FILE = [
  "# local",
  `API_KEY=${sentinelOf("api")}`,
  "REGION=eu",
  "LOG_LEVEL=debug",
  "EMPTY=",
  "UNDECLARED_EMPTY=",
  "ESC_ENV=acme/app/dev",
  "SOPHIA_LATER=1",
  "SOPHIA_REGION=eu",
  `MULTI="a\nb # ${SENTINEL}"`,
  "",
].join("\n");
/** The lines of the file that `import` does not write. */
const REMAINING_LINES = ["# local", "EMPTY=", "ESC_ENV=acme/app/dev", "SOPHIA_LATER=1", ""];

async function startEscWithEnvironment(
  spec: Parameters<EscServer["environment"]>[1] = { values: { KEEP: "1" } },
  file = FILE,
) {
  const project = await startEscProject(spec, { ".env": file, "sophia.contract.json": CONTRACT });
  return { ...project, path: join(project.cwd, ".env"), run: commandRunner(["import", ".env"], project) };
}

describe("import without a terminal", () => {
  test("writes one revision, and nothing the second time", async () => {
    const { server, handle, run, path } = await startEscWithEnvironment();
    const result = await run(["--yes"]);
    expect(result).toMatchObject({ status: 0, stderr: "", questions: [] });
    expectWording(result.stdout);
    const again = await run(["--yes"]);
    expect(again).toMatchObject({ status: 0, stderr: "" });
    expectWording(again.stdout);
    expect(handle.revisions).toHaveLength(2);
    expect(readFileSync(path, "utf8")).toBe(FILE);
    expect(server.violations).toEqual([]);
  });

  test("--dry-run writes nothing, and says what would be kept", async () => {
    const { server, run } = await startEscWithEnvironment({
      values: { API_KEY: secret(sentinelOf("old")), REGION: "eu", LOG_LEVEL: "debug" },
    });
    const dry = await run(["--dry-run"]);
    expect(dry).toMatchObject({ status: 1, stderr: "" });
    expectWording(dry.stdout);
    const overwriting = await run(["--dry-run", "--overwrite"]);
    expect(overwriting).toMatchObject({ status: 0, stderr: "" });
    expect(overwriting.stdout).toContain(`  ~ API_KEY           secret\n`);
    const unconfirmed = await run([]);
    expect(unconfirmed.status).toBe(125);
    expect(unconfirmed.stderr).toContain("--yes makes the change without asking");
    expect(server.count("update")).toBe(0);
  });

  test("keeps another value in ESC, and replaces it with --overwrite", async () => {
    const { handle, run } = await startEscWithEnvironment({
      values: { API_KEY: secret(sentinelOf("old")), REGION: "eu", LOG_LEVEL: "info" },
      files: { MULTI: "file" },
    });
    const result = await run(["--yes"]);
    expect(result).toMatchObject({ status: 1, stderr: "" });
    expectWording(result.stdout);
    const overwritten = await run(["--yes", "--overwrite"]);
    // The file of ESC stays.
    expect(overwritten).toMatchObject({ status: 1, stderr: "" });
    expectWording(overwritten.stdout);
    expect(handle.revisions).toHaveLength(3);
  });

  test("--plain writes the named variables as plain text", async () => {
    const { handle, run } = await startEscWithEnvironment(
      {},
      `REGION=${FAKE_TOKEN}\nLOG_LEVEL=debug\nMODE=${FAKE_TOKEN}\n`,
    );
    const result = await run(["--yes", "--plain", "LOG_LEVEL", "--plain=MODE"]);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expectWording(result.stdout);
    expect(handle.definition).toContain('LOG_LEVEL: "debug"\n');
    expect(handle.definition.match(/ciphertext/g)).toHaveLength(1);
  });

  test.each([["LOGLEVEL"], ["API_KEY"], ["NOT\nTHERE"]])("--plain %j is refused", async (name) => {
    const { server, run } = await startEscWithEnvironment();
    const result = await run(["--yes", "--plain", name]);
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expectWording(result.stderr);
    expect(server.calls).toEqual([]);
  });

  test("refuses a file that does not exist, several environments, and a found file that names the environment", async () => {
    const { server, run } = await startEscWithEnvironment();
    const absent = await runCommand(["import", "absent.env", "--yes"], { env: { ESC_ENV: ENV } });
    expect(absent).toMatchObject({ status: 125, stdout: "" });
    const several = await run(["--yes", "--in", `${ENV},acme/app/base`]);
    expect(several.status).toBe(125);
    expect(several.stderr).toContain("--in names several environments");
    const found = await run(["--yes"], { env: { ESC_ENV: "" } });
    expect(found).toMatchObject({ status: 125, stdout: "" });
    expectWording(found.stderr);
    expect(server.count("update")).toBe(0);
  });

  test("prints a notice about the file only once, although the settings come from it, too", async () => {
    const { run } = await startEscWithEnvironment({}, "A=${B}\nBROKEN\n");
    const result = await run(["--dry-run"]);
    expect(result.status).toBe(0);
    expectWording(result.stderr);
  });

  test("reports a value that another user has set meanwhile, and keeps it", async () => {
    const { server, handle, run } = await startEscWithEnvironment();
    const update = server.hold("update");
    const running = run(["--yes"]);
    await server.waitFor("update");
    handle.revise({ values: { KEEP: "2", REGION: "us" } });
    update.release();
    const result = await running;
    expect(result).toMatchObject({ status: 1, stderr: "" });
    expectWording(result.stdout);
  });

  test("makes a draft of a change that needs an approval", async () => {
    const { handle, run } = await startEscWithEnvironment({ values: {}, updates: "approval" });
    const result = await run(["--yes"]);
    expect(result).toMatchObject({ status: 3, stderr: "" });
    expectWording(result.stdout, { [handle.drafts[0]?.id ?? ""]: "<id>" });
    expect(handle.revisions).toHaveLength(1);
  });

  test("does not read back an environment that opens only with an approval", async () => {
    const { handle, run } = await startEscWithEnvironment({
      values: { API_KEY: secret(sentinelOf("old")), REGION: "eu" },
      deny: "approval",
    });
    const result = await run(["--yes"]);
    expect(result).toMatchObject({ status: 1, stderr: "" });
    expectWording(result.stdout);
    expect(await run(["--yes", "--overwrite"])).toMatchObject({ status: 0, stderr: "" });
    expect(handle.revisions).toHaveLength(3);
  });
});

describe("import at a terminal", () => {
  test.each([["\n"], ["\r\n"], ["\r"]])(
    "removes from the file what ESC has now, with line ends %j",
    async (lineEnd) => {
      const file = `\uFEFF${FILE.replaceAll("\n", lineEnd)}`;
      const { run, path } = await startEscWithEnvironment({}, file);
      const result = await run([], { answers: ["y", "y"] });
      expect(result.status).toBe(0);
      expect(result.questions.map((question) => question.replaceAll(/\s+/g, " "))).toEqual([
        expect.stringMatching(/^Write \d variables to acme\/app\/dev\? \[y\/N\] $/),
        expect.stringMatching(
          /^Remove API_KEY, REGION, LOG_LEVEL.* from \.env, now that ESC has the values\? \[y\/N\] $/,
        ),
      ]);
      expect(readFileSync(path, "utf8")).toBe(`\uFEFF${REMAINING_LINES.join(lineEnd)}`);
      expect(statSync(path).mode & 0o777).toBe(0o600);
    },
  );

  test("removes values that ESC had already, and each assignment of a name", async () => {
    const file = "REGION=us\nOTHER=1\nexport REGION=eu\nKEPT=1\nLAST=1";
    const { run, path } = await startEscWithEnvironment({ values: { REGION: "eu", KEPT: "2", LAST: "1" } }, file);
    const result = await run([], { answers: ["y", "yes"] });
    expect(result.status).toBe(1);
    expect(result.questions).toEqual([
      `Write 1 variable to ${ENV}? [y/N] `,
      "Remove REGION, LAST and OTHER from .env, now that ESC has the values? [y/N] ",
    ]);
    expect(result.stdout).toMatch(/\nRemoved 3 variables from \.env; the other lines did not change\.\n$/);
    expect(readFileSync(path, "utf8")).toBe("KEPT=1\n");
  });

  test("asks about the file alone if there is nothing to write, and names five variables at most", async () => {
    const names = ["A", "B", "C", "D", "E", "F", "G"];
    const file = names.map((name) => `${name}=1\n`).join("");
    const { run, path } = await startEscWithEnvironment(
      { values: Object.fromEntries(names.map((name) => [name, "1"])) },
      file,
    );
    const result = await run([], { answers: ["n"] });
    expect(result.questions).toEqual([
      "Remove A, B, C, D, E and 2 more from .env, now that ESC has the values? [y/N] ",
    ]);
    expect(result.status).toBe(0);
    expect(result.stdout).toMatch(/\n✅ Nothing to change\.\n$/);
    expect(readFileSync(path, "utf8")).toBe(file);
  });

  test.each([
    ["n", ["n"], 1],
    ["Ctrl-D", [undefined], 1],
  ])("writes nothing after %s", async (_, answers, status) => {
    const { server, run } = await startEscWithEnvironment();
    const result = await run([], { answers });
    expect(result.status).toBe(status);
    expect(result.stdout).toMatch(/\nNothing was written\.\n$/);
    expect(server.count("update")).toBe(0);
  });

  test("offers no removal with --yes, and none if ESC has none of the values", async () => {
    const { run, path } = await startEscWithEnvironment();
    expect(await run(["--yes"], { answers: [] })).toMatchObject({ status: 0, questions: [] });
    expect(readFileSync(path, "utf8")).toBe(FILE);
    const others = await startEscWithEnvironment({ values: { A: "2" } }, "A=1\n");
    expect(await others.run([], { answers: [] })).toMatchObject({ status: 1, questions: [] });
  });

  test.each<[title: string, change: (path: string) => void, content: string | undefined]>([
    ["has another value", (path) => writeFileSync(path, "A=2\n"), "A=2\n"],
    ["lacks the variable", (path) => writeFileSync(path, "B=1\n"), "B=1\n"],
    ["is gone", (path) => rmSync(path), undefined],
  ])("does not change a file that %s meanwhile", async (_, change, content) => {
    const { run, path } = await startEscWithEnvironment({ values: { A: "1" } }, "A=1\n");
    const result = await run([], { answers: ["y"], beforeAnswer: () => change(path) });
    expect(result.status).toBe(125);
    expectWording(result.stderr);
    expect(existsSync(path) ? readFileSync(path, "utf8") : undefined).toBe(content);
  });

  test("offers no removal if another user has changed a value meanwhile", async () => {
    const { handle, run } = await startEscWithEnvironment();
    const beforeAnswer = (): void => handle.revise({ values: { REGION: "us" } });
    const result = await run([], { answers: ["y"], beforeAnswer });
    // A value was kept, so that the user must look at the file first.
    expect(result.status).toBe(1);
    expect(result.questions).toHaveLength(1);
    expect(result.stdout).toContain("  REGION: kept, since ESC has another value; --overwrite replaces it\n");
  });
});
