import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../esc-server/index.ts";
import { findIsolation } from "../helpers/container.ts";
import { noNobody, sophiaAsNobody } from "../helpers/nobody.ts";
import { skipBecause } from "../helpers/skip.ts";
import { parseEnvironment, folder, sophia, sophiaRun, unwrapLines } from "../helpers/sophia.ts";
import { expectWording } from "../helpers/wording.ts";

const ENVIRONMENT = "acme/app/dev";
const CONTRACT = JSON.stringify({
  variables: {
    QDRANT_API_KEY: { required: true },
    DB_PASSWORD: { aliases: ["PG_PASSWORD"] },
    LEVEL: { secret: false, format: { type: "enum", values: ["low", "high"] } },
    TLS_CERT: {},
    TLS_CERT_FILE: { secret: false },
  },
  scopes: { web: ["QDRANT_API_KEY"] },
});
const VALUE = "sentinel-of-a-file";

function makeProject(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  return folder({ "sophia.contract.json": CONTRACT, ...files });
}

/** Starts an ESC whose environment has the values, and returns the variables that lead to it. */
async function startEscWith(values: Readonly<Record<string, string>>) {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment(ENVIRONMENT, { values });
  return { server, esc: { ESC_ENV: ENVIRONMENT, ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url } };
}

