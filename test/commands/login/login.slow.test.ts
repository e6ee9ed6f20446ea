/** A token without copying one: a command that prints it, and the login of Pulumi's CLI. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import { type EscServer, secret, startEscServer } from "../../esc-server/index.ts";
import { parseEnvironment, folder, sophia, sophiaRun, unwrapLines } from "../../helpers/sophia.ts";
import { atTerminal, startAtTerminal, type Step } from "../../helpers/terminal.ts";
import { expectWording } from "../../helpers/wording.ts";

const NAME = "acme/app/dev";
const PRINT = ["--", "sh", "-c", "echo got $KEY"];
const GOT = "got sentinel-of-dev\n";

async function startEsc(): Promise<EscServer> {
  const server = await startEscServer({ user: { login: "ada", organizations: ["acme", "other"] } });
  onTestFinished(() => server.close());
  server.environment(NAME, { values: { KEY: secret("sentinel-of-dev") } });
  return server;
}

async function commandWorld() {
  const server = await startEsc();
  const cwd = folder({ "sophia.contract.json": '{"variables":{"KEY":{}}}', token: `${server.token}\n` });
  const env = { PULUMI_BACKEND_URL: server.url, ESC_ENV: NAME };
  const run = (command: string, args: readonly string[] = PRINT, more: Readonly<Record<string, string>> = {}) =>
    sophia(args, { cwd, env: { ...env, ESC_TOKEN_COMMAND: command, ...more } });
  return { server, cwd, env, run };
}

describe("the command in ESC_TOKEN_COMMAND", () => {
  test("is run by sh in the caller's environment, once, and its standard error is passed on", async () => {
    const { run, cwd } = await commandWorld();
    const result = await run('echo run >> runs; echo "asks $WHO" >&2; cat token', PRINT, { WHO: "you" });
    expect(result).toMatchObject({ status: 0, stdout: GOT, stderr: "asks you\n" });
    expect(readFileSync(join(cwd, "runs"), "utf8")).toBe("run\n");
    const checked = await run("echo run >> runs; cat token", ["check"]);
    expect(checked.stdout).toContain("✅ ESC_TOKEN_COMMAND: ***");
    expect(readFileSync(join(cwd, "runs"), "utf8")).toBe("run\nrun\n");
    const explained = await run("cat token", ["explain"]);
    expect(explained.stdout).toContain("with ESC_TOKEN_COMMAND");
  });

  test("has no standard input, which the program gets", async () => {
    const { cwd, env } = await commandWorld();
    const result = await sophia(["--", "sh", "-c", "cat; echo $KEY"], {
      cwd,
      env: { ...env, ESC_TOKEN_COMMAND: "cat > input; cat token" },
      input: "for the program\n",
    });
    expect(result.stdout).toBe("for the program\nsentinel-of-dev\n");
    expect(readFileSync(join(cwd, "input"), "utf8")).toBe("");
  });

  test("can ask at the terminal", async () => {
    const { cwd, env } = await commandWorld();
    const command = 'printf "passphrase: " > /dev/tty; read -r word < /dev/tty; [ "$word" = sesame ] && cat token';
    const answers: readonly Step[] = [["passphrase: ", "sesame\n"]];
    const { status, stdout } = await atTerminal(PRINT, { cwd, env: { ...env, ESC_TOKEN_COMMAND: command } }, answers);
    expect(status).toBe(0);
    expect(stdout).toContain("got sentinel-of-dev");
  });

  test.each([
    ["a status", "echo not-for-eyes; exit 3", "failed with status 3"],
    ["a signal", "echo not-for-eyes; kill -TERM $$", "was ended by SIGTERM"],
    ["nothing", "true", "printed nothing"],
    ["white space", "echo '  '", "printed nothing"],
    ["two lines", "echo not-for-eyes; echo not-for-eyes", "printed more than one line"],
    ["words", "echo not-for-eyes or ears", "printed what is no token"],
    ["too much", "yes not-for-eyes", "printed more than 64 KiB"],
    ["a command that is not there", "not-there-at-all", "failed with status 127"],
  ])(
    "ends the start by an error if it fails by %s: no later credential is tried, and its output is not shown",
    async (_, command, words) => {
      const { server, cwd, run } = await commandWorld();
      writeFileSync(join(cwd, "id"), "an ID token");
      const behind = { ESC_OIDC_TOKEN_FILE: "id", ESC_OIDC_ORG: "acme" };
      for (const args of [PRINT, ["--cache", ...PRINT], ["check"]]) {
        const result = await run(command, args, behind);
        expect(result).toMatchObject({ status: 125, stdout: "" });
        expect(result.stderr).toContain(`ESC_TOKEN_COMMAND ${words}`);
        expect(result.stderr).not.toContain("not-for-eyes");
      }
      expect(server.count("any")).toBe(0);
    },
  );

  test(
    "is ended after 30 s if it does not end, with the processes that it has started",
    { timeout: 90_000 },
    async () => {
      const { cwd, run } = await commandWorld();
      const result = await run("sleep 300 & echo $! > child; sleep 301");
      expect(result).toMatchObject({ status: 125, stdout: "" });
      expect(result.stderr).toContain("did not end within 30 s");
      const child = Number(readFileSync(join(cwd, "child"), "utf8"));
      expect(existsSync(`/proc/${child}/cmdline`) && readFileSync(`/proc/${child}/cmdline`, "utf8")).toBeFalsy();
    },
  );

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("ends with a start that %s ends", async (signal) => {
    const { cwd, env } = await commandWorld();
    const [command, ...prefix] = sophiaRun;
    // Without a terminal: in a session of its own.
    const start = spawn(command, [...prefix, ...PRINT], {
      cwd,
      env: { PATH: process.env["PATH"], HOME: cwd, ...env, ESC_TOKEN_COMMAND: "echo asks >&2; sleep 300" },
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
    });
    await once(createInterface(start.stderr), "line");
    start.kill(signal);
    // Only once nothing has the standard error open any more.
    expect(await once(start, "close")).toStrictEqual([null, signal]);
  });

  test("is used after a token and a token file, and before an ID token", async () => {
    const { server, run } = await commandWorld();
    expect((await run("exit 1", PRINT, { ESC_TOKEN: server.token })).stdout).toBe(GOT);
    expect((await run("exit 1", PRINT, { ESC_TOKEN_FILE: "token" })).stdout).toBe(GOT);
    expect((await run("cat token", PRINT, { ESC_OIDC_TOKEN_FILE: "absent", ESC_OIDC_ORG: "acme" })).stdout).toBe(GOT);
  });

  test("is never read from a file, and never passed on from one", async () => {
    const { cwd, env, server } = await commandWorld();
    writeFileSync(join(cwd, ".env"), "ESC_TOKEN_COMMAND=touch run; cat token\n", { mode: 0o600 });
    const result = await sophia(["--no-contract", "--", "env"], { cwd, env });
    expect(parseEnvironment(result.stdout)).not.toHaveProperty("ESC_TOKEN_COMMAND");
    expect(unwrapLines(result.stderr)).toContain("ESC_TOKEN_COMMAND in .env is ignored");
    expect(existsSync(join(cwd, "run"))).toBe(false);
    expect(server.count("any")).toBe(0);
  });

  test("is not passed on to the program, unless --keep-esc is given", async () => {
    const { run } = await commandWorld();
    expect(parseEnvironment((await run("cat token", ["--", "env"])).stdout)).not.toHaveProperty("ESC_TOKEN_COMMAND");
    const kept = await run("cat token", ["--keep-esc", "--", "env"]);
    expect(parseEnvironment(kept.stdout)).toMatchObject({ ESC_TOKEN_COMMAND: "cat token" });
  });

  test("is run only once the environment is allowed", async () => {
    const { server, cwd } = await commandWorld();
    writeFileSync(join(cwd, "sophia.contract.json"), JSON.stringify({ environment: NAME, variables: { KEY: {} } }));
    const env = { PULUMI_BACKEND_URL: server.url, ESC_TOKEN_COMMAND: "touch run; cat token" };
    expect((await sophia(PRINT, { cwd, env })).stdout).toBe("got\n");
    expect(existsSync(join(cwd, "run"))).toBe(false);
    const allowed = await sophia(PRINT, { cwd, env: { ...env, SOPHIA_ALLOW_ENVIRONMENT: NAME } });
    expect(allowed.stdout).toBe(GOT);
  });

  test("allows the use of the cache as a token does", async () => {
    const { server, run } = await commandWorld();
    expect((await run("cat token", ["--cache", ...PRINT])).stdout).toBe(GOT);
    server.reset();
    expect((await run("cat token", ["--cache-fresh", "1h", ...PRINT])).stdout).toBe(GOT);
    expect(server.count("any")).toBe(0);
  });
});

/** What `pulumi login` writes. */
function credentials(url: string, token: string): string {
  const account = {
    accessToken: token,
    username: "ada",
    organizations: ["acme"],
    lastValidatedAt: "2026-01-01T00:00:00Z",
  };
  return JSON.stringify({ current: url, accessTokens: { [url]: token }, accounts: { [url]: account } });
}

