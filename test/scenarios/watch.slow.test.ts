import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { secret } from "../esc-server/index.ts";
import { noAddon } from "../helpers/skip.ts";
import { folder, sophiaRun, unwrapLines } from "../helpers/sophia.ts";
import { expectWording } from "../helpers/wording.ts";
import { type ProcessResult, startProcess } from "../helpers/start-process.ts";
import { waitForRun, WATCH, startWatched, startWatchedWorld } from "../helpers/start-watched.ts";

const countStarts = ({ stdout }: ProcessResult): number => stdout.match(/^run /gm)?.length ?? 0;

test("--watch restarts the program for a change of the environment, then of an import, and records each start", async () => {
  const watchScene = await startWatchedWorld();
  const started = startWatched(watchScene, ["--audit-log", "log"]);
  const first = await waitForRun(started, "one");
  watchScene.setKey("two");
  const second = await waitForRun(started, "two");
  watchScene.setBase("b2");
  await started.waitForStdout(/two b2$/m);
  expect(first).not.toBe(second);
  process.kill(started.pid, "SIGTERM");
  const result = await started.finished;
  expect(result).toMatchObject({ status: 0, signal: null });
  expect(countStarts(result)).toBe(3);
  expect(result.stderr).toMatch(/^sophia-run: KEY .*\nsophia-run: BASE .*\n$/);
  expectWording(result.stderr);
  const lines = readFileSync(join(watchScene.cwd, "log"), "utf8").trimEnd().split("\n");
  expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
    { event: "start" },
    { event: "start" },
    { event: "start" },
  ]);
  expect(watchScene.server.violations).toEqual([]);
});

test("--watch ends a restart by SIGTERM, forces it after its grace period, replaces it by a later one, and ends it by another signal", async () => {
  const watchScene = await startWatchedWorld();
  const lazy = (options: readonly string[] = []) => startWatched(watchScene, options, undefined, { LAZY: "1" });
  const [result, killed, coalesced, hungUp] = [lazy(), lazy(["--watch-grace", "300ms"]), lazy(), lazy()];
  const all = [result, killed, coalesced, hungUp];
  const pids = await Promise.all(all.map((one) => waitForRun(one, "one")));
  watchScene.setKey("two");
  await Promise.all(all.map(({ waitForStdout }) => waitForStdout(/^stopping/m)));

  process.kill(result.pid, "SIGTERM");
  await result.waitForStdout(/^stopping[^]*^stopping/m);
  process.kill(pids[0] ?? Number.NaN, "SIGUSR2");
  const first = await result.finished;
  expect([first.status, countStarts(first)]).toEqual([7, 1]);

  await waitForRun(killed, "two");

  process.kill(hungUp.pid, "SIGHUP");
  const last = await hungUp.finished;
  expect([last.signal, countStarts(last)]).toEqual(["SIGHUP", 1]);

  const opened = watchScene.server.count("read");
  watchScene.setKey("three");
  // Two launchers open it twice each: the second time to find values that change on every open.
  await watchScene.server.waitFor("read", opened + 4);
  process.kill(pids[2] ?? Number.NaN, "SIGUSR2");
  await waitForRun(coalesced, "three");
  process.kill(await waitForRun(coalesced, "three"), "SIGUSR2");
  const third = await coalesced.finished;
  expect([third.status, countStarts(third)]).toEqual([7, 2]);
});

test("--watch loses no change while the former program's output waits for its reader", async () => {
  const watchScene = await startWatchedWorld();
  execFileSync("mkfifo", [join(watchScene.cwd, "gate")]);
  // More than a pipe holds.
  const script = `
    const say = (text) => require("node:fs").writeSync(1, text + "\\n");
    process.on("SIGTERM", () => { say("x".repeat(100_000)); process.exit(0); });
    setInterval(() => {}, 60_000);
    say("run " + process.pid + " " + process.env.KEY.length + " characters");
  `;
  const reader = '"$@" | { read -r line; echo "$line"; cat gate; cat; }';
  const command = [...sophiaRun, ...WATCH, "--redact", "--", process.execPath, "-e", script];
  const started = startProcess(["sh", "-c", reader, "sh", ...command], { cwd: watchScene.cwd, env: watchScene.env });
  await waitForRun(started, "3");
  watchScene.setKey("second");
  await started.waitForStderr(/KEY changed/);
  await watchScene.server.waitFor("any", watchScene.server.count("any") + 1);
  const opened = watchScene.server.count("read");
  watchScene.setKey("the third");
  await watchScene.server.waitFor("read", opened + 2);
  // The next round begins after the restart of this one was requested.
  await watchScene.server.waitFor("any", watchScene.server.count("any") + 1);
  writeFileSync(join(watchScene.cwd, "gate"), "");
  const [, program] = await started.waitForStdout(/^run (\d+) 9 /m);
  expect(Number(program)).toBeGreaterThan(0);
});

