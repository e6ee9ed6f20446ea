import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { num, secret, startEscServer } from "../../esc-server/index.ts";
import { notInstalled } from "../../helpers/skip.ts";
import { folder, sophia, sophiaRun } from "../../helpers/sophia.ts";
import { flatObject, githubRunner } from "./consumers.ts";
import { addSophia, escVariables, NEEDED, SENTINEL, sentinel } from "../world.ts";

const PEM = "-----BEGIN KEY-----\nMIIB'\"\\n\n-----END KEY-----\n";
const CONTRACT = JSON.stringify({
  variables: { KEY: { required: true }, LEVEL: { default: "info" }, MODE: { secret: false } },
});

describe("which variables", () => {
  test("those of ESC, files and defaults, and what is declared; not the rest of the environment", async () => {
    await using server = await startEscServer();
    server.environment("acme/app/dev", {
      values: { FROM_ESC: secret("esc"), NUMBER: num("1.0"), BOTH: "esc" },
      files: { CERTIFICATE: secret(sentinel("file")) },
    });
    const cwd = folder({ "sophia.contract.json": CONTRACT, ".env": "FROM_FILE=file\n" });
    const env = { ...escVariables(server, "acme/app/dev"), KEY: PEM, OTHER: "no", BOTH: "environment" };
    const ended = await sophia(["export", "--format", "json"], { cwd, env });
    expect(ended.status).toBe(0);
    expect(flatObject(ended.stdout)).toEqual({
      KEY: PEM,
      LEVEL: "info",
      FROM_ESC: "esc",
      FROM_FILE: "file",
      NUMBER: "1.0",
    });
    expect(ended.stderr).toContain("not exported: CERTIFICATE");
    expect(ended.stderr).not.toContain(SENTINEL);
  });

  test.each([
    [["--only-declared"], ["KEY", "LEVEL"]],
    [
      ["--include", "FROM_*"],
      ["KEY", "LEVEL", "FROM_FILE"],
    ],
    [["--exclude", "LEV*", "--exclude", "FROM*"], ["KEY"]],
  ])("%j", async (options, names) => {
    const cwd = folder({ "sophia.contract.json": CONTRACT, ".env": "FROM_FILE=file\nMORE=1\n" });
    const { stdout } = await sophia(["export", "--format=json", ...options, "--exclude", "MORE"], {
      cwd,
      env: { KEY: "k" },
    });
    expect(Object.keys(flatObject(stdout))).toEqual(names);
  });
});

describe("the contract first", () => {
  test("78 and no output where it is not met; --no-contract exports what there is", async () => {
    const cwd = folder({ "sophia.contract.json": CONTRACT, ".env": `MODE=${SENTINEL}\n` });
    const unmet = await sophia(["export"], { cwd });
    expect(unmet).toMatchObject({ status: 78, stdout: "" });
    expect(unmet.stderr).toMatch(/the contract is not met \(1 violation\); nothing was exported/);
    expect(unmet.stderr).not.toContain(SENTINEL);
    const anyway = await sophia(["export", "--no-contract"], { cwd });
    expect(anyway).toMatchObject({ status: 0, stdout: `LEVEL=info\nMODE=${SENTINEL}\n` });
  });
});

