import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commandLine, type ProcessResult, run } from "../../scripts/demo/command.ts";
import { makePaint } from "../../scripts/demo/paint.ts";
import { openWorld } from "../../scripts/demo/world.ts";
import { columnsOf } from "../../src/core/lines.ts";
import { cleanPath } from "../helpers/pack.ts";
import { folder } from "../helpers/sophia.ts";
import { startProcess } from "../helpers/start-process.ts";
import { startAtTerminal } from "../helpers/terminal.ts";

const root = join(import.meta.dirname, "../..");

describe("npm run demo", () => {
  const temporary = mkdtempSync(join(tmpdir(), "sophia-run-test-"));
  let demo: ProcessResult;

  beforeAll(async () => {
    const words = ["npm", "run", "--silent", "demo"] as const;
    demo = await run({ words }, { cwd: root, environment: hostileEnvironment(temporary) });
  });
  afterAll(() => rmSync(temporary, { recursive: true, force: true }));

  test("has the announced results, and prints nothing on stderr", () => {
    expect(demo).toMatchObject({ status: 0, signal: null, stderr: "" });
    expect(demo.stdout).toMatch(/^Everything went as announced, in \d+\.\d s\./m);
    expect(demo.stdout).not.toContain("✗ it does not");
  });

  test.each([
    ["the lines to fix in a .env", /✗ PORT must be a port.*\n +correct it in \.env, line 2\n[^$]*→ exit status 78$/m],
    ["the start of the project without ESC", /^database on localhost, .*, port 8080\n→ exit status 0$/m],
    ["what a coding agent reads", /^DATABASE_URL=\*{3}\nPORT=8080\nSTRIPE_API_KEY=\*{3}\n→ exit status 0$/m],
    ["the smoke check", /^\$ sophia-run check\n=== Configuration check: sample ===$/m],
    ["its summary", /^✅ All checks passed! Configuration loaded from ESC\n→ exit status 0$/m],
    ["the command line of a run", /^\$ QDRANT_URL=\S+ sophia-run -- node app\.js$/m],
    ["a value of ESC, masked", /^PULUMI_ACCESS_TOKEN +\*{3}9f3c +ESC demo-org\/sophia\/dev$/m],
    ["a value of an imported environment", /^DATABASE_URL +\*{3}phia +ESC.* sophia\/base$/m],
    ["a value of the environment", /^QDRANT_URL +\*{3}6333 +.*environment$/m],
    ["a value of .env", /^FEATURE_FLAGS +new-search +\.env, line 4$/m],
    ["that the token stays behind", /^ESC_TOKEN +not set +withheld$/m],
    ["the end of the secret file", /→ the secret file is gone/],
    ["a line for a shell", /^export QDRANT_API_KEY\n→ exit status 0$/m],
    ["a signal that is forwarded", /^serving\nSIGTERM: finishing the last request\n→ exit status 0$/m],
    ["an exit status", /^\$ sophia-run -- sh -c 'exit 7'\n→ exit status 7$/m],
    ["a death by signal", /^\$ sophia-run -- sh -c 'kill -TERM \$\$'\n→ killed by SIGTERM$/m],
    ["status 127", /→ exit status 127$/m],
    ["status 126", /→ exit status 126$/m],
    ["status 125", /→ exit status 125$/m],
    ["an unmet contract", /✗ QDRANT_API_KEY .*\n(?: .*\n)+?→ exit status 78$/m],
    [
      "the dummy of a brokered key",
      /^my key: sk-sophia-\w{32}\naddress: http:\/\/127\.0\.0\.1:\d+\/v1\nanswer: hello$/m,
    ],
    ["that the service got the key itself", /^→ the service got the key \*{3}83f2/m],
    ["emergency access", /demo-org\/sophia\/dev [^;]*ECONNREFUSED/],
    ["a value of the environment without ESC", /^QDRANT_API_KEY +\*{3}e1f2 +.*environment$/m],
    ["a value of .env without ESC", /^GITHUB_PAT +\*{3}a1b2 +\.env, line 2$/m],
  ])("shows %s", (_, line) => {
    expect(demo.stdout).toMatch(line);
  });

  test("prints no secret, and no variable of its caller", async () => {
    const secrets = await everySecret();
    expect(secrets.length).toBeGreaterThan(20);
    for (const secret of secrets) expect(demo.stdout).not.toContain(secret);
    expect(demo.stdout).not.toContain("of-the-caller");
    // A token of the ESC server's own making: pul- and forty digits.
    expect(demo.stdout).not.toMatch(/pul-[0-9a-f]{12}/);
  });

  test("needs no terminal wider than 80 columns", () => {
    // A path is one word.
    const wide = demo.stdout.split("\n").filter((line) => Array.from(line).length > 80 && !/^ *\/\S+$/.test(line));
    expect(wide).toEqual([]);
  });

  test("leaves no file and no process behind", () => {
    expect(listRemains(temporary)).toEqual([]);
  });

  test("has no colours unless it writes to a terminal", () => {
    expect(stripVTControlCharacters(demo.stdout)).toBe(demo.stdout);
  });
});

