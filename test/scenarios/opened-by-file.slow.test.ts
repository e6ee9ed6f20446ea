/**
 * A repository's `.env` with a token of its own opens an ESC environment of its authors': what the file may not set, that
 * environment may not set either.
 */
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { type EnvironmentSpec, startEscServer } from "../esc-server/index.ts";
import { escVariables } from "../commands/sophia-environment.ts";
import { parseEnvironment, folder, type RunOptions, sophia, sophiaRun, unwrapLines } from "../helpers/sophia.ts";
import { expectWording } from "../helpers/wording.ts";

const NAME = "evil/app/dev";
const EVIL = "https://evil.example.test/v1";
const KEY = { OPENAI_API_KEY: "sk-sentinel-of-the-user" };
const BASE = "OPENAI_BASE_URL";

const CODE = { LD_AUDIT: "./x.so", NODE_OPTIONS: "--require ./x.js", BASH_ENV: "./x.sh" };
const OWN = { SOPHIA_ALLOW: "BASH_ENV", SOPHIA_CONTRACT: "evil.json", SOPHIA_BROKER_TO: EVIL };
const PULUMI = { PULUMI_BACKEND_URL: "https://backend.example.test" };
const NETWORK = { HTTPS_PROXY: "http://proxy.example.test", SSL_CERT_FILE: "x.pem", NODE_EXTRA_CA_CERTS: "y.pem" };

/** An ESC environment, the variables that open it, and the text of a `.env` with these. */
async function startEsc(spec: EnvironmentSpec) {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment(NAME, spec);
  const variables = escVariables(server, NAME);
  return { server, variables, file: textOf(variables) };
}

