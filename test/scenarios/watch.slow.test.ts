import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { secret } from "../esc-server/index.ts";
import { folder, sophiaRun, unwrapped } from "../helpers/sophia.ts";
import { expectWording } from "../helpers/wording.ts";
import { type Finished, start } from "../helpers/started.ts";
import { running, WATCH, startWatched, startWatchedWorld } from "../helpers/watching.ts";

const starts = ({ stdout }: Finished): number => stdout.match(/^run /gm)?.length ?? 0;

test("a change of the environment, then of an import, restarts the program, and each start is recorded", async () => {
  const it = await startWatchedWorld();
  const started = startWatched(it, ["--audit-log", "log"]);
  const first = await running(started, "one");
  it.change("two");
  const second = await running(started, "two");
  it.base("b2");
  await started.seen(/two b2$/m);
  expect(first).not.toBe(second);
  process.kill(started.pid, "SIGTERM");
  const ended = await started.finished;
  expect(ended).toMatchObject({ status: 0, signal: null });
  expect(starts(ended)).toBe(3);
  expect(ended.stderr).toMatch(/^sophia-run: KEY .*\nsophia-run: BASE .*\n$/);
  expectWording(ended.stderr);
  const lines = readFileSync(join(it.cwd, "log"), "utf8").trimEnd().split("\n");
  expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
    { event: "start" },
    { event: "start" },
    { event: "start" },
  ]);
  expect(it.server.violations).toEqual([]);
});

test("a restart is ended by SIGTERM, forced after its grace period, replaced by a later one, or ended by another signal", async () => {
  const it = await startWatchedWorld();
  const lazy = (options: readonly string[] = []) => startWatched(it, options, undefined, { LAZY: "1" });
  const [ended, killed, coalesced, hungUp] = [lazy(), lazy(["--watch-grace", "300ms"]), lazy(), lazy()];
  const all = [ended, killed, coalesced, hungUp];
  const pids = await Promise.all(all.map((one) => running(one, "one")));
  it.change("two");
  await Promise.all(all.map(({ seen }) => seen(/^stopping/m)));

  process.kill(ended.pid, "SIGTERM");
  await ended.seen(/^stopping[^]*^stopping/m);
  process.kill(pids[0] ?? Number.NaN, "SIGUSR2");
  const first = await ended.finished;
  expect([first.status, starts(first)]).toEqual([7, 1]);

  await running(killed, "two");

  process.kill(hungUp.pid, "SIGHUP");
  const last = await hungUp.finished;
  expect([last.signal, starts(last)]).toEqual(["SIGHUP", 1]);

  const opened = it.server.count("read");
  it.change("three");
  // Two launchers open it twice each: the second time to find values that change on every open.
  await it.server.waitFor("read", opened + 4);
  process.kill(pids[2] ?? Number.NaN, "SIGUSR2");
  await running(coalesced, "three");
  process.kill(await running(coalesced, "three"), "SIGUSR2");
  const third = await coalesced.finished;
  expect([third.status, starts(third)]).toEqual([7, 2]);
});

test("a change while the former program's output waits for its reader is not lost", async () => {
  const it = await startWatchedWorld();
  execFileSync("mkfifo", [join(it.cwd, "gate")]);
  // More than a pipe holds.
  const script = `
    const say = (text) => require("node:fs").writeSync(1, text + "\\n");
    process.on("SIGTERM", () => { say("x".repeat(100_000)); process.exit(0); });
    setInterval(() => {}, 60_000);
    say("run " + process.pid + " " + process.env.KEY.length + " characters");
  `;
  const reader = '"$@" | { read -r line; echo "$line"; cat gate; cat; }';
  const command = [...sophiaRun, ...WATCH, "--redact", "--", process.execPath, "-e", script];
  const started = start(["sh", "-c", reader, "sh", ...command], { cwd: it.cwd, env: it.env });
  await running(started, "3");
  it.change("second");
  await started.reported(/KEY changed/);
  await it.server.waitFor("any", it.server.count("any") + 1);
  const opened = it.server.count("read");
  it.change("the third");
  await it.server.waitFor("read", opened + 2);
  // The next round begins after the restart of this one was requested.
  await it.server.waitFor("any", it.server.count("any") + 1);
  writeFileSync(join(it.cwd, "gate"), "");
  const [, program] = await started.seen(/^run (\d+) 9 /m);
  expect(Number(program)).toBeGreaterThan(0);
});

test("a background process from before a restart is masked until it ends, which may be after the end of the launcher", async () => {
  const it = await startWatchedWorld();
  const [former, latter] = ["the-former-secret", "the-latter-secret"];
  it.change(former);
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
  await started.seen(/^the first runs$/m);
  it.change(latter);
  await started.seen(/^the second runs$/m);
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
    await running(started, "one");
    it.change("two");
    await running(started, "two");
    process.kill(started.pid, "SIGTERM");
    expect((await started.finished).status).toBe(0);
    await it.server.close();
    const print = ["--offline", "--", "sh", "-c", 'echo "has $KEY"'];
    const offline = await start([...sophiaRun, ...print], { cwd: it.cwd, env: it.env }).finished;
    expect(offline).toMatchObject({ status: 0, stdout: "has two\n" });
  },
);

