/** What a user has typed at a terminal before a question appears must not answer the question, with the addon and without it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { secret, startEscServer } from "../esc-server/index.ts";
import { addon, parseEnvironment, folder, isStandalone, sophia, sophiaRun } from "../helpers/sophia.ts";
import { startAtTerminal, type Step } from "../helpers/terminal.ts";

const ENVIRONMENT = "acme/app/dev";
const [program, ...prefix] = sophiaRun;

/** The program under test as it is, and the package without its addon. */
const FORMS: readonly (readonly [string, readonly [string, ...string[]]])[] = [
  ["the program under test", sophiaRun],
  ...(isStandalone || !existsSync(addon)
    ? []
    : [["the package without its addon", [program, "--no-addons", ...prefix]] as const]),
];

/** Starts an ESC with one environment, and makes a folder with files. */
async function startWorld(files: Readonly<Record<string, string>> = {}) {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  const handle = server.environment(ENVIRONMENT, { values: { KEY: secret("sentinel") } });
  const cwd = folder(files);
  const callerEnvironment = { PATH: process.env["PATH"] ?? "", HOME: cwd, PULUMI_BACKEND_URL: server.url };
  return { server, handle, cwd, own: callerEnvironment };
}

describe.each(FORMS)("%s", (_, command) => {
  /** Types a text before the command starts, then answers its questions. */
  const typeBeforeStart = async (
    args: readonly string[],
    options: Parameters<typeof startAtTerminal>[1],
    before: string,
    steps: readonly Step[],
  ) => {
    const { stdout, status } = await startAtTerminal([...command, ...args], options, steps, 0, before).finished;
    return { stdout, status };
  };

  test.each<[string, string]>([
    ["a line", "y\n"],
    ["a line without its end", "y"],
    ["many lines", "y\n".repeat(30)],
    ["more than the terminal's buffer can hold", "y\n".repeat(5000)],
    ["more than that without an end of a line", "y".repeat(10_000)],
    ["the end of the input", "y\n\u0004"],
  ])("does not take %s that was typed before as consent", async (_name, before) => {
    const contract = { environment: ENVIRONMENT, variables: { KEY: { required: true } } };
    const { server, cwd, own } = await startWorld({ "sophia.contract.json": JSON.stringify(contract) });
    const env = { ...own, ESC_TOKEN: server.token };
    const { stdout, status } = await typeBeforeStart(["--", "true"], { cwd, env }, before, [["[y/N]", "\n"]]);
    expect([status, server.count("any")]).toEqual([78, 0]);
    expect(stdout).toContain("from now on? [y/N]");
    const allowed = await typeBeforeStart(["--", "sh", "-c", "echo got $KEY"], { cwd, env }, before, [
      ["[y/N]", "y\n"],
    ]);
    expect(allowed.stdout).toContain("got sentinel");
  });

  test("does not take lines that follow an answer as the answer to the next question", async () => {
    const { server, cwd, own } = await startWorld({
      "values.env": "MORE=1\n",
      "sophia.contract.json": `{ "variables": {} }`,
    });
    const env = { ...own, ESC_ENV: ENVIRONMENT, ESC_ADMIN_TOKEN: server.token };
    const steps: readonly Step[] = [
      ["[y/N]", "y\ny\ny\n"],
      ["now that ESC has the value", "n\n"],
    ];
    const { stdout, status } = await typeBeforeStart(["import", "values.env"], { cwd, env }, "", steps);
    expect([status, stdout.match(/\[y\/N\]/g)?.length]).toEqual([0, 2]);
    expect(readFileSync(join(cwd, "values.env"), "utf8")).toBe("MORE=1\n");
  });

  test("does not take text that was typed before as a hidden value, or as its confirmation", async () => {
    const { server, handle, cwd, own } = await startWorld({ "sophia.contract.json": `{ "variables": { "NEW": {} } }` });
    const env = { ...own, ESC_ENV: ENVIRONMENT, ESC_ADMIN_TOKEN: server.token };
    const steps: readonly Step[] = [
      ["(not shown):", "typed-after\ny\n"],
      ["[y/N]", "n\n"],
    ];
    const refused = await typeBeforeStart(["set", "NEW"], { cwd, env }, "typed-before\ny\n", steps);
    expect([refused.status, handle.revisions.length]).toEqual([1, 1]);
    const again: readonly Step[] = [
      ["(not shown):", "typed-after\n"],
      ["[y/N]", "y\n"],
    ];
    const writtenResult = await typeBeforeStart(["set", "NEW"], { cwd, env }, "typed-before", again);
    expect(writtenResult.status).toBe(0);
    const read = { env: { ...own, ESC_ENV: ENVIRONMENT, ESC_TOKEN: server.token } };
    const { stdout } = await sophia(["--no-contract", "--", "env"], read);
    expect(parseEnvironment(stdout)["NEW"]).toBe("typed-after");
  });

  test("does not take text that was typed before as a choice of init", async () => {
    const { cwd, own } = await startWorld({ ".env": "FIRST=1\nSECOND=2\n" });
    const steps: readonly Step[] = [
      ["for none:", "THIRD\nall\n"],
      ["for none:", "2\n"],
    ];
    const { status, stdout } = await typeBeforeStart(["init"], { cwd, env: own }, "all\n", steps);
    expect(stdout.match(/for none:/g)).toHaveLength(2);
    const { variables } = JSON.parse(readFileSync(join(cwd, "sophia.contract.json"), "utf8"));
    expect([status, variables.FIRST, variables.SECOND]).toMatchObject([
      0,
      expect.not.objectContaining({ required: true }),
      { required: true },
    ]);
    expect(existsSync(join(cwd, "Dockerfile"))).toBe(false);
  });

  test("passes text that was typed before on to the program if it asks no question", async () => {
    const { cwd, own } = await startWorld();
    const steps: readonly Step[] = [["read", "\u0004"]];
    const script = 'read a; read b; echo "read $a and $b"; cat';
    const { stdout, status } = await typeBeforeStart(
      ["--no-contract", "--", "sh", "-c", script],
      { cwd, env: own },
      "1\n2\n",
      steps,
    );
    expect([status, stdout]).toEqual([0, expect.stringContaining("read 1 and 2")]);
  });

  test("leaves the terminal's settings as they were", async () => {
    const contract = { environment: ENVIRONMENT, variables: { KEY: { required: true } } };
    const { server, cwd, own } = await startWorld({ "sophia.contract.json": JSON.stringify(contract) });
    const env = { ...own, ESC_TOKEN: server.token };
    const script = 'before=$(stty -g); "$@" -- true; [ "$before" = "$(stty -g)" ] && echo unchanged';
    const shellCommand = ["sh", "-c", script, "sh", ...command];
    const { stdout } = await startAtTerminal(shellCommand, { cwd, env }, [["[y/N]", "y\n"]], 0, "y\n").finished;
    expect(stdout).toContain("unchanged");
  });
});

test("sophia-run does not discard input from a pipe", async () => {
  const { server, handle, cwd, own } = await startWorld({ "sophia.contract.json": `{ "variables": { "NEW": {} } }` });
  const env = { ...own, ESC_ENV: ENVIRONMENT, ESC_ADMIN_TOKEN: server.token };
  const result = await sophia(["set", "NEW", "--yes"], { cwd, env, input: "from-a-pipe\n" });
  expect([result.status, handle.revisions.length]).toEqual([0, 2]);
  const read = { env: { ...own, ESC_ENV: ENVIRONMENT, ESC_TOKEN: server.token } };
  const { stdout } = await sophia(["--no-contract", "--", "env"], read);
  expect(parseEnvironment(stdout)["NEW"]).toBe("from-a-pipe");
});