describe("the file that NAME_FILE names", () => {
  test("sets NAME like the process environment, which overrides ESC, and the program gets NAME but not NAME_FILE", async () => {
    const { esc } = await startEscWith({ QDRANT_API_KEY: "of-esc" });
    const cwd = makeProject({ key: `${VALUE}\n`, ".env": "QDRANT_API_KEY=of-file\n" });
    const env = { ...esc, QDRANT_API_KEY_FILE: "key", OTHER_FILE: "kept" };
    const { stdout, stderr } = await sophia(["--", "env"], { cwd, env });
    expect(parseEnvironment(stdout)).toMatchObject({ QDRANT_API_KEY: VALUE, OTHER_FILE: "kept" });
    expect(parseEnvironment(stdout)).not.toHaveProperty("QDRANT_API_KEY_FILE");
    expect(stderr).toBe("sophia-run: the environment overrides ESC for QDRANT_API_KEY\n");
    const preferred = await sophia(["--prefer", "esc", "--", "printenv", "QDRANT_API_KEY"], { cwd, env });
    expect(preferred.stdout).toBe("of-esc\n");
  });

  test.each([
    ["without a line break", "a b", "a b"],
    ["with a line break", "a\n", "a"],
    ["with a line break of Windows", "a\r\n", "a"],
    ["with two line breaks", "a\n\n", "a\n"],
    ["with several lines", "a\nb\n", "a\nb"],
    ["with blanks and quotes", ' "a" \n', ' "a" '],
    ["with U+FFFD and other characters", "ü\uFFFD𝄞", "ü\uFFFD𝄞"],
    ["of the largest size", "ab".repeat(32_768), "ab".repeat(32_768)],
  ])("%s sets NAME to its content without the last line break", async (_, content, value) => {
    const cwd = makeProject({ key: content });
    const command = ["--", process.execPath, "-e", "process.stdout.write(process.env.QDRANT_API_KEY)"];
    const { stdout, stderr } = await sophia(command, { cwd, env: { QDRANT_API_KEY_FILE: join(cwd, "key") } });
    expect([stdout, stderr]).toEqual([value, ""]);
  });

  test("is read for an alias, too, and if NAME is empty, and not if NAME_FILE is empty", async () => {
    const cwd = makeProject({ key: VALUE, password: "p" });
    const env = { QDRANT_API_KEY: "", QDRANT_API_KEY_FILE: "key", PG_PASSWORD_FILE: "password", DB_PASSWORD_FILE: "" };
    const { stdout } = await sophia(["--", "env"], { cwd, env });
    expect(parseEnvironment(stdout)).toMatchObject({ QDRANT_API_KEY: VALUE, DB_PASSWORD: "p" });
  });

  test("is not read if the contract declares NAME_FILE itself, which is passed on like other variables", async () => {
    const cwd = makeProject();
    const env = { QDRANT_API_KEY: "1", TLS_CERT_FILE: "/does/not/exist" };
    const { stdout } = await sophia(["--", "env"], { cwd, env });
    expect(parseEnvironment(stdout)["TLS_CERT_FILE"]).toBe("/does/not/exist");
    expect(parseEnvironment(stdout)).not.toHaveProperty("TLS_CERT");
  });

  test("may be a pipe", async () => {
    const cwd = makeProject();
    const program = `exec 3< <(echo ${VALUE}); QDRANT_API_KEY_FILE=/dev/fd/3 "$@"`;
    const launcherCommand = [...sophiaRun, "--", "printenv", "QDRANT_API_KEY"];
    const { stdout } = spawnSync("bash", ["-c", program, "bash", ...launcherCommand], { cwd, encoding: "utf8" });
    expect(stdout).toBe(`${VALUE}\n`);
  });

  test("is not read if NAME_FILE is in a .env file, even by a nested sophia-run", async () => {
    const cwd = makeProject({ key: VALUE, ".env": "DB_PASSWORD_FILE=key\nQDRANT_API_KEY=1\n" });
    const { stdout, status } = await sophia(["--", ...sophiaRun, "--", "env"], { cwd });
    expect(status).toBe(0);
    expect(parseEnvironment(stdout)).toMatchObject({ DB_PASSWORD_FILE: "key" });
    expect(parseEnvironment(stdout)).not.toHaveProperty("DB_PASSWORD");
  });

  test("is not read if NAME is outside the scope, and NAME_FILE is not passed on", async () => {
    const cwd = makeProject();
    const env = { QDRANT_API_KEY: "1", DB_PASSWORD_FILE: "/does/not/exist" };
    const { stdout, status } = await sophia(["--scope", "web", "--", "env"], { cwd, env });
    expect(status).toBe(0);
    expect(parseEnvironment(stdout)).not.toHaveProperty("DB_PASSWORD_FILE");
  });

  test("is named by explain and check without its value, which is masked in the output", async () => {
    const cwd = makeProject({ key: `${VALUE}\n` });
    const options = { cwd, env: { QDRANT_API_KEY_FILE: "key" } };
    const explained = await sophia(["explain", "QDRANT_API_KEY", "QDRANT_API_KEY_FILE"], options);
    expect(explained.stdout).toContain("from     the process environment, QDRANT_API_KEY_FILE: key");
    expect(unwrapLines(explained.stdout)).toContain("since sophia-run has read the file that it names");
    const checked = await sophia(["check"], options);
    expect(checked.stdout).toContain("(the process environment, QDRANT_API_KEY_FILE: key)");
    for (const { stdout, stderr } of [explained, checked]) expect(stdout + stderr).not.toContain(VALUE);
    const maskedResult = await sophia(["--redact", "--", "printenv", "QDRANT_API_KEY"], options);
    expect(maskedResult.stdout).toBe("***\n");
  });

  test("is named by the remedy for an invalid value", async () => {
    const cwd = makeProject({ level: "loud\n" });
    const { status, stderr } = await sophia(["--", "true"], { cwd, env: { QDRANT_API_KEY: "1", LEVEL_FILE: "level" } });
    expect(status).toBe(78);
    expect(stderr).toContain("correct it in level\n");
    expect(stderr).not.toContain("loud");
  });
});

