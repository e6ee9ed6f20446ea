import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { secret } from "../esc-server/index.ts";
import { folder, sophiaRun, unwrapped } from "../helpers/sophia.ts";
import { expectWording } from "../helpers/wording.ts";
import { type Finished, start } from "../helpers/started.ts";
import { running, WATCH, watching, world } from "../helpers/watching.ts";

const starts = ({ stdout }: Finished): number => stdout.match(/^run /gm)?.length ?? 0;

test("--watch restarts the program for a change of the environment, then of an import, and records each start", async () => {
  const it = await world();
  const started = watching(it, ["--audit-log", "log"]);
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

test("--watch ends a restart by SIGTERM, forces it after its grace period, replaces it by a later one, and ends it by another signal", async () => {
  const it = await world();
  const lazy = (options: readonly string[] = []) => watching(it, options, undefined, { LAZY: "1" });
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

test("--watch loses no change while the former program's output waits for its reader", async () => {
  const it = await world();
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

test("--watch delays a restart that cannot be recorded until it can be recorded", async () => {
  const it = await world();
  const started = watching(it, ["--audit-log", "log"]);
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

test("--watch does not restart the program for a contract that has become malformed, and warns with the position", async () => {
  const it = await world();
  const contract = join(it.cwd, "sophia.contract.json");
  const correct = readFileSync(contract, "utf8");
  const started = watching(it);
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

test("--watch ends with a program that ends by itself, and an unmet contract prevents a restart", async () => {
  const it = await world();
  const [one, other] = [watching(it), watching(it, ["--watch-signal", "SIGUSR2"])];
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

test("--watch reports a refused token once, and does not end the program", async () => {
  const it = await world();
  const started = watching(it);
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

test("--watch keeps former secrets masked under a coding agent, and prints the notice about masking once", async () => {
  const it = await world();
  const [one, two] = ["secret-number-one", "secret-number-two"];
  it.change(one);
  const script = `
    require("node:fs").appendFileSync("seen", process.env.KEY + " ");
    console.log(process.env.BASE, require("node:fs").readFileSync("seen", "utf8"));
    setInterval(() => {}, 60_000);
  `;
  const command = [process.execPath, "-e", script];
  const [masked, open] = [[], ["--redact=never"]].map((options, index) =>
    watching({ ...it, cwd: index === 0 ? it.cwd : folder({}) }, ["--no-contract", ...options], command, {
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

test("--watch stops masking former values that are too large to be masked with the new one, and restarts the program", async () => {
  const it = await world();
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
  const started = watching(it, ["--redact"], [process.execPath, "-e", script]);
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

test("--watch reads .env.override, the file of NAME_FILE and folders of secrets again for a restart", async () => {
  const it = await world();
  const write = (name: string, text: string): void => writeFileSync(join(it.cwd, name), text, { mode: 0o600 });
  write("sophia.contract.json", '{"variables":{"KEY":{},"FROM_FILE":{},"FROM_FOLDER":{},"MINE":{}}}');
  mkdirSync(join(it.cwd, "secrets"));
  const writeAll = (value: string): void => {
    write("value", `${value}\n`);
    write("secrets/from-folder", value);
    write(".env.override", `MINE=${value}\n`);
  };
  writeAll("first");
  const started = watching(it, ["--secrets-dir", "secrets"], PRINT, { FROM_FILE_FILE: "value" });
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
])("--watch refuses a value from a pipe (%s), and starts nothing", async (_, options, more, words) => {
  const it = await world();
  writeFileSync(join(it.cwd, "sophia.contract.json"), '{"variables":{"KEY":{},"FROM_FILE":{}}}');
  execFileSync("mkfifo", [join(it.cwd, "pipe")]);
  const started = watching(it, options, PRINT, more);
  writeFileSync(join(it.cwd, "pipe"), "FROM_FILE=value\n");
  const ended = await started.finished;
  expect(ended).toMatchObject({ status: 125, stdout: "" });
  expect(unwrapped(ended.stderr)).toContain(words);
});

test("--watch refuses a token from a pipe, since the next look could not read it again", async () => {
  const it = await world();
  execFileSync("mkfifo", [join(it.cwd, "pipe")]);
  const started = watching(it, [], PRINT, { ESC_TOKEN: "", ESC_TOKEN_FILE: "pipe" });
  writeFileSync(join(it.cwd, "pipe"), it.server.token);
  const ended = await started.finished;
  expect(ended).toMatchObject({ status: 125, stdout: "" });
  expect(unwrapped(ended.stderr)).toContain("--watch cannot read the token again: ESC_TOKEN_FILE is a pipe");
});

test("--watch asks nothing of an environment that a contract names meanwhile until it is allowed", async () => {
  const it = await world();
  const { ESC_ENV, ...own } = it.env;
  const env = { ...own, HOME: it.cwd };
  const contract = (environment: string | undefined): void =>
    writeFileSync(join(it.cwd, "sophia.contract.json"), JSON.stringify({ environment, variables: { KEY: {} } }));
  contract(ESC_ENV);
  it.server.environment("acme/other/dev", { values: { KEY: secret("of-the-other") } });
  const allow = () => start([...sophiaRun, "allow"], { cwd: it.cwd, env }).finished;
  expect((await allow()).status).toBe(0);
  const started = watching({ ...it, env });
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
