import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../esc-server/index.ts";
import { parseEnvironment, folder, sophia, unwrapLines } from "../helpers/sophia.ts";

const NAME = "acme/sophia/dev";

async function startEsc(values: Readonly<Record<string, string>> = {}) {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment(NAME, { values });
  return { ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
}

describe("variables that make other programs run code", () => {
  const file = "LD_PRELOAD=./x.so\nBASH_ENV=./x.sh\nNODE_OPTIONS=--require ./x.js\nPYTHONPATH=src\nEDITOR=vi\n";
  const passed = { PYTHONPATH: "src", EDITOR: "vi" };

  test("are withheld from a found .env file, and named in one line", async () => {
    const { stdout, stderr, status } = await sophia(["--no-contract", "--", "env"], { cwd: folder({ ".env": file }) });
    expect(status).toBe(0);
    expect(parseEnvironment(stdout)).toMatchObject(passed);
    for (const name of ["LD_PRELOAD", "BASH_ENV", "NODE_OPTIONS"])
      expect(parseEnvironment(stdout)).not.toHaveProperty(name);
    expect(unwrapLines(stderr)).toMatch(
      /^sophia-run: warning: LD_PRELOAD, BASH_ENV and NODE_OPTIONS in \.env [^\n]*\n$/,
    );
    expect(unwrapLines(stderr)).toContain("--allow LD_PRELOAD,BASH_ENV,NODE_OPTIONS");
    for (const line of stderr.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  test("include those by which Node.js takes messages from a descriptor; the caller's allowance passes them on", async () => {
    const cwd = folder({ ".env": "NODE_CHANNEL_FD=7\nNODE_CHANNEL_SERIALIZATION_MODE=json\n" });
    const names = "NODE_CHANNEL_FD,NODE_CHANNEL_SERIALIZATION_MODE";
    const found = await sophia(["--no-contract", "--", "env"], { cwd });
    expect(parseEnvironment(found.stdout)).not.toHaveProperty("NODE_CHANNEL_FD");
    expect(unwrapLines(found.stderr)).toContain(`--allow ${names}`);
    const allowed = await sophia(["--no-contract", "--allow", names, "--", "env"], { cwd });
    expect(parseEnvironment(allowed.stdout)).toMatchObject({ NODE_CHANNEL_FD: "7" });
  });

  test("are passed on without a message if NODE_OPTIONS is harmless", async () => {
    const cwd = folder({ ".env": "NODE_OPTIONS=--max-old-space-size=4096\nJAVA_TOOL_OPTIONS=-Xmx1g\n" });
    const { stdout, stderr } = await sophia(["--no-contract", "--", "env"], { cwd });
    expect(stderr).toBe("");
    expect(parseEnvironment(stdout)).toMatchObject({
      NODE_OPTIONS: "--max-old-space-size=4096",
      JAVA_TOOL_OPTIONS: "-Xmx1g",
    });
  });

  const contract = JSON.stringify({ variables: { BASH_ENV: {}, LD_AUDIT: { aliases: ["BASH_ENV_2"] } } });

  test.each<[string, readonly string[], Readonly<Record<string, string>>, Readonly<Record<string, string>>]>([
    ["the option, with commas", ["--allow", "BASH_ENV,ENV"], {}, {}],
    ["the option, twice", ["--allow", "BASH_ENV", "--allow", "ENV"], {}, {}],
    ["the caller's variable", [], { SOPHIA_ALLOW: "BASH_ENV,ENV" }, {}],
    ["a file that is named", ["--dotenv", ".env"], {}, {}],
    ["a file that the caller's variable names", [], { SOPHIA_DOTENV: ".env" }, {}],
  ])("are passed on %s", async (_, options, env) => {
    const cwd = folder({ ".env": "BASH_ENV=./x.sh\nENV=./y.sh\n" });
    const { stdout, stderr } = await sophia(["--no-contract", ...options, "--", "env"], { cwd, env });
    expect(stderr).toBe("");
    expect(parseEnvironment(stdout)).toMatchObject({ BASH_ENV: "./x.sh", ENV: "./y.sh" });
  });

  test("are passed on if the contract declares them or their alias", async () => {
    const cwd = folder({ "sophia.contract.json": contract, ".env": "BASH_ENV=./x.sh\nBASH_ENV_2=./y\nZDOTDIR=z\n" });
    const { stdout, stderr } = await sophia(["--", "env"], { cwd });
    expect(parseEnvironment(stdout)).toMatchObject({ BASH_ENV: "./x.sh", LD_AUDIT: "./y" });
    expect(unwrapLines(stderr)).toMatch(/^sophia-run: warning: ZDOTDIR in \.env .*--allow ZDOTDIR/);
  });

  test("are passed on from ESC and from the caller", async () => {
    const env = { ...(await startEsc({ BASH_ENV: "./esc.sh" })), ESC_ENV: NAME, PERL5OPT: "-w" };
    const { stdout, stderr } = await sophia(["--no-contract", "--", "/usr/bin/env"], { env });
    expect(stderr).toBe("");
    expect(parseEnvironment(stdout)).toMatchObject({ BASH_ENV: "./esc.sh", PERL5OPT: "-w" });
  });

  test("need no warning if the caller overrides them", async () => {
    const cwd = folder({ ".env": "PERL5OPT=-Mx\n" });
    const { stdout, stderr } = await sophia(["--no-contract", "--", "/usr/bin/env"], { cwd, env: { PERL5OPT: "-w" } });
    expect([stderr, parseEnvironment(stdout)["PERL5OPT"]]).toEqual(["", "-w"]);
  });

  test("are shown by explain, and many of them by their number", async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `GIT_CONFIG_KEY_${index}`);
    const cwd = folder({ ".env": names.map((name) => `${name}=x\n`).join("") });
    const { stdout, stderr } = await sophia(["explain", "GIT_CONFIG_KEY_7"], { cwd });
    expect(unwrapLines(stdout)).toContain("without --allow");
    expect(stderr.length).toBeLessThan(1000);
    const started = await sophia(["--no-contract", "--", "true"], { cwd });
    expect(unwrapLines(started.stderr)).toContain("_9 and 990 more in .env");
  });

  test("may not be defaults of a contract", async () => {
    const cwd = folder({ "sophia.contract.json": '{"variables":{"BASH_ENV":{"default":"./x"}}}' });
    const { status, stderr } = await sophia(["--", "true"], { cwd });
    expect(status).toBe(125);
    expect(unwrapLines(stderr)).toContain("default of BASH_ENV");
  });
});

describe("a .env file that selects the environment for the caller's token", () => {
  test("is reported unless --quiet is given, and refused by --require-esc", async () => {
    const env = await startEsc({ GREETING: "hello" });
    const cwd = folder({ ".env": `ESC_ENV=${NAME}\n` });
    const told = await sophia(["--no-contract", "--", "/usr/bin/env"], { cwd, env });
    expect(parseEnvironment(told.stdout)).toMatchObject({ GREETING: "hello" });
    expect(unwrapLines(told.stderr)).toMatch(/^sophia-run: ESC_ENV in \.env [^\n]*ESC_TOKEN[^\n]*\n$/);
    expect((await sophia(["--no-contract", "-q", "--", "true"], { cwd, env })).stderr).toBe("");
    const refused = await sophia(["--no-contract", "--require-esc", "--", "true"], { cwd, env });
    expect(refused.status).toBe(125);
    expect(unwrapLines(refused.stderr)).toMatch(/ESC_ENV in \.env .*ESC_TOKEN/);
    const own = await sophia(["--no-contract", "--require-esc", "--", "true"], { cwd, env: { ...env, ESC_ENV: NAME } });
    expect(own).toMatchObject({ status: 0, stderr: "" });
  });
});

/** Characters that a terminal executes or reorders. */
const UNSAFE = "\u001B]0;x\u0007\u009B31m\u202E";

describe("control characters of a repository are shown escaped, in commands to paste as well", () => {
  const contract = JSON.stringify({ variables: { KEY: {} } });
  const headers = JSON.stringify({ variables: { OPENAI_API_KEY: { broker: { headers: ["X-Key"] } } } });
  const outside = JSON.stringify({ extends: "../../outside.json", variables: {} });

  test.each<[what: string, file: string, text: string, mode: number, args: readonly string[], command: string]>([
    ["a world-writable folder", "sophia.contract.json", contract, 0o644, ["--", "true"], "chmod o-w "],
    ["a world-writable file", "sophia.contract.json", contract, 0o666, ["--", "true"], "--contract "],
    ["a .env", ".env", "KEY=1\n", 0o666, ["--", "true"], "--dotenv "],
    ["a contract that leaves it", "sophia.contract.json", outside, 0o644, ["--", "true"], "--contract "],
    ["a contract of the broker", "sophia.contract.json", headers, 0o644, ["--broker", "--", "true"], "--contract "],
  ])("in the folder's name: %s", async (what, file, text, mode, args, command) => {
    const above = join(folder(), `it's ${UNSAFE}`);
    const cwd = join(above, "below");
    mkdirSync(cwd, { recursive: true });
    writeFileSync(join(above, "sophia.contract.json"), contract);
    writeFileSync(join(above, file), text);
    chmodSync(join(above, file), mode);
    if (what === "a world-writable folder") chmodSync(above, 0o777);
    const { stderr } = await sophia(args, { cwd, env: { OPENAI_API_KEY: "sk-0123456789" } });
    // oxlint-disable-next-line no-control-regex -- control characters must be matched
    expect(stderr).not.toMatch(/[\0-\u0009\u000B-\u001F\u007F-\u009F\u202E]/);
    expect(unwrapLines(stderr)).toContain(command);
    expect(stderr).toContain(String.raw`\u001b]0;x\u0007\u009b31m\u202e`);
  });

  test("in a script of package.json", async () => {
    const cwd = folder({ "package.json": JSON.stringify({ scripts: { start: `node ${UNSAFE}` } }) });
    const { status, stdout } = await sophia(["init"], { cwd });
    expect(status).toBe(0);
    expect(stdout).toContain(String.raw`\u009b31m\u202e`);
    expect(stdout).not.toMatch(/[\u0080-\u009F\u202E]/);
  });
});
