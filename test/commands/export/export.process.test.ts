import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { num, secret, startEscServer } from "../../esc-server/index.ts";
import { notInstalled } from "../../helpers/skip.ts";
import { folder, sophia, sophiaRun } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { flatObject, githubRunner } from "./consumers.ts";
import { addSophiaEnvironment, escVariables, SECRET_NAMES, SENTINEL, sentinelOf } from "../sophia-environment.ts";

const PEM = "-----BEGIN KEY-----\nMIIB'\"\\n\n-----END KEY-----\n";
const CONTRACT = JSON.stringify({
  variables: { KEY: { required: true }, LEVEL: { default: "info" }, MODE: { secret: false } },
});

describe("export selects variables:", () => {
  test("it prints those of ESC, files and defaults, and declared ones, but not the rest of the environment", async () => {
    await using server = await startEscServer();
    server.environment("acme/app/dev", {
      values: { FROM_ESC: secret("esc"), NUMBER: num("1.0"), BOTH: "esc" },
      files: { CERTIFICATE: secret(sentinelOf("file")) },
    });
    const cwd = folder({ "sophia.contract.json": CONTRACT, ".env": "FROM_FILE=file\n" });
    const env = { ...escVariables(server, "acme/app/dev"), KEY: PEM, OTHER: "no", BOTH: "environment" };
    const result = await sophia(["export", "--format", "json"], { cwd, env });
    expect(result.status).toBe(0);
    expect(flatObject(result.stdout)).toEqual({
      KEY: PEM,
      LEVEL: "info",
      FROM_ESC: "esc",
      FROM_FILE: "file",
      NUMBER: "1.0",
    });
    expect(result.stderr).toContain("CERTIFICATE");
    expectWording(result.stderr);
    expect(result.stderr).not.toContain(SENTINEL);
  });

  test.each([
    [["--only-declared"], ["KEY", "LEVEL"]],
    [
      ["--include", "FROM_*"],
      ["KEY", "LEVEL", "FROM_FILE"],
    ],
    [["--exclude", "LEV*", "--exclude", "FROM*"], ["KEY"]],
  ])("it obeys %j", async (options, names) => {
    const cwd = folder({ "sophia.contract.json": CONTRACT, ".env": "FROM_FILE=file\nMORE=1\n" });
    const { stdout } = await sophia(["export", "--format=json", ...options, "--exclude", "MORE"], {
      cwd,
      env: { KEY: "k" },
    });
    expect(Object.keys(flatObject(stdout))).toEqual(names);
  });
});

test("it warns if there is nothing to export", async () => {
  const options = ["--no-contract", "--include", "A", "--format", "dotenv"];
  const { status, stdout, stderr } = await sophia(["export", ...options], { env: { A: "1" } });
  expect([status, stdout]).toEqual([0, ""]);
  expectWording(stderr);
});

