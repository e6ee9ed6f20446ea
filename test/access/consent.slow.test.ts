/**
 * A cloned repository names an ESC environment, in its contract or in a `.env` that git tracks. The user's token opens
 * that environment only with the user's consent. Until the user consents, the ESC server, which records what arrives,
 * receives nothing.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type EscServer, secret, startEscServer } from "../esc-server/index.ts";
import { parseEnvironment, folder, sophia, unwrapLines } from "../helpers/sophia.ts";
import { atTerminal, type Step } from "../helpers/terminal.ts";
import { expectWording } from "../helpers/wording.ts";

const NAME = "acme/app/dev";
const OTHER = "acme/app/production";
const FILE = "sophia.contract.json";
const ALLOW = { SOPHIA_ALLOW_ENVIRONMENT: NAME };
const VARIABLES = { KEY: { required: true } };
const CONTRACT = { environment: NAME, variables: VARIABLES };

async function startEsc(): Promise<EscServer> {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment(NAME, { values: { KEY: secret("sentinel-of-dev") } });
  server.environment(OTHER, { values: { KEY: secret("sentinel-of-production") } });
  return server;
}

/** Creates a clone with these files, and the user's token. The clone's folder is also the home folder. */
async function createClone(files: Readonly<Record<string, object | string>> = { [FILE]: CONTRACT }) {
  const server = await startEsc();
  const texts = Object.entries(files).map(([name, file]) => [
    name,
    typeof file === "string" ? file : JSON.stringify(file),
  ]);
  const cwd = realpathSync(folder(Object.fromEntries(texts)));
  const env = { PULUMI_BACKEND_URL: server.url, ESC_TOKEN: server.token };
  const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}, input = "") =>
    sophia(args, { cwd, env: { ...env, ...more }, input });
  const type = (args: readonly string[], answers: readonly Step[], more: Readonly<Record<string, string>> = {}) =>
    atTerminal(args, { cwd, env: { ...env, ...more } }, answers);
  return { server, cwd, env, run, type, allowed: join(cwd, ".config/sophia-run/allowed.json") };
}

function trackFiles(cwd: string, ...files: readonly string[]): void {
  execFileSync("git", ["init", "-q"], { cwd });
  execFileSync("git", ["add", ...files], { cwd });
}

const PRINT = ["--", "sh", "-c", "echo got $KEY"];
const QUESTION = "from now on?";

/** Takes the lock of a file as another process would. @returns the file in the lock, whose time is when the lock was taken */
function takeLock(path: string): string {
  mkdirSync(`${path}.lock`, { mode: 0o700 });
  const holder = join(`${path}.lock`, "holder-of-test");
  writeFileSync(holder, "", { mode: 0o600 });
  return holder;
}