test("npm run demo uses colours only at terminals, and never with NO_COLOR", () => {
  const coloured = "\u001B[1mtext\u001B[0m";
  expect(makePaint(true, {})("heading", "text")).toBe(coloured);
  expect(makePaint(true, { NO_COLOR: "" })("heading", "text")).toBe(coloured);
  expect(makePaint(true, { NO_COLOR: "1" })("heading", "text")).toBe("text");
  expect(makePaint(true, { TERM: "dumb" })("heading", "text")).toBe("text");
  expect(makePaint(false, {})("heading", "text")).toBe("text");
});

describe("npm run demo, on a real terminal,", () => {
  test("has colours", async () => {
    const { status, stdout } = await inTerminal({});
    expect(status).toBe(0);
    expect(stdout).toContain("\u001B[1;36m$ sophia-run check\u001B[0m");
  });

  test("of 50 columns it wraps between words, without colours if NO_COLOR is set", async () => {
    const { status, stdout } = await inTerminal({ NO_COLOR: "1" }, 50);
    expect(status).toBe(0);
    expect(stdout).toContain("\n$ sophia-run check\r\n");
    const lines = stdout.split("\r\n");
    // Command lines, and what a program wrote in one word.
    expect(
      lines.filter((line) => columnsOf(line) > 50 && !/^(?:\$ |\s*\S+$| .* \\?$)|sophia-run |pulumi /.test(line)),
    ).toEqual([]);
    expect(stdout).not.toMatch(/\w…$/m);
  });
});

test("a shell can parse the command line that npm run demo displays", async () => {
  const words = ["printf", "%s\n", "a b", "it's", "$HOME", "", "007", "--x=y"] as const;
  const line = commandLine({ variables: { NAME: "a 'b'" }, words: ["sh", "-c", 'echo "$NAME"; "$@"', "sh", ...words] });
  const shell = startProcess(["sh", "-c", line], { cwd: folder(), env: { PATH: cleanPath } });
  expect((await shell.finished).stdout).toBe("a 'b'\na b\nit's\n$HOME\n\n007\n--x=y\n");
});

test("npm run demo -- --serve runs a server until SIGTERM to npm, and the commands that it prints work", async () => {
  const temporary = folder();
  const demo = startProcess(["npm", "run", "--silent", "demo", "--", "--serve"], {
    cwd: root,
    env: hostileEnvironment(temporary),
  });
  const [printed] = await demo.waitForStdout(/^[^]*sophia-run set .*\n/);
  const lines = printed.split("\n").filter((line) => line !== "");
  const commands = lines.filter((line) => line.startsWith("#   ")).map((line) => line.slice(4));
  expect(commands).toHaveLength(7);
  const paste = lines.filter((line) => !line.startsWith("#")).join("\n");
  const set = commands.at(-1) ?? "";
  const staging = commands.at(-2) ?? "";
  const shell = startProcess(
    [
      "bash",
      "--norc",
      "-c",
      [paste, ...commands.slice(0, -1), "echo status $?", `echo fake | ${set}`, staging].join("\n"),
    ],
    { cwd: folder(), env: { PATH: cleanPath } },
  );
  const { status, stdout } = await shell.finished;
  expect(status).toBe(0);
  for (const fragment of [
    /All checks passed! Configuration loaded from ESC[^]*PULUMI_ACCESS_TOKEN +\*{3}9f3c/,
    /FEATURE_FLAGS {2}secret\n[^]*--dry-run/,
    /QDRANT_API_KEY has a new value/,
    // A secret is missing, and then set.
    /^status 78\n[^]*QDRANT_API_KEY written and read back[^]*^PULUMI_ACCESS_TOKEN +\*{3}e5f6/m,
  ]) {
    expect(stdout).toMatch(fragment);
  }
  process.kill(demo.pid, "SIGTERM");
  await demo.finished;
  expect(listRemains(temporary)).toEqual([]);
});