describe("export --output", () => {
  const variables = { KEY: sentinelOf("key") };

  test("writes to the standard output if it is -", async () => {
    const cwd = folder({ "sophia.contract.json": CONTRACT });
    const result = await sophia(["export", "--output", "-"], { cwd, env: variables });
    expect(result).toEqual({ status: 0, signal: null, stdout: `KEY=${variables.KEY}\nLEVEL=info\n`, stderr: "" });
    expect(readdirSync(cwd)).toEqual(["sophia.contract.json"]);
    // As without the option, an agent and a terminal do not get it.
    const agents = await sophia(["export", "--output", "-"], { cwd, env: { ...variables, CLAUDECODE: "1" } });
    expect([agents.status, agents.stdout]).toEqual([125, ""]);
  });

  test("replaces a file by a file that only its owner can read, and prints nothing", async () => {
    const cwd = folder({ "sophia.contract.json": CONTRACT, ".env.local": "what was there" });
    chmodSync(join(cwd, ".env.local"), 0o644);
    const result = await sophia(["export", "--output", ".env.local"], { cwd, env: variables });
    expect(result).toEqual({ status: 0, signal: null, stdout: "", stderr: "" });
    expect(readFileSync(join(cwd, ".env.local"), "utf8")).toBe(`KEY=${variables.KEY}\nLEVEL=info\n`);
    expect(statSync(join(cwd, ".env.local")).mode & 0o777).toBe(0o600);
    expect(readdirSync(cwd).toSorted()).toEqual([".env.local", "sophia.contract.json"]);
  });

  test.each([
    ["a symbolic link", "link", "link"],
    ["a folder", "folder", "regular file"],
    ["a device", "/dev/null", "regular file"],
    ["a file in a missing folder", "none/file", "(ENOENT)"],
    ["a file below a file", "sophia.contract.json/file", "(ENOTDIR)"],
  ])("does not replace %s", async (_, output, words) => {
    const cwd = folder({ "sophia.contract.json": CONTRACT, target: "mine" });
    symlinkSync("target", join(cwd, "link"));
    mkdirSync(join(cwd, "folder"));
    const { status, stdout, stderr } = await sophia(["export", "--output", output], { cwd, env: variables });
    expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
    expect(stderr).toContain(words);
    expect(stderr).not.toContain(SENTINEL);
    expect(readFileSync(join(cwd, "target"), "utf8")).toBe("mine");
    expect(readdirSync(cwd).toSorted()).toEqual(["folder", "link", "sophia.contract.json", "target"]);
  });

  test("leaves the old file if the contract is not met, and offers --no-contract", async () => {
    const cwd = folder({ "sophia.contract.json": CONTRACT, file: "mine" });
    const { status, stderr } = await sophia(["export", "--output", "file"], { cwd });
    expect(status).toBe(78);
    expect(stderr).toContain("--no-contract");
    expect(stderr).not.toContain("launches");
    expect(readFileSync(join(cwd, "file"), "utf8")).toBe("mine");
  });

  test("cannot be used with the format github", async () => {
    const { status, stderr } = await sophia(["export", "--format", "github", "--output", "file"], { env: variables });
    expect(status).toBe(125);
    expect(stderr).toContain("--output");
    expectWording(stderr);
  });
});

describe("export checks the contract first", () => {
  test("and ends with 78 without output if it is not met; --no-contract exports anyway", async () => {
    const cwd = folder({ "sophia.contract.json": CONTRACT, ".env": `MODE=${SENTINEL}\n` });
    const unmet = await sophia(["export"], { cwd });
    expect(unmet).toMatchObject({ status: 78, stdout: "" });
    expect(unmet.stderr).toContain("KEY");
    expect(unmet.stderr).not.toContain(SENTINEL);
    const anyway = await sophia(["export", "--no-contract"], { cwd });
    expect(anyway).toMatchObject({ status: 0, stdout: `LEVEL=info\nMODE=${SENTINEL}\n` });
  });
});