describe("a start fails before it opens ESC if NAME_FILE names a file", () => {
  const faults: readonly (readonly [string, (cwd: string) => string, string])[] = [
    ["that does not exist", () => "none", "the file in QDRANT_API_KEY_FILE does not exist"],
    [
      "that does not exist, because NAME_FILE is the value by mistake",
      () => "pul-sentinel/of-a-value",
      "the file in QDRANT_API_KEY_FILE does not exist",
    ],
    [
      "that cannot exist, because NAME_FILE is a long value by mistake",
      () => "sentinel".repeat(600),
      "the file in QDRANT_API_KEY_FILE cannot be read",
    ],
    ["whose path leads through a file", () => "sophia.contract.json/x", "does not exist"],
    ["that is a folder", () => ".", "is a folder"],
    ["that is a device", () => "/dev/zero", "is a device or a socket"],
    ["that is too large", (cwd) => (writeFileSync(join(cwd, "big"), "x".repeat(65_537)), "big"), "larger than 64 KiB"],
    [
      "with other bytes than UTF-8",
      (cwd) => (
        writeFileSync(join(cwd, "bytes"), Buffer.from("ü\uFFFDsentinel\xff", "utf8").fill(0xff, 13, 14)),
        "bytes"
      ),
      "byte 14 of bytes (QDRANT_API_KEY_FILE) is not UTF-8",
    ],
    [
      "with a NUL",
      (cwd) => (writeFileSync(join(cwd, "nul"), "sentinel\0"), "nul"),
      "byte 9 of nul (QDRANT_API_KEY_FILE)",
    ],
  ];
  test.each(faults)("%s", async (_, make, message) => {
    const { server, esc } = await startEscWith({ QDRANT_API_KEY: "of-esc" });
    const cwd = makeProject();
    const env = { ...esc, QDRANT_API_KEY_FILE: make(cwd) };
    const { status, stdout, stderr } = await sophia(["--", "env"], { cwd, env });
    expect([status, stdout]).toEqual([125, ""]);
    expect(unwrapLines(stderr)).toContain(message);
    expect(stderr).not.toContain("sentinel");
    expect(server.count("open")).toBe(0);
    expectWording(stderr);
  });

  test("and NAME is set, too", async () => {
    const cwd = makeProject({ key: VALUE });
    const env = { QDRANT_API_KEY: "sentinel", QDRANT_API_KEY_FILE: "key" };
    const { status, stderr } = await sophia(["--", "true"], { cwd, env });
    expect(status).toBe(125);
    expect(stderr).toBe(
      "sophia-run: the environment has both QDRANT_API_KEY and QDRANT_API_KEY_FILE\n  unset one of them\n",
    );
  });

  test("that is a pipe which has not ended within five seconds", async () => {
    const cwd = makeProject();
    execFileSync("mkfifo", [join(cwd, "pipe")]);
    const { status, stderr } = await sophia(["--", "true"], { cwd, env: { QDRANT_API_KEY_FILE: "pipe" } });
    expect(status).toBe(125);
    expect(unwrapLines(stderr)).toContain("the file in QDRANT_API_KEY_FILE is a pipe that did not end within 5 s");
  });

  test("that the user may not read", ({ skip }) => {
    skip(noNobody !== undefined, noNobody);
    const cwd = makeProject({ key: VALUE });
    chmodSync(cwd, 0o755);
    chmodSync(join(cwd, "key"), 0o600);
    const { status, stderr } = sophiaAsNobody(["--", "true"], { cwd, env: { QDRANT_API_KEY_FILE: "key" } });
    expect(status).toBe(125);
    expect(unwrapLines(stderr)).toContain("the file in QDRANT_API_KEY_FILE cannot be read: permission denied");
  });
});

