import { expect, test } from "vitest";
import type { Values } from "../../src/command-line/options.ts";
import { windowsEnvironment } from "../../src/core/names.ts";
import { secretsOf } from "../../src/resolve/secret-values.ts";
import type { Start } from "../../src/resolve/start.ts";
import { startEscServer } from "../esc-server/index.ts";
import { folder } from "../helpers/sophia.ts";
import { runStages } from "../helpers/start-stages.ts";

interface Given {
  readonly environment?: Readonly<Record<string, string>>;
  readonly dotenv?: string;
  readonly contract?: object;
  readonly flags?: Values;
}

/** A start with a case-insensitive environment, as on Windows. */
async function onWindows({ environment = {}, dotenv, contract, flags = {} }: Given): Promise<Start> {
  const cwd = folder({
    ...(dotenv === undefined ? {} : { ".env": dotenv }),
    "sophia.contract.json": JSON.stringify(contract ?? { variables: {} }),
  });
  return runStages(cwd, windowsEnvironment(Object.entries(environment)), flags);
}

/** The environment of the program. */
function program({ values: { selected } }: Start): Record<string, string> {
  return Object.fromEntries(Array.from(selected.values(), ({ name, value }) => [name, value]));
}

function remarks({ verdict: { notices } }: Start): readonly string[] {
  return notices.flatMap((notice) => (notice.kind === "remark" ? notice.text : []));
}

test("the environment wins over a file in every spelling, and keeps its own", async () => {
  const given = { environment: { Path: "C:\\Windows", foo: "environment" }, dotenv: "PATH=/bin\nFOO=file\nBar=file\n" };
  const start = await onWindows(given);
  expect(program(start)).toEqual({ Path: "C:\\Windows", foo: "environment", Bar: "file" });
  expect(start.values.resolution.get("FOO")?.shadowed).toEqual([
    { origin: { source: "dotenv", file: ".env", line: 2 }, same: false },
  ]);
});

test("the last of two lines of a file wins, with a remark", async () => {
  const start = await onWindows({ dotenv: "FOO=first\nfoo=second\n" });
  expect(program(start)).toEqual({ FOO: "second" });
  expect(remarks(start)).toEqual([expect.stringMatching(/^foo of \.env:2 and FOO of \.env:1 /)]);
});

test("ESC's values are found in every spelling, whichever source is preferred", async () => {
  await using server = await startEscServer();
  const { token } = server;
  server.environment("acme/sophia/dev", { values: { FOO: "esc", Only_Esc: "esc", only_esc: "other" } });
  const environment = {
    esc_env: "acme/sophia/dev",
    Esc_Token: token,
    pulumi_backend_url: server.url,
    foo: "environment",
  };
  const start = await onWindows({ environment });
  expect(start.store.esc.kind).toBe("read");
  expect(remarks(start)).toHaveLength(1);
  // The token is withheld; the program may need the address of ESC.
  const own = { PULUMI_BACKEND_URL: server.url };
  expect(program(start)).toEqual({ ...own, foo: "environment", Only_Esc: "esc" });
  expect(secretsOf(start).map(({ value }) => value)).toContain(token);
  const preferred = await onWindows({ environment, flags: { prefer: "esc" } });
  expect(program(preferred)).toEqual({ ...own, foo: "esc", Only_Esc: "esc" });
});

test.each(["node_options", "Node_Options", "NODE_OPTIONS"])("a file does not set %s", async (name) => {
  const given = { dotenv: `${name}=--require ./evil.js\nesc_future=1\nsophia_mode=exec\n` };
  const start = await onWindows(given);
  expect(program(start)).toEqual({});
  expect(start.verdict.notices.map(({ kind }) => kind)).toEqual(["withheld", "withheld"]);
  expect(program(await onWindows({ ...given, flags: { allow: ["node_options"] } }))).toEqual({
    NODE_OPTIONS: "--require ./evil.js",
  });
});

test("a contract finds its variables, and its spelling is used", async () => {
  const contract = {
    variables: { Api_Url: { required: true, aliases: ["API_ENDPOINT"] }, node_options: {}, KEY: { default: "k" } },
  };
  const given = {
    environment: { API_URL: "https://a" },
    dotenv: "node_options=--require ./a.js\nkey=mine\n",
    contract,
  };
  const start = await onWindows(given);
  expect(start.verdict.violations).toEqual([]);
  expect(program(start)).toEqual({ Api_Url: "https://a", NODE_OPTIONS: "--require ./a.js", KEY: "mine" });
  const aliased = await onWindows({ environment: { api_endpoint: "https://b" }, contract });
  expect(program(aliased)).toEqual({ API_ENDPOINT: "https://b", Api_Url: "https://b", KEY: "k" });
});

test("--include, --exclude and --pristine match every spelling", async () => {
  const environment = { Path: "C:\\", SystemRoot: "C:\\Windows", foo_a: "1", Bar: "2" };
  const included = await onWindows({ environment, dotenv: "foo_b=3\nbaz=4\n", flags: { include: ["FOO_*"] } });
  expect(program(included)).toEqual({ ...environment, foo_b: "3" });
  const excluded = await onWindows({ environment, flags: { exclude: ["PATH", "foo*", "BAR"] } });
  expect(program(excluded)).toEqual({ SystemRoot: "C:\\Windows" });
  const pristine = await onWindows({ environment, flags: { pristine: true } });
  expect(program(pristine)).toEqual({ Path: "C:\\", SystemRoot: "C:\\Windows" });
});

test("the mark of variables from files is found in every spelling", async () => {
  const first = await onWindows({ dotenv: "https_proxy=http://127.0.0.1:1\n" });
  const inner = Object.entries(program(first)).map(([name, value]) => [name.toLowerCase(), value]);
  const second = await onWindows({ environment: Object.fromEntries(inner) });
  expect(second.values.selected.get("HTTPS_PROXY")?.origin).toEqual({ source: "environment", fromFile: true });
  expect(second.values.selected.get("SOPHIA_FROM_FILES")?.value.toLowerCase()).toContain("https_proxy");
});
