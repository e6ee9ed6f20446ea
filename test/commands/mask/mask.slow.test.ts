import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type EscServer, secret, startEscServer } from "../../esc-server/index.ts";
import { folder, sophia, sophiaRun, type RunOptions, unwrapLines } from "../../helpers/sophia.ts";
import { escVariables, sentinelOf } from "../sophia-environment.ts";

const KEY = sentinelOf("key");
const CONTRACT = JSON.stringify({ variables: { KEY: {}, NEEDED: { required: true }, REGION: { secret: false } } });

const runMask = (input: string, options: RunOptions, ...args: readonly string[]) =>
  sophia(["mask", ...args], { ...options, input });

function inProject(files: Readonly<Record<string, string>> = {}): string {
  return folder({ "sophia.contract.json": CONTRACT, ...files });
}

function withKey(server: EscServer, value = KEY): void {
  server.environment("acme/app/dev", { values: { KEY: secret(value) } });
}

describe("mask replaces secrets:", () => {
  test("those of the environment, of .env and of ESC in all forms, even if the contract is not met", async () => {
    await using server = await startEscServer();
    withKey(server);
    const cwd = inProject({ ".env": `OWN=${sentinelOf("own")}\n` });
    const env = { ...escVariables(server, "acme/app/dev"), NEEDED: "", REGION: "eu-central-1" };
    const base64 = Buffer.from(sentinelOf("own")).toString("base64");
    const result = await runMask(`${KEY} ${base64}\neu-central-1 ${server.token}\n`, { cwd, env });
    expect(result).toMatchObject({ status: 0, stdout: "*** ***A==\neu-central-1 ***\n", stderr: "" });
  });

  test("also those that another source overrides", async () => {
    await using server = await startEscServer();
    withKey(server);
    const cwd = inProject({ ".env": `KEY=${sentinelOf("file")}\n` });
    const env = { ...escVariables(server, "acme/app/dev"), KEY: sentinelOf("environment") };
    const input = `${KEY} ${sentinelOf("file")} ${sentinelOf("environment")}`;
    expect(await runMask(input, { cwd, env })).toMatchObject({ status: 0, stdout: "*** *** ***" });
  });

  test("also the token of a file", async () => {
    await using server = await startEscServer();
    withKey(server);
    const { ESC_TOKEN: token = "", ...env } = escVariables(server, "acme/app/dev");
    const cwd = inProject({ token: `${token}\n` });
    const result = await runMask(`a ${token}\n`, { cwd, env: { ...env, ESC_TOKEN_FILE: join(cwd, "token") } });
    expect(result).toMatchObject({ status: 0, stdout: "a ***\n" });
  });

  test("those of the project that --project names", async () => {
    const other = inProject({ ".env": `OWN=${sentinelOf("own")}\n` });
    const result = await runMask(sentinelOf("own"), { cwd: folder() }, "--project", other);
    expect(result).toMatchObject({ status: 0, stdout: "***" });
  });

  test("and leaves all bytes as they are if there is no secret", async () => {
    expect(await runMask("some text\n", { cwd: inProject() })).toMatchObject({
      status: 0,
      stdout: "some text\n",
      stderr: "",
    });
  });
});

describe("mask asks ESC", () => {
  test("once in ten minutes, or in the time of --cache-fresh", async () => {
    await using server = await startEscServer();
    withKey(server);
    const cwd = inProject();
    mkdirSync(join(cwd, ".cache"));
    const env = escVariables(server, "acme/app/dev");
    const first = await runMask(KEY, { cwd, env });
    expect(first).toMatchObject({ status: 0, stdout: "***", stderr: "" });
    const { length } = server.calls;
    expect(length).toBeGreaterThan(0);
    expect(await runMask(KEY, { cwd, env })).toMatchObject({ status: 0, stdout: "***", stderr: "" });
    expect(server.calls).toHaveLength(length);
    withKey(server, sentinelOf("rotated"));
    const rotated = await runMask(sentinelOf("rotated"), { cwd, env }, "--cache-fresh", "1ms");
    expect(rotated).toMatchObject({ status: 0, stdout: "***" });
  });

  test("and masks the other secrets with a warning if ESC cannot be read; with --quiet it warns once a day", async () => {
    const cwd = inProject({ ".env": `OWN=${sentinelOf("own")}\n` });
    mkdirSync(join(cwd, ".cache"));
    const env = { ESC_ENV: "acme/app/dev", ESC_TOKEN: "pul-0000", PULUMI_BACKEND_URL: "http://127.0.0.1:1" };
    for (const _ of [1, 2]) {
      const result = await runMask(sentinelOf("own"), { cwd, env }, "--timeout", "1s");
      expect(result).toMatchObject({ status: 0, stdout: "***" });
      expect(unwrapLines(result.stderr)).toContain("continuing with the environment and .env files");
    }
    const quiet = () => runMask(sentinelOf("own"), { cwd, env }, "--timeout", "1s", "--quiet");
    expect(unwrapLines((await quiet()).stderr)).toContain("continuing with the environment and .env files");
    expect(await quiet()).toMatchObject({ status: 0, stdout: "***", stderr: "" });
    const required = await runMask(sentinelOf("own"), { cwd, env }, "--timeout", "1s", "--require-esc");
    expect(required).toMatchObject({ status: 125, stdout: "" });
    expect(required.stderr).toContain("ESC is required");
  });

  test("never with --offline, which uses the values of the cache", async () => {
    const server = await startEscServer();
    withKey(server);
    const cwd = inProject();
    mkdirSync(join(cwd, ".cache"));
    const env = escVariables(server, "acme/app/dev");
    await runMask("", { cwd, env });
    await server[Symbol.asyncDispose]();
    expect(await runMask(KEY, { cwd, env }, "--offline")).toMatchObject({ status: 0, stdout: "***" });
  });
});

