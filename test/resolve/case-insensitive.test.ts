import { expect, test } from "vitest";
import type { Values } from "../../src/command-line/options.ts";
import { windowsEnvironment } from "../../src/core/names.ts";
import { collectSecrets } from "../../src/resolve/secret-values.ts";
import type { Start } from "../../src/resolve/start.ts";
import { startEscServer } from "../esc-server/index.ts";
import { folder } from "../helpers/sophia.ts";
import { runStages } from "../helpers/start-stages.ts";

interface StartInput {
  readonly environment?: Readonly<Record<string, string>>;
  readonly dotenv?: string;
  readonly contract?: object;
  readonly flags?: Values;
}

/** Runs the stages of a start with an environment in which names are case-insensitive, as on Windows. */
async function startOnWindows({ environment = {}, dotenv, contract, flags = {} }: StartInput): Promise<Start> {
  const cwd = folder({
    ...(dotenv === undefined ? {} : { ".env": dotenv }),
    "sophia.contract.json": JSON.stringify(contract ?? { variables: {} }),
  });
  return runStages(cwd, windowsEnvironment(Object.entries(environment)), flags);
}

/** Returns the environment of the program. */
function programEnvironment({ values: { selected } }: Start): Record<string, string> {
  return Object.fromEntries(Array.from(selected.values(), ({ name, value }) => [name, value]));
}

function remarksOf({ verdict: { notices } }: Start): readonly string[] {
  return notices.flatMap((notice) => (notice.kind === "remark" ? notice.text : []));
}

test("a variable of the environment overrides a file's variable in any spelling, and keeps its own spelling", async () => {
  const input = { environment: { Path: "C:\\Windows", foo: "environment" }, dotenv: "PATH=/bin\nFOO=file\nBar=file\n" };
  const start = await startOnWindows(input);
  expect(programEnvironment(start)).toEqual({ Path: "C:\\Windows", foo: "environment", Bar: "file" });
  expect(start.values.resolution.get("FOO")?.shadowed).toEqual([
    { origin: { source: "dotenv", file: ".env", line: 2 }, same: false },
  ]);
});

test("the last of two lines that set a variable in two spellings is used, with a remark", async () => {
  const start = await startOnWindows({ dotenv: "FOO=first\nfoo=second\n" });
  expect(programEnvironment(start)).toEqual({ FOO: "second" });
  expect(remarksOf(start)).toEqual([expect.stringMatching(/^foo of \.env:2 and FOO of \.env:1 /)]);
});

test("a variable of ESC has the same name in any spelling, whichever source is preferred", async () => {
  await using server = await startEscServer();
  const { token } = server;
  server.environment("acme/sophia/dev", { values: { FOO: "esc", Only_Esc: "esc", only_esc: "other" } });
  const environment = {
    esc_env: "acme/sophia/dev",
    Esc_Token: token,
    pulumi_backend_url: server.url,
    foo: "environment",
  };
  const start = await startOnWindows({ environment });
  expect(start.store.esc.kind).toBe("read");
  expect(remarksOf(start)).toHaveLength(1);
  // The token is withheld from the program, which may need the address of ESC.
  const escVariables = { PULUMI_BACKEND_URL: server.url };
  expect(programEnvironment(start)).toEqual({ ...escVariables, foo: "environment", Only_Esc: "esc" });
  expect(collectSecrets(start).map(({ value }) => value)).toContain(token);
  const preferred = await startOnWindows({ environment, flags: { prefer: "esc" } });
  expect(programEnvironment(preferred)).toEqual({ ...escVariables, foo: "esc", Only_Esc: "esc" });
});

test.each(["node_options", "Node_Options", "NODE_OPTIONS"])(
  "a file cannot set %s, which is withheld in any spelling",
  async (name) => {
    const input = { dotenv: `${name}=--require ./evil.js\nesc_future=1\nsophia_mode=exec\n` };
    const start = await startOnWindows(input);
    expect(programEnvironment(start)).toEqual({});
    expect(start.verdict.notices.map(({ kind }) => kind)).toEqual(["withheld", "withheld"]);
    expect(programEnvironment(await startOnWindows({ ...input, flags: { allow: ["node_options"] } }))).toEqual({
      NODE_OPTIONS: "--require ./evil.js",
    });
  },
);

test("a contract's variables are found in any spelling, and the program gets them in the contract's spelling", async () => {
  const contract = {
    variables: { Api_Url: { required: true, aliases: ["API_ENDPOINT"] }, node_options: {}, KEY: { default: "k" } },
  };
  const input = {
    environment: { API_URL: "https://a" },
    dotenv: "node_options=--require ./a.js\nkey=mine\n",
    contract,
  };
  const start = await startOnWindows(input);
  expect(start.verdict.violations).toEqual([]);
  expect(programEnvironment(start)).toEqual({ Api_Url: "https://a", NODE_OPTIONS: "--require ./a.js", KEY: "mine" });
  const aliased = await startOnWindows({ environment: { api_endpoint: "https://b" }, contract });
  expect(programEnvironment(aliased)).toEqual({ API_ENDPOINT: "https://b", Api_Url: "https://b", KEY: "k" });
});

test("--include, --exclude and --pristine match names in any spelling", async () => {
  const environment = { Path: "C:\\", SystemRoot: "C:\\Windows", foo_a: "1", Bar: "2" };
  const included = await startOnWindows({ environment, dotenv: "foo_b=3\nbaz=4\n", flags: { include: ["FOO_*"] } });
  expect(programEnvironment(included)).toEqual({ ...environment, foo_b: "3" });
  const excluded = await startOnWindows({ environment, flags: { exclude: ["PATH", "foo*", "BAR"] } });
  expect(programEnvironment(excluded)).toEqual({ SystemRoot: "C:\\Windows" });
  const pristine = await startOnWindows({ environment, flags: { pristine: true } });
  expect(programEnvironment(pristine)).toEqual({ Path: "C:\\", SystemRoot: "C:\\Windows" });
});

test("the mark of variables from files is found in any spelling", async () => {
  const first = await startOnWindows({ dotenv: "https_proxy=http://127.0.0.1:1\n" });
  const inner = Object.entries(programEnvironment(first)).map(([name, value]) => [name.toLowerCase(), value]);
  const second = await startOnWindows({ environment: Object.fromEntries(inner) });
  expect(second.values.selected.get("HTTPS_PROXY")?.origin).toEqual({ source: "environment", fromFile: true });
  expect(second.values.selected.get("SOPHIA_FROM_FILES")?.value.toLowerCase()).toContain("https_proxy");
});
