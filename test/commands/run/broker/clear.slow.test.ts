/** A start with --broker never passes a key of a known service on in clear, unless the caller says so. */
import { expect, onTestFinished, test } from "vitest";
import { startBrokeredWorld, startBrokered } from "../../../helpers/start-brokered.ts";
import { secret, startEscServer } from "../../../esc-server/index.ts";
import { PROVIDERS } from "../../../../src/contract/broker/providers.ts";
import { parseEnvironment, folder, sophia, sophiaRun, unwrapLines } from "../../../helpers/sophia.ts";
import { expectWording } from "../../../helpers/wording.ts";
import { escVariables } from "../../sophia-environment.ts";
import { contractText, GROQ_KEY, OPENAI_KEY, OPENAI_CONTRACT, startRecordingService } from "./client-runs.ts";

const NAMES = Object.keys(PROVIDERS);
const ECHO = ["--", "echo", "started"] as const;

test("a start names all keys that the program would get as plain text, from each source, and the proposed options work", async () => {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  const [inEsc = "", inFile = "", ...others] = NAMES.filter((name) => name !== "OPENAI_API_KEY");
  server.environment("acme/app/dev", { values: { [inEsc]: secret(`real-${inEsc}`) } });
  const environment = Object.fromEntries(others.map((name) => [name, `real-${name}`]));
  const { origin } = await startRecordingService();
  const env = {
    ...environment,
    ...escVariables(server, "acme/app/dev"),
    OPENAI_API_KEY: OPENAI_KEY,
    OPENAI_BASE_URL: origin,
  };
  const cwd = folder({ "sophia.contract.json": OPENAI_CONTRACT, ".env": `${inFile}=real-${inFile}\n` });
  const refused = await sophia(["--broker", ...ECHO], { cwd, env });
  expect([refused.status, refused.stdout]).toEqual([125, ""]);
  expectWording(refused.stderr);
  expect(refused.stderr).not.toContain("real-");
  const [, names = ""] = /--exclude (\S+)/.exec(refused.stderr) ?? [];
  expect(names.split(",").toSorted()).toEqual([inEsc, inFile, ...others].toSorted());
  expect(refused.stderr).toContain(`--broker-except ${names}\n`);

  const without = await sophia(["--broker", "--exclude", names, "--", "env"], { cwd, env });
  expect([without.status, without.stderr]).toEqual([0, ""]);
  expect(without.stdout).not.toContain("real-");
  const given = { options: ["--broker-except", names], variable: {} };
  for (const { options, variable } of [given, { options: [], variable: { SOPHIA_BROKER_EXCEPT: names } }]) {
    const clear = await sophia(["--broker", ...options, "--", "env"], { cwd, env: { ...env, ...variable } });
    expect([clear.status, clear.stderr]).toEqual([0, ""]);
    const variables = parseEnvironment(clear.stdout);
    for (const name of names.split(",")) expect(variables[name]).toBe(`real-${name}`);
    expect(clear.stdout).not.toContain(OPENAI_KEY);
  }
  const declared = folder({
    "sophia.contract.json": contractText(
      Object.fromEntries([inFile, "OPENAI_API_KEY"].map((name) => [name, { broker: true }])),
    ),
    ".env": `${inFile}=real-${inFile}\n`,
  });
  const brokered = await sophia(["--broker", "--", "env"], { cwd: declared, env: { OPENAI_API_KEY: OPENAI_KEY } });
  expect([brokered.status, brokered.stdout.includes(`real-${inFile}`)]).toEqual([0, false]);
});

test("--no-contract does not change which keys are brokered, since the built-in contract decides", async () => {
  const { status, stdout, stderr } = await sophia(["--no-contract", "--broker", ...ECHO], {
    env: { GEMINI_API_KEY: "real-gemini-0a1b2c3d" },
  });
  expect([status, stdout]).toEqual([125, ""]);
  expectWording(stderr);
});

test("a start names a key that cannot be brokered with those that the program would get as plain text", async () => {
  const cwd = folder({ "sophia.contract.json": contractText({ QDRANT_API_KEY: {} }) });
  const { status, stderr } = await sophia(["--broker", ...ECHO], {
    cwd,
    env: { QDRANT_API_KEY: "real-qdrant-0a1b", GROQ_API_KEY: GROQ_KEY },
  });
  expect(status).toBe(125);
  expect(unwrapLines(stderr)).toMatch(
    /value of GROQ_API_KEY .*QDRANT_URL, the address for QDRANT_API_KEY, is not set/s,
  );
});

test("no file can allow a key as plain text, nor for a sophia-run in the program", async () => {
  const cwd = folder({
    "sophia.contract.json": contractText({ SOPHIA_BROKER_EXCEPT: { secret: false, default: "GROQ_API_KEY" } }),
    ".env": "SOPHIA_BROKER_EXCEPT=GROQ_API_KEY\n",
  });
  const env = { GROQ_API_KEY: GROQ_KEY };
  for (const outer of [[], ["--", ...sophiaRun]]) {
    const { status, stdout, stderr } = await sophia([...outer, "--broker", ...ECHO], { cwd, env });
    expect([status, stdout]).toEqual([125, ""]);
    expect(stderr).toContain("the program would get the value of GROQ_API_KEY");
  }
});

