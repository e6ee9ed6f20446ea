/** Text from outside must not be a command to GitHub's runner: it would void the masks of the same step. */
import { describe, expect, test } from "vitest";
import { escVariables } from "../commands/sophia-environment.ts";
import { startEscServer } from "../esc-server/index.ts";
import { Commands, linesOf } from "../helpers/actions/command.ts";
import { folder, sophia, sophiaRun } from "../helpers/sophia.ts";
import { startProcess } from "../helpers/start-process.ts";

const OLD = "##[stop-commands]x";
/** Wherever a line is wrapped, the next one begins with the command. */
const NEW = "::stop-commands::x ".repeat(4).trim();
const LONG = `${OLD} ${"::stop-commands::x ".repeat(30).trim()}`;
const SECRET = "sentinel-of-the-runner-0001";

const CONTRACT = JSON.stringify({
  variables: {
    NEEDED: { required: true, secret: false, label: `${OLD} ${NEW}`.slice(0, 80), description: LONG },
    FORMED: { format: { type: "enum", values: [OLD, "::stop-commands::x"] }, label: NEW },
    KEY: { label: NEW, description: LONG, docs: `https://example.test/${OLD}` },
  },
  groups: { all: { label: NEW, rule: "at-least-one", variables: ["KEY", "NEEDED"] } },
  sections: [{ title: NEW, lines: ["all", "FORMED", "KEY"] }],
});
const env = { GITHUB_ACTIONS: "true", KEY: SECRET, FORMED: "neither" };
const createHostileProject = (): string => folder({ "sophia.contract.json": CONTRACT, [`${OLD} a`]: `${SECRET}\n` });

/** The commands that the runner executes for the outputs of a step. */
function commandsIn(...outputs: readonly string[]): readonly string[] {
  const commands = new Commands();
  return outputs.flatMap(linesOf).flatMap((line) => commands.read(line)?.name ?? []);
}

describe("under GITHUB_ACTIONS sophia-run prints no text that the runner takes for a command", () => {
  test.each([
    ["check", ["check"]],
    ["check --json", ["check", "--json"]],
    ["explain", ["explain"]],
    ["explain --json", ["explain", "--json"]],
    ["a refusal", ["--", "true"]],
    ["a wrong path", ["check", "--contract", `a\r::stop-commands::x${OLD}`]],
    ["a wrong choice", ["export", "--format", OLD]],
    ["a found file", ["scan"]],
    ["a named file", ["--no-contract", "--dotenv", `${OLD} a`, "--", "true"]],
    ["a program that is not there", ["--no-contract", "--", `${OLD} ::stop-commands::x`]],
    ["a file of docs", ["docs", `${OLD} b.md`]],
  ])("with %s", async (_, args) => {
    const [guarded, plain] = [
      await sophia(args, { cwd: createHostileProject(), env }),
      await sophia(args, { cwd: createHostileProject(), env: { ...env, GITHUB_ACTIONS: "" } }),
    ];
    expect(commandsIn(guarded.stdout, guarded.stderr)).toEqual([]);
    expect(guarded.status).toBe(plain.status);
    expect(guarded.stdout + guarded.stderr).toContain("stop-commands");
  });

  test("in a message of the service", async () => {
    const server = await startEscServer();
    server.failAlways("open", { kind: "status", status: 403, body: { code: 403, message: LONG } });
    const callerEnvironment = { ...env, ...escVariables(server, "acme/app/dev") };
    const { stderr } = await sophia(["--", "true"], { cwd: createHostileProject(), env: callerEnvironment });
    const plain = await sophia(["--", "true"], {
      cwd: createHostileProject(),
      env: { ...callerEnvironment, GITHUB_ACTIONS: "" },
    });
    await server.close();
    expect(commandsIn(stderr)).toEqual([]);
    expect(commandsIn(plain.stderr)).toContain("stop-commands");
  });

  test("although the texts are commands outside of it", async () => {
    for (const args of [["check"], ["--", "true"], ["scan"]]) {
      const { stdout, stderr } = await sophia(args, {
        cwd: createHostileProject(),
        env: { ...env, GITHUB_ACTIONS: "" },
      });
      expect(commandsIn(stdout, stderr)).toContain("stop-commands");
    }
  });

  test("and leaves the masks of an export in effect after a report and a refusal", async () => {
    const program = sophiaRun.map((word) => `'${word}'`).join(" ");
    const script = `${program} check; ${program} -- true; ${program} export --no-contract --format github`;
    const result = await startProcess(["sh", "-c", script], {
      cwd: createHostileProject(),
      env: { PATH: process.env["PATH"] ?? "", ...env },
    }).finished;
    const commands = new Commands();
    const masks = linesOf(result.stdout + result.stderr).flatMap((line) => {
      const command = commands.read(line);
      return command?.name === "add-mask" ? [command.data] : [];
    });
    expect(masks).toContain(SECRET);
  });
});

describe("under GITHUB_ACTIONS text for the runner or a program is unchanged:", () => {
  const value = `${OLD}\n::stop-commands::x\n${SECRET}`;

  test.each(["dotenv", "shell", "json"])("export --format %s prints what it prints elsewhere", async (format) => {
    const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables: { KEY: {} } }) });
    const args = ["export", "--format", format];
    const [guarded, plain] = [
      await sophia(args, { cwd, env: { KEY: value, GITHUB_ACTIONS: "true" } }),
      await sophia(args, { cwd, env: { KEY: value } }),
    ];
    expect(guarded.stdout).toBe(plain.stdout);
    expect(guarded.stdout).toContain(format === "json" ? "stop-commands" : OLD);
  });

  test("masks of secrets with such text work, from export and from --redact=github", async () => {
    const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables: { KEY: {} } }) });
    const callerEnvironment = { KEY: `${OLD} ${SECRET}`, GITHUB_ACTIONS: "true" };
    const exported = await sophia(["export", "--format", "github"], { cwd, env: callerEnvironment });
    const started = await sophia(["--redact=github", "--", "true"], { cwd, env: callerEnvironment });
    for (const text of [exported.stdout, started.stderr]) {
      expect(linesOf(text).map((line) => new Commands().read(line))).toContainEqual({
        name: "add-mask",
        data: `${OLD} ${SECRET}`,
        properties: {},
      });
    }
  });

  test("the JSON of check has the label", async () => {
    const cwd = createHostileProject();
    const { stdout } = await sophia(["check", "--json"], { cwd, env });
    expect(stdout).not.toContain("##[");
    expect(JSON.stringify(JSON.parse(stdout))).toContain(OLD);
  });

  test("commands that the program itself prints reach the runner", async () => {
    const args = ["--no-contract", "--redact", "--", "printf", "%s\\n", "::warning::w", OLD];
    const { stdout } = await sophia(args, { env: { GITHUB_ACTIONS: "true", KEY: SECRET } });
    expect(stdout).toBe(`::warning::w\n${OLD}\n`);
  });
});
