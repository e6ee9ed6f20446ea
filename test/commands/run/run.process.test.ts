import { chmodSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CONTRACT_VALUES, parseEnvironment, folder, sophia, unwrapLines } from "../../helpers/sophia.ts";
import { notPreloadable, skipBecause } from "../../helpers/skip.ts";
import { expectWording } from "../../helpers/wording.ts";
import { startEscServer } from "../../esc-server/index.ts";
import { onTestFinished } from "vitest";

const NAME = "acme/sophia/dev";

async function escWith(values: Readonly<Record<string, string>>) {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment(NAME, { values });
  return { server, env: { ESC_ENV: NAME, ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url } };
}

describe("a start's precedence of sources", () => {
  test("lets the environment win over ESC, and ESC over .env; ESC's own variables are withheld, and nothing is printed", async () => {
    const { server, env } = await escWith({ ...CONTRACT_VALUES, SHARED: "esc", FROM_ESC: "esc" });
    const cwd = folder({ ".env": "SHARED=file\nFROM_ESC=file\nexport FROM_FILE=file\n" });
    const { status, stdout, stderr } = await sophia(["--", "env"], {
      cwd,
      env: { ...env, SHARED: "environment", "odd-name": "1" },
    });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(parseEnvironment(stdout)).toEqual({
      PATH: process.env["PATH"],
      HOME: cwd,
      PULUMI_BACKEND_URL: server.url,
      "odd-name": "1",
      ...CONTRACT_VALUES,
      SHARED: "environment",
      FROM_ESC: "esc",
      FROM_FILE: "file",
    });
    expect(server.violations).toEqual([]);
    expect([server.count("open"), server.count("read"), server.connections]).toEqual([1, 1, 1]);
  });

  // An opened stream makes a pipe non-blocking, which the program inherits.
  test("opens none of Node's standard streams while ESC is read", async ({ skip }) => {
    skip(notPreloadable !== undefined, notPreloadable);
    const { env } = await escWith(CONTRACT_VALUES);
    const cwd = folder({
      "trap.cjs": `for (const name of ["stdin", "stdout", "stderr"]) Object.defineProperty(process, name, {
        configurable: true, get() { require("node:fs").appendFileSync("opened", name + " "); } });`,
    });
    const { status } = await sophia(["--", "true"], { cwd, env: { ...env, NODE_OPTIONS: "--require ./trap.cjs" } });
    expect([status, readdirSync(cwd)]).toEqual([0, ["trap.cjs"]]);
  });

  test("names a declared variable that the environment overrides, and --quiet omits the notice", async () => {
    const { env } = await escWith(CONTRACT_VALUES);
    const overriding = { ...env, QDRANT_URL: "http://localhost:6333", GITHUB_PAT: CONTRACT_VALUES.GITHUB_PAT };
    const loud = await sophia(["--", "env"], { env: overriding });
    expect(loud.stderr).toMatch(/^sophia-run: .* overrides ESC for QDRANT_URL\n$/);
    expect(parseEnvironment(loud.stdout)["QDRANT_URL"]).toBe("http://localhost:6333");
    const quiet = await sophia(["--quiet", "--", "true"], { env: overriding });
    expect(quiet).toMatchObject({ status: 0, stderr: "" });
    const turned = await sophia(["--prefer", "esc", "--", "env"], { env: overriding });
    expect(turned.stderr).toBe("");
    expect(parseEnvironment(turned.stdout)["QDRANT_URL"]).toBe(CONTRACT_VALUES.QDRANT_URL);
  });

  test("takes an empty declared variable as unset, and keeps an undeclared one", async () => {
    const { env } = await escWith(CONTRACT_VALUES);
    const { stdout, stderr } = await sophia(["--", "env"], {
      env: { ...env, QDRANT_URL: "", DATABASE_URL: "", NO_COLOR: "" },
    });
    expect(stderr).toBe("");
    expect(parseEnvironment(stdout)).toMatchObject({ QDRANT_URL: CONTRACT_VALUES.QDRANT_URL, NO_COLOR: "" });
    expect(parseEnvironment(stdout)).not.toHaveProperty("DATABASE_URL");
  });

  test("accepts ESC_ENV and ESC_TOKEN in .env, and --keep-esc passes them on", async () => {
    const { env } = await escWith(CONTRACT_VALUES);
    const cwd = folder({
      ".env": Object.entries(env)
        .map(([name, value]) => `${name}=${value}`)
        .join("\n"),
    });
    const { stdout } = await sophia(["--", "env"], { cwd });
    expect(parseEnvironment(stdout)).toMatchObject(CONTRACT_VALUES);
    expect(parseEnvironment(stdout)).not.toHaveProperty("ESC_TOKEN");
    expect(parseEnvironment(stdout)).not.toHaveProperty("ESC_ENV");
    const kept = await sophia(["--keep-esc", "--", "env"], { env });
    expect(parseEnvironment(kept.stdout)).toMatchObject(env);
  });
});

