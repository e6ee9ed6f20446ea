import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../esc-server/index.ts";
import { notLinux, skipBecause } from "../helpers/skip.ts";
import {
  CONTRACT_VALUES,
  folder,
  isStandalone,
  sophia,
  sophiaRun,
  type RunOptions,
  unwrapLines,
} from "../helpers/sophia.ts";

/** Expects a failure of sophia-run: status 125, the problem in the first line, the remedy below, an empty stdout. */
async function expectRefusal(args: readonly string[], options: RunOptions, ...words: string[]): Promise<void> {
  const { status, stdout, stderr } = await sophia(args, options);
  expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
  expect(stderr).toMatch(/^sophia-run: \S.*\n(?: {2,}\S.*\n)+$/);
  // At most 80 columns, except for longer words.
  for (const line of stderr.split("\n")) expect(line.length <= 80 || !line.trim().includes(" "), line).toBe(true);
  for (const word of words) expect(unwrapLines(stderr)).toContain(word);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr).not.toContain("sentinel");
}

/** sophia-run as npm installs it. */
const npmEntry = sophiaRun.filter((word) => word !== "--").map((word) => word.replace(/sophia-run$/, "sophia-run.cjs"));

/** Runs `script` in a shell and a new folder; "$@" is sophia-run. */
function inShell(script: string, prefix: readonly string[] = sophiaRun) {
  const { status, stdout, stderr } = spawnSync("sh", ["-c", script, "sh", ...prefix], {
    cwd: folder(),
    env: { PATH: process.env["PATH"], ...CONTRACT_VALUES },
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

describe("in a deleted working directory", () => {
  const gone = 'mkdir gone; cd gone; rmdir ../gone; "$@"';

  test.each([
    ["-- echo started", "started\n"],
    ["check", "All checks passed"],
    ["explain QDRANT_URL", "environment"],
    ["export --format json", "QDRANT_URL"],
    ["completion bash", "complete"],
    ["--help", "Usage:"],
    ["check --help", "Usage:"],
    ["--version", "."],
  ])("sophia-run %s works", (line, words) => {
    const result = inShell(`${gone} ${line}`);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toContain(words);
  });
});

describe("a working directory whose name is not UTF-8", () => {
  skipBecause(notLinux);
  const enter = `mkdir "$(printf '\\377')"; cd "$(printf '\\377')"; `;

  test("has its .env file read", () => {
    const result = inShell(`${enter}echo A=1 > .env; "$@" -- sh -c 'echo "$A"; pwd | grep -c "$(printf "\\377")"'`);
    expect(result).toEqual({ status: 0, stdout: "1\n1\n", stderr: "" });
  });

  test("has the contract of a folder above enforced", () => {
    const contract = JSON.stringify({ variables: { NEEDED_ABOVE: { required: true } } });
    const result = inShell(`echo '${contract}' > sophia.contract.json; ${enter}"$@" -- echo started`);
    expect(result).toMatchObject({ status: 78, stdout: "" });
    expect(result.stderr).toContain("NEEDED_ABOVE");
  });

  test.each(["below", `"$(printf '\\376')"`, `below/"$(printf '\\376')"/below`])(
    "has the contract of a folder above enforced in a folder below: %s",
    (below) => {
      const contract = JSON.stringify({ variables: { NEEDED_ABOVE: { required: true } } });
      const result = inShell(
        `${enter}echo '${contract}' > sophia.contract.json; mkdir -p ${below}; cd ${below}; "$@" -- echo started`,
      );
      expect(result).toMatchObject({ status: 78, stdout: "" });
      expect(result.stderr).toContain("NEEDED_ABOVE");
    },
  );

  test("has its contract enforced", () => {
    const contract = JSON.stringify({ variables: { NEEDED_HERE: { required: true } } });
    const result = inShell(`${enter}echo '${contract}' > sophia.contract.json; "$@" -- echo started`);
    expect(result).toMatchObject({ status: 78, stdout: "" });
    expect(result.stderr).toContain("NEEDED_HERE");
  });
});

describe("an invalid command line is refused", () => {
  test.each([
    [[], "command"],
    [["--"], "--"],
    [["--nonsense", "--", "true"], "--nonsense"],
    [["check", "--nonsense"], "nonsense"],
    [["check", "sentinel"], "check"],
    [["completion", "bash", "sentinel"], "SHELL"],
    [["completion", "=sentinel"], "allowed: bash, zsh, fish"],
    [["node", "--env-file=sentinel"], "[options] -- node"],
    [["--mode", "fork", "--", "true"], "allowed: auto, spawn, exec"],
    [["--timeout", "soon", "--", "true"], "--timeout"],
  ])("with a message that names the mistake: %j", (args, words) => expectRefusal(args, {}, words));
});

describe("the option --env-file, which is Node.js's,", () => {
  const renamed = /^sophia-run: --env-file .*--dotenv/;

  test.each([
    ["--env-file", "some.env", "--", "true"],
    ["--env-file=some.env", "--", "true"],
    ["-q", "--env-file-if-exists=some.env", "--", "true"],
    ["check", "--env-file=some.env"],
    ["--env-file=some.env", "check", "--help"],
  ])("is refused with the name of the right option: %j", async (...args) => {
    const cwd = folder({ "some.env": "A=sentinel" });
    expect(await sophia(args, { cwd, env: CONTRACT_VALUES })).toMatchObject({
      status: 125,
      stdout: "",
      stderr: expect.stringMatching(renamed),
    });
  });

  test("is refused as a variable with another name, too", async () => {
    const result = await sophia(["--", "true"], { env: { ...CONTRACT_VALUES, SOPHIA_ENV_FILE: "sentinel.env" } });
    expect(result).toMatchObject({
      status: 125,
      stdout: "",
      stderr: expect.stringContaining("SOPHIA_DOTENV"),
    });
    expect(await sophia(["--", "true"], { env: { ...CONTRACT_VALUES, SOPHIA_ENV_FILE: "" } })).toMatchObject({
      status: 0,
      stderr: "",
    });
  });

  // See docs/launching.md.
  test("is refused after Node.js has applied NODE_OPTIONS of the file, unlike --dotenv", ({ skip }) => {
    skip(isStandalone, "there is no Node.js that reads first");
    const plant = `echo 'console.log("ran")' > e.cjs; echo "NODE_OPTIONS=--require=$PWD/e.cjs" > a.env; `;
    expect(inShell(`${plant} "$@" --env-file=a.env -- true`, npmEntry)).toEqual({
      status: 125,
      stdout: "ran\n",
      stderr: expect.stringMatching(renamed),
    });
    expect(inShell(`${plant} "$@" --dotenv=a.env -- true`, npmEntry)).toEqual({ status: 0, stdout: "", stderr: "" });
  });
});

describe(".env files", () => {
  const env = CONTRACT_VALUES;

  test("are required if the user names them", () =>
    expectRefusal(["--dotenv", "no.env", "--", "true"], { env }, "no.env"));

  test("are separated by commas; a backslash makes a comma a part of the name", async () => {
    const cwd = folder({ "a.env": "A=1\nB=1\n", "b.env": "B=2\n", "a,b.env": "B=3\n" });
    const b = async (given: string, asVariable = false): Promise<string> => {
      const [options, more] = asVariable ? [[], { SOPHIA_DOTENV: given }] : [["--dotenv", given], {}];
      return (await sophia([...options, "--", "sh", "-c", 'echo "$A$B"'], { cwd, env: { ...env, ...more } })).stdout;
    };
    expect([await b("a.env,b.env"), await b("a.env,b.env", true)]).toEqual(["12\n", "12\n"]);
    expect([await b("a\\,b.env"), await b("a\\,b.env", true)]).toEqual(["3\n", "3\n"]);
    await expectRefusal(["--dotenv", "a,b.env", "--", "true"], { cwd, env }, "the env file a does not exist");
  });

  test("may be missing if they are not named", async () => {
    expect(await sophia(["--", "true"], { env })).toMatchObject({ status: 0, stderr: "" });
  });

  test("may have a byte-order mark and CRLF", async () => {
    const cwd = folder({ ".env": "\uFEFFFIRST=1\r\nSECOND=2\r\n" });
    const result = await sophia(["--", "sh", "-c", 'echo "$FIRST$SECOND"'], { cwd, env });
    expect(result).toMatchObject({ status: 0, stdout: "12\n", stderr: "" });
  });

  test.each([
    ['A="sentinel\nB=1', ".env:1"],
    ["A=1\nB=sentinel\0", "NUL"],
    [new Uint8Array([0x41, 0x3d, 0xff]), "UTF-8"],
  ])("are refused if they are malformed: %j", (content, words) =>
    expectRefusal(["--", "true"], { env, cwd: folder({ ".env": content }) }, words),
  );

  test("may be pipes", () => {
    const { status, stdout, stderr } = inShell(`echo A=1 | "$@" --dotenv /dev/stdin -- sh -c 'echo "$A"'`);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "1\n", stderr: "" });
  });

  test("may be pipes for the command of npm, which starts without `--` after node", ({ skip }) => {
    skip(isStandalone, "there is no Node.js that reads first");
    for (const named of ['"$@" --dotenv /dev/stdin', 'env SOPHIA_DOTENV=/dev/stdin "$@"']) {
      const result = inShell(`echo A=1 | ${named} -- sh -c 'echo "$A"'`, npmEntry);
      expect(result).toEqual({ status: 0, stdout: "1\n", stderr: "" });
    }
  });

  test("may not be folders", () => {
    const cwd = folder();
    mkdirSync(join(cwd, ".env"));
    return expectRefusal(["--", "true"], { env, cwd }, "folder");
  });
});

describe("invalid settings of ESC are refused", () => {
  const token = { ESC_TOKEN: "pul-sentinel" };
  test.each([
    [{ ...token, ESC_ENV: "sophia dev" }, "ESC_ENV contains"],
    [{ ...token, ESC_ENV: "a/b/c/d" }, "4 parts"],
    [{ ...token, ESC_ENV: "a//c" }, "empty part"],
    [{ ...token, ESC_ENV: "sophia/" }, "empty part"],
    [{ ...token, ESC_ENV: "sophia/dev," }, "empty name"],
    [{ ESC_ENV: "sophia/dev", ESC_TOKEN: "pul-\nsentinel" }, "ESC_TOKEN contains"],
    [{ ...token, ESC_ENV: "sophia/dev", PULUMI_BACKEND_URL: "sentinel" }, "PULUMI_BACKEND_URL"],
    [{ ...token, ESC_ENV: "sophia/dev", PULUMI_BACKEND_URL: "ftp://host.test" }, "PULUMI_BACKEND_URL"],
    [{ ...token, ESC_ENV: "sophia/dev", PULUMI_BACKEND_URL: "http://host.test" }, "--insecure-http"],
  ])("with a message that names the mistake: %j", (env, words) =>
    expectRefusal(["--", "true"], { env: { ...CONTRACT_VALUES, ...env } }, words),
  );
});

async function startServer() {
  const started = await startEscServer();
  onTestFinished(() => started.close());
  return { started, env: { ESC_ENV: "acme/sophia/dev", ESC_TOKEN: started.token, PULUMI_BACKEND_URL: started.url } };
}

describe("an answer of ESC", () => {
  test.each([["A=B"], ["A\0B"], [""]])(
    "is refused if it has the name %j, which no environment can have",
    async (name) => {
      const { started, env } = await startServer();
      started.environment("acme/sophia/dev", { values: { ...CONTRACT_VALUES, [name]: "sentinel-value" } });
      await expectRefusal(["--", "true"], { env }, "name");
    },
  );

  test("is refused if a value contains a NUL", async () => {
    const { started, env } = await startServer();
    started.environment("acme/sophia/dev", { values: { ...CONTRACT_VALUES, BROKEN: "sentinel\0value" } });
    await expectRefusal(["--", "true"], { env }, "BROKEN", "NUL");
  });

  test("is refused without showing a value if it is too large for any program", async () => {
    const { started, env } = await startServer();
    started.environment("acme/sophia/dev", { values: { ...CONTRACT_VALUES, LONG: "sentinel".repeat(20_000) } });
    const long = await sophia(["--", "true"], { env });
    expect(long).toMatchObject({ status: 126, stdout: "" });
    expect(long.stderr).toContain("LONG");
    expect(long.stderr).not.toContain("sentinel");

    const many = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`MANY_${n}`, "sentinel".repeat(12_000)]));
    started.environment("acme/sophia/dev", { values: { ...CONTRACT_VALUES, ...many } });
    const large = await sophia(["--", "true"], { env });
    expect(large).toMatchObject({ status: 126, stdout: "" });
    expect(large.stderr).toContain("MANY_");
    expect(large.stderr).not.toContain("sentinel");
  });
});