describe("export refuses", () => {
  test("variables that the format cannot hold, names each without a value, and prints nothing else", async () => {
    const cwd = folder({ "sophia.contract.json": CONTRACT });
    const result = await sophia(["export", "--format", "docker"], {
      cwd,
      env: { KEY: `${SENTINEL}\nsecond`, MODE: `${SENTINEL}\r`, LEVEL: "fine" },
    });
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain("KEY: ");
    expect(result.stderr).toContain("MODE: ");
    expectWording(result.stderr);
    expect(result.stderr).not.toMatch(/LEVEL/);
    expect(result.stderr).not.toContain(SENTINEL);
  });

  test.each([
    ["dotenv", { CLAUDECODE: "1" }, "Claude Code"],
    ["json", { AGENT: "amp" }, "a coding agent"],
    ["github", { GITHUB_ACTIONS: "true", GEMINI_CLI: "1" }, "Gemini CLI"],
  ])("to print for a coding agent, even through a pipe: %s", async (format, agent, name) => {
    const cwd = folder({ "sophia.contract.json": CONTRACT });
    const env = { KEY: sentinelOf("key"), SOPHIA_REDACT: "always", ...agent };
    const args = ["export", "--format", format];
    const refused = await sophia(args, { cwd, env });
    expect(refused).toMatchObject({ status: 125, stdout: "" });
    expect(refused.stderr).toContain(` ${name}\n`);
    expectWording(refused.stderr);
    expect(refused.stderr).toContain("sophia-run -- COMMAND");
    expect(refused.stderr).not.toContain(SENTINEL);
    const revealed = await sophia([...args, "--reveal"], { cwd, env });
    expect(revealed).toMatchObject({ status: 0, stderr: "" });
    expect(revealed.stdout).toContain(sentinelOf("key"));
  });

  test("nothing that a coding agent writes to a file", async () => {
    const cwd = folder({ "sophia.contract.json": CONTRACT });
    const env = { KEY: sentinelOf("key"), CLAUDECODE: "1" };
    const written = await sophia(["export", "--output", "values"], { cwd, env });
    expect(written).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(readFileSync(join(cwd, "values"), "utf8")).toContain(sentinelOf("key"));
  });

  test.each([["--redact"], ["--redact=never"]])("%s, which is only for running a program", async (option) => {
    const result = await sophia(["export", option, "--reveal"], { env: { KEY: sentinelOf("key") } });
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain("--redact");
  });

  test("to print to a terminal, unless --reveal is given", ({ skip }) => {
    const reason = notInstalled("script", "--version");
    skip(reason !== undefined, reason);
    const cwd = folder({ "sophia.contract.json": CONTRACT });
    const onTerminal = (args: string): string =>
      spawnSync("script", ["-qec", `${sophiaRun.join(" ")} export ${args}`, "/dev/null"], {
        cwd,
        env: { PATH: process.env["PATH"], KEY: SENTINEL },
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      }).stdout;
    for (const format of ["dotenv", "shell", "json", "github", "docker"]) {
      const refused = onTerminal(`--format ${format}`);
      expect(refused).toContain("--reveal");
      expect(refused).not.toContain(SENTINEL);
    }
    expect(onTerminal("--reveal")).toContain(`KEY=${SENTINEL}`);
  });

  test("to ignore a full disk, which is an error", ({ skip }) => {
    skip(!existsSync("/dev/full"), "there is no /dev/full");
    const cwd = folder({ "sophia.contract.json": CONTRACT });
    const result = spawnSync("sh", ["-c", `${sophiaRun.join(" ")} export > /dev/full`], {
      cwd,
      env: { PATH: process.env["PATH"], KEY: SENTINEL },
      encoding: "utf8",
    });
    expect(result.status).toBe(125);
    expect(result.stderr).toContain("ENOSPC");
  });

  test("an unknown format, and suggests the nearest one", async () => {
    const result = await sophia(["export", "--format", "dotnev"]);
    expect(result.status).toBe(125);
    expect(result.stderr).toContain("did you mean dotenv?");
  });
});