describe("a contract that the search finds", () => {
  test.each<[string, readonly string[], Readonly<Record<string, string>>]>([
    ["a start", PRINT, {}],
    ["--mode spawn", ["--mode", "spawn", ...PRINT], {}],
    ["--mode auto --redact", ["--redact", ...PRINT], {}],
    ["--require-esc", ["--require-esc", ...PRINT], {}],
    ["--prefer esc", ["--prefer", "esc", ...PRINT], {}],
    ["--no-contract", ["--no-contract", ...PRINT], {}],
    ["--cache", ["--cache", ...PRINT], {}],
    ["--cache-fresh", ["--cache-fresh", "1h", ...PRINT], {}],
    ["--watch", ["--watch", ...PRINT], {}],
    ["a token file", PRINT, { ESC_TOKEN: "", ESC_TOKEN_FILE: "token" }],
    ["check", ["check"], {}],
    ["check --overdue", ["check", "--overdue"], {}],
    ["explain", ["explain"], {}],
    ["get", ["get", "KEY"], {}],
    ["export", ["export", "--format", "json"], {}],
    ["scan", ["scan", "--require-esc"], {}],
    ["mask", ["mask"], {}],
    ["set", ["set", "NEW", "--yes"], { ESC_ADMIN_TOKEN: "" }],
    ["set --dry-run", ["set", "NEW", "--dry-run"], {}],
    ["import", ["import", "values.env", "--yes"], { ESC_ADMIN_TOKEN: "" }],
    ["rotate", ["rotate", "KEY", "--yes"], { ESC_ADMIN_TOKEN: "" }],
    ["request", ["request", "--reason", "a test"], {}],
    ["audit", ["audit"], {}],
  ])("sends nothing for %s before the user allows its environment, and does afterwards", async (_, args, more) => {
    const { server, run, cwd } = await createClone();
    writeFileSync(join(cwd, "values.env"), "MORE=1\n", { mode: 0o600 });
    writeFileSync(join(cwd, "token"), server.token, { mode: 0o600 });
    const own = "ESC_ADMIN_TOKEN" in more ? { ...more, ESC_ADMIN_TOKEN: server.token } : more;
    const before = await run(args, own, "a value\n");
    expect(server.count("any")).toBe(0);
    expect(server.connections).toBe(0);
    expect(before.stdout).not.toContain("sentinel");
    expect(unwrapLines(before.stdout + before.stderr)).toContain(NAME);
    await run(args, { ...own, ...ALLOW }, "a value\n");
    expect(server.count("any")).toBeGreaterThan(0);
  });

  test.each<[string, string, Readonly<Record<string, string>>, boolean]>([
    ["app/dev", "acme/app/dev", { ESC_ORG: "acme" }, true],
    ["app/dev", "acme/app/production", { ESC_ORG: "acme" }, false],
    ["app/dev", "app/default/dev", { ESC_ORG: "acme" }, false],
    ["app/dev", "*/app/dev", {}, true],
    ["app/dev", "*/*/*", {}, true],
    ["app/dev@1", "*/app/dev", {}, false],
    ["app/dev@1", "*/app/dev@1", {}, true],
    ["app/dev", "*/app/dev@1", {}, false],
    // Only the ESC server knows which organization is meant.
    ["app/dev", "acme/app/dev", {}, false],
    ["dev", "*/default/dev", {}, true],
    ["dev", "*/app/dev", {}, false],
  ])(
    "and a .env with ESC_ENV=%s are allowed by SOPHIA_ALLOW_ENVIRONMENT=%s with %j: %s",
    async (name, pattern, more, isAllowed) => {
      const { server, cwd, run } = await createClone({
        [FILE]: { variables: { KEY: {} } },
        ".env": `ESC_ENV=${name}\n`,
      });
      server.user = { login: "ada", defaultOrg: "acme", organizations: ["acme"] };
      server.environment("acme/default/dev", { values: { KEY: secret("sentinel-of-dev") } });
      trackFiles(cwd, ".env");
      const { stdout } = await run(PRINT, { ...more, SOPHIA_ALLOW_ENVIRONMENT: pattern });
      expect(stdout).toBe(isAllowed ? "got sentinel-of-dev\n" : "got\n");
      expect(server.count("any") > 0).toBe(isAllowed);
    },
  );

  test("and a .env with a name of two parts do not open the name's old meaning, unless that is allowed, too", async () => {
    const { server, cwd, run } = await createClone({
      [FILE]: { variables: { KEY: {} } },
      ".env": "ESC_ENV=other/dev\n",
    });
    server.environment("other/default/dev", { values: { KEY: secret("sentinel-of-other") } });
    trackFiles(cwd, ".env");
    const env = { ESC_ORG: "acme", SOPHIA_ALLOW_ENVIRONMENT: "acme/other/dev" };
    const refused = await run(PRINT, env);
    expect(refused.stdout).toBe("got\n");
    expect(unwrapLines(refused.stderr)).toContain("other/default/dev is not tried with SOPHIA_ALLOW_ENVIRONMENT");
    expect(server.calls.every(({ path }) => !path.includes("other/default"))).toBe(true);
    // The old meaning is not read from the cache either, although another start has cached its values.
    await run(["--cache", ...PRINT], { ESC_ORG: "acme", ESC_ENV: "other/dev" });
    expect((await run(["--offline", ...PRINT], { ESC_ORG: "acme", ESC_ENV: "other/dev" })).stdout).toContain(
      "of-other",
    );
    expect((await run(["--offline", ...PRINT], env)).stdout).toBe("got\n");
    const both = `${env.SOPHIA_ALLOW_ENVIRONMENT},other/default/dev`;
    expect((await run(PRINT, { ...env, SOPHIA_ALLOW_ENVIRONMENT: both })).stdout).toBe("got sentinel-of-other\n");
  });

  test("makes audit and check --overdue give the missing consent as the reason why they know nothing", async () => {
    const { run } = await createClone();
    for (const args of [["audit"], ["check", "--overdue"]]) {
      const { stdout } = await run(args);
      expect(stdout).toContain("ESC: the environment is not allowed (sophia-run allow)");
      expect(stdout).not.toMatch(/no environment and token are configured|No token is configured/);
    }
    const { token } = JSON.parse((await run(["audit", "--json"])).stdout);
    expect(token).toStrictEqual({ kind: "unasked" });
  });

  test("does not open, with --offline, the cached values of its environment that another project has stored", async () => {
    const { server, run, cwd } = await createClone();
    expect((await run(["--cache", ...PRINT], ALLOW)).stdout).toBe("got sentinel-of-dev\n");
    server.reset();
    const ended = await run(["--offline", ...PRINT]);
    expect(ended).toMatchObject({ status: 78, stdout: "" });
    expect(existsSync(join(cwd, ".cache/sophia-run"))).toBe(true);
    expect((await run(["--offline", ...PRINT], ALLOW)).stdout).toBe("got sentinel-of-dev\n");
    expect(server.count("any")).toBe(0);
  });

  test("starts the program with a warning if there is no terminal and the program needs no value of ESC", async () => {
    const { run } = await createClone();
    const refused = await run(PRINT);
    expect(refused).toMatchObject({ status: 78, stdout: "" });
    expectWording(refused.stderr);
    const started = await run(PRINT, { KEY: "own" });
    expect(started).toMatchObject({ status: 0, stdout: "got own\n" });
    expect(started.stderr).toContain("warning: ESC is not read");
    expect(unwrapLines(started.stderr)).toContain("run sophia-run allow, or set ESC_ENV in the environment");
    const required = await run(["--require-esc", ...PRINT], { KEY: "own" });
    expect(required).toMatchObject({ status: 125, stdout: "" });
    expect(required.stderr).toContain("ESC is required");
  });

  test("makes sophia-run ask once at a terminal; sophia-run remembers a yes, and not a no", async () => {
    const { server, cwd, type, allowed, run } = await createClone();
    const declined = await type(PRINT, [[QUESTION, "\n"]]);
    expect(declined.status).toBe(78);
    expect(declined.stdout).toContain(NAME);
    expect(declined.stdout).toContain(join(cwd, FILE));
    expect(declined.stdout).toContain("ESC_TOKEN");
    expect(existsSync(allowed)).toBe(false);
    expect(server.count("any")).toBe(0);
    const accepted = await type(PRINT, [[QUESTION, "y\n"]]);
    expect(accepted.stdout).toContain("got sentinel-of-dev");
    expect(statSync(allowed).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(allowed, "utf8"))).toStrictEqual({
      version: 2,
      allowed: [{ file: join(cwd, FILE), environment: NAME }],
    });
    // After the yes, no start asks again, at a terminal or without one.
    expect((await type(PRINT, [])).stdout).toBe("got sentinel-of-dev\r\n");
    expect(await run(PRINT)).toMatchObject({ status: 0, stdout: "got sentinel-of-dev\n", stderr: "" });
  });

  test("needs another consent for another environment, and for the same environment in another file", async () => {
    const { cwd, run } = await createClone();
    expect((await run(["allow"])).status).toBe(0);
    expect((await run(PRINT)).stdout).toBe("got sentinel-of-dev\n");
    mkdirSync(join(cwd, "other"));
    writeFileSync(join(cwd, "other", FILE), JSON.stringify(CONTRACT));
    expect((await run(["--project", "other", ...PRINT])).status).toBe(78);
    writeFileSync(join(cwd, FILE), JSON.stringify({ ...CONTRACT, environment: OTHER }));
    expect((await run(PRINT)).status).toBe(78);
    writeFileSync(join(cwd, FILE), JSON.stringify({ ...CONTRACT, environment: [NAME, OTHER] }));
    expect((await run(PRINT)).status).toBe(78);
    expect((await run(["allow"])).status).toBe(0);
    // The environment that is named later wins.
    expect((await run(PRINT)).stdout).toBe("got sentinel-of-production\n");
  });

  test("may name an environment for each profile, and each needs a separate consent", async () => {
    const profiles = { production: { environment: OTHER }, test: {} };
    const { run } = await createClone({ [FILE]: { ...CONTRACT, profiles } });
    await run(["allow"]);
    const inherited = await run(["--profile", "test", ...PRINT]);
    expect(inherited.stdout).toBe("got sentinel-of-dev\n");
    const refused = await run(["--profile", "production", ...PRINT]);
    expect(refused.status).toBe(78);
    expect(unwrapLines(refused.stderr)).toContain("sophia-run allow --profile production");
    await run(["allow", "--profile", "production"]);
    expect((await run(["--profile", "production", ...PRINT])).stdout).toBe("got sentinel-of-production\n");
  });

  test("is not asked about if ESC_ENV is set in the environment or in the user's own .env", async () => {
    const { server, run, cwd } = await createClone();
    expect((await run(PRINT, { ESC_ENV: OTHER })).stdout).toBe("got sentinel-of-production\n");
    expect(server.calls.some(({ path }) => path.includes(NAME))).toBe(false);
    writeFileSync(join(cwd, ".env"), `ESC_ENV=${OTHER}\n`, { mode: 0o600 });
    expect((await run(PRINT)).stdout).toBe("got sentinel-of-production\n");
  });

  test("needs no consent for a token of the repository itself", async () => {
    const { env, cwd } = await createClone();
    writeFileSync(join(cwd, ".env"), `ESC_TOKEN=${env.ESC_TOKEN}\nPULUMI_BACKEND_URL=${env.PULUMI_BACKEND_URL}\n`, {
      mode: 0o600,
    });
    // The `.env` is the user's own file, so its token is the user's token.
    expect((await sophia(PRINT, { cwd })).status).toBe(78);
    trackFiles(cwd, ".env");
    expect((await sophia(PRINT, { cwd })).stdout).toBe("got sentinel-of-dev\n");
  });

  test("causes no message without a token, unless the contract is not met", async () => {
    const { cwd } = await createClone();
    expect(await sophia(PRINT, { cwd, env: { KEY: "own" } })).toMatchObject({ status: 0, stderr: "" });
    const unmet = await sophia(PRINT, { cwd });
    expect(unmet.status).toBe(78);
    expectWording(unmet.stderr.replaceAll(cwd, "<folder>"));
  });
});

