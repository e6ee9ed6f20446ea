import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shellQuoted } from "../../../src/core/shell.ts";
import { type EscServer, secret, startEscServer } from "../../esc-server/index.ts";
import { cleanPath } from "../../helpers/pack.ts";
import { folder, sophia, sophiaRun } from "../../helpers/sophia.ts";
import { startProcess } from "../../helpers/start-process.ts";

const NAME = "acme/app/ci";
const CONTRACT = JSON.stringify({ variables: { API_KEY: { required: true }, LEVEL: { secret: false } } });
const NAMED = JSON.stringify({ environment: NAME, variables: { API_KEY: { required: true } } });
const LINE = "  export ESC_TOKEN_COMMAND='printenv PULUMI_ACCESS_TOKEN'";

let esc: EscServer;

beforeAll(async () => {
  esc = await startEscServer();
  esc.environment(NAME, { values: { API_KEY: secret("sentinel-of-esc-1a2b"), LEVEL: "debug" } });
});

afterAll(() => esc.close());

const world = (): Readonly<Record<string, string>> => ({
  PULUMI_BACKEND_URL: esc.url,
  SOPHIA_ALLOW_ENVIRONMENT: NAME,
  PULUMI_ACCESS_TOKEN: esc.token,
});

/** Runs the line that the message has in a shell, and then the same command. */
function runPastedLine(line: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>>) {
  const command = [...sophiaRun, ...args].map(shellQuoted).join(" ");
  const script = `${line.trim()}\nexec ${command}`;
  return startProcess(["/bin/sh", "-c", script], { cwd, env: { PATH: cleanPath, HOME: cwd, ...env } }).finished;
}

describe("if ESC_TOKEN is missing and PULUMI_ACCESS_TOKEN is set, the message has a line that uses it, and the line works", () => {
  const ESC_ENV = { ESC_ENV: NAME };
  test.each<
    readonly [string, args: readonly string[], contract: string, more: Readonly<Record<string, string>>, number]
  >([
    ["a start", ["--", "printenv", "API_KEY"], CONTRACT, ESC_ENV, 78],
    ["a start by the environment of the contract", ["--", "printenv", "API_KEY"], NAMED, {}, 78],
    ["a start that needs ESC", ["--require-esc", "--", "printenv", "API_KEY"], CONTRACT, ESC_ENV, 125],
    ["an organization for ID tokens", ["--", "true"], CONTRACT, { ...ESC_ENV, ESC_OIDC_ORG: "acme" }, 78],
    [
      "a job without the right to an ID token",
      ["check"],
      CONTRACT,
      { ...ESC_ENV, ESC_OIDC_ORG: "acme", GITHUB_ACTIONS: "true" },
      1,
    ],
    ["check", ["check"], CONTRACT, ESC_ENV, 1],
    ["check of the contract's environment", ["check"], NAMED, {}, 1],
    ["check --against", ["check", "--against", NAME], CONTRACT, ESC_ENV, 125],
    ["explain", ["explain"], CONTRACT, ESC_ENV, 0],
    ["explain with the contract's environment", ["explain", "API_KEY"], NAMED, {}, 0],
    ["request", ["request", "--reason", "a test"], CONTRACT, ESC_ENV, 125],
    ["export", ["export"], CONTRACT, ESC_ENV, 78],
  ])("%s", async (_, args, contract, more, status) => {
    const cwd = folder({ "sophia.contract.json": contract });
    const env = { ...world(), ...more };
    const before = await sophia(args, { cwd, env });
    expect(before.status).toBe(status);
    const shown = `${before.stdout}${before.stderr}`;
    const lines = shown.split("\n").filter((one) => one.includes("ESC_TOKEN_COMMAND"));
    expect(lines.map((line) => line.trim())).toEqual([LINE.trim()]);
    expect(shown).not.toContain(esc.token);
    const after = await runPastedLine(lines[0] ?? "", args, cwd, env);
    expect(after.stderr).not.toContain("ESC_TOKEN_COMMAND");
    expect(after.status, after.stderr).toBe(0);
    expect(`${after.stdout}${after.stderr}`).not.toContain(esc.token);
    if (args.includes("printenv")) expect(after.stdout).toBe("sentinel-of-esc-1a2b\n");
  });
});

test("a start whose contract is met continues, with the line in its warning", async () => {
  const cwd = folder({ "sophia.contract.json": CONTRACT });
  const env = { ...world(), ESC_ENV: NAME, API_KEY: "of-the-caller" };
  const ended = await sophia(["--", "printenv", "API_KEY"], { cwd, env });
  expect(ended).toMatchObject({ status: 0, stdout: "of-the-caller\n" });
  expect(ended.stderr).toContain(`ESC_TOKEN is not\n  PULUMI_ACCESS_TOKEN is set; to open ESC with it:\n  ${LINE}\n`);
});

test("--require-esc without an environment asks for one, and shows the line", async () => {
  const ended = await sophia(["--require-esc", "--", "true"], { env: world() });
  expect(ended.status).toBe(125);
  expect(ended.stderr).toMatch(/set ESC_ENV to [^]*\n {4}export ESC_TOKEN_COMMAND=/);
});

test.each<readonly [string, dotenv: string, more: Readonly<Record<string, string>>]>([
  ["a .env has it", "PULUMI_ACCESS_TOKEN=pul-of-the-file\n", { PULUMI_ACCESS_TOKEN: "" }],
  ["an outer sophia-run has it from a file", "", { SOPHIA_FROM_FILES: "PULUMI_ACCESS_TOKEN" }],
  ["it is empty", "", { PULUMI_ACCESS_TOKEN: " " }],
  ["it is no token", "", { PULUMI_ACCESS_TOKEN: "two words" }],
  ["the environment is missing, and not the token", "", { ESC_ENV: "", ESC_TOKEN: "pul-1" }],
  ["the organization of an ID token is missing", "", { ESC_OIDC_TOKEN_FILE: "token" }],
])("there is no such line if %s", async (_, dotenv, more) => {
  const cwd = folder({ "sophia.contract.json": CONTRACT, ".env": dotenv });
  const ended = await sophia(["--", "true"], { cwd, env: { ...world(), ESC_ENV: NAME, ...more } });
  expect(ended.status).toBe(78);
  expect(ended.stderr).toContain("ESC is not read");
  expect(ended.stderr).not.toContain("ESC_TOKEN_COMMAND");
});