describe("exported values survive their use:", () => {
  test("eval in a shell sets what a start sets", async () => {
    await using server = await startEscServer();
    addSophiaEnvironment(server);
    const { status, stdout } = await sophia(["export", "--format", "shell"], { env: escVariables(server) });
    expect(status).toBe(0);
    const shell = spawnSync("sh", ["-c", 'eval "$1"; env', "sh", stdout], {
      env: {},
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const name of SECRET_NAMES) expect(shell.stdout).toContain(`${name}=${sentinelOf(name)}\n`);
    expect(shell.stdout).not.toContain("ESC_TOKEN");
  });

  test("sophia-run reads the same values from an exported .env file", async () => {
    const cwd = folder({ "sophia.contract.json": CONTRACT });
    const env = { KEY: "it's $HOME # \\p", MODE: "two\nlines\n" };
    const { stdout } = await sophia(["export"], { cwd, env });
    writeFileSync(join(cwd, ".env"), stdout.replaceAll(/^LEVEL.*\n/gm, ""));
    const again = await sophia(["export", "--format", "json"], { cwd });
    expect(flatObject(again.stdout)).toEqual({ ...env, LEVEL: "info" });
  });
});

describe("export for GitHub Actions", () => {
  const contract = JSON.stringify({ variables: { KEY: {}, MODE: { secret: false } } });

  test("appends to GITHUB_ENV and prints masks only", async () => {
    const cwd = folder({ "sophia.contract.json": contract, github: "EARLIER=1" });
    const file = join(cwd, "github");
    const env = { KEY: PEM, MODE: "public", GITHUB_ENV: file };
    const result = await sophia(["export", "--format", "github"], { cwd, env });
    expect(result.status).toBe(0);
    expect(result.stdout.split("\n").filter((line) => line !== "" && !line.startsWith("::add-mask::"))).toEqual([]);
    // The armour is public, and shorter lines would be masked in all that follows.
    for (const line of PEM.split("\n").filter((one) => one.length >= 8 && !one.startsWith("---"))) {
      expect(result.stdout).toContain(`::add-mask::${line}\n`);
    }
    expect(result.stdout).not.toContain("public");
    expect(await githubRunner(readFileSync(file, "utf8"))).toEqual({ EARLIER: "1", KEY: PEM, MODE: "public" });
  });

  test('writes the variables alone to the file with >> "$GITHUB_ENV", and the masks to standard error', async () => {
    const cwd = folder({ "sophia.contract.json": contract, github: "" });
    const file = join(cwd, "github");
    const result = spawnSync("sh", ["-c", `${sophiaRun.join(" ")} export --format github >> "$GITHUB_ENV"`], {
      cwd,
      env: { PATH: process.env["PATH"], KEY: PEM, GITHUB_ENV: file },
      encoding: "utf8",
    });
    expect(result.status).toBe(0);
    expect(result.stderr).toMatch(/^(?:::add-mask::.{8,}\n)+$/);
    expect(await githubRunner(readFileSync(file, "utf8"))).toEqual({ KEY: PEM });
  });

  test("writes all to standard output without GITHUB_ENV, the masks first", async () => {
    const cwd = folder({ "sophia.contract.json": contract });
    const { stdout } = await sophia(["export", "--format", "github"], { cwd, env: { KEY: SENTINEL } });
    expect(stdout).toMatch(new RegExp(`^::add-mask::${SENTINEL}\\nKEY<<(\\w+)\\n${SENTINEL}\\n\\1\\n$`));
  });

  test("fails without showing a value if GITHUB_ENV cannot be written", async () => {
    const cwd = folder({ "sophia.contract.json": contract });
    const result = await sophia(["export", "--format", "github"], {
      cwd,
      env: { KEY: "v", GITHUB_ENV: join(cwd, "no/file") },
    });
    expect(result.status).toBe(125);
    expect(result.stderr).toContain("GITHUB_ENV");
  });
});

test("export prints a notice if SOPHIA_BROKER is set, since the keys are the real ones; --quiet drops the notice", async () => {
  const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables: { OPENAI_API_KEY: {} } }) });
  const env = { OPENAI_API_KEY: sentinelOf("openai"), SOPHIA_BROKER: "1" };
  const loud = await sophia(["export", "--format", "shell"], { cwd, env });
  expect([loud.status, loud.stdout]).toEqual([0, `export OPENAI_API_KEY='${sentinelOf("openai")}'\n`]);
  expect(loud.stderr.match(/^sophia-run:/gm)).toHaveLength(1);
  expectWording(loud.stderr);
  expect(loud.stderr).not.toContain(SENTINEL);
  const quiet = await sophia(["export", "-q", "--format", "shell"], { cwd, env });
  expect(quiet).toEqual({ ...loud, stderr: "" });
  const without = await sophia(["export", "--format", "shell"], { cwd, env: { ...env, SOPHIA_BROKER: "" } });
  expect(without.stderr).toBe("");
});