// An agent that instruments programs is preloaded like this, into sophia-run as well.
describe("a module preloaded by NODE_OPTIONS", () => {
  skipBecause(notPreloadable);

  test.each([
    ["a warning of Node's", 'process.emitWarning("preloaded")', "Warning: preloaded\n"],
    ["the console", 'process.on("exit", () => console.error("preloaded"))', "preloaded\n"],
    ["the stream", 'process.once("exit", () => process.stderr.write(`${process.stderr.fd}\\n`))', "2\n"],
    [
      "a listener",
      'process.once("exit", () => process.stderr.once("close", () => {}).write("preloaded\\n"))',
      "preloaded\n",
    ],
  ])("may write to the standard error: %s", async (_, code, words) => {
    const cwd = folder({ "preloaded.js": code });
    const env = { ...CONTRACT_VALUES, NODE_OPTIONS: `--require=${cwd}/preloaded.js` };
    const checked = await sophia(["check"], { cwd, env });
    expect(checked.status).toBe(0);
    expect(checked.stderr).toContain(words);
  });

  test("does not stop a launch", async () => {
    const { env } = await escWith(CONTRACT_VALUES);
    const cwd = folder({ "preloaded.js": 'process.emitWarning("preloaded")' });
    const result = await sophia(["--", "echo", "started"], {
      cwd,
      env: { ...env, NODE_OPTIONS: `--require=${cwd}/preloaded.js` },
    });
    expect(result).toMatchObject({ status: 0, stdout: "started\n" });
  });
});

test("a promise that never settles ends sophia-run with a message", async ({ skip }) => {
  skip(notPreloadable !== undefined, notPreloadable);
  const { env } = await escWith(CONTRACT_VALUES);
  // A promise that never settles, as only a bug of ours would make it.
  const cwd = folder({ "preloaded.js": "Promise.prototype.finally = () => new Promise(() => {});" });
  const { status, stderr } = await sophia(["--", "true"], {
    cwd,
    env: { ...env, NODE_OPTIONS: `--require=${cwd}/preloaded.js` },
  });
  expect([status, stderr.split("\n")[0]]).toEqual([125, "sophia-run: internal error (Error); please report it"]);
});

describe("--verbose", () => {
  test("names each source that was read, without values", async () => {
    const { env } = await escWith({ ...CONTRACT_VALUES, MORE: "sentinel" });
    const cwd = folder({ "a.env": "A=sentinel\nB=2\n", "b.env": "" });
    const files = ["--dotenv", "a.env", "--dotenv", "b.env"];
    const result = await sophia(["--verbose", ...files, "--", "true"], { cwd, env });
    expect(result).toMatchObject({ status: 0, stdout: "" });
    for (const words of ["built-in", `ESC ${NAME}: 6 `, "a.env: 2 ", "b.env: 0 "])
      expect(result.stderr).toContain(words);
    expect(result.stderr).not.toContain("sentinel");
    expectWording(result.stderr);
  });

  test("names sources that do not exist", async () => {
    const cwd = folder({ "sophia.contract.json": '{"variables":{},"profiles":{"ci":{}}}' });
    const { stderr } = await sophia(["check", "--verbose", "--profile", "ci"], { cwd });
    // The form that runs, and its commit.
    const own = /version \d+\.\d+\.\d+ \((?:npm package|executable), [^)]+\)/;
    for (const words of [own, `${cwd}/sophia.contract.json, profile ci`, "ESC: ", ".env: "]) {
      expect(unwrapLines(stderr)).toMatch(words);
    }
    expectWording(unwrapLines(stderr).replace(own, "version <form>"));
    expect((await sophia(["--verbose", "--fake", "--", "true"])).stderr).toMatch(/ESC: .*--fake/);
  });
});

