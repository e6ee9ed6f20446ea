import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../esc-server/index.ts";
import { findIsolation } from "../helpers/container.ts";
import { noNobody, sophiaAsNobody } from "../helpers/nobody.ts";
import { notInstalled } from "../helpers/skip.ts";
import { environmentOf, folder, sophia, sophiaRun, unwrapped } from "../helpers/sophia.ts";
import { expectWording } from "../helpers/wording.ts";

const NAME = "acme/app/dev";
const CONTRACT = JSON.stringify({
  variables: {
    DATABASE_URL: { required: true, aliases: ["DB_URL"] },
    LEVEL: { secret: false },
    OPENAI_API_KEY: {},
    OPENAI_BASE_URL: { secret: false },
  },
  profiles: { production: { override: false }, live: { extends: "production" }, test: {} },
});
const MINE = "postgres://sentinel-of-mine";

/** A project with an override, and an ESC that has another value. */
async function project(files: Readonly<Record<string, string>> = {}) {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment(NAME, {
    values: { DATABASE_URL: "postgres://of-esc", LEVEL: "esc", OPENAI_API_KEY: "sk-of-esc" },
  });
  const cwd = folder({ "sophia.contract.json": CONTRACT, ".env.override": `# mine\nDATABASE_URL=${MINE}\n`, ...files });
  const env = { ESC_ENV: NAME, ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
  const urlOf = async (options: readonly string[], further: Readonly<Record<string, string>> = {}) =>
    (await sophia([...options, "--", "printenv", "DATABASE_URL"], { cwd, env: { ...env, ...further } })).stdout.trim();
  return { server, cwd, env, urlOf };
}

describe("precedence", () => {
  test("it is above ESC and below the environment, which a line says at each start", async () => {
    const { cwd, env } = await project({ ".env": "DATABASE_URL=postgres://of-file\nLEVEL=file\n" });
    const start = (further: Readonly<Record<string, string>> = {}, ...options: readonly string[]) =>
      sophia([...options, "--", "env"], { cwd, env: { ...env, ...further } });
    const plain = await start();
    expect(environmentOf(plain.stdout)).toMatchObject({ DATABASE_URL: MINE, LEVEL: "esc" });
    expect(plain.stderr).toBe("sophia-run: .env.override sets DATABASE_URL\n");
    const hidden = await start({ DATABASE_URL: "postgres://of-caller" });
    expect(environmentOf(hidden.stdout)["DATABASE_URL"]).toBe("postgres://of-caller");
    expect(hidden.stderr).toContain(".env.override has no effect: the environment sets DATABASE_URL\n");
    writeFileSync(join(cwd, ".env.override"), `DATABASE_URL=${MINE}\nLEVEL=mine\n`);
    const both = await start({ DATABASE_URL: "postgres://of-caller" });
    expect(unwrapped(both.stderr)).toContain(
      ".env.override sets LEVEL; the environment overrides it for DATABASE_URL\n",
    );
    const quiet = await start({}, "--quiet");
    expect([environmentOf(quiet.stdout)["LEVEL"], quiet.stderr]).toEqual(["mine", ""]);
  });

  test("with --prefer esc it is above ESC, and that above the environment", async () => {
    const { cwd, env } = await project();
    const caller = { DATABASE_URL: "postgres://of-caller", LEVEL: "caller" };
    const ended = await sophia(["--prefer", "esc", "--", "env"], { cwd, env: { ...env, ...caller } });
    expect(environmentOf(ended.stdout)).toMatchObject({ DATABASE_URL: MINE, LEVEL: "esc" });
  });

  test("explain and check show its line and what it hides; the JSON names the source", async () => {
    const { cwd, env } = await project({ ".env": "LEVEL=file\n" });
    const explained = await sophia(["explain", "DATABASE_URL"], { cwd, env });
    expect(unwrapped(explained.stdout)).toMatch(/from {5}\.env\.override:2 hides {4}ESC acme\/app\/dev/);
    const json = await sophia(["explain", "DATABASE_URL", "--json"], { cwd, env });
    expect(json.stdout).toContain('"source": "override"');
    const checked = await sophia(["check"], { cwd, env });
    expect(checked.status).toBe(0);
    expect(checked.stdout).toContain("(.env.override:2, hides ESC acme/app/dev)");
    expect(checked.stdout).toContain("from .env.override and ESC");
    for (const { stdout, stderr } of [explained, json, checked]) expect(stdout + stderr).not.toContain(MINE);
  });

  test("a refused ESC leaves it unused, as .env", async () => {
    const { server, cwd, env } = await project({ ".env": "LEVEL=file\n" });
    const refused = await sophia(["--no-contract", "--", "env"], {
      cwd,
      env: { ...env, ESC_TOKEN: `${server.token}x` },
    });
    expect(environmentOf(refused.stdout)).not.toHaveProperty("DATABASE_URL");
    expect(environmentOf(refused.stdout)).not.toHaveProperty("LEVEL");
  });
});

describe("it is not read", () => {
  test.each<[string, readonly string[], Readonly<Record<string, string>>]>([
    ["where CI is set", [], { CI: "true" }],
    ["with --no-override", ["--no-override"], {}],
    ["with SOPHIA_NO_OVERRIDE", [], { SOPHIA_NO_OVERRIDE: "1" }],
    ["with a profile that says so", ["--profile", "production"], {}],
    ["with a profile that extends one that says so", ["--profile", "live"], {}],
    ["where --dotenv names files", ["--dotenv", "other"], {}],
  ])("%s", async (_, options, further) => {
    const { urlOf } = await project({ other: "LEVEL=1\n" });
    expect(await urlOf(options, further)).toBe("postgres://of-esc");
  });

  test.each<[string, readonly string[], Readonly<Record<string, string>>]>([
    ["with another profile", ["--profile", "test"], {}],
    ["where CI is false", [], { CI: "false" }],
    ["where CI is empty", [], { CI: "" }],
  ])("but it is %s", async (_, options, further) => {
    const { urlOf } = await project();
    expect(await urlOf(options, further)).toBe(MINE);
  });

  test("as PID 1", ({ skip }) => {
    const isolation = findIsolation();
    skip("reason" in isolation, "needs PID namespaces");
    const [file = "false", ...rest] = "prefix" in isolation ? isolation.prefix : [];
    const cwd = folder({
      "sophia.contract.json": CONTRACT,
      ".env": "DATABASE_URL=of-file\n",
      ".env.override": `DATABASE_URL=${MINE}\n`,
    });
    const command = [...rest, ...sophiaRun, "--", "printenv", "DATABASE_URL"];
    const { stdout } = spawnSync(file, command, { cwd, env: { PATH: process.env["PATH"] }, encoding: "utf8" });
    expect(stdout).toBe("of-file\n");
  });
});

describe("a file of a repository", () => {
  test("that git tracks is an error before anything is opened, unless it is not read", async ({ skip }) => {
    const reason = notInstalled("git", "--version");
    skip(reason !== undefined, reason);
    const { server, cwd, env, urlOf } = await project();
    execFileSync("git", ["init", "--quiet"], { cwd });
    expect(await urlOf([])).toBe(MINE);
    const opened = server.count("open");
    execFileSync("git", ["add", ".env.override"], { cwd });
    for (const args of [["--", "true"], ["check"], ["export"], ["explain"]]) {
      const { status, stdout, stderr } = await sophia(args, { cwd, env });
      expect([status, stdout]).toEqual([125, ""]);
      expect(stderr).toContain("git rm --cached .env.override");
      expect(stderr).not.toContain(MINE);
    }
    expectWording((await sophia(["--", "true"], { cwd, env })).stderr);
    expect(server.count("open")).toBe(opened);
    expect(await urlOf(["--no-override"])).toBe("postgres://of-esc");
    execFileSync("git", ["rm", "--cached", "--quiet", ".env.override"], { cwd });
    expect(await urlOf([])).toBe(MINE);
  });

  test("in the folder of the contract above is read after the project's own", async () => {
    const { cwd: root, env } = await project({ ".env.override": "DATABASE_URL=upper\nLEVEL=upper\n" });
    const cwd = join(root, "service");
    mkdirSync(cwd);
    writeFileSync(join(cwd, ".env.override"), "DATABASE_URL=lower\n", { mode: 0o600 });
    const { stdout, stderr } = await sophia(["--", "env"], { cwd, env });
    expect(environmentOf(stdout)).toMatchObject({ DATABASE_URL: "lower", LEVEL: "upper" });
    expect(stderr).toContain("sophia-run: .env.override sets DATABASE_URL\n");
    expect(unwrapped(stderr)).toContain(`${root}/.env.override sets LEVEL\n`);
  });

  test("sets what the contract declares, also by an alias; a warning names the rest", async () => {
    const { cwd, env } = await project({ ".env.override": "DB_URL=aliased\nOTHER=1\nESC_TOKEN=2\nSOPHIA_MODE=x\n" });
    const { status, stdout, stderr } = await sophia(["--", "env"], { cwd, env });
    expect(status).toBe(0);
    expect(environmentOf(stdout)).toMatchObject({ DATABASE_URL: "aliased" });
    expect(environmentOf(stdout)).not.toHaveProperty("OTHER");
    expect(unwrapped(stderr)).toContain("OTHER, ESC_TOKEN and SOPHIA_MODE in .env.override are ignored");
    expect(stderr).toContain(".env.override sets DB_URL\n");
  });

  test("has the trust of .env: it sends no key of ESC elsewhere, unless the caller allows it", async () => {
    const address = "OPENAI_BASE_URL=https://attacker.example.test/v1\n";
    const { cwd, env } = await project({ ".env.override": address });
    const kept = await sophia(["--", "env"], { cwd, env });
    expect(environmentOf(kept.stdout)).not.toHaveProperty("OPENAI_BASE_URL");
    expect(unwrapped(kept.stderr)).toContain("OPENAI_BASE_URL in .env.override is not passed on");
    const allowed = await sophia(["--allow", "OPENAI_BASE_URL", "--", "env"], { cwd, env });
    expect(environmentOf(allowed.stdout)).toHaveProperty("OPENAI_BASE_URL");
  });

  test("that other users may write is ignored with a warning", async () => {
    const { cwd, env } = await project();
    chmodSync(join(cwd, ".env.override"), 0o666);
    const { stdout, stderr } = await sophia(["--", "printenv", "DATABASE_URL"], { cwd, env });
    expect(stdout).toBe("postgres://of-esc\n");
    expect(unwrapped(stderr)).toBe(
      "sophia-run: warning: .env.override is ignored: it is world-writable; chmod o-w .env.override\n",
    );
  });

  test("of another user is ignored with a warning", ({ skip }) => {
    skip(noNobody !== undefined, noNobody);
    const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables: { LEVEL: {} } }) });
    chmodSync(cwd, 0o755);
    writeFileSync(join(cwd, ".env.override"), "LEVEL=1\n", { mode: 0o644 });
    // Root's is trusted, and so is that of the folder's owner.
    execFileSync("chown", ["12345", join(cwd, ".env.override")]);
    const { stderr, stdout } = sophiaAsNobody(["--", "env"], { cwd });
    expect(unwrapped(stderr)).toContain(".env.override is ignored: it belongs to another user (uid 12345)");
    expect(stdout).not.toContain("LEVEL");
  });

  test.each([
    ["an open quote", 'DATABASE_URL="secret-sentinel\n', ".env.override:1 has a quote that is never closed"],
    ["a NUL", "DATABASE_URL=secret-sentinel\0\n", ".env.override:1 has a NUL character"],
    ["other bytes than UTF-8", Buffer.from("DATABASE_URL=secret-sentinel\xff\n", "latin1"), "is not valid UTF-8"],
  ])("with %s is an error, and nothing is opened", async (_, content, message) => {
    const { server, cwd, env } = await project();
    writeFileSync(join(cwd, ".env.override"), content);
    const { status, stderr } = await sophia(["--", "true"], { cwd, env });
    expect(status).toBe(125);
    expect(unwrapped(stderr)).toContain(message);
    expect(stderr).not.toContain("sentinel");
    expect(server.count("open")).toBe(0);
  });
});

describe("its secrets", () => {
  test("are masked in the output", async () => {
    const { cwd, env } = await project();
    const { stdout } = await sophia(["--redact", "--", "printenv", "DATABASE_URL"], { cwd, env });
    expect(stdout).toBe("***\n");
  });

  test("are not read by the tools of a coding agent", async () => {
    const { cwd } = await project();
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
