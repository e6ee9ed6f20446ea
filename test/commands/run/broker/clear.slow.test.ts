/** A start with --broker never passes a key of a known service on in clear, unless the caller says so. */
import { expect, onTestFinished, test } from "vitest";
import { startBrokeredWorld, startBrokered } from "../../../helpers/brokered.ts";
import { secret, startEscServer } from "../../../esc-server/index.ts";
import { PROVIDERS } from "../../../../src/contract/broker/providers.ts";
import { environmentOf, folder, sophia, sophiaRun, unwrapped } from "../../../helpers/sophia.ts";
import { expectWording } from "../../../helpers/wording.ts";
import { escVariables } from "../../world.ts";
import { contract, GROQ, OPENAI, OPENAI_CONTRACT, upstream } from "./scenes.ts";

const NAMES = Object.keys(PROVIDERS);
const ECHO = ["--", "echo", "started"] as const;

test("a start names all keys that the program would get as plain text, from each source, and the proposed options work", async () => {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  const [inEsc = "", inFile = "", ...others] = NAMES.filter((name) => name !== "OPENAI_API_KEY");
  server.environment("acme/app/dev", { values: { [inEsc]: secret(`real-${inEsc}`) } });
  const environment = Object.fromEntries(others.map((name) => [name, `real-${name}`]));
  const { origin } = await upstream();
  const env = {
    ...environment,
    ...escVariables(server, "acme/app/dev"),
    OPENAI_API_KEY: OPENAI,
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
    const variables = environmentOf(clear.stdout);
    for (const name of names.split(",")) expect(variables[name]).toBe(`real-${name}`);
    expect(clear.stdout).not.toContain(OPENAI);
  }
  const declared = folder({
    "sophia.contract.json": contract(
      Object.fromEntries([inFile, "OPENAI_API_KEY"].map((name) => [name, { broker: true }])),
    ),
    ".env": `${inFile}=real-${inFile}\n`,
  });
  const brokered = await sophia(["--broker", "--", "env"], { cwd: declared, env: { OPENAI_API_KEY: OPENAI } });
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
  const cwd = folder({ "sophia.contract.json": contract({ QDRANT_API_KEY: {} }) });
  const { status, stderr } = await sophia(["--broker", ...ECHO], {
    cwd,
    env: { QDRANT_API_KEY: "real-qdrant-0a1b", GROQ_API_KEY: GROQ },
  });
  expect(status).toBe(125);
  expect(unwrapped(stderr)).toMatch(/value of GROQ_API_KEY .*QDRANT_URL, the address for QDRANT_API_KEY, is not set/s);
});

test("no file can allow a key as plain text, nor for a sophia-run in the program", async () => {
  const cwd = folder({
    "sophia.contract.json": contract({ SOPHIA_BROKER_EXCEPT: { secret: false, default: "GROQ_API_KEY" } }),
    ".env": "SOPHIA_BROKER_EXCEPT=GROQ_API_KEY\n",
  });
  const env = { GROQ_API_KEY: GROQ };
  for (const outer of [[], ["--", ...sophiaRun]]) {
    const { status, stdout, stderr } = await sophia([...outer, "--broker", ...ECHO], { cwd, env });
    expect([status, stdout]).toEqual([125, ""]);
    expect(stderr).toContain("the program would get the value of GROQ_API_KEY");
  }
});

test("a dummy of an outer sophia-run is not taken for a key, whatever the contract inside declares", async () => {
  const { origin } = await upstream();
  const cwd = folder({ "sophia.contract.json": OPENAI_CONTRACT, "inner.json": contract({}) });
  const inner = [...sophiaRun, "--broker", "--contract", "inner.json", "--", "env"];
  const { status, stdout } = await sophia(["--broker", "--", ...inner], {
    cwd,
    env: { OPENAI_API_KEY: OPENAI, OPENAI_BASE_URL: origin },
  });
  expect([status, environmentOf(stdout)["SOPHIA_BROKERED"]]).toEqual([0, "OPENAI_API_KEY"]);
  expect(stdout).not.toContain(OPENAI);
});

test("--broker-except warns of a key that is not set; the variable does not warn, and may have names of other projects", async () => {
  const cwd = folder({ "sophia.contract.json": OPENAI_CONTRACT });
  const { origin } = await upstream();
  const env = { OPENAI_API_KEY: OPENAI, OPENAI_BASE_URL: origin };
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
    expect(unwrapped(stderr)).toContain("no key GROK_API_KEY did you mean GROQ_API_KEY?");
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
  server.environment("acme/app/dev", { values: { OPENAI_API_KEY: secret(OPENAI) } });
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
  brokerScene.values({ OPENAI_API_KEY: OPENAI });
  const started = startBrokered(brokerScene);
  const [, pid] = await started.seen(/^run (\d+) $/m);
  brokerScene.values({ OPENAI_API_KEY: OPENAI, GROQ_API_KEY: GROQ }, "8080");
  await started.reported(/GROQ_API_KEY[^]*--broker-except GROQ_API_KEY/);
  brokerScene.values({ OPENAI_API_KEY: OPENAI, ANTHROPIC_API_KEY: "sk-ant-real-0a1b2c3d" }, "9090");
  await started.seen(/^run (\d+) 9090$/m);
  process.kill(started.pid, "SIGTERM");
  const { status, stdout } = await started.finished;
  expect([status, stdout.match(/^run .*$/gm)?.length, stdout.includes("8080")]).toEqual([0, 2, false]);
  expect(Number(pid)).toBeGreaterThan(0);
});

test("a first key that appears in ESC while the program runs is brokered or refused", async () => {
  const brokerScene = await startBrokeredWorld();
  brokerScene.values({}, "1");
  const program = ["sh", "-c", 'echo "run $PORT ${OPENAI_API_KEY-none} ${GROQ_API_KEY-none}"; exec sleep 50'];
  const started = startBrokered(brokerScene, [], program);
  await started.seen(/^run 1 none none$/m);
  await started.reported(/no effect yet/);
  brokerScene.values({ GROQ_API_KEY: GROQ }, "2");
  await started.reported(/--broker-except GROQ_API_KEY/);
  brokerScene.values({ OPENAI_API_KEY: OPENAI }, "3");
  await started.seen(/^run 3 sophia-\w+ none$/m);
  process.kill(started.pid, "SIGTERM");
  const { stdout, stderr } = await started.finished;
  expect(stdout + stderr).not.toContain(OPENAI);
  expect(stdout).not.toContain("run 2");
});
