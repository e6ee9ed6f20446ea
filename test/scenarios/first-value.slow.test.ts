/** The remedy of an unmet contract, pasted as it stands into real shells at a terminal: the value is then in ESC. */
import { chmodSync } from "node:fs";
import { delimiter } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { sentinelOf, SENTINEL } from "../commands/sophia-environment.ts";
import { secret, startEscServer } from "../esc-server/index.ts";
import { notInstalled, skipBecause } from "../helpers/skip.ts";
import { folder, sophia, sophiaRun } from "../helpers/sophia.ts";
import { startAtTerminal } from "../helpers/terminal.ts";

/** So long that the command needs two lines. */
const ENV = "acme/a-project-with-a-long-name/an-environment-with-a-long-name-too";
const NAME = "A_SECRET_WITH_A_LONG_NAME_OF_ITS_OWN";

async function startEscWithEnvironment() {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  const handle = server.environment(ENV, { values: { KEEP: "1" } });
  const quoted = sophiaRun.map((word) => `'${word}'`).join(" ");
  const commands = folder({ "sophia-run": `#!/bin/sh\nexec ${quoted} "$@"\n` });
  chmodSync(`${commands}/sophia-run`, 0o755);
  const variables = { [NAME]: { required: true, format: { type: "text", minLength: 8 } } };
  const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables }) });
  const env = {
    PATH: [commands, process.env["PATH"]].join(delimiter),
    HOME: cwd,
    PULUMI_BACKEND_URL: server.url,
    ESC_ENV: ENV,
    ESC_TOKEN: server.token,
  };
  const atTerminal = async (
    words: readonly [string, ...string[]],
    answers: Parameters<typeof startAtTerminal>[2] = [],
  ) => {
    const { stdout, status } = await startAtTerminal(words, { cwd, env }, answers).finished;
    return { status, stdout: stdout.replaceAll("\r", "") };
  };
  return { server, handle, cwd, env, atTerminal };
}

/** The lines of the command that a message shows. */
function remedyIn(message: string): string {
  return /^ +sophia-run set (?:[^\n]*\\\n)*[^\n]*$/m.exec(message)?.[0] ?? "";
}

describe.each([
  ["bash", ["bash", "--norc", "-c"]],
  ["dash", ["dash", "-c"]],
  ["fish", ["fish", "--no-config", "-c"]],
  ["zsh", ["zsh", "-f", "-c"]],
] as const)("a start with a missing or invalid value, in %s:", (shell, words) => {
  skipBecause(notInstalled(shell, "-c", "exit"));

  test("the printed command sets the value, and replaces an invalid one", async () => {
    const { server, handle, cwd, env, atTerminal } = await startEscWithEnvironment();
    const launch = ["sophia-run", "--", "printenv", "KEEP"] as const;
    const unmet = await atTerminal(launch);
    expect(unmet.status).toBe(78);
    const command = remedyIn(unmet.stdout);
    expect(command).toContain(`sophia-run set ${NAME} --in`);
    expect(unmet.stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
    const answers = [
      ["A token that may open and write the environment (not shown): ", `${server.token}\n`],
      [`Value of ${NAME} (not shown): `, `${sentinelOf("value")}\n`],
      [" [y/N] ", "y\n"],
    ] as const;
    const set = await atTerminal([...words, command], answers);
    expect(set).toMatchObject({ status: 0 });
    expect(set.stdout).not.toContain(SENTINEL);
    expect(await sophia(["--", "printenv", NAME], { cwd, env })).toMatchObject({
      status: 0,
      stdout: `${sentinelOf("value")}\n`,
    });

    handle.revise({ values: { KEEP: "1", [NAME]: secret("short") } });
    const invalid = await atTerminal(launch);
    const replacement = remedyIn(invalid.stdout);
    expect(replacement).toContain("--overwrite");
    expect(await atTerminal([...words, replacement], answers)).toMatchObject({ status: 0 });
    expect(await sophia(["--", "printenv", NAME], { cwd, env })).toMatchObject({ stdout: `${sentinelOf("value")}\n` });
  });
});

test("without a terminal the command that sets a value is printed if its token is set, and reads the standard input", async () => {
  const { server, cwd, env } = await startEscWithEnvironment();
  const unmet = await sophia(["--", "true"], { cwd, env: { ...env, ESC_ADMIN_TOKEN: server.token } });
  expect(unmet.status).toBe(78);
  expect(unmet.stderr).toContain("standard input");
  const [, ...words] = remedyIn(unmet.stderr).replaceAll(/\\\n/g, " ").trim().split(/ +/);
  const set = await sophia(words, { cwd, env: { ...env, ESC_ADMIN_TOKEN: server.token }, input: sentinelOf("value") });
  expect(set).toMatchObject({ status: 0, stderr: "" });
});

test("without a terminal and a token the command that sets a value is printed for a terminal, where it asks for both", async () => {
  const { cwd, env } = await startEscWithEnvironment();
  const unmet = await sophia(["--", "true"], { cwd, env });
  expect(unmet.stderr).toContain("asks for its value");
  expect(remedyIn(unmet.stderr)).toContain(`sophia-run set ${NAME} --in`);
});