test("--watch delays a restart that cannot be recorded until it can be recorded", async () => {
  const watchScene = await startWatchedWorld();
  const started = startWatched(watchScene, ["--audit-log", "log"]);
  await waitForRun(started, "one");
  const log = join(watchScene.cwd, "log");
  // Another user could change the records.
  chmodSync(log, 0o622);
  watchScene.setKey("two");
  await started.waitForStderr(/audit log/);
  chmodSync(log, 0o600);
  await waitForRun(started, "two");
  process.kill(started.pid, "SIGTERM");
  const result = await started.finished;
  expect(countStarts(result)).toBe(2);
  expect(result.stderr.match(/warning:/g)).toHaveLength(1);
  expectWording(result.stderr);
  expect(readFileSync(log, "utf8").match(/"event":"start"/g)).toHaveLength(2);
});

test("--watch does not restart the program for a contract that has become malformed, and warns with the position", async () => {
  const watchScene = await startWatchedWorld();
  const contract = join(watchScene.cwd, "sophia.contract.json");
  const correct = readFileSync(contract, "utf8");
  const started = startWatched(watchScene);
  await waitForRun(started, "one");
  writeFileSync(contract, "{");
  watchScene.setKey("two");
  await started.waitForStderr(/sophia\.contract\.json:1:2: /);
  writeFileSync(contract, correct);
  await waitForRun(started, "two");
  process.kill(started.pid, "SIGTERM");
  const result = await started.finished;
  expect(countStarts(result)).toBe(2);
  expect(result.stderr.match(/warning:/g)).toHaveLength(1);
  expect(unwrapLines(result.stderr)).toContain("; the program continues with its current values");
});

test("--watch ends with a program that ends by itself, and an unmet contract prevents a restart", async () => {
  const watchScene = await startWatchedWorld();
  const [one, other] = [startWatched(watchScene), startWatched(watchScene, ["--watch-signal", "SIGUSR2"])];
  await Promise.all([waitForRun(one, "one"), waitForRun(other, "one")]);
  // The contract is not met.
  watchScene.setKey("");
  const opened = watchScene.server.count("read");
  await watchScene.server.waitFor("read", opened + 2);
  watchScene.setKey("four");
  const [first, second] = await Promise.all([waitForRun(one, "four"), waitForRun(other, "four")]);
  process.kill(first, "SIGUSR2");
  expect((await one.finished).status).toBe(7);
  process.kill(second, "SIGSEGV");
  const result = await other.finished;
  expect([result.signal, countStarts(result)]).toEqual(["SIGSEGV", 2]);
  expect(result.stdout).not.toContain("stopping");
  expect(result.stderr).toContain("KEY");
  expectWording(result.stderr);
});

test("--watch reports a refused token once, and does not end the program", async () => {
  const watchScene = await startWatchedWorld();
  const started = startWatched(watchScene);
  await waitForRun(started, "one");
  watchScene.server.failAlways("any", 401);
  await watchScene.server.waitFor("any", watchScene.server.count("any") + 1);
  watchScene.setKey("two");
  watchScene.server.heal();
  await waitForRun(started, "two");
  process.kill(started.pid, "SIGINT");
  const result = await started.finished;
  expect([result.signal, countStarts(result)]).toEqual(["SIGINT", 2]);
  expect(result.stderr.match(/warning:/g)).toHaveLength(1);
  expectWording(result.stderr);
});

test("--watch keeps former secrets masked under a coding agent, and prints the notice about masking once", async () => {
  const watchScene = await startWatchedWorld();
  const [one, two] = ["secret-number-one", "secret-number-two"];
  watchScene.setKey(one);
  const script = `
    require("node:fs").appendFileSync("seen", process.env.KEY + " ");
    console.log(process.env.BASE, require("node:fs").readFileSync("seen", "utf8"));
    setInterval(() => {}, 60_000);
  `;
  const command = [process.execPath, "-e", script];
  const [masked, open] = [[], ["--redact=never"]].map((options, index) =>
    startWatched(
      { ...watchScene, cwd: index === 0 ? watchScene.cwd : folder({}) },
      ["--no-contract", ...options],
      command,
      {
        CLAUDECODE: "1",
      },
    ),
  );
  if (masked === undefined || open === undefined) throw new TypeError("two were started");
  await Promise.all([masked.waitForStdout(/^b1 \*\*\* $/m), open.waitForStdout(/^b1/m)]);
  watchScene.setKey(two);
  await Promise.all([masked.waitForStdout(/^b1 \*\*\* \*\*\* $/m), open.waitForStdout(/two/)]);
  // No secret is left in ESC; the file still has both.
  watchScene.server.environment("acme/app/dev", { values: {}, imports: ["app/base"] });
  await Promise.all([masked.waitForStdout(/^b1 \*\*\* \*\*\* (?:undefined )?$/m), open.waitForStdout(/undefined/)]);
  for (const { pid } of [masked, open]) process.kill(pid, "SIGTERM");
  const [first, second] = await Promise.all([masked.finished, open.finished]);
  expect(first.stdout + first.stderr).not.toContain("secret-number");
  for (const { stderr } of [first, second]) {
    expect(stderr.match(/--redact=never/g)).toHaveLength(1);
    expectWording(unwrapLines(stderr).split("\n")[0] ?? "");
  }
});