describe("a contract that the user names", () => {
  test("needs no consent, nor does a file that it extends in its folder or below; a file elsewhere does", async () => {
    const { cwd, run } = await createClone({});
    mkdirSync(join(cwd, "app/base"), { recursive: true });
    writeFileSync(join(cwd, "app/own.json"), JSON.stringify(CONTRACT));
    writeFileSync(join(cwd, "app/base/base.json"), JSON.stringify(CONTRACT));
    writeFileSync(join(cwd, "outside.json"), JSON.stringify(CONTRACT));
    writeFileSync(join(cwd, "app/below.json"), JSON.stringify({ extends: "base/base.json" }));
    writeFileSync(join(cwd, "app/above.json"), JSON.stringify({ extends: "../outside.json" }));
    symlinkSync("../outside.json", join(cwd, "app/link.json"));
    writeFileSync(join(cwd, "app/linked.json"), JSON.stringify({ extends: "link.json" }));
    const start = async (file: string) => (await run(["--contract", `app/${file}`, ...PRINT])).status;
    expect(await start("own.json")).toBe(0);
    expect(await start("below.json")).toBe(0);
    expect(await start("above.json")).toBe(78);
    expect(await start("linked.json")).toBe(78);
  });
});

describe("a .env that the search finds", () => {
  const files = { [FILE]: { variables: VARIABLES }, ".env": `ESC_ENV=${NAME}\n` };

  test("needs consent if git tracks it, and none if it is the user's own", async () => {
    const { server, cwd, run, allowed } = await createClone(files);
    expect((await run(PRINT)).stdout).toBe("got sentinel-of-dev\n");
    trackFiles(cwd, FILE);
    expect((await run(PRINT)).stdout).toBe("got sentinel-of-dev\n");
    trackFiles(cwd, ".env");
    server.reset();
    const refused = await run(PRINT);
    expect(refused.status).toBe(78);
    expect(unwrapLines(refused.stderr)).toContain(`${join(cwd, ".env")} names ${NAME}`.replace(`${cwd}/`, ""));
    expect(server.count("any")).toBe(0);
    await run(["allow"]);
    expect(JSON.parse(readFileSync(allowed, "utf8"))).toMatchObject({
      allowed: [{ file: join(cwd, ".env"), environment: NAME }],
    });
    expect(await run(PRINT)).toMatchObject({ stdout: "got sentinel-of-dev\n", stderr: "" });
  });

  test("needs consent if git cannot be run", async () => {
    const { cwd, env, server } = await createClone(files);
    trackFiles(cwd, ".env");
    const without = folder();
    symlinkSync("/bin/sh", join(without, "sh"));
    const ended = await sophia(PRINT, { cwd, env: { ...env, PATH: without } });
    expect(ended.status).toBe(78);
    expect(server.count("any")).toBe(0);
  });

  test("needs no consent if the user names the file, or if the file contains the token", async () => {
    const { cwd, env, run } = await createClone(files);
    trackFiles(cwd, ".env");
    expect((await run(["--dotenv", ".env", ...PRINT])).stdout).toBe("got sentinel-of-dev\n");
    const own = Object.entries({ ...env, ESC_ENV: NAME }).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(join(cwd, ".env"), own.join(""));
    expect((await sophia(PRINT, { cwd })).stdout).toBe("got sentinel-of-dev\n");
  });

  test("needs consent if it does not contain a token, but only names the user's token file", async () => {
    const { cwd, env, server } = await createClone({ [FILE]: { variables: VARIABLES }, token: "" });
    const home = folder({ token: env.ESC_TOKEN });
    writeFileSync(join(cwd, ".env"), `ESC_ENV=${NAME}\nESC_TOKEN_FILE=${join(home, "token")}\n`);
    trackFiles(cwd, ".env");
    const own = { PULUMI_BACKEND_URL: env.PULUMI_BACKEND_URL };
    expect((await sophia(PRINT, { cwd, env: own })).status).toBe(78);
    expect(server.count("any")).toBe(0);
    expect((await sophia(PRINT, { cwd, env: { ...own, ...ALLOW } })).stdout).toBe("got sentinel-of-dev\n");
  });

  test("needs consent for each meaning of a short environment name, and for an organization that it names", async () => {
    const short = { ...files, ".env": "ESC_ENV=app/dev\n" };
    const { cwd, env, server, run } = await createClone(short);
    trackFiles(cwd, ".env");
    // The old meaning alone is not enough. A test above shows that the usual meaning alone opens nothing else.
    const old = { SOPHIA_ALLOW_ENVIRONMENT: "app/default/dev", ESC_ORG: "acme" };
    expect((await run(PRINT, old)).status).toBe(78);
    expect(server.count("any")).toBe(0);
    expect((await run(["allow"], { ESC_ORG: "acme" })).stdout).toMatch(/acme\/app\/dev .*\n.*app\/default\/dev /);
    expect((await run(["allow", "--remove"])).status).toBe(0);
    const both = { SOPHIA_ALLOW_ENVIRONMENT: `${NAME}, app/default/dev`, ESC_ORG: "acme" };
    expect((await run(PRINT, both)).stdout).toBe("got sentinel-of-dev\n");
    writeFileSync(join(cwd, ".env"), "ESC_ORG=acme\n");
    server.reset();
    expect((await sophia(PRINT, { cwd, env: { ...env, ESC_ENV: "app/dev" } })).status).toBe(78);
    expect(server.count("any")).toBe(0);
  });
});

