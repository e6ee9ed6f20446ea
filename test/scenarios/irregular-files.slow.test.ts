/**
 * Files that commands find, as a pipe without a writer, a socket, a folder, or a link to an endless device: none holds up a
 * command. Each process has a limit, so that one that waits fails the test.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { folder, sophiaRun, unwrapLines } from "../helpers/sophia.ts";

/** Less than any wait for a pipe that commands had. */
const LIMIT_MS = 20_000;

const CONTRACT = JSON.stringify({ variables: { KEY: { required: true } } });
const FILES = {
  "sophia.contract.json": CONTRACT,
  ".env": "KEY=a-secret-value-of-the-test\n",
  "package.json": '{ "name": "a", "scripts": { "start": "node server.js" } }',
  "server.js": "console.log(process.env.KEY);\n",
} as const;

type Kind = "pipe" | "socket" | "folder" | "device";

async function createIrregularFile(path: string, kind: Kind): Promise<void> {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(dirname(path), { recursive: true });
  if (kind === "pipe") execFileSync("mkfifo", ["-m", "600", path]);
  else if (kind === "folder") mkdirSync(path);
  else if (kind === "device") symlinkSync("/dev/zero", path);
  else {
    const server = createServer().listen(path);
    onTestFinished(() => void server.close());
    await once(server, "listening");
  }
}

/** A repository with these files, of which one is replaced. It is the home, too. */
async function createProject(
  name: string,
  kind: Kind,
  files: Readonly<Record<string, string>> = FILES,
): Promise<string> {
  const cwd = folder(files);
  execFileSync("git", ["init", "-q"], { cwd });
  execFileSync("git", ["add", "server.js"], { cwd });
  const commit = ["-c", "user.name=a", "-c", "user.email=a@example.test", "commit", "-qm", "first"];
  execFileSync("git", commit, { cwd });
  await createIrregularFile(join(cwd, name), kind);
  return cwd;
}