test("--watch stops masking former values that are too large to be masked with the new one, and restarts the program", async () => {
  const watchScene = await startWatchedWorld();
  const large = (first: string): string =>
    Array.from({ length: 420_000 }, (_, index) => first + index.toString(36).padStart(5, "0")).join("");
  const change = (first: string): void =>
    void watchScene.server.environment("acme/app/dev", { files: { KEY: secret(large(first)) }, imports: ["app/base"] });
  change("x");
  const script = `
    const text = require("node:fs").readFileSync(process.env.KEY, "utf8");
    console.log("run", text.slice(0, 1) === "x" ? "first" : "second", text, "done");
    setInterval(() => {}, 60_000);
  `;
  const started = startWatched(watchScene, ["--redact"], [process.execPath, "-e", script]);
  await started.waitForStdout(/^run first [*]+ done$/m);
  change("y");
  // Waits for the end: a part of a secret that a killed program has printed cannot be recognized.
  await started.waitForStdout(/^run second [*]+ done$/m);
  process.kill(started.pid, "SIGTERM");
  const { stdout, stderr } = await started.finished;
  expect(stdout).not.toMatch(/[xy]0/);
  // On a busy machine the large answer may need a second attempt, which is reported, too.
  expect(stderr).toContain("sophia-run: KEY changed in ESC");
  expect(unwrapLines(stderr)).toMatch(/warning: too many secrets .*\(1\)/);
});

/** Says what it was started with, and waits. */
const PRINT = [
  process.execPath,
  "-e",
  'const { KEY, FROM_FILE, FROM_FOLDER, MINE } = process.env; console.log("has", KEY, FROM_FILE, FROM_FOLDER, MINE); setInterval(() => {}, 60_000)',
];

test("--watch reads .env.override, the file of NAME_FILE and folders of secrets again for a restart", async () => {
  const watchScene = await startWatchedWorld();
  const write = (name: string, text: string): void => writeFileSync(join(watchScene.cwd, name), text, { mode: 0o600 });
  write("sophia.contract.json", '{"variables":{"KEY":{},"FROM_FILE":{},"FROM_FOLDER":{},"MINE":{}}}');
  mkdirSync(join(watchScene.cwd, "secrets"));
  const writeAll = (value: string): void => {
    write("value", `${value}\n`);
    write("secrets/from-folder", value);
    write(".env.override", `MINE=${value}\n`);
  };
  writeAll("first");
  const started = startWatched(watchScene, ["--secrets-dir", "secrets"], PRINT, { FROM_FILE_FILE: "value" });
  await started.waitForStdout(/^has one first first first$/m);
  writeAll("second");
  watchScene.setKey("two");
  await started.waitForStdout(/^has two second second second$/m);
  process.kill(started.pid, "SIGTERM");
  expect((await started.finished).stderr).toContain("changed in ESC");
});

test.each([
  [
    "NAME_FILE",
    [],
    { FROM_FILE_FILE: "pipe" },
    "--watch cannot read FROM_FILE again for a restart: the file in FROM_FILE_FILE is a pipe",
  ],
  ["--dotenv", ["--dotenv", "pipe"], {}, "--watch cannot read FROM_FILE again for a restart: pipe is a pipe"],
])("--watch refuses a value from a pipe (%s), and starts nothing", async (_, options, more, words) => {
  const watchScene = await startWatchedWorld();
  writeFileSync(join(watchScene.cwd, "sophia.contract.json"), '{"variables":{"KEY":{},"FROM_FILE":{}}}');
  execFileSync("mkfifo", [join(watchScene.cwd, "pipe")]);
  const started = startWatched(watchScene, options, PRINT, more);
  writeFileSync(join(watchScene.cwd, "pipe"), "FROM_FILE=value\n");
  const result = await started.finished;
  expect(result).toMatchObject({ status: 125, stdout: "" });
  expect(unwrapLines(result.stderr)).toContain(words);
});

