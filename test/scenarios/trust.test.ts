import { describe, expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../esc-server/index.ts";
import { environmentOf, folder, sophia, unwrapped } from "../helpers/sophia.ts";

const NAME = "acme/sophia/dev";

async function esc(values: Readonly<Record<string, string>> = {}) {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment(NAME, { values });
  return { ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
}

describe("variables that make other programs run code", () => {
  const file = "LD_PRELOAD=./x.so\nBASH_ENV=./x.sh\nNODE_OPTIONS=--require ./x.js\nPYTHONPATH=src\nEDITOR=vi\n";
  const passed = { PYTHONPATH: "src", EDITOR: "vi" };

  test("are withheld from a .env that was found, and named in one line", async () => {
    const { stdout, stderr, status } = await sophia(["--no-contract", "--", "env"], { cwd: folder({ ".env": file }) });
    expect(status).toBe(0);
    expect(environmentOf(stdout)).toMatchObject(passed);
    for (const name of ["LD_PRELOAD", "BASH_ENV", "NODE_OPTIONS"])
      expect(environmentOf(stdout)).not.toHaveProperty(name);
    expect(unwrapped(stderr)).toMatch(
      /^sophia-run: warning: LD_PRELOAD, BASH_ENV and NODE_OPTIONS in \.env .*--allow LD_PRELOAD,BASH_ENV,NODE_OPTIONS.*\n$/,
    );
    for (const line of stderr.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  test("a harmless NODE_OPTIONS passes in silence", async () => {
    const cwd = folder({ ".env": "NODE_OPTIONS=--max-old-space-size=4096\nJAVA_TOOL_OPTIONS=-Xmx1g\n" });
    const { stdout, stderr } = await sophia(["--no-contract", "--", "env"], { cwd });
    expect(stderr).toBe("");
    expect(environmentOf(stdout)).toMatchObject({
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
  ])("pass by %s", async (_, options, env) => {
    const cwd = folder({ ".env": "BASH_ENV=./x.sh\nENV=./y.sh\n" });
    const { stdout, stderr } = await sophia(["--no-contract", ...options, "--", "env"], { cwd, env });
    expect(stderr).toBe("");
    expect(environmentOf(stdout)).toMatchObject({ BASH_ENV: "./x.sh", ENV: "./y.sh" });
  });

  test("pass where the contract declares them; a name and its alias are one", async () => {
    const cwd = folder({ "sophia.contract.json": contract, ".env": "BASH_ENV=./x.sh\nBASH_ENV_2=./y\nZDOTDIR=z\n" });
    const { stdout, stderr } = await sophia(["--", "env"], { cwd });
    expect(environmentOf(stdout)).toMatchObject({ BASH_ENV: "./x.sh", LD_AUDIT: "./y" });
    expect(unwrapped(stderr)).toMatch(/warning: ZDOTDIR in \.env .*--allow ZDOTDIR/);
  });

  test("pass from ESC and from the caller", async () => {
    const env = { ...(await esc({ BASH_ENV: "./esc.sh" })), ESC_ENV: NAME, PERL5OPT: "-w" };
    const { stdout, stderr } = await sophia(["--no-contract", "--", "/usr/bin/env"], { env });
    expect(stderr).toBe("");
    expect(environmentOf(stdout)).toMatchObject({ BASH_ENV: "./esc.sh", PERL5OPT: "-w" });
  });

  test("a file's value that the caller's hides is no matter", async () => {
    const cwd = folder({ ".env": "PERL5OPT=-Mx\n" });
    const { stdout, stderr } = await sophia(["--no-contract", "--", "/usr/bin/env"], { cwd, env: { PERL5OPT: "-w" } });
    expect([stderr, environmentOf(stdout)["PERL5OPT"]]).toEqual(["", "-w"]);
  });

  test("explain says so, and a flood of them is cut short", async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `GIT_CONFIG_KEY_${index}`);
    const cwd = folder({ ".env": names.map((name) => `${name}=x\n`).join("") });
    const { stdout, stderr } = await sophia(["explain", "GIT_CONFIG_KEY_7"], { cwd });
    expect(unwrapped(stdout)).toContain("without --allow, since it makes other programs run code");
    expect(stderr.length).toBeLessThan(1000);
    const started = await sophia(["--no-contract", "--", "true"], { cwd });
    expect(unwrapped(started.stderr)).toContain("GIT_CONFIG_KEY_9 and 990 more in .env are not passed on");
  });

  test("are no defaults of a contract", async () => {
    const cwd = folder({ "sophia.contract.json": '{"variables":{"BASH_ENV":{"default":"./x"}}}' });
    const { status, stderr } = await sophia(["--", "true"], { cwd });
    expect(status).toBe(125);
    expect(unwrapped(stderr)).toContain("a default of BASH_ENV would make other programs run code");
  });
});

describe("a .env that decides what the caller's token opens", () => {
  test("is told, --quiet drops that, and --require-esc refuses it", async () => {
    const env = await esc({ GREETING: "hello" });
    const cwd = folder({ ".env": `ESC_ENV=${NAME}\n` });
    const told = await sophia(["--no-contract", "--", "/usr/bin/env"], { cwd, env });
    expect(environmentOf(told.stdout)).toMatchObject({ GREETING: "hello" });
    expect(unwrapped(told.stderr)).toMatch(/^sophia-run: ESC_ENV in \.env .* ESC_TOKEN of the environment .*\n$/);
    expect((await sophia(["--no-contract", "-q", "--", "true"], { cwd, env })).stderr).toBe("");
    const refused = await sophia(["--no-contract", "--require-esc", "--", "true"], { cwd, env });
    expect(refused.status).toBe(125);
    expect(unwrapped(refused.stderr)).toBe(
      "sophia-run: ESC is required, and ESC_ENV in .env would decide what ESC_TOKEN of the environment opens " +
        "set ESC_ENV in the environment\n",
    );
    const own = await sophia(["--no-contract", "--require-esc", "--", "true"], { cwd, env: { ...env, ESC_ENV: NAME } });
    expect(own).toMatchObject({ status: 0, stderr: "" });
  });
});