describe("--secrets-dir", () => {
  test("overrides .env, and ESC overrides it, and a later folder overrides an earlier one", async () => {
    const { esc } = await startEscWith({ QDRANT_API_KEY: "of-esc" });
    const cwd = makeProject({ ".env": "DB_PASSWORD=of-file\nLEVEL=low\n" });
    for (const name of ["a", "b"]) mkdirSync(join(cwd, name));
    writeFileSync(join(cwd, "a/QDRANT_API_KEY"), "a\n");
    writeFileSync(join(cwd, "a/DB_PASSWORD"), "a\n");
    writeFileSync(join(cwd, "a/UNDECLARED"), "a\n");
    writeFileSync(join(cwd, "b/DB_PASSWORD"), "b\n");
    const expected = { QDRANT_API_KEY: "of-esc", DB_PASSWORD: "b", LEVEL: "low" };
    for (const [options, further] of [
      [["--secrets-dir", "a", "--secrets-dir", join(cwd, "b")], {}],
      [["--secrets-dir=a:b"], {}],
      [[], { SOPHIA_SECRETS_DIR: `a:${cwd}/b` }],
    ] as const) {
      const { stdout, stderr } = await sophia([...options, "--", "env"], { cwd, env: { ...esc, ...further } });
      expect(stderr).toBe("");
      expect(parseEnvironment(stdout)).toMatchObject(expected);
      expect(parseEnvironment(stdout)).not.toHaveProperty("UNDECLARED");
    }
    const turned = await sophia(["--secrets-dir=b:a", "--", "printenv", "DB_PASSWORD"], { cwd });
    expect(turned.stdout).toBe("a\n");
    const callerResult = await sophia(["--secrets-dir=b:a", "--", "printenv", "DB_PASSWORD"], {
      cwd,
      env: { DB_PASSWORD: "mine" },
    });
    expect(callerResult.stdout).toBe("mine\n");
  });

  test.each([["QDRANT_API_KEY"], ["qdrant_api_key"], ["qdrant-api-key"]])("reads the file %s", async (name) => {
    const cwd = makeProject();
    mkdirSync(join(cwd, "secrets"));
    writeFileSync(join(cwd, "secrets", name), `${VALUE}\n`);
    const options = { cwd, env: { SOPHIA_SECRETS_DIR: "secrets" } };
    expect((await sophia(["--", "printenv", "QDRANT_API_KEY"], options)).stdout).toBe(`${VALUE}\n`);
    const explained = await sophia(["explain", "QDRANT_API_KEY"], options);
    expect(explained.stdout).toContain(`from     secrets/${name}\n`);
    const checked = await sophia(["check"], options);
    expect(checked.stdout).toContain("from the secrets folder");
    expect(explained.stdout + checked.stdout).not.toContain(VALUE);
    expect((await sophia(["--redact", "--", "printenv", "QDRANT_API_KEY"], options)).stdout).toBe("***\n");
  });

  test("reads the links of a Kubernetes volume, even after kubelet has replaced the files", async () => {
    const cwd = makeProject();
    const secrets = join(cwd, "secrets");
    const version = (name: string, value: string): void => {
      mkdirSync(join(secrets, name), { recursive: true });
      writeFileSync(join(secrets, name, "qdrant-api-key"), value);
      symlinkSync(name, join(secrets, "..data_tmp"));
      renameSync(join(secrets, "..data_tmp"), join(secrets, "..data"));
    };
    version("..2026_11_30", "first");
    symlinkSync("..data/qdrant-api-key", join(secrets, "qdrant-api-key"));
    const start = () => sophia(["--secrets-dir", "secrets", "--", "printenv", "QDRANT_API_KEY"], { cwd });
    expect((await start()).stdout).toBe("first\n");
    version("..2026_12_01", "second");
    expect((await start()).stdout).toBe("second\n");
  });

  test("fails if two files are for one variable, or if the folder does not exist", async () => {
    const { server, esc } = await startEscWith({ QDRANT_API_KEY: "of-esc" });
    const cwd = makeProject();
    mkdirSync(join(cwd, "secrets"));
    for (const name of ["QDRANT_API_KEY", "qdrant-api-key"]) writeFileSync(join(cwd, "secrets", name), "sentinel");
    mkdirSync(join(cwd, "folders/db-password"), { recursive: true });
    const messages: string[] = [];
    for (const path of ["secrets", "none", "sophia.contract.json", "folders"]) {
      const { status, stderr } = await sophia(["--secrets-dir", path, "--", "true"], { cwd, env: esc });
      expect(status).toBe(125);
      expect(stderr).not.toContain("sentinel");
      messages.push(stderr);
    }
    expectWording(messages.join(""));
    const emptyResult = await sophia(["--secrets-dir=:", "--", "true"], { cwd });
    expect([emptyResult.status, server.count("open")]).toEqual([125, 0]);
  });

  test("fails if a link is broken, rather than report a missing value", async () => {
    const cwd = makeProject();
    mkdirSync(join(cwd, "secrets"));
    symlinkSync("nothing", join(cwd, "secrets/DB_PASSWORD"));
    const { status, stderr } = await sophia(["--secrets-dir", "secrets", "--", "true"], { cwd });
    expect([status, stderr]).toEqual([125, expect.stringContaining("secrets/DB_PASSWORD")]);
  });

  test("has a line for each folder with --verbose, like each NAME_FILE", async () => {
    const cwd = makeProject({ key: VALUE, "secrets/db-password": VALUE, ".env": "A=1\n" });
    const verbose = ["--verbose", "--secrets-dir", "secrets", "--", "true"];
    const { status, stderr } = await sophia(verbose, { cwd, env: { QDRANT_API_KEY_FILE: "key" } });
    expect(status).toBe(0);
    expect(stderr).toContain(
      "sophia-run: QDRANT_API_KEY_FILE: 1 variable\nsophia-run: secrets: 1 variable\nsophia-run: .env: 1 variable\n",
    );
  });

  test("reads only the files for variables of the scope", async () => {
    const cwd = makeProject();
    mkdirSync(join(cwd, "secrets/db-password"), { recursive: true });
    writeFileSync(join(cwd, "secrets/qdrant-api-key"), VALUE);
    const options = ["--secrets-dir", "secrets", "--scope", "web"];
    expect((await sophia([...options, "--", "printenv", "QDRANT_API_KEY"], { cwd })).stdout).toBe(`${VALUE}\n`);
  });

  test("has no effect if ESC refuses access", async () => {
    const { esc } = await startEscWith({});
    const cwd = makeProject();
    mkdirSync(join(cwd, "secrets"));
    writeFileSync(join(cwd, "secrets/DB_PASSWORD"), VALUE);
    const options = ["--no-contract", "--secrets-dir", "secrets"];
    const { stdout } = await sophia([...options, "--", "env"], { cwd, env: { ...esc, ESC_TOKEN: "pul-0000" } });
    expect(parseEnvironment(stdout)).not.toHaveProperty("DB_PASSWORD");
  });

  test("has its keys brokered, like those of NAME_FILE, and explain names the file", async () => {
    const contract = { variables: { OPENAI_API_KEY: {}, GROQ_API_KEY: {} } };
    const cwd = folder({ "sophia.contract.json": JSON.stringify(contract), groq: "gsk_sentinel0123456789" });
    mkdirSync(join(cwd, "secrets"));
    writeFileSync(join(cwd, "secrets/openai-api-key"), "sk-sentinel0123456789");
    const options = { cwd, env: { SOPHIA_SECRETS_DIR: "secrets", GROQ_API_KEY_FILE: "groq" } };
    const { stdout, status } = await sophia(["--broker", "--", "env"], options);
    expect(status).toBe(0);
    const programVariables = parseEnvironment(stdout);
    expect(programVariables["OPENAI_API_KEY"]?.length).toBeGreaterThan(10);
    expect(programVariables["GROQ_API_KEY"]?.length).toBeGreaterThan(10);
    expect(stdout).not.toContain("sentinel");
    const explained = await sophia(["explain", "--broker", "OPENAI_API_KEY", "GROQ_API_KEY"], options);
    expect(explained.stdout).toContain("lies in  secrets/openai-api-key\n");
    expect(explained.stdout).toContain("lies in  groq\n");
  });

  test("names a folder whose files the tools of a coding agent cannot read", async () => {
    const cwd = makeProject();
    mkdirSync(join(cwd, "secrets"));
    writeFileSync(join(cwd, "secrets/DB_PASSWORD"), VALUE);
    const input = {
      hook_event_name: "PreToolUse",
      tool_name: "Read",
      cwd,
      tool_input: { file_path: "secrets/DB_PASSWORD" },
    };
    const { stdout } = await sophia(["hook", "claude-code", "--secrets-dir", "secrets"], {
      cwd,
      input: JSON.stringify(input),
    });
    expect(stdout).toContain('"deny"');
    expect(stdout).not.toContain(VALUE);
  });
});