test("--watch refuses a token from a pipe, since the next look could not read it again", async () => {
  const watchScene = await startWatchedWorld();
  execFileSync("mkfifo", [join(watchScene.cwd, "pipe")]);
  const started = startWatched(watchScene, [], PRINT, { ESC_TOKEN: "", ESC_TOKEN_FILE: "pipe" });
  writeFileSync(join(watchScene.cwd, "pipe"), watchScene.server.token);
  const result = await started.finished;
  expect(result).toMatchObject({ status: 125, stdout: "" });
  expect(unwrapLines(result.stderr)).toContain("--watch cannot read the token again: ESC_TOKEN_FILE is a pipe");
});

test("--watch asks nothing of an environment that a contract names meanwhile until it is allowed", async () => {
  const watchScene = await startWatchedWorld();
  const { ESC_ENV, ...own } = watchScene.env;
  const env = { ...own, HOME: watchScene.cwd };
  const contract = (environment: string | undefined): void =>
    writeFileSync(
      join(watchScene.cwd, "sophia.contract.json"),
      JSON.stringify({ environment, variables: { KEY: {} } }),
    );
  contract(ESC_ENV);
  watchScene.server.environment("acme/other/dev", { values: { KEY: secret("of-the-other") } });
  const allow = () => startProcess([...sophiaRun, "allow"], { cwd: watchScene.cwd, env }).finished;
  expect((await allow()).status).toBe(0);
  const started = startWatched({ ...watchScene, env });
  await waitForRun(started, "one");
  contract("acme/other/dev");
  watchScene.setKey("two");
  await started.waitForStderr(/acme\/other\/dev[^]*sophia-run allow/);
  expect(watchScene.server.calls.some(({ path }) => path.includes("other"))).toBe(false);
  expect((await allow()).status).toBe(0);
  await waitForRun(started, "of-the-other");
  process.kill(started.pid, "SIGTERM");
  const result = await started.finished;
  expect(countStarts(result)).toBe(2);
  expect(result.stderr.match(/warning:/g)).toHaveLength(1);
  expect(unwrapLines(result.stderr)).toContain("; the program continues with its current values");
});

test("a background process from before a restart is masked until it ends, which may be after the end of the launcher", async ({
  skip,
}) => {
  skip(noAddon !== undefined, noAddon);
  const it = await startWatchedWorld();
  const [former, latter] = ["the-former-secret", "the-latter-secret"];
  it.setKey(former);
  execFileSync("mkfifo", [join(it.cwd, "gate")]);
  const background = 'read -r line <gate; echo "late $KEY"';
  const script = `
    const { KEY } = process.env;
    if (KEY === "${former}") require("node:child_process").spawn("sh", ["-c", ${JSON.stringify(background)}], { stdio: "inherit" });
    process.on("SIGTERM", () => process.exit(0));
    setInterval(() => {}, 60_000);
    console.log(KEY === "${former}" ? "the first runs" : "the second runs");
  `;
  const started = startWatched(it, ["--redact"], [process.execPath, "-e", script]);
  await started.waitForStdout(/^the first runs$/m);
  it.setKey(latter);
  await started.waitForStdout(/^the second runs$/m);
  process.kill(started.pid, "SIGTERM");
  const untilEnded = `until ! [ -e /proc/${started.pid} ] || grep -q "^State:.Z" /proc/${started.pid}/status; do :; done`;
  expect(spawnSync("sh", ["-c", untilEnded], { timeout: 20_000 }).status).toBe(0);
  writeFileSync(join(it.cwd, "gate"), "write\n");
  // The pipe stays open for as long as the background process may write.
  expect((await started.finished).stdout).toBe("the first runs\nthe second runs\nlate ***\n");
});

test.each([[["--cache"]], [["--cache-fresh", "1h"]]])(
  "with %j the cache has the values of the last restart",
  async (cache) => {
    const one = await startWatchedWorld();
    const it = { ...one, env: { ...one.env, XDG_CACHE_HOME: one.cwd } };
    const started = startWatched(it, cache);
    await waitForRun(started, "one");
    it.setKey("two");
    await waitForRun(started, "two");
    process.kill(started.pid, "SIGTERM");
    expect((await started.finished).status).toBe(0);
    await it.server.close();
    const print = ["--offline", "--", "sh", "-c", 'echo "has $KEY"'];
    const offline = await startProcess([...sophiaRun, ...print], { cwd: it.cwd, env: it.env }).finished;
    expect(offline).toMatchObject({ status: 0, stdout: "has two\n" });
  },
);
