import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../esc-server/index.ts";
import { findIsolation } from "../helpers/container.ts";
import { noNobody, sophiaAsNobody } from "../helpers/nobody.ts";
import { notInstalled } from "../helpers/skip.ts";
import { parseEnvironment, folder, sophia, sophiaRun, unwrapLines } from "../helpers/sophia.ts";
import { expectWording } from "../helpers/wording.ts";

const ENVIRONMENT = "acme/app/dev";
const CONTRACT = JSON.stringify({
  variables: {
    DATABASE_URL: { required: true, aliases: ["DB_URL"] },
    LEVEL: { secret: false },
    OPENAI_API_KEY: {},
    OPENAI_BASE_URL: { secret: false },
  },
  profiles: { production: { override: false }, live: { extends: "production" }, test: {} },
});
const OVERRIDE_VALUE = "postgres://sentinel-of-mine";

/** Makes a project with `.env.override`, and starts an ESC that has other values. */
async function startProject(files: Readonly<Record<string, string>> = {}) {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment(ENVIRONMENT, {
    values: { DATABASE_URL: "postgres://of-esc", LEVEL: "esc", OPENAI_API_KEY: "sk-of-esc" },
  });
  const cwd = folder({
    "sophia.contract.json": CONTRACT,
    ".env.override": `# mine\nDATABASE_URL=${OVERRIDE_VALUE}\n`,
    ...files,
  });
  const env = { ESC_ENV: ENVIRONMENT, ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
  const urlOf = async (options: readonly string[], further: Readonly<Record<string, string>> = {}) =>
    (await sophia([...options, "--", "printenv", "DATABASE_URL"], { cwd, env: { ...env, ...further } })).stdout.trim();
  return { server, cwd, env, urlOf };
}

describe(".env.override", () => {
  test("overrides ESC, and the environment overrides it, which a notice reports at each start", async () => {
    const { cwd, env } = await startProject({ ".env": "DATABASE_URL=postgres://of-file\nLEVEL=file\n" });
    const start = (further: Readonly<Record<string, string>> = {}, ...options: readonly string[]) =>
      sophia([...options, "--", "env"], { cwd, env: { ...env, ...further } });
    const plainResult = await start();
    expect(parseEnvironment(plainResult.stdout)).toMatchObject({ DATABASE_URL: OVERRIDE_VALUE, LEVEL: "esc" });
    expect(plainResult.stderr).toBe("sophia-run: .env.override sets DATABASE_URL\n");
    const hidden = await start({ DATABASE_URL: "postgres://of-caller" });
    expect(parseEnvironment(hidden.stdout)["DATABASE_URL"]).toBe("postgres://of-caller");
    expect(hidden.stderr).toContain(".env.override has no effect: the environment sets DATABASE_URL\n");
    writeFileSync(join(cwd, ".env.override"), `DATABASE_URL=${OVERRIDE_VALUE}\nLEVEL=mine\n`);
    const bothResult = await start({ DATABASE_URL: "postgres://of-caller" });
    expect(unwrapLines(bothResult.stderr)).toContain(
      ".env.override sets LEVEL; the environment overrides it for DATABASE_URL\n",
    );
    const quiet = await start({}, "--quiet");
    expect([parseEnvironment(quiet.stdout)["LEVEL"], quiet.stderr]).toEqual(["mine", ""]);
  });

  test("overrides ESC with --prefer esc, and ESC overrides the environment", async () => {
    const { cwd, env } = await startProject();
    const caller = { DATABASE_URL: "postgres://of-caller", LEVEL: "caller" };
    const result = await sophia(["--prefer", "esc", "--", "env"], { cwd, env: { ...env, ...caller } });
    expect(parseEnvironment(result.stdout)).toMatchObject({ DATABASE_URL: OVERRIDE_VALUE, LEVEL: "esc" });
  });

  test("is shown by explain and check with its line and what it hides, and is named as the source in JSON", async () => {
    const { cwd, env } = await startProject({ ".env": "LEVEL=file\n" });
    const explained = await sophia(["explain", "DATABASE_URL"], { cwd, env });
    expect(unwrapLines(explained.stdout)).toMatch(/from {5}\.env\.override:2 hides {4}ESC acme\/app\/dev/);
    const json = await sophia(["explain", "DATABASE_URL", "--json"], { cwd, env });
    expect(json.stdout).toContain('"source": "override"');
    const checked = await sophia(["check"], { cwd, env });
    expect(checked.status).toBe(0);
    expect(checked.stdout).toContain("(.env.override:2, hides ESC acme/app/dev)");
    expect(checked.stdout).toContain("from .env.override and ESC");
    for (const { stdout, stderr } of [explained, json, checked]) expect(stdout + stderr).not.toContain(OVERRIDE_VALUE);
  });

  test("is ignored if ESC refuses access, and so is .env", async () => {
    const { server, cwd, env } = await startProject({ ".env": "LEVEL=file\n" });
    const refused = await sophia(["--no-contract", "--", "env"], {
      cwd,
      env: { ...env, ESC_TOKEN: `${server.token}x` },
    });
    expect(parseEnvironment(refused.stdout)).not.toHaveProperty("DATABASE_URL");
    expect(parseEnvironment(refused.stdout)).not.toHaveProperty("LEVEL");
  });
});

describe("under conditions .env.override", () => {
  test.each<[string, readonly string[], Readonly<Record<string, string>>]>([
    ["if CI is set", [], { CI: "true" }],
    ["with --no-override", ["--no-override"], {}],
    ["with SOPHIA_NO_OVERRIDE", [], { SOPHIA_NO_OVERRIDE: "1" }],
    ["with a profile that sets `override` to false", ["--profile", "production"], {}],
    ["with a profile that extends such a profile", ["--profile", "live"], {}],
    ["if --dotenv names files", ["--dotenv", "other"], {}],
  ])("is not read %s", async (_, options, further) => {
    const { urlOf } = await startProject({ other: "LEVEL=1\n" });
    expect(await urlOf(options, further)).toBe("postgres://of-esc");
  });

  test.each<[string, readonly string[], Readonly<Record<string, string>>]>([
    ["with another profile", ["--profile", "test"], {}],
    ["if CI is false", [], { CI: "false" }],
    ["if CI is empty", [], { CI: "" }],
  ])("is read %s", async (_, options, further) => {
    const { urlOf } = await startProject();
    expect(await urlOf(options, further)).toBe(OVERRIDE_VALUE);
  });

  test("is not read if sophia-run is PID 1", ({ skip }) => {
    const isolation = findIsolation();
    skip("reason" in isolation, "needs PID namespaces");
    const [file = "false", ...rest] = "prefix" in isolation ? isolation.prefix : [];
    const cwd = folder({
      "sophia.contract.json": CONTRACT,
      ".env": "DATABASE_URL=of-file\n",
      ".env.override": `DATABASE_URL=${OVERRIDE_VALUE}\n`,
    });
    const command = [...rest, ...sophiaRun, "--", "printenv", "DATABASE_URL"];
    const { stdout } = spawnSync(file, command, { cwd, env: { PATH: process.env["PATH"] }, encoding: "utf8" });
    expect(stdout).toBe("of-file\n");
  });
});

describe("a .env.override", () => {
  test("that git tracks is an error before ESC is opened, unless the file is not read", async ({ skip }) => {
    const reason = notInstalled("git", "--version");
    skip(reason !== undefined, reason);
    const { server, cwd, env, urlOf } = await startProject();
    execFileSync("git", ["init", "--quiet"], { cwd });
    expect(await urlOf([])).toBe(OVERRIDE_VALUE);
    const opened = server.count("open");
    execFileSync("git", ["add", ".env.override"], { cwd });
    for (const args of [["--", "true"], ["check"], ["export"], ["explain"]]) {
      const { status, stdout, stderr } = await sophia(args, { cwd, env });
      expect([status, stdout]).toEqual([125, ""]);
      expect(stderr).toContain("git rm --cached .env.override");
      expect(stderr).not.toContain(OVERRIDE_VALUE);
    }
    expectWording((await sophia(["--", "true"], { cwd, env })).stderr);
    expect(server.count("open")).toBe(opened);
    expect(await urlOf(["--no-override"])).toBe("postgres://of-esc");
    execFileSync("git", ["rm", "--cached", "--quiet", ".env.override"], { cwd });
    expect(await urlOf([])).toBe(OVERRIDE_VALUE);
  });

  test("in the contract's folder above the project is read, and the project's .env.override overrides it", async () => {
    const { cwd: root, env } = await startProject({ ".env.override": "DATABASE_URL=upper\nLEVEL=upper\n" });
    const cwd = join(root, "service");
    mkdirSync(cwd);
    writeFileSync(join(cwd, ".env.override"), "DATABASE_URL=lower\n", { mode: 0o600 });
    const { stdout, stderr } = await sophia(["--", "env"], { cwd, env });
    expect(parseEnvironment(stdout)).toMatchObject({ DATABASE_URL: "lower", LEVEL: "upper" });
    expect(stderr).toContain("sophia-run: .env.override sets DATABASE_URL\n");
    expect(unwrapLines(stderr)).toContain(`${root}/.env.override sets LEVEL\n`);
  });

  test("sets variables that the contract declares, also by an alias, and a warning names the others", async () => {
    const { cwd, env } = await startProject({
      ".env.override": "DB_URL=aliased\nOTHER=1\nESC_TOKEN=2\nSOPHIA_MODE=x\n",
    });
    const { status, stdout, stderr } = await sophia(["--", "env"], { cwd, env });
    expect(status).toBe(0);
    expect(parseEnvironment(stdout)).toMatchObject({ DATABASE_URL: "aliased" });
    expect(parseEnvironment(stdout)).not.toHaveProperty("OTHER");
    expect(unwrapLines(stderr)).toContain("OTHER, ESC_TOKEN and SOPHIA_MODE in .env.override are ignored");
    expect(stderr).toContain(".env.override sets DB_URL\n");
  });

  test("cannot set the address to which a key of ESC is sent, unless the caller allows it", async () => {
    const address = "OPENAI_BASE_URL=https://attacker.example.test/v1\n";
    const { cwd, env } = await startProject({ ".env.override": address });
    const withheldResult = await sophia(["--", "env"], { cwd, env });
    expect(parseEnvironment(withheldResult.stdout)).not.toHaveProperty("OPENAI_BASE_URL");
    expect(unwrapLines(withheldResult.stderr)).toContain("OPENAI_BASE_URL in .env.override is not passed on");
    const allowed = await sophia(["--allow", "OPENAI_BASE_URL", "--", "env"], { cwd, env });
    expect(parseEnvironment(allowed.stdout)).toHaveProperty("OPENAI_BASE_URL");
  });

  test("that other users may write is ignored with a warning", async () => {
    const { cwd, env } = await startProject();
    chmodSync(join(cwd, ".env.override"), 0o666);
    const { stdout, stderr } = await sophia(["--", "printenv", "DATABASE_URL"], { cwd, env });
    expect(stdout).toBe("postgres://of-esc\n");
    expect(unwrapLines(stderr)).toBe(
      "sophia-run: warning: .env.override is ignored: it is world-writable; chmod o-w .env.override\n",
    );
  });

  test("of another user is ignored with a warning", ({ skip }) => {
    skip(noNobody !== undefined, noNobody);
    const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables: { LEVEL: {} } }) });
    chmodSync(cwd, 0o755);
    writeFileSync(join(cwd, ".env.override"), "LEVEL=1\n", { mode: 0o644 });
    // Files of root and of the folder's owner would be trusted.
    execFileSync("chown", ["12345", join(cwd, ".env.override")]);
    const { stderr, stdout } = sophiaAsNobody(["--", "env"], { cwd });
    expect(unwrapLines(stderr)).toContain(".env.override is ignored: it belongs to another user (uid 12345)");
    expect(stdout).not.toContain("LEVEL");
  });

  test.each([
    ["an open quote", 'DATABASE_URL="secret-sentinel\n', ".env.override:1 has a quote that is never closed"],
    ["a NUL", "DATABASE_URL=secret-sentinel\0\n", ".env.override:1 has a NUL character"],
    ["other bytes than UTF-8", Buffer.from("DATABASE_URL=secret-sentinel\xff\n", "latin1"), "is not valid UTF-8"],
  ])("with %s is an error, and ESC is not opened", async (_, content, message) => {
    const { server, cwd, env } = await startProject();
    writeFileSync(join(cwd, ".env.override"), content);
    const { status, stderr } = await sophia(["--", "true"], { cwd, env });
    expect(status).toBe(125);
    expect(unwrapLines(stderr)).toContain(message);
    expect(stderr).not.toContain("sentinel");
    expect(server.count("open")).toBe(0);
  });
});

describe("the secrets of .env.override", () => {
  test("are masked in the output", async () => {
    const { cwd, env } = await startProject();
    const { stdout } = await sophia(["--redact", "--", "printenv", "DATABASE_URL"], { cwd, env });
    expect(stdout).toBe("***\n");
  });

  test("cannot be read by the tools of a coding agent", async () => {
    const { cwd } = await startProject();
    const call = {
      hook_event_name: "PreToolUse",
      tool_name: "Read",
      tool_input: { file_path: join(cwd, ".env.override") },
    };
    const { stdout, stderr } = await sophia(["hook", "claude-code"], { cwd, input: JSON.stringify({ ...call, cwd }) });
    expect(stdout + stderr).toContain(".env.override");
    expect(stdout).toContain('"deny"');
  });
});
