import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { secret, startEscServer } from "../../../esc-server/index.ts";
import { supportsExecMode, folder, sophia, sophiaRun } from "../../../helpers/sophia.ts";
import { expectWording } from "../../../helpers/wording.ts";
import { SENTINEL, sentinelOf } from "../../sophia-environment.ts";

const CONTRACT = JSON.stringify({
  variables: {
    WEB_KEY: { description: "k", required: true },
    PORT: { description: "p", secret: false, default: "8080" },
    WORKER_KEY: { description: "w" },
  },
  profiles: { dev: {} },
  scopes: { web: ["WEB_KEY", "PORT"] },
});

/** A project, its ESC environment, and a log that does not exist yet. */
async function createProject() {
  const server = await startEscServer({ tellsRevision: true });
  onTestFinished(() => server.close());
  server.environment("acme/sophia/dev", {
    values: {
      WEB_KEY: secret(sentinelOf("web")),
      WORKER_KEY: secret(sentinelOf("worker")),
      EXTRA: secret(sentinelOf("extra")),
    },
  });
  const cwd = folder({ "sophia.contract.json": CONTRACT });
  const log = join(cwd, "audit.jsonl");
  const esc = { PULUMI_BACKEND_URL: server.url, ESC_TOKEN: server.token, ESC_ENV: "acme/sophia/dev" };
  const text = (): string => (existsSync(log) ? readFileSync(log, "utf8") : "");
  const lines = (): readonly unknown[] =>
    text()
      .split("\n")
      .slice(0, -1)
      .map((line): unknown => JSON.parse(line));
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = esc) => sophia(args, { cwd, env });
  return { cwd, log, esc, text, lines, run };
}

describe("in the audit log, a start", () => {
  test.each([["spawn"], ...(supportsExecMode ? [["exec"]] : [])])("is recorded before it (%s)", async (mode) => {
    const { cwd, log, text, lines, run, esc } = await createProject();
    const options = [
      "--mode",
      mode,
      "--redact=never",
      "--audit-log",
      "audit.jsonl",
      "--profile",
      "dev",
      "--scope",
      "web",
    ];
    // The program reads its own line.
    const result = await run([...options, "--reason", "look", "--", "cat", log, "/dev/null"], {
      ...esc,
      CLAUDECODE: "1",
    });
    expect(result).toMatchObject({ status: 0, stdout: text() });
    expect(lines()).toEqual([
      {
        version: 1,
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        event: "start",
        outcome: "allowed",
        met: true,
        user: userInfo().username,
        pid: expect.any(Number),
        caller: "Claude Code",
        command: "cat",
        contract: join(cwd, "sophia.contract.json"),
        profile: "dev",
        scope: "web",
        names: { WEB_KEY: "esc", PORT: "contract" },
        esc: { status: "read", environments: [{ name: "acme/sophia/dev", revision: "1" }] },
        reason: "look",
      },
    ]);
    expect(text()).not.toContain(SENTINEL);
    expect(text()).not.toContain("/dev/null");
  });

  test("is recorded with the names of the program's variables: declared ones of the environment, and all of ESC", async () => {
    const { lines, run, log, esc } = await createProject();
    const env = { ...esc, PORT: "1", OTHER: "caller's", SOPHIA_AUDIT_LOG: log, SOPHIA_REASON: "by variables" };
    expect((await run(["--", "true"], env)).status).toBe(0);
    expect((await run(["--only-declared", "--exclude", "WORKER_KEY", "--", "true"], env)).status).toBe(0);
    expect(lines()).toMatchObject([
      { names: { WEB_KEY: "esc", WORKER_KEY: "esc", EXTRA: "esc", PORT: "environment" }, reason: "by variables" },
      { names: { WEB_KEY: "esc", PORT: "environment" } },
    ]);
    expect(lines()[1]).not.toHaveProperty("names.EXTRA");
    expect(lines()[0]).not.toHaveProperty("names.OTHER");
  });

  test("is recorded if the contract refuses it, and with --no-contract", async () => {
    const { lines, run, log } = await createProject();
    expect((await run(["--audit-log", log, "--", "true"], {})).status).toBe(78);
    expect((await run(["--audit-log", log, "--no-contract", "--", "true"], {})).status).toBe(0);
    expect(lines()).toMatchObject([
      { outcome: "refused", met: false, names: {}, esc: { status: "off", environments: [] } },
      { outcome: "allowed", met: false, names: { PORT: "contract" } },
    ]);
  });

  test("does not happen if it cannot be recorded", async () => {
    const { cwd, run } = await createProject();
    const result = await run(["--audit-log", cwd, "--", "touch", join(cwd, "started")]);
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain("regular file");
    expect(existsSync(join(cwd, "started"))).toBe(false);
  });

  test("is not recorded in a log that a .env file names", async () => {
    const { cwd, log, esc } = await createProject();
    const other = folder({ ".env": `SOPHIA_AUDIT_LOG=${log}\n`, "sophia.contract.json": CONTRACT });
    expect((await sophia(["--", "true"], { cwd: other, env: esc })).status).toBe(0);
    expect(existsSync(join(cwd, "audit.jsonl"))).toBe(false);
  });

  test("is recorded without a secret that is the name of the command", async () => {
    const { cwd, log, lines, run, text } = await createProject();
    const command = join(folder({ [sentinelOf("web")]: "#!/bin/sh\n" }), sentinelOf("web"));
    chmodSync(command, 0o755);
    expect((await run(["--audit-log", log, "--", command])).status).toBe(0);
    expect(lines()).toMatchObject([{ command: expect.stringMatching(/\/\*\*\*$/) }]);
    expect(text()).not.toContain(SENTINEL);
    expect(cwd).not.toBe("");
  });
});