function textOf(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

/** Returns the variables of the program, and the messages of sophia-run. */
async function startProgram(args: readonly string[], options: RunOptions) {
  const { status, stdout, stderr } = await sophia(["--no-contract", ...args, "--", "/usr/bin/env"], options);
  expect(status).toBe(0);
  const messages = unwrapLines(stderr)
    .split("\n")
    .filter((line) => line.startsWith("sophia-run: "));
  return { variables: parseEnvironment(stdout), messages };
}

describe("a name that a found .env file may not set is withheld from the ESC environment that the file's token opens:", () => {
  test.each<[string, Readonly<Record<string, string>>, string]>([
    ["an address for the caller's key", { [BASE]: EVIL }, `--allow ${BASE}`],
    ["names that run code", CODE, "--allow LD_AUDIT,NODE_OPTIONS,BASH_ENV"],
    ["options of sophia-run", OWN, "set them in the environment"],
    ["the backend of Pulumi", PULUMI, "set it in the environment"],
    ["an organization for ESC", { ESC_ORG: "evil" }, "set it in the environment"],
  ])("for %s", async (_, values, remedy) => {
    const { file } = await startEsc({ values: { ...values, PLAIN: "1" } });
    const { variables, messages } = await startProgram([], { cwd: folder({ ".env": file }), env: KEY });
    expect(variables).toMatchObject({ ...KEY, PLAIN: "1" });
    for (const name of Object.keys(values)) expect(variables).not.toHaveProperty(name);
    expect(messages).toHaveLength(1);
    for (const part of [...Object.keys(values), NAME, ".env", remedy]) expect(messages[0]).toContain(part);
    expectWording(messages.join("\n"));
  });

  test("for a file of ESC, whatever its content is", async () => {
    // A deployment's name would be harmless as the value of ENV; the program gets a path.
    const { file } = await startEsc({ files: { ENV: "dev", SETTINGS_FILE: "x" } });
    const { variables, messages } = await startProgram([], { cwd: folder({ ".env": file }) });
    expect([Object.hasOwn(variables, "ENV"), Object.hasOwn(variables, "SETTINGS_FILE")]).toEqual([false, true]);
    expect(messages[0]).toContain("ENV in ESC");
  });

  test("for settings of ESC, even with --keep-esc", async () => {
    const { file } = await startEsc({ values: { ESC_TOKEN: "pul-evil", ESC_ENV: NAME } });
    const { variables, messages } = await startProgram(["--keep-esc"], { cwd: folder({ ".env": file }) });
    expect(Object.keys(variables).filter((name) => name.startsWith("ESC_"))).toEqual([]);
    expect(messages[0]).toContain(NAME);
  });

  test("for values from the cache", async () => {
    const { server, file } = await startEsc({ values: { ...CODE, PLAIN: "1" } });
    const cwd = folder({ ".env": file });
    const first = await startProgram(["--cache"], { cwd });
    const second = await startProgram(["--offline"], { cwd });
    expect(server.count("open")).toBe(1);
    for (const { variables, messages } of [first, second]) {
      expect([variables["PLAIN"], Object.hasOwn(variables, "BASH_ENV")]).toEqual(["1", false]);
      expect(messages.join("\n")).toContain("BASH_ENV");
    }
  });

  test("for a file that names only the file of the token", async () => {
    const { server, file } = await startEsc({ values: CODE });
    expect(file).toContain("ESC_TOKEN=");
    const cwd = folder({ ".env": `ESC_TOKEN_FILE=token\nESC_ENV=${NAME}\n` });
    writeFileSync(join(cwd, "token"), `${server.token}\n`, { mode: 0o600 });
    const { variables, messages } = await startProgram([], { cwd, env: { PULUMI_BACKEND_URL: server.url } });
    expect(variables).not.toHaveProperty("BASH_ENV");
    expect(messages.join("\n")).toContain("BASH_ENV");
  });

  test("for a token that an outer sophia-run read from a file", async () => {
    const { variables: callerSettings } = await startEsc({ values: CODE });
    const { variables, messages } = await startProgram([], {
      env: { ...callerSettings, SOPHIA_FROM_FILES: "ESC_TOKEN" },
    });
    expect(variables).not.toHaveProperty("BASH_ENV");
    expect(messages.join("\n")).toContain("--allow LD_AUDIT,NODE_OPTIONS,BASH_ENV");
  });

  test("for an environment that the caller names", async () => {
    const { file } = await startEsc({ values: CODE });
    const { variables } = await startProgram([], { cwd: folder({ ".env": file }), env: { ESC_ENV: NAME } });
    expect(variables).not.toHaveProperty("BASH_ENV");
  });
});

describe("a name that a found .env file may not set is passed on without a message", () => {
  const values = { [BASE]: EVIL, ...CODE, ...PULUMI };

  test.each<[string, readonly string[], Readonly<Record<string, string>>]>([
    ["if the caller allows it", ["--allow", Object.keys(values).join(",")], {}],
    ["if the caller's variable allows it", [], { SOPHIA_ALLOW: Object.keys(values).join(",") }],
    ["if the caller names the file", ["--dotenv", ".env"], {}],
    ["if the caller's variable names the file", [], { SOPHIA_DOTENV: ".env" }],
  ])("%s", async (_, args, env) => {
    const { file } = await startEsc({ values });
    const { variables, messages } = await startProgram(args, {
      cwd: folder({ ".env": file }),
      env: { ...KEY, ...env },
    });
    expect(messages).toEqual([]);
    expect(variables).toMatchObject({ ...KEY, ...values });
  });

  test("if the token is in the environment", async () => {
    const { variables: callerSettings } = await startEsc({ values: { ...CODE, [BASE]: EVIL } });
    const cwd = folder({ ".env": "ESC_TOKEN=pul-other\n" });
    const { variables, messages } = await startProgram([], { cwd, env: { ...KEY, ...callerSettings } });
    expect(messages).toEqual([]);
    expect(variables).toMatchObject({ ...KEY, ...CODE, [BASE]: EVIL });
    expect(variables).not.toHaveProperty("SOPHIA_FROM_FILES");
  });

  test("if the caller sets it", async () => {
    const { file } = await startEsc({ values: { SOPHIA_CONTRACT: "evil.json", PERL5OPT: "-Mx" } });
    const env = { SOPHIA_CONTRACT: "own.json", PERL5OPT: "-w" };
    const cwd = folder({ ".env": file, "own.json": '{"variables":{}}' });
    const { status, stdout, stderr } = await sophia(["--", "/usr/bin/env"], { cwd, env });
    expect([status, stderr]).toEqual([0, ""]);
    expect(parseEnvironment(stdout)).toMatchObject(env);
  });

  test("if the environment has no other such name, for users who keep the token in the project's .env file", async () => {
    const { file } = await startEsc({
      values: { ...KEY, DATABASE_URL: "postgres://x", NODE_OPTIONS: "--max-old-space-size=64" },
    });
    const { variables, messages } = await startProgram([], { cwd: folder({ ".env": file }) });
    expect(messages).toEqual([]);
    expect(variables).toMatchObject({ ...KEY, NODE_OPTIONS: "--max-old-space-size=64" });
    expect(variables).not.toHaveProperty("SOPHIA_FROM_FILES");
  });
});

describe("with --prefer esc, in the environment that a found file's token opens", () => {
  const values = { PATH: "/evil", HOME: "/evil", LANG: "evil", DATABASE_URL: "of-esc", ...CODE };
  const callerSettings = {
    HOME: "/own",
    LANG: "C.UTF-8",
    DATABASE_URL: "of-the-caller",
    NODE_OPTIONS: "--no-warnings",
  };
  const prefer = ["--prefer", "esc"];

  test("values win over the caller's, except over those of the session, such as PATH", async () => {
    const { file } = await startEsc({ values });
    const { variables, messages } = await startProgram(prefer, { cwd: folder({ ".env": file }), env: callerSettings });
    expect(variables).toMatchObject({ ...callerSettings, PATH: process.env["PATH"], DATABASE_URL: "of-esc" });
    for (const part of ["PATH, HOME and LANG in ESC", NAME, ".env", "--allow PATH,HOME,LANG"]) {
      expect(messages.join("\n")).toContain(part);
    }
    expectWording(messages.join("\n"));
  });

  test.each<[string, readonly string[], boolean]>([
    ["the caller allows it", ["--allow", "PATH,HOME,LANG"], true],
    ["the caller names the file", ["--dotenv", ".env"], true],
    ["the token is in the environment", [], false],
  ])("PATH wins if %s", async (_, args, isInFile) => {
    const { file, variables: opening } = await startEsc({ values });
    const cwd = folder({ ".env": isInFile ? file : "" });
    const env = { ...callerSettings, ...(isInFile ? {} : opening) };
    const { variables } = await startProgram([...prefer, ...args], { cwd, env });
    expect(variables).toMatchObject({ PATH: "/evil", HOME: "/evil", LANG: "evil", DATABASE_URL: "of-esc" });
  });

  test("explain shows the reason", async () => {
    const { file } = await startEsc({ values });
    const { stdout } = await sophia(["explain", ...prefer, "PATH"], {
      cwd: folder({ ".env": file }),
      env: callerSettings,
    });
    expect(unwrapLines(stdout)).toMatch(/withheld +ESC .*\.env: without --allow, since a file that was found does not/);
  });
});

describe("an address in the environment that a found file's token opens", () => {
  test("applies to the key of the same environment, and both are marked", async () => {
    const { file } = await startEsc({ values: { ...KEY, [BASE]: EVIL } });
    const { variables, messages } = await startProgram([], { cwd: folder({ ".env": file }) });
    expect(messages).toEqual([]);
    expect(variables).toMatchObject({ ...KEY, [BASE]: EVIL, SOPHIA_FROM_FILES: `${BASE},OPENAI_API_KEY` });
  });

  test("applies to the key of that file", async () => {
    const { file } = await startEsc({ values: { [BASE]: EVIL } });
    const { variables, messages } = await startProgram([], { cwd: folder({ ".env": `${file}${textOf(KEY)}` }) });
    expect(messages).toEqual([]);
    expect(variables).toMatchObject({ ...KEY, [BASE]: EVIL });
  });

  test("does not apply to the caller's key, although the environment has one as well", async () => {
    const { file } = await startEsc({ values: { OPENAI_API_KEY: "sk-evil", [BASE]: EVIL } });
    const { variables } = await startProgram([], { cwd: folder({ ".env": file }), env: KEY });
    expect(variables).toMatchObject(KEY);
    expect(variables).not.toHaveProperty(BASE);
  });

  test("does not apply in a sophia-run of the program that has the key from elsewhere", async () => {
    const { server, file } = await startEsc({ values: { OPENAI_API_KEY: "sk-evil", [BASE]: EVIL } });
    server.environment("acme/app/dev", { values: KEY });
    const callerSettings = Object.entries(escVariables(server, "acme/app/dev")).map(
      ([name, value]) => `${name}=${value}`,
    );
    const inner = ["env", ...callerSettings, ...sophiaRun, "--no-contract", "--prefer", "esc", "--", "/usr/bin/env"];
    const cwd = folder({ ".env": file });
    const { status, stdout, stderr } = await sophia(["--no-contract", "--", ...inner], { cwd });
    expect(status).toBe(0);
    expect(parseEnvironment(stdout)).toMatchObject(KEY);
    expect(parseEnvironment(stdout)).not.toHaveProperty(BASE);
    expect(unwrapLines(stderr)).toContain(`${BASE} in a file`);
  });
});

test("proxies and certificates of an environment that a found file's token opens reach the program only with its secrets, marked", async () => {
  const { file, variables: callerSettings } = await startEsc({ values: { ...NETWORK, OPENAI_API_KEY: "sk-of-esc" } });
  const cwd = folder({ ".env": file });
  const marked = await startProgram([], { cwd });
  expect(marked.messages).toEqual([]);
  const names = [...Object.keys(NETWORK), "OPENAI_API_KEY"].join(",");
  expect(marked.variables).toMatchObject({ ...NETWORK, SOPHIA_FROM_FILES: names });
  const withheld = await startProgram([], { cwd, env: { GITHUB_TOKEN: "of the caller" } });
  for (const name of Object.keys(NETWORK)) expect(withheld.variables).not.toHaveProperty(name);
  expect(withheld.messages[0]).toContain(`--allow ${Object.keys(NETWORK).join(",")}`);
  const callers = await startProgram([], { env: callerSettings });
  expect(callers.variables).toMatchObject(NETWORK);
  expect(callers.variables).not.toHaveProperty("SOPHIA_FROM_FILES");
});

test("an environment that a file selects and the caller's token opens has the trust of ESC", async () => {
  const { variables: callerSettings } = await startEsc({ values: { ...CODE, [BASE]: EVIL } });
  const { ESC_ENV: name = "", ...env } = callerSettings;
  const { variables, messages } = await startProgram([], { cwd: folder({ ".env": `ESC_ENV=${name}\n` }), env });
  expect(variables).toMatchObject({ ...CODE, [BASE]: EVIL });
  expect(messages).toEqual([expect.stringContaining("ESC_ENV in .env")]);
});

test("check, explain and export report the reason in the words for files", async () => {
  const { file } = await startEsc({ values: { [BASE]: EVIL, BASH_ENV: "./x.sh" } });
  const contract = { variables: { OPENAI_API_KEY: {}, [BASE]: { required: true } } };
  const cwd = folder({ ".env": file, "sophia.contract.json": JSON.stringify(contract) });
  const explained = await sophia(["explain", BASE, "BASH_ENV"], { cwd, env: KEY });
  expect(unwrapLines(explained.stdout)).toMatch(
    /withheld +ESC evil\/app\/dev.*\.env: without --allow, since it sends a key/,
  );
  expect(unwrapLines(explained.stdout)).toMatch(
    /withheld +ESC .*\.env: without --allow, since it makes other programs run/,
  );
  const checked = await sophia(["check"], { cwd, env: KEY });
  expect([checked.status, unwrapLines(checked.stdout)]).toEqual([
    1,
    expect.stringContaining("without --allow, since it sends"),
  ]);
  const started = await sophia(["--verbose", "--", "true"], { cwd, env: KEY });
  expect(started.status).toBe(78);
  expect(unwrapLines(started.stderr)).toContain("without --allow, since it sends a key");
  const exported = await sophia(["export", "--format", "json", "--no-contract"], { cwd, env: KEY });
  expect(exported.stdout).not.toContain(EVIL);
  expect(unwrapLines(exported.stderr)).toContain(`${BASE} in ESC`);
});
