import { expect, test } from "vitest";
import type { Values } from "../../src/command-line/options.ts";
import { resolveSettings } from "../../src/command-line/settings.ts";
import { windowsEnvironment } from "../../src/core/names.ts";
import { assess } from "../../src/resolve/assess.ts";
import type { Assessment } from "../../src/resolve/assessment.ts";
import { secretsOf } from "../../src/resolve/secrets.ts";
import { startEscServer } from "../esc-server/index.ts";
import { folder } from "../helpers/sophia.ts";

const PROGRESS = async () => ({ waiting: () => {}, retrying: () => {}, done: () => {}, printLine: () => {} });

interface Given {
  readonly environment?: Readonly<Record<string, string>>;
  readonly dotenv?: string;
  readonly contract?: object;
  readonly flags?: Values;
}

/** The parts of a case-insensitive environment, as on Windows. */
async function onWindows({ environment = {}, dotenv, contract, flags = {} }: Given): Promise<Assessment> {
  const cwd = folder({
    ...(dotenv === undefined ? {} : { ".env": dotenv }),
    "sophia.contract.json": JSON.stringify(contract ?? { variables: {} }),
  });
  const own = windowsEnvironment(Object.entries(environment));
  return assess({ settings: resolveSettings(flags, own), environment: own, cwd, project: cwd, progress: PROGRESS });
}

/** The environment of the program. */
function program({ selected }: Assessment): Record<string, string> {
  return Object.fromEntries(Array.from(selected.values(), ({ name, value }) => [name, value]));
}

function remarks({ notices }: Assessment): readonly string[] {
  return notices.flatMap((notice) => (notice.kind === "remark" ? notice.text : []));
}

test("the environment wins over a file in every spelling, and keeps its own", async () => {
  const given = { environment: { Path: "C:\\Windows", foo: "environment" }, dotenv: "PATH=/bin\nFOO=file\nBar=file\n" };
  const assessment = await onWindows(given);
  expect(program(assessment)).toEqual({ Path: "C:\\Windows", foo: "environment", Bar: "file" });
  expect(assessment.resolution.get("FOO")?.shadowed).toEqual([
    { origin: { source: "dotenv", file: ".env", line: 2 }, same: false },
  ]);
});

test("the last of two lines of a file wins, with a remark", async () => {
  const assessment = await onWindows({ dotenv: "FOO=first\nfoo=second\n" });
  expect(program(assessment)).toEqual({ FOO: "second" });
  expect(remarks(assessment)).toEqual([expect.stringMatching(/^foo of \.env:2 and FOO of \.env:1 /)]);
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
  const assessment = await onWindows({ environment });
  expect(assessment.esc.kind).toBe("read");
  expect(remarks(assessment)).toHaveLength(1);
  // The token is withheld; the program may need the address of ESC.
  const own = { PULUMI_BACKEND_URL: server.url };
  expect(program(assessment)).toEqual({ ...own, foo: "environment", Only_Esc: "esc" });
  expect(secretsOf(assessment).map(({ value }) => value)).toContain(token);
  const preferred = await onWindows({ environment, flags: { prefer: "esc" } });
  expect(program(preferred)).toEqual({ ...own, foo: "esc", Only_Esc: "esc" });
});

test.each(["node_options", "Node_Options", "NODE_OPTIONS"])("a file does not set %s", async (name) => {
  const given = { dotenv: `${name}=--require ./evil.js\nesc_future=1\nsophia_mode=exec\n` };
  const assessment = await onWindows(given);
  expect(program(assessment)).toEqual({});
  expect(assessment.notices.map(({ kind }) => kind)).toEqual(["withheld", "withheld"]);
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
  const assessment = await onWindows(given);
  expect(assessment.violations).toEqual([]);
  expect(program(assessment)).toEqual({ Api_Url: "https://a", NODE_OPTIONS: "--require ./a.js", KEY: "mine" });
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
  expect(second.selected.get("HTTPS_PROXY")?.origin).toEqual({ source: "environment", fromFile: true });
  expect(second.selected.get("SOPHIA_FROM_FILES")?.value.toLowerCase()).toContain("https_proxy");
});
