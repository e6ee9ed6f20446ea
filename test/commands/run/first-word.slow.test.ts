import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { onTestFinished } from "vitest";
import { startEscServer } from "../../esc-server/index.ts";
import { CONTRACT_VALUES, folder, sophia } from "../../helpers/sophia.ts";
import { notLinux, skipBecause } from "../../helpers/skip.ts";

const NAME = "acme/sophia/dev";

async function startEsc(values: Readonly<Record<string, string>> = {}) {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment(NAME, { values: { ...CONTRACT_VALUES, ...values } });
  return { server, env: { ESC_ENV: NAME, ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url } };
}

/** A folder with a program of its own in it, `tool`, that says so. */
function createTools(): string {
  const path = folder({ tool: "#!/bin/sh\necho ran\n" });
  chmodSync(join(path, "tool"), 0o755);
  return path;
}

describe("a command line without --", () => {
  test.each([
    [["sh", "-c", 'printf "%s," "$@"', "--", "--help", "check", "-q"], "--help,check,-q,"],
    [["-q", "printf", "%s,", "--mode", "--version"], "--mode,--version,"],
    [["--no-contract", "--mode", "spawn", "echo", "check"], "check\n"],
  ])("starts the program: %j", async (args, stdout) => {
    expect(await sophia(args, { env: CONTRACT_VALUES })).toEqual({ status: 0, signal: null, stdout, stderr: "" });
  });

  test("needs -- for a program with the name of a subcommand", async () => {
    const cwd = folder({ check: "#!/bin/sh\necho the program\n" });
    chmodSync(join(cwd, "check"), 0o755);
    const env = { ...CONTRACT_VALUES, PATH: `${cwd}:${process.env["PATH"]}` };
    expect((await sophia(["check"], { cwd, env })).stdout).toContain("Smoke Check");
    expect((await sophia(["--", "check"], { cwd, env })).stdout).toBe("the program\n");
  });

  test.each([
    ["chekc", "check"],
    ["expain", "explain"],
    ["exprot", "export"],
  ])("gets a suggestion: %s: did you mean %s?", async (word, meant) => {
    expect(await sophia([word, "postgres://u:sentinel@h"], { env: CONTRACT_VALUES })).toEqual({
      status: 127,
      signal: null,
      stdout: "",
      stderr: `sophia-run: ${word}: command not found\n  did you mean ${meant}?\n`,
    });
    // Behind -- it is no subcommand, whatever its name.
    expect((await sophia(["--", word], { env: CONTRACT_VALUES })).stderr).toBe(
      `sophia-run: ${word}: command not found\n`,
    );
  });

  test.each([[[]], [["--"]]])(
    "refuses an assignment as a command, %j, and does not print its value",
    async (dashes) => {
      const words = [...dashes, "FOO=sentinel", "printenv", "FOO"];
      const { stderr, ...result } = await sophia(words, { env: CONTRACT_VALUES });
      expect(result).toEqual({ status: 127, signal: null, stdout: "" });
      expect(stderr.split("\n").slice(0, -1)).toEqual([
        "sophia-run: FOO=…: command not found",
        expect.stringContaining("sophia-run -- env FOO=… COMMAND"),
      ]);
      // As it says.
      const meant = ["--", "env", ...words.slice(dashes.length)];
      expect((await sophia(meant, { env: CONTRACT_VALUES })).stdout).toBe("sentinel\n");
    },
  );

  test.each([[["node -p 1"]], [["--", "node -p 1"]], [["--", "./no such", "x"]]])(
    "that is one word, %j, gets the hint to use a shell",
    async (words) => {
      const { status, stderr } = await sophia(words, { env: CONTRACT_VALUES });
      expect(status).toBe(127);
      expect(stderr.split("\n")).toHaveLength(3);
      expect(stderr).toContain('sophia-run -- sh -c "…"');
    },
  );
});

describe("a program that cannot be started", () => {
  skipBecause(notLinux);

  test.each([
    [["nodee", "server.js"], 127, "nodee: command not found"],
    [["--", "nodee", "server.js"], 127, "nodee: command not found"],
    [["--exclude", "PULUMI_*", "--", "nodee"], 127, "nodee: command not found"],
    [["--pristine", "--", "nodee"], 127, "nodee: command not found"],
    [["--", "./nodee"], 127, "./nodee: no such file or directory"],
    [["--prefer", "esc", "--", "./nodee"], 127, "./nodee: no such file or directory"],
    [["--", "/etc/passwd"], 126, "/etc/passwd: permission denied"],
    [["--", ""], 127, "'': command not found"],
  ])("ends the start before any source is read: %j", async (args, status, message) => {
    const { server, env } = await startEsc();
    const cwd = folder({ ".env": "not read, so that its faults are not told" });
    expect(await sophia(args, { cwd, env })).toEqual({
      status,
      signal: null,
      stdout: "",
      stderr: `sophia-run: ${message}\n`,
    });
    expect(server.connections).toBe(0);
  });

  test("is looked up after ESC is read, if ESC may set PATH", async () => {
    const bin = createTools();
    const { env } = await startEsc({ PATH: bin });
    expect(await sophia(["--prefer", "esc", "--", "tool"], { env })).toMatchObject({ status: 0, stdout: "ran\n" });
    expect(await sophia(["--", "tool"], { env })).toMatchObject({ status: 127, stdout: "" });
  });

  test("is found by a PATH from a file if PATH is unset or empty", async () => {
    const bin = createTools();
    const declared = folder({ "sophia.contract.json": '{"variables":{"PATH":{}}}', ".env": `PATH=${bin}\n` });
    expect(await sophia(["tool"], { cwd: declared, env: { PATH: "" } })).toMatchObject({ status: 0, stdout: "ran\n" });
    const above = folder({ ".env": `PATH=${bin}\n` });
    const withoutPath = ["-u", "PATH", process.execPath, "--", join(import.meta.dirname, "../../../bin/sophia-run")];
    const outer = await sophia(["--no-contract", "env", ...withoutPath, "--no-contract", "tool"], { cwd: above });
    expect(outer).toMatchObject({ status: 0, stdout: "ran\n" });
  });

  test("is not searched in a PATH that is withheld", async () => {
    const bin = createTools();
    mkdirSync(join(bin, "empty"));
    writeFileSync(join(bin, "empty/sh"), "no program");
    const withheld = ["--no-contract", "--exclude", "PATH", "--"];
    expect(await sophia([...withheld, "sh", "-c", "echo ran"], { env: { PATH: `${bin}/empty` } })).toMatchObject({
      status: 0,
      stdout: "ran\n",
    });
    expect(await sophia([...withheld, "tool"], { env: { PATH: bin } })).toMatchObject({ status: 127 });
  });
});
