import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { secret, startEscServer } from "../esc-server/index.ts";
import { parseEnvironment, folder, sophia } from "../helpers/sophia.ts";
import { escVariables } from "../commands/sophia-environment.ts";

const CONTRACT = JSON.stringify({ variables: { DECLARED: { required: true }, LEVEL: { default: "info" } } });

const rows: readonly (readonly [options: readonly string[], names: readonly string[]])[] = [
  [[], ["DECLARED", "LEVEL", "FROM_ESC", "FROM_FILE", "FROM_ENVIRONMENT"]],
  [["--only-declared"], ["DECLARED", "LEVEL", "FROM_ENVIRONMENT"]],
  [["--pristine"], ["DECLARED", "LEVEL"]],
  [
    ["--pristine", "--include", "FROM_E*", "--include", "DECLARED"],
    ["DECLARED", "LEVEL", "FROM_ESC", "FROM_ENVIRONMENT"],
  ],
  [
    ["--include", "DECLARED"],
    ["DECLARED", "LEVEL", "FROM_ENVIRONMENT"],
  ],
  [
    ["--exclude", "FROM_*"],
    ["DECLARED", "LEVEL"],
  ],
  [["--exclude", "*", "--no-contract"], []],
  [
    ["--only-declared", "--include", "FROM_FILE", "--include", "DECLARED"],
    ["DECLARED", "LEVEL", "FROM_FILE", "FROM_ENVIRONMENT"],
  ],
];

test.each(rows)("the program gets only the selected variables with %j", async (options, names) => {
  await using server = await startEscServer();
  server.environment("acme/app/dev", { values: { DECLARED: secret("d"), FROM_ESC: "e", DECLARED_NOT: "n" } });
  const cwd = folder({ "sophia.contract.json": CONTRACT, ".env": "FROM_FILE=f\n" });
  const env = { ...escVariables(server, "acme/app/dev"), FROM_ENVIRONMENT: "v" };
  const { stdout, status } = await sophia([...options, "--", "/usr/bin/env"], { cwd, env });
  expect(status).toBe(0);
  const passedNames = Object.keys(parseEnvironment(stdout)).filter((name) =>
    /^(?:DECLARED|LEVEL|FROM_\w+|ESC_\w+)$/.test(name),
  );
  expect(passedNames.toSorted()).toEqual(names.toSorted());
});

test("a start checks the contract against what the program gets", async () => {
  const cwd = folder({ "sophia.contract.json": CONTRACT });
  const { status, stderr } = await sophia(["--exclude", "DECL*", "--", "true"], { cwd, env: { DECLARED: "here" } });
  expect(status).toBe(78);
  expect(stderr).toContain("DECLARED");
});

test("--include limits the required variables to the named ones and to those that the caller sets", async () => {
  const cwd = folder();
  const env = { QDRANT_URL: "https://qdrant.test" };
  const started = await sophia(["--include", "QDRANT_URL", "--", "printenv", "QDRANT_URL"], { cwd, env });
  expect(started).toMatchObject({ status: 0, stdout: "https://qdrant.test\n", stderr: "" });
  const check = await sophia(["check", "--include", "QDRANT_URL"], { cwd, env });
  expect(check.status).toBe(0);
  const missing = await sophia(["--include", "QDRANT_*", "--", "true"], { cwd, env });
  expect(missing.status).toBe(78);
  expect(missing.stderr).toContain("QDRANT_API_KEY");
  expect(missing.stderr).not.toContain("PULUMI_ACCESS_TOKEN");
  const invalid = await sophia(["--include", "X", "--", "true"], { cwd, env: { QDRANT_URL: "<url>" } });
  expect(invalid.status).toBe(78);
});