test("a dummy of an outer sophia-run is not taken for a key, whatever the contract inside declares", async () => {
  const { origin } = await startRecordingService();
  const cwd = folder({ "sophia.contract.json": OPENAI_CONTRACT, "inner.json": contractText({}) });
  const inner = [...sophiaRun, "--broker", "--contract", "inner.json", "--", "env"];
  const { status, stdout } = await sophia(["--broker", "--", ...inner], {
    cwd,
    env: { OPENAI_API_KEY: OPENAI_KEY, OPENAI_BASE_URL: origin },
  });
  expect([status, parseEnvironment(stdout)["SOPHIA_BROKERED"]]).toEqual([0, "OPENAI_API_KEY"]);
  expect(stdout).not.toContain(OPENAI_KEY);
});

test("--broker-except warns of a key that is not set; the variable does not warn, and may have names of other projects", async () => {
  const cwd = folder({ "sophia.contract.json": OPENAI_CONTRACT });
  const { origin } = await startRecordingService();
  const env = { OPENAI_API_KEY: OPENAI_KEY, OPENAI_BASE_URL: origin };
  const option = await sophia(["--broker", "--broker-except", "GROQ_API_KEY", ...ECHO], { cwd, env });
  expect(option).toMatchObject({ status: 0, stdout: "started\n" });
  expectWording(option.stderr);
  const more = { ...env, SOPHIA_BROKER_EXCEPT: "GROQ_API_KEY,OTHER_PROJECTS_KEY" };
  expect(await sophia(["--broker", ...ECHO], { cwd, env: more })).toMatchObject({ status: 0, stderr: "" });
  const mistyped = ["--broker", "--broker-except", "GROK_API_KEY"];
  for (const args of [
    [...mistyped, ...ECHO],
    ["check", ...mistyped],
    ["explain", ...mistyped, "OPENAI_API_KEY"],
  ]) {
    const { status, stderr } = await sophia(args, { cwd, env });
    expect(status).toBe(125);
    expect(unwrapLines(stderr)).toContain("no key GROK_API_KEY did you mean GROQ_API_KEY?");
  }
});

test.each<[string, readonly string[], string]>([
  ["--broker-to without --broker", ["--broker-to", "https://api.example.com"], "--broker-to needs --broker"],
  ["--broker-except without --broker", ["--broker-except", "GROQ_API_KEY"], "--broker-except needs --broker"],
  ["--broker with --mode exec", ["--broker", "--mode", "exec"], "--mode exec"],
  ["a wildcard", ["--broker", "--broker-to", "https://*"], "wildcard"],
])("%s is refused before ESC is asked", async (_, options, fragment) => {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment("acme/app/dev", { values: { OPENAI_API_KEY: secret(OPENAI_KEY) } });
  const env = escVariables(server, "acme/app/dev");
  const commands = options.includes("--mode")
    ? [[...options, ...ECHO]]
    : [
        [...options, ...ECHO],
        ["check", ...options],
        ["explain", ...options],
      ];
  for (const args of commands) {
    const { status, stdout, stderr } = await sophia(args, {
      cwd: folder({ "sophia.contract.json": OPENAI_CONTRACT }),
      env,
    });
    expect([status, stdout]).toEqual([125, ""]);
    expect(stderr).toContain(fragment);
  }
  expect(server.calls).toEqual([]);
});

test("the variables of the broker's options alone are no error, since starts without the broker inherit them", async () => {
  const env = { SOPHIA_BROKER_TO: "https://api.example.com", SOPHIA_BROKER_EXCEPT: "GROQ_API_KEY" };
  expect(await sophia(["--no-contract", ...ECHO], { env })).toMatchObject({ status: 0, stderr: "" });
});

test("a key as plain text that appears in ESC later does not restart the program, and a brokered key does", async () => {
  const brokerScene = await startBrokeredWorld();
  brokerScene.setValues({ OPENAI_API_KEY: OPENAI_KEY });
  const started = startBrokered(brokerScene);
  const [, pid] = await started.waitForStdout(/^run (\d+) $/m);
  brokerScene.setValues({ OPENAI_API_KEY: OPENAI_KEY, GROQ_API_KEY: GROQ_KEY }, "8080");
  await started.waitForStderr(/GROQ_API_KEY[^]*--broker-except GROQ_API_KEY/);
  brokerScene.setValues({ OPENAI_API_KEY: OPENAI_KEY, ANTHROPIC_API_KEY: "sk-ant-real-0a1b2c3d" }, "9090");
  await started.waitForStdout(/^run (\d+) 9090$/m);
  process.kill(started.pid, "SIGTERM");
  const { status, stdout } = await started.finished;
  expect([status, stdout.match(/^run .*$/gm)?.length, stdout.includes("8080")]).toEqual([0, 2, false]);
  expect(Number(pid)).toBeGreaterThan(0);
});

test("a first key that appears in ESC while the program runs is brokered or refused", async () => {
  const brokerScene = await startBrokeredWorld();
  brokerScene.setValues({}, "1");
  const program = ["sh", "-c", 'echo "run $PORT ${OPENAI_API_KEY-none} ${GROQ_API_KEY-none}"; exec sleep 50'];
  const started = startBrokered(brokerScene, [], program);
  await started.waitForStdout(/^run 1 none none$/m);
  await started.waitForStderr(/no effect yet/);
  brokerScene.setValues({ GROQ_API_KEY: GROQ_KEY }, "2");
  await started.waitForStderr(/--broker-except GROQ_API_KEY/);
  brokerScene.setValues({ OPENAI_API_KEY: OPENAI_KEY }, "3");
  await started.waitForStdout(/^run 3 sophia-\w+ none$/m);
  process.kill(started.pid, "SIGTERM");
  const { stdout, stderr } = await started.finished;
  expect(stdout + stderr).not.toContain(OPENAI_KEY);
  expect(stdout).not.toContain("run 2");
});