test("Ctrl-D at the question means no, and the next message begins on a new line", async () => {
  const { server, type, allowed } = await createClone();
  const { status, stdout } = await type(PRINT, [[QUESTION, "\u0004"]]);
  expect(status).toBe(78);
  expect(stdout).toContain("[y/N] \r\nsophia-run: ESC is not read");
  expect(existsSync(allowed)).toBe(false);
  expect(server.count("any")).toBe(0);
});

describe("a coding agent", () => {
  test("can neither answer the question nor run allow, and the message says who can", async () => {
    const { server, type, allowed } = await createClone();
    const start = await type(PRINT, [[QUESTION, "y\n"]], { CLAUDECODE: "1" });
    expect(start.status).toBe(78);
    expect(start.stdout).not.toContain(QUESTION);
    expect(start.stdout.replaceAll(/\s+/g, " ")).toContain("the user must run sophia-run allow");
    const allow = await type(["allow"], [], { CLAUDECODE: "1" });
    expect(allow.status).toBe(125);
    expectWording(allow.stdout);
    expect(existsSync(allowed)).toBe(false);
    expect(server.count("any")).toBe(0);
  });
});

describe("SOPHIA_ALLOW_ENVIRONMENT", () => {
  test.each([
    [NAME, 0],
    ["acme/app/*", 0],
    ["*/*/dev", 0],
    ["other/x/y, acme/*/dev", 0],
    ["acme/app/de", 78],
    ["acme/*/production", 78],
    ["acme/app/dev2", 78],
  ])("set to %j makes the start end with status %i", async (value, status) => {
    const { run } = await createClone();
    expect((await run(PRINT, { SOPHIA_ALLOW_ENVIRONMENT: value })).status).toBe(status);
  });

  test.each([
    "acme",
    "acme/app",
    "acme/app/dev/x",
    "acme/app/de*",
    "*",
    "acme/app/dev;x",
    "acme/app/dev@",
    "acme/app@1/dev",
  ])("set to %j is an error, and sophia-run sends nothing", async (value) => {
    const { server, run } = await createClone();
    const ended = await run(PRINT, { SOPHIA_ALLOW_ENVIRONMENT: value });
    expect(ended).toMatchObject({ status: 125, stdout: "" });
    expect(ended.stderr).toContain("SOPHIA_ALLOW_ENVIRONMENT");
    expect(server.count("any")).toBe(0);
  });

  test("has an effect only in the caller's environment: not in .env, nor for a nested sophia-run", async () => {
    const { run, cwd } = await createClone();
    writeFileSync(join(cwd, ".env"), `SOPHIA_ALLOW_ENVIRONMENT=${NAME}\n`, { mode: 0o600 });
    expect((await run(PRINT)).status).toBe(78);
    const printed = await run(["--no-contract", "--", "env"]);
    expect(parseEnvironment(printed.stdout)).not.toHaveProperty("SOPHIA_ALLOW_ENVIRONMENT");
  });
});