describe("--scope", () => {
  const contract = JSON.stringify({
    variables: {
      WEB_KEY: { required: true },
      WEB_PORT: { default: "80", aliases: ["HTTP_PORT"] },
      WORKER_KEY: { required: true, aliases: ["JOB_KEY"] },
    },
    scopes: { web: ["WEB_KEY", "WEB_PORT"], worker: ["WORKER_KEY"] },
  });
  const cwd = (): string =>
    folder({ "sophia.contract.json": contract, ".env": "FROM_FILE=f\nJOB_KEY=SENTINEL-file\nWEB_PORT=8080\n" });
  const passedNames = async (
    options: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<readonly string[]> => {
    const { stdout, status } = await sophia([...options, "--", "/usr/bin/env"], { cwd: cwd(), env });
    expect(status).toBe(0);
    const names = Object.keys(parseEnvironment(stdout));
    return names.filter((name) => /^(?:WEB|WORKER|FROM|JOB|SOPHIA)_/.test(name)).toSorted();
  };

  test.each<[readonly string[], readonly string[]]>([
    [
      ["--scope", "web"],
      ["FROM_ENVIRONMENT", "WEB_KEY", "WEB_PORT"],
    ],
    [
      ["--scope", "worker"],
      ["FROM_ENVIRONMENT", "JOB_KEY", "WORKER_KEY"],
    ],
    [
      ["--scope", "web", "--include", "FROM_*", "--include", "W*"],
      ["FROM_ENVIRONMENT", "FROM_FILE", "WEB_KEY", "WEB_PORT"],
    ],
    [
      ["--scope", "web", "--pristine"],
      ["WEB_KEY", "WEB_PORT"],
    ],
  ])("%j passes on only the variables of the process", async (options, names) => {
    const env = { WEB_KEY: "k", WORKER_KEY: "SENTINEL", FROM_ENVIRONMENT: "v" };
    expect(await passedNames(options, env)).toEqual(names);
  });

  test("limits the check, as SOPHIA_SCOPE does", async () => {
    const env = { SOPHIA_SCOPE: "web", WEB_KEY: "k" };
    expect(await sophia(["--", "true"], { cwd: cwd(), env })).toMatchObject({ status: 0, stderr: "" });
    const unmet = await sophia(["--scope", "web", "--", "true"], { cwd: cwd() });
    expect(unmet.status).toBe(78);
    expect(unmet.stderr).toContain("WEB_KEY");
    expect(unmet.stderr).not.toContain("WORKER_KEY");
  });

  test("limits check, explain, export and docs to the variables of the process", async () => {
    const env = { WEB_KEY: "k", WORKER_KEY: "SENTINEL" };
    const folderOfAll = cwd();
    const run = (...words: readonly string[]) => sophia(words, { cwd: folderOfAll, env });
    const check = await run("check", "--scope", "web", "--json");
    expect(check.status).toBe(0);
    expect(JSON.parse(check.stdout)).toMatchObject({
      contract: { scope: "web" },
      variables: [{ name: "WEB_KEY" }, { name: "WEB_PORT" }],
    });
    const explained = await run("explain", "--scope", "web");
    expect(explained.stdout).toContain("(scope web)");
    expect(explained.stdout).toMatch(/JOB_KEY\n[^]*withheld .*--scope/);
    expect((await run("explain", "--scope", "web", "WORKER_KEY")).stdout).toContain("--scope");
    expect((await run("export", "--scope", "web")).stdout).toMatch(/^WEB_KEY=.*\nWEB_PORT=.*\n$/);
    expect((await run("docs", "--scope", "web", "web.env")).status).toBe(0);
    expect(readFileSync(join(folderOfAll, "web.env"), "utf8")).not.toContain("WORKER_KEY");
    for (const result of [check, explained]) expect(result.stdout + result.stderr).not.toContain("SENTINEL");
  });

  test("fails with a suggestion if the scope does not exist", async () => {
    const unknown = await sophia(["--scope", "wbe", "--", "true"], { cwd: cwd() });
    expect(unknown).toMatchObject({ status: 125, stdout: "" });
    expect(unknown.stderr).toContain('"wbe"');
    expect(unknown.stderr).toContain("did you mean web?");
    const builtIn = await sophia(["--scope", "web", "--", "true"]);
    expect(builtIn.status).toBe(125);
    expect(builtIn.stderr).toContain("built-in contract");
  });
});