test.each([
  ["SIGTERM", "the first scene", /\$ sophia-run init/, 2],
  ["SIGTERM", "the scenes with ESC", /Configuration check: sample/, 1],
  ["SIGINT", "the scenes with ESC", /Configuration check: sample/, 1],
] as const)("npm run demo ends by %s in %s and cleans up", async (signal, _, fragment, folders) => {
  const temporary = folder();
  const demo = startProcess([process.execPath, "--import", "tsx", "scripts/demo.ts"], {
    cwd: root,
    env: hostileEnvironment(temporary),
  });
  await demo.waitForStdout(fragment);
  expect(listRemains(temporary)).toHaveLength(folders);
  process.kill(demo.pid, signal);
  expect(await demo.finished).toMatchObject({ status: null, signal });
  expect(listRemains(temporary)).toEqual([]);
});

function inTerminal(env: Readonly<Record<string, string>>, columns = 0): Promise<ProcessResult> {
  const surroundings = { ...hostileEnvironment(folder()), TERM: "xterm-256color", ...env };
  return startAtTerminal(["npm", "run", "--silent", "demo"], { cwd: root, env: surroundings }, [], columns).finished;
}

/** Returns the temporary files of the demo. */
function listRemains(temporary: string): readonly string[] {
  return readdirSync(temporary).filter((name) => name.startsWith("sophia-run-"));
}

/** Variables of a developer's shell, none of which may reach the demo's programs. */
function hostileEnvironment(temporary: string): Record<string, string> {
  const home = join(temporary, "home");
  mkdirSync(home);
  return {
    PATH: cleanPath,
    HOME: home,
    TMPDIR: temporary,
    npm_config_cache: join(home, "npm-cache"),
    npm_config_update_notifier: "false",
    ESC_ENV: "of-the-caller/esc",
    ESC_TOKEN: "pul-of-the-caller-0000",
    OPENAI_API_KEY: "sk-of-the-caller-0000",
    SOPHIA_REQUIRE_ESC: "1",
    SOPHIA_QUIET: "1",
    HTTP_PROXY: "http://127.0.0.1:1/",
  };
}

/** Every secret of the environments that the demo reads, in plain text, read through the API. */
async function everySecret(): Promise<readonly string[]> {
  const world = await openWorld();
  try {
    const { server } = world;
    const headers = {
      Authorization: `token ${server.token}`,
      Accept: "application/vnd.pulumi+8",
      "Content-Type": "application/json",
      "User-Agent": "sophia-run-demo-test",
    };
    const found: string[] = [];
    for (const name of ["demo-org/sophia/dev", "demo-org/sophia/staging"]) {
      const base = `${server.url}/api/esc/environments/${name}/open`;
      const opened: unknown = await (await fetch(base, { method: "POST", headers })).json();
      const id = typeof opened === "object" && opened !== null ? String(Reflect.get(opened, "id")) : "";
      const text = await (await fetch(`${base}/${id}`, { headers })).text();
      JSON.parse(text, (_key, value: unknown) => {
        if (typeof value !== "object" || value === null || Reflect.get(value, "secret") !== true) return value;
        const secret: unknown = Reflect.get(value, "value");
        if (typeof secret === "string") found.push(secret);
        return value;
      });
    }
    expect(server.violations).toEqual([]);
    return [...found, "fake-from-the-env"];
  } finally {
    await world.close();
  }
}