test("a restart that cannot be recorded does not happen until it can be", async () => {
  const it = await startWatchedWorld();
  const started = startWatched(it, ["--audit-log", "log"]);
  await running(started, "one");
  const log = join(it.cwd, "log");
  // Another user could change the records.
  chmodSync(log, 0o622);
  it.change("two");
  await started.reported(/audit log/);
  chmodSync(log, 0o600);
  await running(started, "two");
  process.kill(started.pid, "SIGTERM");
  const ended = await started.finished;
  expect(starts(ended)).toBe(2);
  expect(ended.stderr.match(/warning:/g)).toHaveLength(1);
  expectWording(ended.stderr);
  expect(readFileSync(log, "utf8").match(/"event":"start"/g)).toHaveLength(2);
});

test("a contract that has become malformed prevents a restart, and the warning has the position", async () => {
  const it = await startWatchedWorld();
  const contract = join(it.cwd, "sophia.contract.json");
  const correct = readFileSync(contract, "utf8");
  const started = startWatched(it);
  await running(started, "one");
  writeFileSync(contract, "{");
  it.change("two");
  await started.reported(/sophia\.contract\.json:1:2: /);
  writeFileSync(contract, correct);
  await running(started, "two");
  process.kill(started.pid, "SIGTERM");
  const ended = await started.finished;
  expect(starts(ended)).toBe(2);
  expect(ended.stderr.match(/warning:/g)).toHaveLength(1);
  expect(unwrapped(ended.stderr)).toContain("; the program continues with its current values");
});

test("a program that ends by itself ends the launcher; an unmet contract prevents a restart", async () => {
  const it = await startWatchedWorld();
  const [one, other] = [startWatched(it), startWatched(it, ["--watch-signal", "SIGUSR2"])];
  await Promise.all([running(one, "one"), running(other, "one")]);
  // The contract is not met.
  it.change("");
  const opened = it.server.count("read");
  await it.server.waitFor("read", opened + 2);
  it.change("four");
  const [first, second] = await Promise.all([running(one, "four"), running(other, "four")]);
  process.kill(first, "SIGUSR2");
  expect((await one.finished).status).toBe(7);
  process.kill(second, "SIGSEGV");
  const ended = await other.finished;
  expect([ended.signal, starts(ended)]).toEqual(["SIGSEGV", 2]);
  expect(ended.stdout).not.toContain("stopping");
  expect(ended.stderr).toContain("KEY");
  expectWording(ended.stderr);
});

test("a refused token is reported once, and does not end the program", async () => {
  const it = await startWatchedWorld();
  const started = startWatched(it);
  await running(started, "one");
  it.server.failAlways("any", 401);
  await it.server.waitFor("any", it.server.count("any") + 1);
  it.change("two");
  it.server.heal();
  await running(started, "two");
  process.kill(started.pid, "SIGINT");
  const ended = await started.finished;
  expect([ended.signal, starts(ended)]).toEqual(["SIGINT", 2]);
  expect(ended.stderr.match(/warning:/g)).toHaveLength(1);
  expectWording(ended.stderr);
});

test("under a coding agent former secrets stay masked, and the notice about masking is printed once", async () => {
  const it = await startWatchedWorld();
  const [one, two] = ["secret-number-one", "secret-number-two"];
  it.change(one);
  const script = `
    require("node:fs").appendFileSync("seen", process.env.KEY + " ");
    console.log(process.env.BASE, require("node:fs").readFileSync("seen", "utf8"));
    setInterval(() => {}, 60_000);
  `;
  const command = [process.execPath, "-e", script];
  const [masked, open] = [[], ["--redact=never"]].map((options, index) =>
    startWatched({ ...it, cwd: index === 0 ? it.cwd : folder({}) }, ["--no-contract", ...options], command, {
      CLAUDECODE: "1",
    }),
  );
  if (masked === undefined || open === undefined) throw new TypeError("two were started");
  await Promise.all([masked.seen(/^b1 \*\*\* $/m), open.seen(/^b1/m)]);
  it.change(two);
  await Promise.all([masked.seen(/^b1 \*\*\* \*\*\* $/m), open.seen(/two/)]);
  // No secret is left in ESC; the file still has both.
  it.server.environment("acme/app/dev", { values: {}, imports: ["app/base"] });
  await Promise.all([masked.seen(/^b1 \*\*\* \*\*\* (?:undefined )?$/m), open.seen(/undefined/)]);
  for (const { pid } of [masked, open]) process.kill(pid, "SIGTERM");
  const [first, second] = await Promise.all([masked.finished, open.finished]);
  expect(first.stdout + first.stderr).not.toContain("secret-number");
  for (const { stderr } of [first, second]) {
    expect(stderr.match(/--redact=never/g)).toHaveLength(1);
    expectWording(unwrapped(stderr).split("\n")[0] ?? "");
  }
});