describe("mask fails", () => {
  test("without passing anything on", async () => {
    const cwd = folder({ "sophia.contract.json": "{" });
    const result = await runMask("text\n", { cwd });
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain("sophia.contract.json");
  });

  test("with SIGPIPE if the reader of its output has left", () => {
    const cwd = inProject();
    const { stdout } = spawnSync(
      "bash",
      ["-c", 'yes | "$@" mask | head -1; echo "${PIPESTATUS[1]}"', "bash", ...sophiaRun],
      {
        cwd,
        env: { PATH: process.env["PATH"], HOME: cwd },
        encoding: "utf8",
      },
    );
    expect(stdout).toBe("y\n141\n");
  });

  test("with a message if its output is full", { skip: process.platform !== "linux" }, () => {
    const cwd = inProject();
    const { status, stderr } = spawnSync("sh", ["-c", 'echo text | "$@" mask > /dev/full', "sh", ...sophiaRun], {
      cwd,
      env: { PATH: process.env["PATH"], HOME: cwd },
      encoding: "utf8",
    });
    expect(status).toBe(125);
    expect(stderr).toContain("ENOSPC");
  });
});

describe("mask passes on", () => {
  test("text at once, even what could begin a secret if nothing follows", async () => {
    const cwd = inProject({ ".env": `OWN=${sentinelOf("own")}\n` });
    const [command, ...words] = sophiaRun;
    const child = spawn(command, [...words, "mask"], {
      cwd,
      env: { PATH: process.env["PATH"], HOME: cwd },
      stdio: ["pipe", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    child.stdout.setEncoding("utf8");
    const writeAndExpect = async (input: string, expected: string): Promise<void> => {
      child.stdin.write(input);
      let text = "";
      while (text.length < expected.length) text += String((await once(child.stdout, "data"))[0]);
      expect(text).toBe(expected);
    };
    await writeAndExpect("a line\n", "a line\n");
    // The secret's first letter.
    await writeAndExpect("Name: S", "Name: S");
    await writeAndExpect(`\n${sentinelOf("own")}\n`, "\n***\n");
    child.stdin.end();
    expect(await once(child, "close")).toEqual([0, null]);
  });

  test("all other bytes of 32 MB from a file with secrets at any position", () => {
    const cwd = inProject({ ".env": `OWN=${sentinelOf("own")}\n` });
    const piece = Buffer.concat([
      Buffer.alloc(9973, "\u{e9}x\n"),
      Buffer.from([0xff, 0]),
      Buffer.from(sentinelOf("own")),
    ]);
    const masked = Buffer.concat([piece.subarray(0, -sentinelOf("own").length), Buffer.from("***")]);
    writeFileSync(join(cwd, "large"), Buffer.concat(Array.from({ length: 3300 }, () => piece)));
    const { status, stdout } = spawnSync("sh", ["-c", '"$@" mask < large', "sh", ...sophiaRun], {
      cwd,
      env: { PATH: process.env["PATH"], HOME: cwd },
      maxBuffer: 64 * 1024 * 1024,
    });
    expect(status).toBe(0);
    expect(stdout.equals(Buffer.concat(Array.from({ length: 3300 }, () => masked)))).toBe(true);
  });
});