describe("systemd's CREDENTIALS_DIRECTORY", () => {
  test("is read, and a named folder overrides it, and the program gets the variable, too", async () => {
    const cwd = makeProject();
    for (const name of ["credentials", "named"]) mkdirSync(join(cwd, name));
    for (const name of ["qdrant-api-key", "DB_PASSWORD"]) writeFileSync(join(cwd, "credentials", name), "of-systemd");
    writeFileSync(join(cwd, "named/DB_PASSWORD"), "named");
    const env = { CREDENTIALS_DIRECTORY: join(cwd, "credentials") };
    const { stdout } = await sophia(["--secrets-dir", "named", "--", "env"], { cwd, env });
    expect(parseEnvironment(stdout)).toMatchObject({ ...env, QDRANT_API_KEY: "of-systemd", DB_PASSWORD: "named" });
  });

  test("may name a folder that does not exist", async () => {
    const env = { CREDENTIALS_DIRECTORY: "/does/not/exist", QDRANT_API_KEY: "1" };
    expect(await sophia(["--", "true"], { cwd: makeProject(), env })).toMatchObject({ status: 0, stderr: "" });
  });

  test("is not read if it is set in a .env file, even by a nested sophia-run", async () => {
    const cwd = makeProject();
    mkdirSync(join(cwd, "c"));
    writeFileSync(join(cwd, "c/DB_PASSWORD"), VALUE);
    writeFileSync(join(cwd, ".env"), `QDRANT_API_KEY=1\nCREDENTIALS_DIRECTORY=${cwd}/c\n`, { mode: 0o600 });
    const { stdout, status } = await sophia(["--", ...sophiaRun, "--", "env"], { cwd });
    expect(status).toBe(0);
    expect(parseEnvironment(stdout)).toHaveProperty("CREDENTIALS_DIRECTORY");
    expect(parseEnvironment(stdout)).not.toHaveProperty("DB_PASSWORD");
  });
});