async function loginWorld() {
  const server = await startEsc();
  const cwd = folder({
    "sophia.contract.json": JSON.stringify({ environment: NAME, variables: { KEY: { required: true } } }),
  });
  mkdirSync(join(cwd, ".pulumi"), { mode: 0o700 });
  const file = join(cwd, ".pulumi/credentials.json");
  writeFileSync(file, credentials(server.url, server.token), { mode: 0o600 });
  const allowed = { SOPHIA_ALLOW_ENVIRONMENT: NAME };
  /** At a terminal, as people work. */
  const type = (
    args: readonly string[],
    more: Readonly<Record<string, string>> = allowed,
    answers: readonly Step[] = [],
  ) => atTerminal(args, { cwd, env: more }, answers);
  return { server, cwd, file, type, allowed, settings: join(cwd, ".config/sophia-run/settings.json") };
}

describe("the login of sophia-run", () => {
  test("asks the service whose token it is, and remembers the service alone", async () => {
    const { server, settings, type } = await loginWorld();
    const result = await type(["login"]);
    expect(result.status).toBe(0);
    expectWording(result.stdout.replaceAll("\r", ""));
    expect(server.calls.map(({ operation }) => operation)).toStrictEqual(["user"]);
    expect(statSync(settings).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(settings, "utf8"))).toStrictEqual({ version: 1, login: { backend: server.url } });
    expect((await type(["login", "--status"])).status).toBe(0);
    expect((await type(PRINT)).stdout).toBe("got sentinel-of-dev\r\n");
  });

  test("is all that a clone needs, with a single yes", async () => {
    const { type } = await loginWorld();
    const before = await type(PRINT, {});
    expect(before.status).toBe(78);
    expect(before.stdout.replaceAll(/\s+/g, " ")).toContain("pulumi login, then sophia-run login");
    await type(["login"], {});
    const first = await type(PRINT, {}, [["from now on?", "y\n"]]);
    expect(first.stdout).toContain("the login of Pulumi's CLI");
    expect(first.stdout).toContain("got sentinel-of-dev");
    expect((await type(PRINT, {})).stdout).toBe("got sentinel-of-dev\r\n");
  });

  test("is called personal by check and explain, and does not reach the program", async () => {
    const { server, type } = await loginWorld();
    await type(["login"]);
    const checked = await type(["check"]);
    expect(checked.stdout).toContain("Login of Pulumi's CLI: ***");
    expect(checked.stdout).toContain("personal: it may write");
    expect((await type(["explain"])).stdout.replaceAll(/\s+/g, " ")).toContain("personal: it may write");
    const printed = await type(["--keep-esc", "--", "env"]);
    expect(printed.stdout).toContain("KEY=sentinel-of-dev");
    expect(printed.stdout).not.toContain(server.token);
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ["in CI", { CI: "true" }],
    ["for another service", { PULUMI_BACKEND_URL: "http://127.0.0.1:9" }],
  ])("is not used %s", async (_, more) => {
    const { server, type, allowed } = await loginWorld();
    await type(["login"]);
    server.reset();
    const result = await type(PRINT, { ...allowed, ...more });
    expect(result.status).toBe(78);
    expect(server.count("any")).toBe(0);
    expect((await type(["login", "--status"], { ...allowed, ...more })).status).toBe(1);
  });

  test("is not used without a controlling terminal, and is used for its own service", async () => {
    const { server, cwd, type, allowed } = await loginWorld();
    await type(["login"]);
    server.reset();
    const alone = ["setsid", "-w", ...sophiaRun, ...PRINT];
    const { stdout, status } = await atTerminalOf(alone, cwd, allowed);
    expect(stdout).not.toContain("got sentinel");
    expect(status).toBe(78);
    expect(server.count("any")).toBe(0);
    expect((await type(PRINT, { ...allowed, PULUMI_BACKEND_URL: `${server.url}/` })).stdout).toContain(
      "got sentinel-of-dev",
    );
  });

  test("does not decide where another token goes, and a .env file does not decide where this token goes", async () => {
    const { server, cwd, type, allowed } = await loginWorld();
    await type(["login"]);
    const other = await startEsc();
    writeFileSync(join(cwd, ".env"), `PULUMI_BACKEND_URL=${other.url}\n`, { mode: 0o600 });
    expect((await type(PRINT)).stdout).toContain("got sentinel-of-dev");
    expect(other.count("any")).toBe(0);
    server.reset();
    const own = { ...allowed, PULUMI_BACKEND_URL: other.url, ESC_TOKEN: other.token };
    expect((await type(PRINT, own)).stdout).toContain("got sentinel-of-dev");
    expect(server.count("any")).toBe(0);
  });

  test("decides to which service a command that writes sends its token", async () => {
    const { server, type, allowed } = await loginWorld();
    await type(["login"]);
    server.reset();
    const answer = (value: string): Step => ["alue of KEY", `${value}\n`];
    const set = ["set", "KEY", "--yes", "--overwrite"];
    const typedRun = await type(set, { ...allowed, ESC_ADMIN_TOKEN: server.token }, [answer("second-value")]);
    expect(typedRun.status).toBe(0);
    const typed = await type(set, allowed, [["may open and write", `${server.token}\n`], answer("third-value")]);
    expect(typed.status).toBe(0);
    expect(server.count("update")).toBe(2);
    const audited = await type(["audit", "--json"], { ...allowed, ESC_ADMIN_TOKEN: server.token });
    expect(audited.status).toBe(0);
    // Another credential is of another service: Pulumi Cloud, unless PULUMI_BACKEND_URL names it.
    server.reset();
    const other = { ...allowed, ESC_ADMIN_TOKEN: server.token, ESC_TOKEN: "of-pulumi-cloud" };
    const unreachable = { HTTPS_PROXY: "http://127.0.0.1:9" };
    const elsewhere = await type(set, { ...other, ...unreachable }, [answer("fourth-value")]);
    expect(elsewhere.status).toBe(125);
    expect(elsewhere.stdout).toContain("127.0.0.1:9 refused");
    expect(server.count("any")).toBe(0);
  });

  test("is used only if there is no other credential", async () => {
    const { server, type, allowed } = await loginWorld();
    await type(["login"]);
    server.reset();
    const wrong = { ...allowed, PULUMI_BACKEND_URL: server.url, ESC_TOKEN: "wrong" };
    expect((await type(PRINT, wrong)).status).toBe(78);
    expect(server.calls.every(({ token }) => token !== "valid")).toBe(true);
    const failing = { ...allowed, ESC_TOKEN_COMMAND: "exit 1" };
    expect((await type(PRINT, failing)).status).toBe(125);
  });

  test("reads the CLI's file where PULUMI_HOME or PULUMI_CREDENTIALS_PATH says, and an old file without accounts", async () => {
    const { server, file, type, allowed } = await loginWorld();
    const [home, path] = [folder(), folder()];
    for (const place of [home, path]) {
      chmodSync(place, 0o700);
      const old = { current: server.url, accessTokens: { [server.url]: server.token } };
      writeFileSync(join(place, "credentials.json"), JSON.stringify(old), { mode: 0o600 });
    }
    writeFileSync(file, "{}");
    expect((await type(["login"])).status).toBe(125);
    expect((await type(["login"], { ...allowed, PULUMI_HOME: home })).status).toBe(0);
    expect((await type(["login"], { ...allowed, PULUMI_HOME: "/absent", PULUMI_CREDENTIALS_PATH: path })).status).toBe(
      0,
    );
  });

  test.each<[string, (url: string, token: string) => string, string]>([
    ["is absent", () => "", "has the wrong form"],
    ["is encrypted", () => '{"$pulumiSecureStore":{"version":1}}', "ESC_TOKEN_COMMAND"],
    ["has another service", (_, token) => credentials("https://elsewhere.example.test", token), "no login to"],
    ["has a login to a folder", () => '{"current":"file://~","accessTokens":{"file://~":"x"}}', "no ESC"],
    ["is no object", () => "[]", "has the wrong form"],
  ])("is followed by an instruction if the CLI's file %s", async (title, text, words) => {
    const { server, file, settings, type, allowed } = await loginWorld();
    writeFileSync(file, text(server.url, server.token));
    const more = title.includes("another") ? { PULUMI_BACKEND_URL: server.url } : {};
    const result = await type(["login"], { ...allowed, ...more });
    expect(result.status).toBe(125);
    expect(result.stdout.replaceAll(/\s+/g, " ")).toContain(words);
    // Another login would encrypt the file again, and mends none of a wrong form.
    expect(result.stdout.includes("then start again")).toBe(words.startsWith("no "));
    expect(result.stdout).not.toContain(server.token);
    expect(existsSync(settings)).toBe(false);
    expect(server.count("any")).toBe(0);
  });

  test("waits as long as --timeout says, and takes a plain http service by --insecure-http alone", async () => {
    const { server, file, type, allowed } = await loginWorld();
    server.failAlways("any", "hang");
    const slow = await type(["login", "--timeout", "300ms"]);
    expect(slow.status).toBe(125);
    expect(slow.stdout).toContain("300 ms");
    writeFileSync(file, credentials("http://0.0.0.0:1", server.token));
    expect((await type(["login"], allowed)).stdout).toContain("plain http");
    expect((await type(["login", "--insecure-http"], allowed)).stdout).toContain("ECONNREFUSED");
  });

  test("is not remembered if the service refuses the token", async () => {
    const { server, file, settings, type } = await loginWorld();
    writeFileSync(file, credentials(server.url, "pul-wrong"));
    const result = await type(["login"]);
    expect(result.status).toBe(125);
    expect(result.stdout.replaceAll(/\s+/g, " ")).toContain("does not accept the token");
    expect(result.stdout).not.toContain("any/any");
    expect(existsSync(settings)).toBe(false);
  });

  test.each<[string, (settings: string, file: string) => void, string]>([
    ["the choice is writable by others", (settings) => chmodSync(settings, 0o622), "settings.json"],
    ["the choice is not JSON", (settings) => writeFileSync(settings, "{"), "settings.json"],
    ["the choice is of another version", (settings) => writeFileSync(settings, '{"version":2}'), "settings.json"],
    ["the CLI's file is writable by others", (_, file) => chmodSync(file, 0o622), "credentials.json"],
    ["the CLI has no login any more", (_, file) => writeFileSync(file, "{}"), "pulumi login makes one"],
    [
      "the CLI's file is encrypted now",
      (_, file) => writeFileSync(file, '{"$pulumiSecureStore":{}}'),
      "PULUMI_CREDENTIAL_STORE",
    ],
  ])("is ignored, with a warning, if %s", async (_, spoil, words) => {
    const { server, settings, file, type } = await loginWorld();
    await type(["login"]);
    server.reset();
    spoil(settings, file);
    const result = await type(PRINT);
    expect(result.status).toBe(78);
    expect(result.stdout.replaceAll(/\s+/g, " ")).toContain(words);
    expect(server.count("any")).toBe(0);
  });

  test("is for people: not in CI, and not for a coding agent", async () => {
    const { server, settings, type, cwd } = await loginWorld();
    for (const more of [{ CI: "1" }, { CLAUDECODE: "1" }]) expect((await type(["login"], more)).status).toBe(125);
    const unseen = await atTerminalOf(["setsid", "-w", ...sophiaRun, "login"], cwd, {});
    expect(unseen.status).toBe(125);
    expect(unseen.stdout).toContain("no controlling terminal");
    expect(existsSync(settings)).toBe(false);
    expect(server.count("any")).toBe(0);
  });

  test("is forgotten by --forget", async () => {
    const { server, type } = await loginWorld();
    await type(["login"]);
    expect((await type(["login", "--forget"])).status).toBe(0);
    server.reset();
    expect((await type(PRINT)).status).toBe(78);
    expect((await type(["login", "--status"])).status).toBe(1);
    expect((await type(["login", "--forget"])).status).toBe(0);
    expect((await type(["login", "--forget", "--status"])).status).toBe(125);
    expect(server.count("any")).toBe(0);
  });
});

/** Runs any command at a terminal of its own. */
function atTerminalOf(command: readonly string[], cwd: string, env: Readonly<Record<string, string>>) {
  const all = { PATH: process.env["PATH"] ?? "", HOME: cwd, ...env };
  return startAtTerminal(command, { cwd, env: all }).finished;
}