test("former values that are too large to be masked with the new one are dropped, and the program is restarted", async () => {
  const it = await startWatchedWorld();
  const large = (first: string): string =>
    Array.from({ length: 420_000 }, (_, index) => first + index.toString(36).padStart(5, "0")).join("");
  const change = (first: string): void =>
    void it.server.environment("acme/app/dev", { files: { KEY: secret(large(first)) }, imports: ["app/base"] });
  change("x");
  const script = `
    const text = require("node:fs").readFileSync(process.env.KEY, "utf8");
    console.log("run", text.slice(0, 1) === "x" ? "first" : "second", text, "done");
    setInterval(() => {}, 60_000);
  `;
  const started = startWatched(it, ["--redact"], [process.execPath, "-e", script]);
  await started.seen(/^run first [*]+ done$/m);
  change("y");
  // Waits for the end: a part of a secret that a killed program has printed cannot be recognized.
  await started.seen(/^run second [*]+ done$/m);
  process.kill(started.pid, "SIGTERM");
  const { stdout, stderr } = await started.finished;
  expect(stdout).not.toMatch(/[xy]0/);
  // On a busy machine the large answer may need a second attempt, which is reported, too.
  expect(stderr).toContain("sophia-run: KEY changed in ESC");
  expect(unwrapped(stderr)).toMatch(/warning: too many secrets .*\(1\)/);
});

/** Says what it was started with, and waits. */
const PRINT = [
  process.execPath,
  "-e",
  'const { KEY, FROM_FILE, FROM_FOLDER, MINE } = process.env; console.log("has", KEY, FROM_FILE, FROM_FOLDER, MINE); setInterval(() => {}, 60_000)',
];

test("a restart reads .env.override, the file of NAME_FILE and folders of secrets again", async () => {
  const it = await startWatchedWorld();
  const write = (name: string, text: string): void => writeFileSync(join(it.cwd, name), text, { mode: 0o600 });
  write("sophia.contract.json", '{"variables":{"KEY":{},"FROM_FILE":{},"FROM_FOLDER":{},"MINE":{}}}');
  mkdirSync(join(it.cwd, "secrets"));
  const writeAll = (value: string): void => {
    write("value", `${value}\n`);
    write("secrets/from-folder", value);
    write(".env.override", `MINE=${value}\n`);
  };
  writeAll("first");
  const started = startWatched(it, ["--secrets-dir", "secrets"], PRINT, { FROM_FILE_FILE: "value" });
  await started.seen(/^has one first first first$/m);
  writeAll("second");
  it.change("two");
  await started.seen(/^has two second second second$/m);
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
])("a value from a pipe (%s) is an error, and nothing is started", async (_, options, more, words) => {
  const it = await startWatchedWorld();
  writeFileSync(join(it.cwd, "sophia.contract.json"), '{"variables":{"KEY":{},"FROM_FILE":{}}}');
  execFileSync("mkfifo", [join(it.cwd, "pipe")]);
  const started = startWatched(it, options, PRINT, more);
  writeFileSync(join(it.cwd, "pipe"), "FROM_FILE=value\n");
  const ended = await started.finished;
  expect(ended).toMatchObject({ status: 125, stdout: "" });
  expect(unwrapped(ended.stderr)).toContain(words);
});

test("a token from a pipe is an error: the next look could not read it again", async () => {
  const it = await startWatchedWorld();
  execFileSync("mkfifo", [join(it.cwd, "pipe")]);
  const started = startWatched(it, [], PRINT, { ESC_TOKEN: "", ESC_TOKEN_FILE: "pipe" });
  writeFileSync(join(it.cwd, "pipe"), it.server.token);
  const ended = await started.finished;
  expect(ended).toMatchObject({ status: 125, stdout: "" });
  expect(unwrapped(ended.stderr)).toContain("--watch cannot read the token again: ESC_TOKEN_FILE is a pipe");
});

test("a contract that names another environment meanwhile asks it nothing before it is allowed", async () => {
  const it = await startWatchedWorld();
  const { ESC_ENV, ...own } = it.env;
  const env = { ...own, HOME: it.cwd };
  const contract = (environment: string | undefined): void =>
    writeFileSync(join(it.cwd, "sophia.contract.json"), JSON.stringify({ environment, variables: { KEY: {} } }));
  contract(ESC_ENV);
  it.server.environment("acme/other/dev", { values: { KEY: secret("of-the-other") } });
  const allow = () => start([...sophiaRun, "allow"], { cwd: it.cwd, env }).finished;
  expect((await allow()).status).toBe(0);
  const started = startWatched({ ...it, env });
  await running(started, "one");
  contract("acme/other/dev");
  it.change("two");
  await started.reported(/acme\/other\/dev[^]*sophia-run allow/);
  expect(it.server.calls.some(({ path }) => path.includes("other"))).toBe(false);
  expect((await allow()).status).toBe(0);
  await running(started, "of-the-other");
  process.kill(started.pid, "SIGTERM");
  const ended = await started.finished;
  expect(starts(ended)).toBe(2);
  expect(ended.stderr.match(/warning:/g)).toHaveLength(1);
  expect(unwrapped(ended.stderr)).toContain("; the program continues with its current values");
});
