import { existsSync, mkdirSync, renameSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { secret } from "../esc-server/index.ts";
import { startBrokeredWorld, type BrokeredWorld, startBrokered, ENVIRONMENT } from "../helpers/start-brokered.ts";
import { skipBecause } from "../helpers/skip.ts";
import { addon, isStandalone, unwrapLines } from "../helpers/sophia.ts";
import type { ProcessResult, StartedProcess } from "../helpers/start-process.ts";
import { expectWording } from "../helpers/wording.ts";

const [ONE, TWO, THREE] = ["sk-first-0a1b2c3d4e5f", "sk-second-6a7b8c9d0e1f", "sk-third-2a3b4c5d6e7f"];
/** No look but the one that an answer of 401 causes. */
const SELDOM = ["--watch-every", "1h"];

const countStarts = ({ stdout }: ProcessResult): number => stdout.match(/^run /gm)?.length ?? 0;

/** A program that has made one call, with the first key. */
async function startAfterFirstCall(options: readonly string[] = [], more: Readonly<Record<string, string>> = {}) {
  const brokerScene = await startBrokeredWorld();
  brokerScene.setValues({ OPENAI_API_KEY: ONE });
  brokerScene.acceptKey(ONE);
  const started = startBrokered(brokerScene, options, undefined, more);
  const pid = await waitForRun(started);
  await makeCall(started, pid, 1, "200 null");
  return { ...brokerScene, started, pid };
}

async function waitForRun({ waitForStdout }: StartedProcess, port = ""): Promise<number> {
  return Number((await waitForStdout(new RegExp(`^run (\\d+) ${port}$`, "m")))[1]);
}

/** Makes the call with this number, which ends so: status and `x-should-retry`. */
async function makeCall({ waitForStdout }: StartedProcess, pid: number, number: number, end: string): Promise<string> {
  process.kill(pid, "SIGUSR2");
  const [, found = "", body = ""] = await waitForStdout(new RegExp(`^call ${number} (\\d+ \\w+) (.*)$`, "m"));
  expect(found).toBe(end);
  return body;
}

async function endProgram({ started }: { readonly started: StartedProcess }): Promise<ProcessResult> {
  process.kill(started.pid, "SIGTERM");
  return started.finished;
}

const loggedEvents = ({ readLog }: Pick<BrokeredWorld, "readLog">): readonly unknown[] =>
  readLog().map(({ event }) => event);

test("a key that changes in ESC is swapped, masked and recorded, and the program runs on", async () => {
  const brokerScene = await startAfterFirstCall(["--redact", "--audit-log", "log"]);
  const { started, pid, setValues, acceptKey } = brokerScene;
  setValues({ OPENAI_API_KEY: TWO });
  await started.waitForStderr(/OPENAI_API_KEY changed/);
  acceptKey(TWO);
  // The service answers with the key, which the program prints and has in the next path.
  expect(await makeCall(started, pid, 2, "200 null")).toBe("***");
  await makeCall(started, pid, 3, "200 null");
  const end = await endProgram(brokerScene);
  expect([end.status, countStarts(end)]).toEqual([0, 1]);
  expectWording(end.stderr);
  expect(loggedEvents(brokerScene)).toEqual(["start", "request", "swap", "request", "request"]);
  const [start, , swap, ...requests] = brokerScene.readLog();
  expect(start).toMatchObject({ brokered: ["OPENAI_API_KEY"], esc: { environments: [{ revision: "1" }] } });
  expect(swap).toMatchObject({
    version: 1,
    outcome: "allowed",
    names: { OPENAI_API_KEY: "esc" },
    run: start?.["run"],
    former: { environments: [{ name: ENVIRONMENT, revision: "1" }] },
    esc: { status: "read", environments: [{ name: ENVIRONMENT, revision: "2" }] },
  });
  expect(swap).not.toHaveProperty("command");
  expect(requests).toMatchObject([{ path: "/v1/models/***" }, { path: "/v1/models/***" }]);
  expect(JSON.stringify(brokerScene.readLog()) + end.stdout + end.stderr).not.toMatch(new RegExp(`${ONE}|${TWO}`));
  expect(brokerScene.receivedKeys()).toEqual([ONE, TWO, TWO]);
  expect(brokerScene.server.violations).toEqual([]);
});

test("--quiet omits the line about a swapped key", async () => {
  const brokerScene = await startAfterFirstCall(["--quiet", ...SELDOM]);
  brokerScene.setValues({ OPENAI_API_KEY: TWO });
  brokerScene.acceptKey(TWO);
  await makeCall(brokerScene.started, brokerScene.pid, 2, "401 true");
  await makeCall(brokerScene.started, brokerScene.pid, 3, "200 null");
  const end = await endProgram(brokerScene);
  expect([countStarts(end), end.stderr]).toEqual([1, ""]);
});

test("an answer of 401 makes sophia-run look at ESC at once, and tells the client to try again", async () => {
  const brokerScene = await startAfterFirstCall(SELDOM);
  brokerScene.setValues({ OPENAI_API_KEY: TWO });
  brokerScene.acceptKey(TWO);
  await makeCall(brokerScene.started, brokerScene.pid, 2, "401 true");
  await makeCall(brokerScene.started, brokerScene.pid, 3, "200 null");
  const end = await endProgram(brokerScene);
  expect(countStarts(end)).toBe(1);
  expect(brokerScene.receivedKeys()).toEqual([ONE, ONE, TWO]);
});

test("a token that sees no revision makes an answer of 401 open ESC", async () => {
  const brokerScene = await startBrokeredWorld(undefined, "open");
  brokerScene.setValues({ OPENAI_API_KEY: ONE });
  const started = startBrokered(brokerScene);
  const pid = await waitForRun(started);
  // The first look, which finds that no revision is visible.
  await brokerScene.server.waitFor("definition");
  brokerScene.setValues({ OPENAI_API_KEY: TWO });
  brokerScene.acceptKey(TWO);
  await makeCall(started, pid, 1, "401 true");
  await makeCall(started, pid, 2, "200 null");
  expect(brokerScene.receivedKeys()).toEqual([ONE, TWO]);
});

test("an answer of 401 is passed on if a look finds no new key, and causes no other look for 10 seconds", async () => {
  const brokerScene = await startAfterFirstCall(SELDOM);
  brokerScene.acceptKey(TWO);
  await makeCall(brokerScene.started, brokerScene.pid, 2, "401 null");
  const requestCount = brokerScene.server.count("any");
  brokerScene.setValues({ OPENAI_API_KEY: TWO });
  await makeCall(brokerScene.started, brokerScene.pid, 3, "401 null");
  expect(brokerScene.server.count("any")).toBe(requestCount);
  const end = await endProgram(brokerScene);
  expect([countStarts(end), end.stderr]).toEqual([1, ""]);
});

test("another changed variable restarts the program, which finds the new key", async () => {
  const brokerScene = await startAfterFirstCall(["--audit-log", "log"]);
  brokerScene.setValues({ OPENAI_API_KEY: TWO }, "2");
  brokerScene.acceptKey(TWO);
  const pid = await waitForRun(brokerScene.started, "2");
  process.kill(pid, "SIGUSR2");
  await brokerScene.started.waitForStdout(/^call 1 200 null .*\n[^]*^call 1 200 null /m);
  const end = await endProgram(brokerScene);
  expect([end.status, countStarts(end)]).toEqual([0, 2]);
  expect(end.stderr).toContain("OPENAI_API_KEY and PORT changed in ESC: the program is restarted");
  expect(loggedEvents(brokerScene)).toEqual(["start", "request", "start", "request"]);
  const [first, , second] = brokerScene.readLog();
  expect(second).toMatchObject({ run: first?.["run"], brokered: ["OPENAI_API_KEY"] });
  expect(brokerScene.receivedKeys()).toEqual([ONE, TWO]);
});

test("a key that appears, and one that disappears, restart the program", async () => {
  const brokerScene = await startAfterFirstCall();
  brokerScene.setValues({ OPENAI_API_KEY: ONE, ANTHROPIC_API_KEY: TWO });
  await brokerScene.started.waitForStdout(/^run[^]*^run/m);
  brokerScene.setValues({ OPENAI_API_KEY: ONE });
  await brokerScene.started.waitForStdout(/^run[^]*^run[^]*^run/m);
  const end = await endProgram(brokerScene);
  expect(countStarts(end)).toBe(3);
  expectWording(end.stderr);
});

test("a key that is swapped while the former program stops is used and masked by the next one", async () => {
  const brokerScene = await startAfterFirstCall(["--redact"], { LAZY: "1" });
  brokerScene.setValues({ OPENAI_API_KEY: ONE }, "2");
  await brokerScene.started.waitForStdout(/^stopping/m);
  brokerScene.setValues({ OPENAI_API_KEY: TWO }, "2");
  await brokerScene.started.waitForStderr(/OPENAI_API_KEY changed/);
  brokerScene.acceptKey(TWO);
  process.kill(brokerScene.pid, "SIGHUP");
  process.kill(await waitForRun(brokerScene.started, "2"), "SIGUSR2");
  const [shown] = await brokerScene.started.waitForStdout(/^call 1[^]*^call 1 200 null .*$/m);
  expect(shown).toMatch(/ \*\*\*$/);
});

test("a former key of which the program has printed a part is masked as a whole after the swap", async () => {
  const brokerScene = await startBrokeredWorld();
  brokerScene.setValues({ OPENAI_API_KEY: ONE });
  brokerScene.acceptKey(ONE);
  const script = `
    const { OPENAI_API_KEY: key, OPENAI_BASE_URL: base } = process.env;
    const say = (text) => require("node:fs").writeSync(1, text);
    fetch(base + "/models", { headers: { authorization: "Bearer " + key } }).then(async (answer) => {
      const text = await answer.text();
      process.once("SIGUSR2", () => say(text.slice(9) + " end\\n"));
      say("run " + process.pid + " \\n" + text.slice(0, 9));
    });
    setInterval(() => {}, 60_000);
  `;
  const started = startBrokered(brokerScene, ["--redact"], [process.execPath, "-e", script]);
  const pid = await waitForRun(started);
  brokerScene.setValues({ OPENAI_API_KEY: TWO });
  await started.waitForStderr(/OPENAI_API_KEY changed/);
  process.kill(pid, "SIGUSR2");
  await started.waitForStdout(/ end$/m);
  const { stdout } = await endProgram({ started });
  expect(stdout).toMatch(/^run \d+ \n\*\*\* end\n$/);
});

describe("with the addon, after a swap,", () => {
  skipBecause(isStandalone || existsSync(addon) ? undefined : "needs the addon");

  test("a background process that outlives the launcher does not show the new key", async () => {
    const brokerScene = await startBrokeredWorld();
    brokerScene.setValues({ OPENAI_API_KEY: ONE });
    brokerScene.acceptKey(ONE);
    const late = 'while kill -0 "$0" 2>/dev/null; do sleep 0.02; done; echo "late <$1>"';
    const script = `
    const { OPENAI_API_KEY: key, OPENAI_BASE_URL: base } = process.env;
    process.once("SIGUSR2", async () => {
      const answer = await fetch(base + "/models", { headers: { authorization: "Bearer " + key } });
      const args = ["-c", ${JSON.stringify(late)}, String(process.ppid), await answer.text()];
      require("node:child_process").spawn("sh", args, { stdio: "inherit", detached: true });
      process.exit(0);
    });
    setInterval(() => {}, 60_000);
    require("node:fs").writeSync(1, "run " + process.pid + " \\n");
  `;
    const started = startBrokered(brokerScene, ["--redact"], [process.execPath, "-e", script]);
    const pid = await waitForRun(started);
    brokerScene.setValues({ OPENAI_API_KEY: TWO });
    await started.waitForStderr(/OPENAI_API_KEY changed/);
    brokerScene.acceptKey(TWO);
    process.kill(pid, "SIGUSR2");
    const { status, stdout } = await started.finished;
    expect([status, stdout]).toEqual([0, `run ${pid} \nlate <***>\n`]);
  });
});

test("SIGTERM ends the program although an answer of 401 is held", async () => {
  const brokerScene = await startAfterFirstCall(SELDOM);
  brokerScene.acceptKey(TWO);
  const held = brokerScene.server.hold("definition");
  process.kill(brokerScene.pid, "SIGUSR2");
  await brokerScene.server.waitFor("definition");
  const end = await endProgram(brokerScene);
  expect([end.status, countStarts(end)]).toEqual([0, 1]);
  expect(end.stdout).toMatch(/^call 2 401 null refused$/m);
  held.release();
});

test("an answer of 401 is passed on while ESC is down during a look, and the key is swapped when ESC is there again", async () => {
  const brokerScene = await startAfterFirstCall();
  brokerScene.server.failAlways("any", 503);
  brokerScene.setValues({ OPENAI_API_KEY: TWO });
  brokerScene.acceptKey(TWO);
  await makeCall(brokerScene.started, brokerScene.pid, 2, "401 null");
  brokerScene.server.heal();
  await brokerScene.started.waitForStderr(/OPENAI_API_KEY changed/);
  await makeCall(brokerScene.started, brokerScene.pid, 3, "200 null");
  const end = await endProgram(brokerScene);
  expect(countStarts(end)).toBe(1);
  expect(end.stderr.match(/warning:/g)).toHaveLength(1);
  expect(unwrapLines(end.stderr)).toMatch(/warning: cannot look for changes in ESC: .*; the program continues/);
});

test("a swap that cannot be recorded is delayed until it can be recorded", async () => {
  const brokerScene = await startAfterFirstCall(["--audit-log", "log"]);
  const log = join(brokerScene.cwd, "log");
  renameSync(log, `${log}.former`);
  mkdirSync(log);
  brokerScene.setValues({ OPENAI_API_KEY: TWO });
  await brokerScene.started.waitForStderr(/warning:/);
  rmdirSync(log);
  renameSync(`${log}.former`, log);
  await brokerScene.started.waitForStderr(/OPENAI_API_KEY changed/);
  brokerScene.acceptKey(TWO);
  await makeCall(brokerScene.started, brokerScene.pid, 2, "200 null");
  const end = await endProgram(brokerScene);
  expect(loggedEvents(brokerScene)).toEqual(["start", "request", "swap", "request"]);
  expectWording(end.stderr, { [brokerScene.cwd]: "<folder>" });
});

test("a new value that cannot be brokered is not used, and the former value is", async () => {
  const brokerScene = await startAfterFirstCall();
  brokerScene.setValues({ OPENAI_API_KEY: `${TWO} ` });
  await brokerScene.started.waitForStderr(/warning:/);
  await makeCall(brokerScene.started, brokerScene.pid, 2, "200 null");
  brokerScene.setValues({ OPENAI_API_KEY: THREE });
  await brokerScene.started.waitForStderr(/OPENAI_API_KEY changed/);
  brokerScene.acceptKey(THREE);
  await makeCall(brokerScene.started, brokerScene.pid, 3, "200 null");
  const end = await endProgram(brokerScene);
  expect(countStarts(end)).toBe(1);
  expect(end.stderr).not.toContain("sk-");
  expectWording(end.stderr);
});

test("a key that a provider makes is swapped before its session ends, and not at each look", async () => {
  const brokerScene = await startBrokeredWorld();
  brokerScene.server.provider("keys", secret(ONE));
  brokerScene.server.environment(ENVIRONMENT, {
    definition: 'values:\n  environmentVariables:\n    OPENAI_API_KEY: {"fn::open::keys": {}}\n',
  });
  brokerScene.acceptKey(ONE);
  const started = startBrokered(brokerScene, ["--session", "6s"]);
  const pid = await waitForRun(started);
  await makeCall(started, pid, 1, "200 null");
  await brokerScene.server.waitFor("read", 2);
  brokerScene.server.provider("keys", secret(TWO));
  await started.waitForStderr(/OPENAI_API_KEY changed/);
  brokerScene.acceptKey(TWO);
  await makeCall(started, pid, 2, "200 null");
  const end = await endProgram({ started });
  expect([countStarts(end), end.stderr.match(/changed/g)?.length]).toEqual([1, 1]);
});