describe("if ESC cannot be read", () => {
  test("a start uses the other sources after one warning with the reason", async () => {
    const { server, env } = await escWith(CONTRACT_VALUES);
    server.failAlways("open", { kind: "status", status: 500 });
    const cwd = folder({ ".env": "QDRANT_URL=http://localhost:6333" });
    chmodSync(join(cwd, ".env"), 0o600);
    const { QDRANT_URL: _, ...others } = CONTRACT_VALUES;
    const { status, stdout, stderr } = await sophia(["--", "env"], { cwd, env: { ...env, ...others } });
    expect(status).toBe(0);
    expect(parseEnvironment(stdout)["QDRANT_URL"]).toBe("http://localhost:6333");
    expect(stderr.match(/^sophia-run: /gm)).toHaveLength(1);
    expect(stderr).toMatch(/warning: .* acme\/sophia\/dev cannot be read/);
    expect(stderr).toContain("500");
  });

  test("an unmet contract is reported with what is missing and why ESC could not be read", async () => {
    const { server, env } = await escWith(CONTRACT_VALUES);
    server.failAlways("open", { kind: "status", status: 500 });
    const { status, stdout, stderr } = await sophia(["--", "echo", "started"], { env });
    expect(status).toBe(78);
    expect(stdout).toBe("");
    for (const name of ["PULUMI_ACCESS_TOKEN", "QDRANT_URL", "QDRANT_API_KEY", "GITHUB_PAT", "OPENAI_API_KEY"]) {
      expect(stderr).toContain(name);
    }
    expect(stderr).toContain("500");
    expect(stderr).toMatch(/^sophia-run: ESC /);
    expect(stderr).not.toContain("sophia-run set");
    expect(stderr).toContain("in .env");
  });

  test.each([401, 403, 404])(
    "because it refuses access (%i), a start uses the environment but not .env",
    async (status) => {
      const { server, env } = await escWith(CONTRACT_VALUES);
      server.failAlways("open", { kind: "status", status });
      const cwd = folder({ ".env": "QDRANT_URL=http://localhost:6333\nUNDECLARED=file" });
      const { QDRANT_URL, ...others } = CONTRACT_VALUES;
      const stopped = await sophia(["--", "echo", "started"], { cwd, env: { ...env, ...others } });
      expect(stopped).toMatchObject({ status: 78, stdout: "" });
      for (const words of [String(status), "QDRANT_URL", "unset ESC_TOKEN"]) expect(stopped.stderr).toContain(words);
      const served = await sophia(["--", "env"], { cwd, env: { ...env, ...others, QDRANT_URL } });
      expect(served.status).toBe(0);
      expect(parseEnvironment(served.stdout)).toMatchObject({ QDRANT_URL });
      expect(served.stdout).not.toContain("UNDECLARED");
      expect(served.stderr).toMatch(/warning: .* acme\/sophia\/dev was refused/);
      expect(served.stderr).toContain(String(status));
      expect(served.stderr).toContain("unset ESC_TOKEN");
      const required = await sophia(["--require-esc", "--", "true"], { cwd, env: { ...env, ...CONTRACT_VALUES } });
      expect(required).toMatchObject({ status: 125, stdout: "" });
      const local = await sophia(["--", "env"], { cwd, env: { ...others } });
      expect(parseEnvironment(local.stdout)).toMatchObject({ QDRANT_URL: "http://localhost:6333", UNDECLARED: "file" });
    },
  );

  test("because it refuses the token of a .env file, a start does not use the file at all", async () => {
    const { server, env } = await escWith(CONTRACT_VALUES);
    server.failAlways("open", { kind: "status", status: 401 });
    const own = Object.entries({ ...env, EXTRA: "file" }).map(([name, value]) => `${name}=${value}`);
    const { status, stdout, stderr } = await sophia(["--", "env"], {
      cwd: folder({ ".env": own.join("\n") }),
      env: CONTRACT_VALUES,
    });
    expect(status).toBe(0);
    expect(stdout).not.toContain("EXTRA");
    expect(stderr).toContain("remove ESC_TOKEN from it");
    expectWording(stderr);
  });

  test("--require-esc ends the start, even if other sources have everything", async () => {
    const { server, env } = await escWith(CONTRACT_VALUES);
    server.failAlways("open", { kind: "status", status: 500 });
    for (const how of [
      { args: ["--require-esc"], variables: {} },
      { args: [], variables: { SOPHIA_REQUIRE_ESC: "1" } },
    ]) {
      const { status, stdout, stderr } = await sophia([...how.args, "--", "echo", "started"], {
        env: { ...env, ...CONTRACT_VALUES, ...how.variables },
      });
      expect(status).toBe(125);
      expect(stdout).toBe("");
      expect(stderr).toContain("required");
    }
  });

  test.each([{}, { ESC_ENV: NAME }, { ESC_TOKEN: "pul-x" }])(
    "--require-esc with %j names the missing variables",
    async (env) => {
      const { status, stderr } = await sophia(["--require-esc", "--", "true"], { env: { ...CONTRACT_VALUES, ...env } });
      expect(status).toBe(125);
      for (const name of ["ESC_ENV", "ESC_TOKEN"]) expect(stderr).toContain(name);
      expectWording(stderr);
    },
  );

  test.each([
    [{ ESC_ENV: NAME }, /warning: .*ESC_ENV is set but ESC_TOKEN/],
    [{ ESC_TOKEN: "pul-x" }, /warning: .*ESC_TOKEN is set but ESC_ENV/],
  ])("a start warns if only one of both settings is set: %j", async (env, warning) => {
    const { status, stderr } = await sophia(["--", "true"], { env: { ...CONTRACT_VALUES, ...env } });
    expect(status).toBe(0);
    expect(stderr).toMatch(warning);
    // Without a token two lines say how the PULUMI_ACCESS_TOKEN of the contract opens ESC.
    expect(stderr.trim().split("\n")).toHaveLength("ESC_ENV" in env ? 3 : 1);
  });
});