describe("Docker's /run/secrets", () => {
  const isolation = findIsolation();
  skipBecause("reason" in isolation ? `needs mount namespaces: ${isolation.reason}` : undefined);

  /**
   * Runs sophia-run where /run/secrets is a folder with one file.
   *
   * @param prepare shell commands that are run in this folder before
   */
  function runWithRunSecrets(prepare: string, ...args: readonly string[]) {
    const [file = "false", ...rest] = "prefix" in isolation ? isolation.prefix : [];
    const script = `mount -t tmpfs none /run && mkdir -m 755 /run/secrets && cd /run/secrets && echo ${VALUE} > qdrant_api_key && ${prepare} && cd "$OLDPWD" && "$@"; exit $?`;
    const cwd = makeProject();
    const command = [...rest, "sh", "-c", script, "sh", ...sophiaRun, ...args];
    return spawnSync(file, command, { cwd, env: { PATH: process.env["PATH"] }, encoding: "utf8" });
  }

  test("is read without an option", () => {
    const { stdout, stderr } = runWithRunSecrets("true", "--", "printenv", "QDRANT_API_KEY");
    expect([stdout, stderr]).toEqual([`${VALUE}\n`, ""]);
    const explained = runWithRunSecrets("true", "explain", "QDRANT_API_KEY");
    expect(explained.stdout).toContain("from     /run/secrets/qdrant_api_key\n");
  });

  test("is ignored with a warning if other users may write it, unless it is read-only", () => {
    const open = runWithRunSecrets("chmod 777 .", "--no-contract", "--", "printenv", "QDRANT_API_KEY");
    expect(open.stdout).toBe("");
    expect(unwrapLines(open.stderr)).toContain("/run/secrets is ignored: other users may write it");
    const namedResult = runWithRunSecrets(
      "chmod 777 .",
      "--secrets-dir",
      "/run/secrets",
      "--",
      "printenv",
      "QDRANT_API_KEY",
    );
    expect(namedResult.stdout).toBe(`${VALUE}\n`);
    const mounted = "chmod 1777 . && mount --bind . . && mount -o remount,bind,ro /run/secrets";
    expect(runWithRunSecrets(mounted, "--", "printenv", "QDRANT_API_KEY").stdout).toBe(`${VALUE}\n`);
  });

  test("has no effect if none of its files is for a declared variable", () => {
    const result = runWithRunSecrets("mv qdrant_api_key other", "--no-contract", "--", "printenv", "QDRANT_API_KEY");
    expect([result.stdout, result.stderr]).toEqual(["", ""]);
  });
});
