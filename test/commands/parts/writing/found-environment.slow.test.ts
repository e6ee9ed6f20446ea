/** A found `.env` must not decide where the caller's token writes: its authors could read what is stored there. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { secret, startEscServer } from "../../../esc-server/index.ts";
import { type ProcessResult, folder, sophia, unwrapLines } from "../../../helpers/sophia.ts";
import { atTerminal, type Step } from "../../../helpers/terminal.ts";
import { sentinelOf } from "../../sophia-environment.ts";

const ENV = "acme/app/dev";
const VALUE = `sk-${sentinelOf("new")}`;
/** Each command with its input, and what it answers at a terminal before the question. */
const COMMANDS: readonly (readonly [command: string, args: readonly string[], steps: readonly Step[]])[] = [
  ["set", ["set", "API_KEY"], [["(not shown): ", `${VALUE}\n`]]],
  ["import", ["import", "values.env"], []],
  ["rotate", ["rotate", "OLD_KEY"], [["(not shown): ", `${VALUE}\n`]]],
];

async function startEscWithEnvironment(dotenv = `ESC_ENV=${ENV}\n`) {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  const handle = server.environment(ENV, { values: { OLD_KEY: secret(`sk-${sentinelOf("old")}`) } });
  const cwd = folder({ "sophia.contract.json": '{"variables": {"API_KEY": {}, "OLD_KEY": {}}}' });
  for (const [name, text] of Object.entries({ ".env": dotenv, "values.env": `API_KEY=${VALUE}\n` })) {
    writeFileSync(join(cwd, name), text);
    chmodSync(join(cwd, name), 0o600);
  }
  const env = { PULUMI_BACKEND_URL: server.url, ESC_ADMIN_TOKEN: server.token };
  const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<ProcessResult> =>
    sophia(args, { cwd, env: { ...env, ...more }, input: VALUE });
  return { server, handle, cwd, env, run };
}

describe.each(COMMANDS)("with an ESC environment that a found file names, %s", (name, args, steps) => {
  // `set` asks nothing if the value comes by the standard input.
  const confirmed = name === "set" ? [] : ["--yes"];

  test.each<[more: readonly string[]]>([[[]], [["--yes"]]])(
    "writes nothing off a terminal, and asks the service nothing: %j",
    async (more) => {
      const { server, run } = await startEscWithEnvironment();
      const result = await run([...args, ...more]);
      expect(result).toMatchObject({ status: 125, stdout: "" });
      expect(unwrapLines(result.stderr)).toContain("ESC_ENV in .env");
      expect(result.stderr).toContain(`--in ${ENV}`);
      expect(server.calls).toHaveLength(0);
    },
  );

  test("writes after the printed remedy", async () => {
    const { handle, run } = await startEscWithEnvironment();
    const [remedy = ""] = /--in \S+/.exec((await run(args)).stderr) ?? [];
    expect(await run([...args, ...confirmed, ...remedy.split(" ")])).toMatchObject({ status: 0, stderr: "" });
    expect(handle.revisions).toHaveLength(2);
  });

  test("obeys the environment and a file that the caller names", async () => {
    const { handle, run } = await startEscWithEnvironment();
    expect(await run([...args, ...confirmed], { ESC_ENV: ENV })).toMatchObject({ status: 0 });
    expect(handle.revisions).toHaveLength(2);
    const named = await startEscWithEnvironment();
    expect(await named.run([...args, ...confirmed], { SOPHIA_DOTENV: ".env" })).toMatchObject({ status: 0 });
    expect(named.handle.revisions).toHaveLength(2);
  });

  test("needs the remedy for an organization of the file as well", async () => {
    const { handle, run } = await startEscWithEnvironment("ESC_ORG=acme\n");
    const result = await run([...args, ...confirmed, "--in", "app/dev"]);
    expect(result.status).toBe(125);
    expect(unwrapLines(result.stderr)).toContain("ESC_ORG in .env");
    expect(result.stderr).toContain(`--in ${ENV}`);
    expect(await run([...args, ...confirmed, "--in", ENV])).toMatchObject({ status: 0 });
    expect(handle.revisions).toHaveLength(2);
  });

  test("asks at a terminal with the names of environment and file", async () => {
    const { handle, cwd, env } = await startEscWithEnvironment();
    const question = `${ENV} (by ESC_ENV in .env)? [y/N] `;
    const declined = await atTerminal(args, { cwd, env }, [...steps, [question, "\n"]]);
    expect(declined.status).toBe(1);
    expect(handle.revisions).toHaveLength(1);
    // `import` then offers to remove the value from the file.
    const accepted = await atTerminal(args, { cwd, env }, [...steps, [question, "y\n"], ["[y/N] ", "\n"]]);
    expect(accepted.status).toBe(0);
    expect(handle.revisions).toHaveLength(2);
  });

  test("asks at a terminal even with --yes", async () => {
    const { handle, cwd, env } = await startEscWithEnvironment();
    const result = await atTerminal([...args, "--yes"], { cwd, env }, []);
    expect(result.status).toBe(125);
    expect(result.stdout).toContain("without --yes");
    expect(handle.revisions).toHaveLength(1);
  });

  test("shows the plan with --dry-run", async () => {
    const { handle, run } = await startEscWithEnvironment();
    const result = await run([...args, "--dry-run"]);
    expect(result.status).toBe(0);
    expect(unwrapLines(result.stderr)).toContain("ESC_ENV in .env selects what ESC_ADMIN_TOKEN");
    expect(handle.revisions).toHaveLength(1);
  });
});

test("a command that writes does not offer a list of a file as a name", async () => {
  const { run } = await startEscWithEnvironment("ESC_ENV=acme/app/base,acme/app/dev\n");
  const result = await run(["rotate", "OLD_KEY", "--yes"]);
  expect(result.status).toBe(125);
  expect(result.stderr).toContain("--in ORGANIZATION/PROJECT/ENVIRONMENT");
});