describe("the exit status of a start", () => {
  const env = CONTRACT_VALUES;

  test.each([0, 1, 7, 78, 125, 126, 127, 130, 255])("is the program's own: %i", async (status) => {
    expect(await sophia(["--", "sh", "-c", `exit ${status}`], { env })).toMatchObject({
      status,
      signal: null,
      stderr: "",
    });
  });

  test.each(["SIGTERM", "SIGKILL", "SIGINT", "SIGUSR1"] as const)(
    "is that of a program that dies by %s",
    async (signal) => {
      expect(await sophia(["--", "sh", "-c", `kill -${signal.slice(3)} $$`], { env })).toMatchObject({
        status: null,
        signal,
      });
    },
  );

  test.each([
    ["no-such-command", 127, "not found"],
    ["", 127, "not found"],
    ["/", 126, "directory"],
    ["/etc/passwd", 126, "permission"],
  ])("says that the program cannot be started: %j", async (command, status, words) => {
    const result = await sophia(["--", command], { env });
    expect(result).toMatchObject({ status, stdout: "" });
    expect(result.stderr.toLowerCase()).toContain(words);
    expect(result.stderr.trim().split("\n")).toHaveLength(1);
  });

  test("is 78 if the contract is not met, and not with --no-contract", async () => {
    expect(await sophia(["--", "true"])).toMatchObject({ status: 78, stdout: "" });
    expect(await sophia(["--no-contract", "--", "true"])).toMatchObject({ status: 0, stderr: "" });
    expect(await sophia(["--", "true"], { env: { SOPHIA_NO_CONTRACT: "1" } })).toMatchObject({ status: 0, stderr: "" });
  });
});

test("a start passes the arguments after -- byte for byte", async () => {
  const words = ["007", "1e3", "--help", "--", "", "-abc", "a b", "ä\n$HOME`'\"\\", "--no-contract"];
  const { stdout } = await sophia(["--no-contract", "--", "printf", "%s\\0", ...words]);
  expect(stdout.split("\0").slice(0, -1)).toEqual(words);
});

test("the program reads the standard input", async () => {
  expect((await sophia(["--no-contract", "--", "cat"], { input: "through" })).stdout).toBe("through");
});