describe("refusals", () => {
  test("every variable that the format cannot hold is named, no value, and nothing is printed", async () => {
    const cwd = folder({ "sophia.contract.json": CONTRACT });
    const ended = await sophia(["export", "--format", "docker"], {
      cwd,
      env: { KEY: `${SENTINEL}\nsecond`, MODE: `${SENTINEL}\r`, LEVEL: "fine" },
    });
    expect(ended).toMatchObject({ status: 125, stdout: "" });
    expect(ended.stderr).toMatch(/KEY: its value has a line break/);
    expect(ended.stderr).toMatch(/MODE: its value ends with a carriage return/);
    expect(ended.stderr).not.toMatch(/LEVEL/);
    expect(ended.stderr).not.toContain(SENTINEL);
  });

  test("a terminal, unless --reveal is given", ({ skip }) => {
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

  test("a full disk is an error", ({ skip }) => {
    skip(!existsSync("/dev/full"), "there is no /dev/full");
    const cwd = folder({ "sophia.contract.json": CONTRACT });
    const ended = spawnSync("sh", ["-c", `${sophiaRun.join(" ")} export > /dev/full`], {
      cwd,
      env: { PATH: process.env["PATH"], KEY: SENTINEL },
      encoding: "utf8",
    });
    expect(ended.status).toBe(125);
    expect(ended.stderr).toContain("cannot be written (ENOSPC)");
  });

  test("an unknown format, with the nearest one", async () => {
    const ended = await sophia(["export", "--format", "dotnev"]);
    expect(ended.status).toBe(125);
    expect(ended.stderr).toContain("did you mean dotenv?");
  });
});

describe("through the whole program", () => {
  test("eval in a shell gives what a run gives", async () => {
    await using server = await startEscServer();
    addSophia(server);
    const { status, stdout } = await sophia(["export", "--format", "shell"], { env: escVariables(server) });
    expect(status).toBe(0);
    const shell = spawnSync("sh", ["-c", 'eval "$1"; env', "sh", stdout], {
      env: {},
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const name of NEEDED) expect(shell.stdout).toContain(`${name}=${sentinel(name)}\n`);
    expect(shell.stdout).not.toContain("ESC_TOKEN");
  });

  test("what is exported as a .env file reads back as the same", async () => {
    const cwd = folder({ "sophia.contract.json": CONTRACT });
    const env = { KEY: "it's $HOME # \\p", MODE: "two\nlines\n" };
    const { stdout } = await sophia(["export"], { cwd, env });
    writeFileSync(join(cwd, ".env"), stdout.replaceAll(/^LEVEL.*\n/gm, ""));
    const again = await sophia(["export", "--format", "json"], { cwd });
    expect(flatObject(again.stdout)).toEqual({ ...env, LEVEL: "info" });
  });
});

describe("GitHub Actions", () => {
  const contract = JSON.stringify({ variables: { KEY: {}, MODE: { secret: false } } });

  test("appends to GITHUB_ENV and prints masks only", async () => {
    const cwd = folder({ "sophia.contract.json": contract, github: "EARLIER=1" });
    const file = join(cwd, "github");
    const env = { KEY: PEM, MODE: "public", GITHUB_ENV: file };
    const ended = await sophia(["export", "--format", "github"], { cwd, env });
    expect(ended.status).toBe(0);
    expect(ended.stdout.split("\n").filter((line) => line !== "" && !line.startsWith("::add-mask::"))).toEqual([]);
    // The armour is public, and shorter lines would be masked in all that follows.
    for (const line of PEM.split("\n").filter((one) => one.length >= 8 && !one.startsWith("---"))) {
      expect(ended.stdout).toContain(`::add-mask::${line}\n`);
    }
    expect(ended.stdout).not.toContain("public");
    expect(await githubRunner(readFileSync(file, "utf8"))).toEqual({ EARLIER: "1", KEY: PEM, MODE: "public" });
  });

  test('with >> "$GITHUB_ENV" the file gets the variables alone, the masks go to standard error', async () => {
    const cwd = folder({ "sophia.contract.json": contract, github: "" });
    const file = join(cwd, "github");
    const ended = spawnSync("sh", ["-c", `${sophiaRun.join(" ")} export --format github >> "$GITHUB_ENV"`], {
      cwd,
      env: { PATH: process.env["PATH"], KEY: PEM, GITHUB_ENV: file },
      encoding: "utf8",
    });
    expect(ended.status).toBe(0);
    expect(ended.stderr).toMatch(/^(?:::add-mask::.{8,}\n)+$/);
    expect(await githubRunner(readFileSync(file, "utf8"))).toEqual({ KEY: PEM });
  });

  test("without GITHUB_ENV all goes to standard output, the masks first", async () => {
    const cwd = folder({ "sophia.contract.json": contract });
    const { stdout } = await sophia(["export", "--format", "github"], { cwd, env: { KEY: SENTINEL } });
    expect(stdout).toMatch(
      new RegExp(`^::add-mask::${SENTINEL}\\n(?:::add-mask::[\\w+/-]+\\n)+KEY<<(\\w+)\\n${SENTINEL}\\n\\1\\n$`),
    );
  });

  test("a GITHUB_ENV that cannot be written is an error without a value", async () => {
    const cwd = folder({ "sophia.contract.json": contract });
    const ended = await sophia(["export", "--format", "github"], {
      cwd,
      env: { KEY: "v", GITHUB_ENV: join(cwd, "no/file") },
    });
    expect(ended.status).toBe(125);
    expect(ended.stderr).toContain("GITHUB_ENV");
  });
});