/** Runs sophia-run. `status` is null if the limit has ended it. */
async function runWithLimit(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) {
  const [command, ...prefix] = sophiaRun;
  const child = spawn(command, [...prefix, ...args], {
    cwd,
    env: { PATH: process.env["PATH"], HOME: cwd, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (more) => (text += more));
  const [status] = await once(child, "close");
  expect(text).not.toContain("internal error");
  return { status, text: unwrapLines(text) };
}

const RUN = ["--", "true"];
const IRREGULAR = "is not a regular file";

describe("a pipe in the place of a file that is found is reported at once:", () => {
  test.each<[string, readonly string[], string, number]>([
    ["a start", RUN, ".env", 125],
    ["a start", RUN, ".env.override", 125],
    ["a start", RUN, "sophia.contract.json", 125],
    ["a start in spawn mode", ["--mode", "spawn", ...RUN], ".env", 125],
    ["check", ["check"], ".env", 125],
    ["check --code", ["check", "--code"], "sophia.contract.json", 125],
    ["explain", ["explain"], ".env", 125],
    ["get", ["get", "KEY", "--reveal"], ".env", 125],
    ["export", ["export", "--format", "json", "--reveal"], ".env", 125],
    ["allow", ["allow"], ".env", 125],
    ["audit", ["audit"], "sophia.contract.json", 125],
    ["mask", ["mask"], ".env", 125],
    ["scan", ["scan"], ".env", 125],
    ["set", ["set", "NEW", "--yes"], ".env", 125],
    ["request", ["request", "--reason", "a test"], ".env", 125],
    ["docs", ["docs"], "SECRETS.md", 125],
    ["docs", ["docs"], ".env.example", 125],
    ["docs --check", ["docs", "--check"], "SECRETS.md", 125],
    ["docs, of a workflow", ["docs"], ".github/workflows/a.yml", 125],
    ["init", ["init"], "package.json", 125],
    ["init", ["init"], ".gitignore", 125],
    ["init", ["init"], "pyproject.toml", 125],
    ["init", ["init"], "requirements.txt", 125],
    ["init", ["init"], "Dockerfile", 125],
    ["init", ["init"], ".devcontainer/devcontainer.json", 125],
    ["init, of a workflow", ["init"], ".github/workflows/a.yml", 125],
    ["init --with claude", ["init", "--with", "claude"], ".claude/settings.json", 125],
    ["init --with codex", ["init", "--with", "codex"], ".codex/config.toml", 125],
  ])("%s %j: %s", async (_, args, name, status) => {
    const result = await runWithLimit(args, await createProject(name, "pipe"));
    expect(result).toMatchObject({ status, text: expect.stringContaining(IRREGULAR) });
    expect(result.text).toContain(name);
  });

  test.each([".env", ".env.example", ".env.schema", "secretspec.toml"])(
    "init says that it has not read the pipe %s, and continues",
    async (name) => {
      const { "sophia.contract.json": _, ...files } = FILES;
      const result = await runWithLimit(["init"], await createProject(name, "pipe", files));
      expect(result.status).toBe(0);
      expect(result.text).toContain(`not read: ${name}`);
      expect(result.text).toContain(IRREGULAR);
    },
  );

  test("for a contract that another contract extends", async () => {
    const files = { ...FILES, "sophia.contract.json": '{ "extends": "./base.json", "variables": {} }' };
    const result = await runWithLimit(RUN, await createProject("base.json", "pipe", files));
    expect(result).toMatchObject({ status: 125, text: expect.stringContaining(IRREGULAR) });
  });

  test("for a file in a folder of secrets; NAME_FILE may name a pipe", async () => {
    const { ".env": _, ...files } = FILES;
    const cwd = await createProject("secrets/key", "pipe", files);
    const result = await runWithLimit(["--secrets-dir", "secrets", ...RUN], cwd);
    expect(result).toMatchObject({ status: 125, text: expect.stringContaining(`secrets/key`) });
    expect(result.text).toContain(IRREGULAR);
  });
});

describe("a pipe in the place of a file without which a command works, or that only the user may have written:", () => {
  test.each<[string, readonly string[], string, number]>([
    ["hook", ["hook", "claude-code"], ".env", 0],
    ["check --code", ["check", "--code"], "other.js", 0],
    ["check --code", ["check", "--code"], "turbo.json", 0],
    ["an unmet contract", ["--dotenv", "/dev/null", ...RUN], ".env.local", 78],
    ["the consents", ["allow", "--list"], ".config/sophia-run/allowed.json", 125],
    ["the login", ["login", "--status"], ".config/sophia-run/settings.json", 125],
    // They find the secret of .env in that file.
    ["scan, of a file in the tree", ["scan"], "other", 1],
    ["scan --home", ["scan", "--home"], ".claude.json", 1],
    ["Pulumi's login", ["mask"], ".pulumi/credentials.json", 0],
    ["link", ["link"], "node_modules/.bin/sophia-run", 0],
    ["the file of messages", ["mask"], ".cache/sophia-run/told-today", 0],
  ])("%s %j: %s", async (_, args, name, status) => {
    const result = await runWithLimit(args, await createProject(name, "pipe"));
    expect(result.status).toBe(status);
  });
});

describe.each<Kind>(["socket", "folder", "device"])("in the place of a file, a %s", (kind) => {
  test.each<[readonly string[], string]>([
    [RUN, ".env"],
    [RUN, "sophia.contract.json"],
    [["check"], ".env"],
    [["init"], "package.json"],
    [["init"], "Dockerfile"],
    [["docs"], "SECRETS.md"],
    [["init", "--with", "claude"], ".claude/settings.json"],
  ])("is an error of %j if %s should be there", async (args, name) => {
    const result = await runWithLimit(args, await createProject(name, kind));
    expect(result.status).toBe(125);
    expect(result.text).toContain(name);
  });
});

test("the null device, which hides a file, is read as an empty file", async () => {
  const { ".env": _, ...files } = FILES;
  const cwd = folder(files);
  symlinkSync("/dev/null", join(cwd, ".env"));
  expect(await runWithLimit(["--no-contract", ...RUN], cwd)).toMatchObject({ status: 0, text: "" });
});

test("a named .env may be a pipe, as the message for a found pipe says", async () => {
  const cwd = await createProject(".env", "pipe");
  const refused = await runWithLimit(["--", "printenv", "KEY"], cwd);
  const option = /if it is named: (--dotenv \S+)/.exec(refused.text)?.[1] ?? "";
  const writer = spawn("sh", ["-c", "echo KEY=of-the-pipe > .env"], { cwd });
  onTestFinished(() => void writer.kill("SIGKILL"));
  const named = await runWithLimit([...option.split(" "), "--", "printenv", "KEY"], cwd);
  expect(named).toEqual({ status: 0, text: "of-the-pipe\n" });
});

describe("sophia-run does not wait for git:", () => {
  const secrets = { ...FILES, "sub/inner.txt": "x\n" };

  test.each<[string, readonly string[]]>([
    [".gitignore", ["scan"]],
    ["sub/.gitignore", ["scan"]],
    [".git/index", ["scan"]],
    [".git/HEAD", ["scan"]],
    [".git/config", ["scan"]],
    [".git/packed-refs", ["scan", "--history"]],
    [".git/info/exclude", ["scan"]],
    [".git/index", ["scan", "--staged"]],
    [".git/HEAD", ["scan", "--history"]],
    [".git/objects/info/alternates", ["scan", "--history"]],
    [".git/index", ["check"]],
  ])("a pipe in the place of %s is an error for %j", async (name, args) => {
    const result = await runWithLimit(args, await createProject(name, "pipe", secrets));
    expect(result.status).toBe(125);
    expect(result.text).toContain(`${name} is a pipe or a device, for which git would wait`);
  });

  test("outside of a repository either", async () => {
    const cwd = folder(FILES);
    await createIrregularFile(join(cwd, "sub/.gitignore"), "pipe");
    const result = await runWithLimit(["scan"], cwd);
    expect(result).toMatchObject({ status: 125, text: expect.stringContaining("sub/.gitignore is a pipe") });
  });

  test("for a work tree, whose folder of git is elsewhere", async () => {
    const cwd = await createProject("other", "folder", secrets);
    execFileSync("git", ["worktree", "add", "-q", "tree"], { cwd });
    await createIrregularFile(join(cwd, ".git/worktrees/tree/index"), "pipe");
    writeFileSync(join(cwd, "tree/.env"), FILES[".env"], { mode: 0o600 });
    const result = await runWithLimit(["scan"], join(cwd, "tree"));
    expect(result).toMatchObject({ status: 125, text: expect.stringContaining("worktrees/tree/index is a pipe") });
  });

  test("to ask for a consent", async () => {
    const files = { ...FILES, ".env": "KEY=1\nESC_ENV=acme/app/dev\n" };
    const env = { ESC_TOKEN: "pul-0123456789abcdef", PULUMI_BACKEND_URL: "http://127.0.0.1:1" };
    const result = await runWithLimit(RUN, await createProject(".git/index", "pipe", files), env);
    expect(result).toMatchObject({ status: 125, text: expect.stringContaining(".git/index is a pipe") });
  });

  test("or fill the memory because of a link to an endless device", async () => {
    const result = await runWithLimit(
      ["scan", "--history"],
      await createProject(".git/packed-refs", "device", secrets),
    );
    expect(result).toMatchObject({ status: 125, text: expect.stringContaining("packed-refs is a pipe or a device") });
  });

  test("because of a pipe in the place of .git", async () => {
    const cwd = folder(FILES);
    await createIrregularFile(join(cwd, ".git"), "pipe");
    expect((await runWithLimit(["scan"], cwd)).status).toBe(1);
  });

  test("and accepts the null device in the place of a file", async () => {
    const cwd = await createProject(".git/info/exclude", "pipe", secrets);
    rmSync(join(cwd, ".git/info/exclude"));
    symlinkSync("/dev/null", join(cwd, ".git/info/exclude"));
    expect((await runWithLimit(["scan"], cwd)).status).toBe(1);
  });

  test("and accepts the socket of git's own daemon", async () => {
    const result = await runWithLimit(["scan"], await createProject(".git/fsmonitor--daemon.ipc", "socket", secrets));
    expect(result.status).toBe(1);
  });
});