describe("the file of consents", () => {
  const consents = (cwd: string) =>
    JSON.stringify({ version: 2, allowed: [{ file: join(cwd, FILE), environment: NAME }] });

  test.each<[string, (allowed: string, text: string) => void]>([
    ["is writable by its group", (path) => chmodSync(path, 0o620)],
    ["is world-writable", (path) => chmodSync(path, 0o602)],
    ["is in a folder that is world-writable", (path) => chmodSync(join(path, ".."), 0o777)],
    ["is in a folder below one that is world-writable", (path) => chmodSync(join(path, "../.."), 0o777)],
    [
      "is a link",
      (path, text) => {
        writeFileSync(`${path}.real`, text, { mode: 0o600 });
        execFileSync("ln", ["-sf", `${path}.real`, path]);
      },
    ],
    ["is not JSON", (path) => writeFileSync(path, "{")],
    ["is of another version", (path, text) => writeFileSync(path, text.replace('"version":2', '"version":3'))],
    ["has an entry of another form", (path, text) => writeFileSync(path, text.replace('"environment"', '"name"'))],
    ["is not UTF-8", (path, text) => writeFileSync(path, Buffer.from(`${text}\u00ff`, "latin1"))],
    ["is too large", (path, text) => writeFileSync(path, text + " ".repeat(1_048_576))],
  ])("is ignored with a warning, and is not replaced, if it %s", async (_, spoil) => {
    const { server, cwd, run, type, allowed } = await createClone();
    mkdirSync(join(allowed, ".."), { recursive: true, mode: 0o700 });
    writeFileSync(allowed, consents(cwd), { mode: 0o600 });
    expect((await run(PRINT)).status).toBe(0);
    spoil(allowed, consents(cwd));
    const spoilt = readFileSync(allowed);
    server.reset();
    const ended = await run(PRINT);
    expect(ended.status).toBe(78);
    expect(unwrapLines(ended.stderr)).toContain("allowed.json");
    expect(server.count("any")).toBe(0);
    expect(await run(["allow"])).toMatchObject({ status: 125, stdout: "" });
    // The yes is valid for this start only.
    const asked = await type(PRINT, [[QUESTION, "y\n"]]);
    expect(asked.stdout).toContain("got sentinel-of-dev");
    expect(asked.stdout).toContain("is not remembered");
    // The test compares the bytes with `equals` because `toStrictEqual` would take seconds.
    expect(readFileSync(allowed).equals(spoilt)).toBe(true);
  });

  test("may be readable by others; a folder that cannot be written is an error", async () => {
    const { cwd, run, allowed } = await createClone();
    mkdirSync(join(allowed, ".."), { recursive: true, mode: 0o755 });
    writeFileSync(allowed, consents(cwd), { mode: 0o644 });
    expect(await run(PRINT)).toMatchObject({ status: 0, stderr: "" });
    const home = folder({ ".config": "a file" });
    const ended = await run(["allow"], { HOME: home });
    expect(ended).toMatchObject({ status: 125, stdout: "" });
    expect(ended.stderr).toContain("cannot be used");
  });

  test("is shown by --list, and --remove removes only the consents of this project", async () => {
    const { cwd, run } = await createClone();
    expect((await run(["allow", "--list"])).stdout).toBe("nothing is allowed\n");
    mkdirSync(join(cwd, "other"));
    writeFileSync(join(cwd, "other", FILE), JSON.stringify(CONTRACT));
    await run(["allow"]);
    await run(["allow"]);
    await run(["allow", "--project", "other"]);
    const lines = (await run(["allow", "--list"])).stdout.trimEnd().split("\n");
    expect(lines).toStrictEqual([`  ${NAME}  ${join(cwd, FILE)}`, `  ${NAME}  ${join(cwd, "other", FILE)}`]);
    await run(["allow", "--remove"]);
    expect((await run(["allow", "--list"])).stdout).toBe(`  ${NAME}  ${join(cwd, "other", FILE)}\n`);
    expect((await run(PRINT)).status).toBe(78);
    expect((await run(["allow", "--list", "--remove"])).status).toBe(125);
  });

  test("keeps every consent if several processes write at the same time, because each waits for the others", async () => {
    const { cwd, run, allowed } = await createClone();
    const projects = Array.from({ length: 8 }, (_, index) => `project-${index}`);
    for (const project of projects) {
      mkdirSync(join(cwd, project));
      writeFileSync(join(cwd, project, FILE), JSON.stringify(CONTRACT));
    }
    mkdirSync(join(allowed, ".."), { recursive: true, mode: 0o700 });
    // The lock makes it look as if another process were about to write.
    takeLock(allowed);
    const all = projects.map((project) => run(["allow", "--project", project]));
    writeFileSync(allowed, consents(cwd), { mode: 0o600 });
    rmSync(`${allowed}.lock`, { recursive: true });
    for (const { status } of await Promise.all(all)) expect(status).toBe(0);
    const lines = (await run(["allow", "--list"])).stdout.trimEnd().split("\n").toSorted();
    const paths = [FILE, ...projects.map((project) => join(project, FILE))];
    expect(lines).toStrictEqual(paths.map((path) => `  ${NAME}  ${join(cwd, path)}`).toSorted());
    expect(readdirSync(join(allowed, ".."))).toStrictEqual(["allowed.json"]);
  });

  test("can be written after a writer was killed, and not while another process writes", async () => {
    const { run, allowed } = await createClone();
    mkdirSync(join(allowed, ".."), { recursive: true, mode: 0o700 });
    const lock = takeLock(allowed);
    const hour = 3600;
    const now = Date.now() / 1000;
    utimesSync(lock, now, now + hour);
    const refused = await run(["allow"]);
    expect(refused).toMatchObject({ status: 125, stdout: "" });
    expect(unwrapLines(refused.stderr)).toContain("another process is changing it");
    expect(existsSync(allowed)).toBe(false);
    utimesSync(lock, now, now - hour);
    expect((await run(["allow"])).status).toBe(0);
    expect(readdirSync(join(allowed, ".."))).toStrictEqual(["allowed.json"]);
  });

  test("is not written for a contract without an environment, and allow says that no consent is needed", async () => {
    const { run } = await createClone({ [FILE]: { variables: {} } });
    expect((await run(["allow"])).stdout).toContain("no consent is needed");
  });
});

describe("check and explain", () => {
  test("show which file names the environment", async () => {
    const { run } = await createClone();
    const before = await run(["check"]);
    expect(before.stdout).toContain(`Environment (contract): ${NAME} (not allowed: sophia-run allow)`);
    const checked = await run(["check"], ALLOW);
    expect(checked).toMatchObject({ status: 0 });
    expect(checked.stdout).toContain(`✅ Environment (contract): ${NAME}`);
    const json: unknown = JSON.parse((await run(["check", "--json"])).stdout);
    expect(json).toMatchObject({ esc: { status: "unconsented", environment: NAME, environmentState: "unallowed" } });
    expect((await run(["explain"], ALLOW)).stdout).toMatch(new RegExp(`ESC: ${NAME}.*named by the contract`, "s"));
  });
});