test("the audit log records an export with the names of what is exported, and a refused export", async () => {
  const { log, lines, run, text } = await createProject();
  const exported = await run(["export", "--audit-log", log, "--only-declared", "--reason", "for a container"]);
  expect(exported.stdout).toContain(sentinelOf("web"));
  expect((await run(["export", "--audit-log", log], {})).status).toBe(78);
  expect(lines()).toMatchObject([
    {
      event: "export",
      outcome: "allowed",
      names: { WEB_KEY: "esc", WORKER_KEY: "esc", PORT: "contract" },
      reason: "for a container",
    },
    { event: "export", outcome: "refused", names: {} },
  ]);
  expect(lines()[0]).not.toHaveProperty("command");
  expect(text()).not.toContain(SENTINEL);
});

describe("the reason in the audit log", () => {
  test("is recorded as one line, with any characters in it", async () => {
    const { log, lines, run, text } = await createProject();
    expect((await run(["--audit-log", log, "--reason", "a\nb\u001B[31m\u202E", "--", "true"])).status).toBe(0);
    expect(lines()).toMatchObject([{ reason: String.raw`a\nb\u001b[31m\u202e` }]);
    expect(text().split("\n")).toHaveLength(2);
  });

  // Its bytes reach the executable for Linux as they are, and the package as U+FFFD.
  test("that is not UTF-8 is recorded, with U+FFFD", async () => {
    const { cwd, log, lines } = await createProject();
    const result = spawnSync(
      "sh",
      ["-c", String.raw`exec "$@" --reason "$(printf 'a\233')" -- true`, "sh", ...sophiaRun, "--audit-log", log],
      { cwd, env: { PATH: process.env["PATH"], WEB_KEY: sentinelOf("web") }, encoding: "utf8" },
    );
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(lines()).toMatchObject([{ reason: "a\uFFFD" }]);
  });

  test.each([
    ["as it is", sentinelOf("web")],
    ["in base64", Buffer.from(`key: ${sentinelOf("web")}`).toString("base64")],
  ])("is refused and written nowhere if a secret is in it, %s", async (_, text) => {
    const { cwd, log, run } = await createProject();
    const result = await run(["--audit-log", log, "--reason", `for ${text}.`, "--", "touch", join(cwd, "started")]);
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain("WEB_KEY");
    expectWording(result.stderr);
    expect(result.stderr).not.toContain(text);
    expect(existsSync(log)).toBe(false);
    expect(existsSync(join(cwd, "started"))).toBe(false);
  });

  test("is refused if it has more than 200 characters, and accepted with 200", async () => {
    const { log, run } = await createProject();
    expect((await run(["--audit-log", log, "--reason", "😀".repeat(200), "--", "true"])).status).toBe(0);
    const long = await run(["--audit-log", log, "--reason", "long".repeat(51), "--", "true"]);
    expect(long).toMatchObject({ status: 125 });
    expect(long.stderr).toContain("200 characters");
    expectWording(long.stderr);
    expect(long.stderr).not.toContain("longlong");
  });

  test("is refused as an option without a log, and ignored as a variable, which programs inherit", async () => {
    const { run, esc } = await createProject();
    for (const args of [["--", "true"], ["export"]]) {
      const result = await run([
        ...(args[0] === "--" ? [] : args),
        "--reason",
        "why",
        ...(args[0] === "--" ? args : []),
      ]);
      expect(result).toMatchObject({ status: 125, stdout: "" });
      expect(result.stderr).toContain("--audit-log FILE");
      expectWording(result.stderr);
    }
    expect(await run(["--", "true"], { ...esc, SOPHIA_REASON: "why" })).toMatchObject({ status: 0, stderr: "" });
  });
});
