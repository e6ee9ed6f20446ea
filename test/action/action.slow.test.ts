/** The GitHub Action runs as a runner runs it, against a real server of the ESC API. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { INPUT_NAMES } from "../../src/action/inputs.ts";
import { SENTINEL, sentinelOf } from "../commands/sophia-environment.ts";
import { type ActionsIssuer, startActionsIssuer } from "../esc-server/actions-issuer.ts";
import { type EscServer, secret, startEscServer } from "../esc-server/index.ts";
import { type Runner, startRunner } from "../helpers/actions/runner.ts";

const root = join(import.meta.dirname, "../..");
const action = join(root, "action.yml");

const PEM = `-----BEGIN PRIVATE KEY-----\n${sentinelOf("line-1")}\n${sentinelOf("line-2")}\n-----END PRIVATE KEY-----\n`;
/** What would end a value where delimiters are guessed, and begin a variable of its own. */
const ENDING = `${sentinelOf("ending")}\nEOF\nBASH_ENV<<EOF\n/tmp/evil\nEOF\nghadelimiter_0\nsophia_run_0\nINJECTED=1`;
const AWKWARD = `${sentinelOf("awkward")} 100%25 ::error::no "quoted" \\n é ${"x".repeat(40)}`;

const CONTRACT = JSON.stringify(
  {
    variables: {
      KEY: { required: true },
      ENDING: {},
      AWKWARD: {},
      GITHUB_PAT: {},
      MODE: { secret: false },
      LEVEL: { default: "info" },
      GITHUB_SHA: { secret: false },
    },
  },
  undefined,
  2,
);
const VALUES = {
  KEY: secret(PEM),
  ENDING: secret(ENDING),
  AWKWARD: secret(AWKWARD),
  GITHUB_PAT: secret(sentinelOf("pat")),
  MODE: "public",
  UNDECLARED: secret(sentinelOf("undeclared")),
};
const EXPORTED = { KEY: PEM, ENDING, AWKWARD, GITHUB_PAT: sentinelOf("pat"), MODE: "public", LEVEL: "info" };

let esc: EscServer;
let issuer: ActionsIssuer;

beforeAll(async () => {
  execFileSync(process.execPath, [join(root, "scripts/action.mjs")]);
  issuer = await startActionsIssuer();
  esc = await startEscServer({
    token: `pul-${sentinelOf("token")}`,
    oidc: { issuers: [issuer.trust], organization: "acme" },
  });
  esc.environment("acme/app/ci", { values: VALUES, files: { KEY_FILE: secret(sentinelOf("file")) } });
});

afterAll(async () => {
  await esc.close();
  await issuer.close();
});

function job(contract: string = CONTRACT, env: Readonly<Record<string, string>> = {}): Runner {
  return startRunner({
    action,
    files: { "sophia.contract.json": contract },
    env: { PULUMI_BACKEND_URL: esc.url, ...env },
  });
}

const withToken = (): Record<string, string> => ({ environment: "acme/app/ci", token: esc.token });

/** No secret outside of GITHUB_ENV and GITHUB_OUTPUT: not in what the step wrote, in its summary, or in the log. */
function expectNoSecret({ written, summary, log }: Runner): void {
  for (const text of [written(), summary(), log.lines.join("\n"), JSON.stringify(log.annotations)]) {
    expect(text).not.toContain(SENTINEL);
  }
}

describe("the action exports", () => {
  test("the values of the environment that the contract names, once the job allows it, by a token that a command prints", async () => {
    const contract = JSON.stringify({ environment: "acme/app/ci", variables: { KEY: { required: true } } });
    const own = { ESC_TOKEN_COMMAND: "echo $OWN_TOKEN", OWN_TOKEN: esc.token };
    const refused = job(contract, own);
    expect(await refused.action({})).toBe(1);
    expect(refused.environment.size).toBe(0);
    const allowed = job(contract, { ...own, SOPHIA_ALLOW_ENVIRONMENT: "acme/app/ci" });
    expect(await allowed.action({})).toBe(0);
    expect(Object.fromEntries(allowed.environment)).toEqual({ KEY: PEM });
    expectNoSecret(allowed);
  });

  test("the declared variables, to the later steps, without a value in the log", async () => {
    const runner = job();
    expect(await runner.action(withToken())).toBe(0);
    expect(Object.fromEntries(runner.environment)).toEqual(EXPORTED);
    expect(runner.log.beforeMasks).toBe("");
    expectNoSecret(runner);
    const names = "KEY, ENDING, AWKWARD, GITHUB_PAT, MODE and LEVEL";
    expect(runner.log.lines).toEqual([expect.stringContaining(names)]);
    expect(runner.summary()).toContain("✅ Configuration complete");
    expect(runner.summary()).toContain(String.raw`| GITHUB\_PAT | ✅ set | ESC acme/app/ci |`);

    const show = 'printf "%s\\n" "$KEY" "$ENDING" "$AWKWARD" "$GITHUB_PAT" "$MODE"; printf %s "$GITHUB_PAT" | base64';
    expect(await runner.run(`${show}; printf %s "$AWKWARD" | jq -sRr @json 2>/dev/null || :`)).toBe(0);
    const shown = runner.log.lines.join("\n");
    expect(shown).not.toContain(SENTINEL);
    expect(shown).not.toContain(Buffer.from(sentinelOf("pat")).toString("base64"));
    expect(shown).toContain("public");
    // What is not exported is masked as well: it may come out in another way.
    expect(runner.log.masked(sentinelOf("undeclared"))).toBe("***");
  });

  test("outputs, with an ID token instead of a stored token", async () => {
    const runner = job(CONTRACT, {
      ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
    });
    const inputs = { environment: "acme/app/ci", "oidc-organization": "acme", export: "outputs", include: "KEY\nMODE" };
    expect(await runner.action(inputs)).toBe(0);
    expect(issuer.audiences).toEqual(["urn:pulumi:org:acme"]);
    expect(Object.fromEntries(runner.outputs.get("action") ?? [])).toEqual({ KEY: PEM, MODE: "public" });
    expect(runner.summary()).toMatch(/^\| ENDING \| ➖ left out \| withheld by the input include \|$/m);
    expect(runner.environment.size).toBe(0);
    expectNoSecret(runner);
    expect(runner.written()).not.toContain(issuer.requestToken);
  });

  test("the value of the job's environment, which is masked, too", async () => {
    const runner = job(CONTRACT, { GITHUB_PAT: sentinelOf("of-the-job") });
    expect(await runner.action(withToken())).toBe(0);
    expect(runner.environment.get("GITHUB_PAT")).toBe(sentinelOf("of-the-job"));
    expectNoSecret(runner);
    expect(runner.log.annotations).toMatchObject([{ level: "notice", message: expect.stringContaining("GITHUB_PAT") }]);
  });

  test("nothing if it only checks the contract", async () => {
    const runner = job();
    expect(await runner.action({ ...withToken(), export: "check" })).toBe(0);
    expect([runner.environment.size, runner.outputs.get("action")?.size]).toEqual([0, 0]);
    expectNoSecret(runner);
  });
});

describe("values with line breaks, quotes and delimiters", () => {
  const AWKWARD_VALUES = {
    CRLF: `${sentinelOf("crlf-1")}\r\n${sentinelOf("crlf-2")}\r\n`,
    CR: `${sentinelOf("cr-1")}\r${sentinelOf("cr-2")}`,
    SEPARATOR: `${sentinelOf("ls-1")}\u2028${sentinelOf("ls-2")}`,
    REPLACEMENT: `${sentinelOf("rc-1")}\uFFFD${sentinelOf("rc-2")}`,
    COMMAND: `::stop-commands::${sentinelOf("command")}`,
    ESCAPED: `${sentinelOf("escaped")}%0A::error::%25`,
    SPACES: `  ${sentinelOf("spaces")}  `,
    SHORT: "1",
    LONG: `${sentinelOf("long")}${"é".repeat(40_000)}`,
  };
  const contract = JSON.stringify({
    variables: Object.fromEntries(Object.keys(AWKWARD_VALUES).map((name) => [name, {}])),
  });
  const values = Object.fromEntries(Object.entries(AWKWARD_VALUES).map(([name, value]) => [name, secret(value)]));

  test.each(["env", "outputs"])("arrive unchanged in %s, and each of their lines is masked", async (to) => {
    esc.environment("acme/app/awkward", { values });
    const runner = job(contract);
    expect(await runner.action({ ...withToken(), environment: "acme/app/awkward", export: to })).toBe(0);
    const exported = to === "env" ? runner.environment : runner.outputs.get("action");
    expect(Object.fromEntries(exported ?? [])).toEqual(AWKWARD_VALUES);
    expectNoSecret(runner);
    expect(runner.log.beforeMasks).toBe("");
    for (const value of Object.values(AWKWARD_VALUES)) {
      for (const line of [value, ...value.split(/[\r\n]/)]) expect(runner.log.masked(line)).not.toContain(SENTINEL);
    }
  });

  test("that are too large for a program are refused for env, and are written to outputs", async () => {
    const large = `${sentinelOf("large")}${"y".repeat(131_072)}`;
    esc.environment("acme/app/large", { values: { LARGE: secret(large) } });
    const runner = job(JSON.stringify({ variables: { LARGE: {} } }));
    const inputs = { ...withToken(), environment: "acme/app/large" };
    expect(await runner.action(inputs)).toBe(1);
    expect(runner.log.annotations[0]?.message).toContain("\nLARGE: ");
    expect(runner.environment.size).toBe(0);
    expect(await runner.action({ ...inputs, export: "outputs" })).toBe(0);
    expect(runner.outputs.get("action")?.get("LARGE")).toBe(large);
    expectNoSecret(runner);
  });
});

describe("the report of a contract that is not met", () => {
  const contract = JSON.stringify(
    {
      variables: {
        MODE: { secret: false },
        ABSENT: { required: true, label: "A | <b>label</b>" },
        KEY: { format: "url" },
      },
    },
    undefined,
    2,
  );

  test("fails the step with an annotation at the line of each variable, and exports nothing", async () => {
    const runner = job(contract);
    expect(await runner.action(withToken())).toBe(1);
    expect(runner.environment.size).toBe(0);
    const file = "sophia.contract.json";
    const line = (name: string): string =>
      String(contract.split("\n").findIndex((one) => one.includes(`"${name}"`)) + 1);
    expect(runner.log.annotations).toMatchObject([
      { level: "error", message: expect.stringContaining("ABSENT (A | <b>label</b>)") },
      { level: "error", message: expect.stringContaining("KEY") },
    ]);
    expect(runner.log.annotations.map(({ properties }) => properties)).toEqual([
      { title: "Configuration", file, line: line("ABSENT") },
      { title: "Configuration", file, line: line("KEY") },
    ]);
    expect(runner.summary()).toContain("### ❌ Configuration incomplete");
    expect(runner.summary()).toContain(String.raw`- ❌ ABSENT (A \| &lt;b>label&lt;/b>)`);
    expectNoSecret(runner);
  });

  test.each<readonly [what: string, inputs: Readonly<Record<string, string>>, cause: string]>([
    ["no input", {}, "ESC is not configured"],
    ["a secret that a fork does not have", { environment: "a/b/c", token: "" }, "ESC_TOKEN"],
    ["no right to an ID token", { environment: "a/b/c", "oidc-organization": "acme" }, "id-token: write"],
  ])("begins with the reason why ESC was not read: %s", async (_what, inputs, cause) => {
    const runner = job(contract);
    expect(await runner.action(inputs)).toBe(1);
    const [first, ...others] = runner.log.annotations;
    expect(first).toMatchObject({ level: "error", properties: { title: "ESC" } });
    expect(first?.message).toContain(cause);
    expect(first?.message).toContain("the input fake");
    expect(others.map(({ properties }) => properties["title"])).toEqual(["Configuration"]);
  });

  test("shows the line for a step that uses PULUMI_ACCESS_TOKEN, and that line works", async () => {
    const own = { PULUMI_ACCESS_TOKEN: esc.token };
    const inputs = { environment: "acme/app/ci" };
    for (const more of [{}, { "require-esc": "true" }]) {
      const runner = job(CONTRACT, own);
      expect(await runner.action({ ...inputs, ...more })).toBe(1);
      const [{ message } = { message: "" }] = runner.log.annotations;
      const [, name = "", command = ""] = /under env of the step:\n {2}(\w+): (.*)(?:\n|$)/.exec(message) ?? [];
      expect([name, command]).toEqual(["ESC_TOKEN_COMMAND", "printenv PULUMI_ACCESS_TOKEN"]);
      expect(message).not.toContain("export ");
      const again = job(CONTRACT, own);
      expect(await again.action({ ...inputs, ...more }, { [name]: command })).toBe(0);
      for (const one of [runner, again]) expectNoSecret(one);
    }
  });

  test("begins with the failure of ESC if ESC could not be read", async () => {
    const runner = job(contract);
    expect(await runner.action({ ...withToken(), token: `pul-${sentinelOf("revoked")}` })).toBe(1);
    expect(runner.log.annotations[0]).toMatchObject({ level: "error", properties: { title: "ESC" } });
    expectNoSecret(runner);
    esc.failNext("open", "hang");
    expect(await runner.action({ ...withToken(), timeout: "200ms" })).toBe(1);
    const timedOut = expect.stringContaining("allow more time with the input timeout (SOPHIA_TIMEOUT)");
    expect(runner.log.annotations).toContainEqual(expect.objectContaining({ message: timedOut }));
  });

  test("is a warning if ESC cannot be read and the job has all variables, and an error if ESC is required", async () => {
    const env = { KEY: PEM, PULUMI_BACKEND_URL: "http://127.0.0.1:1" };
    const lenient = job(CONTRACT, env);
    expect(await lenient.action(withToken())).toBe(0);
    expect(lenient.log.annotations).toMatchObject([{ level: "warning", properties: { title: "ESC" } }]);
    const strict = job(CONTRACT, env);
    expect(await strict.action({ ...withToken(), "require-esc": "true" })).toBe(1);
    expect(strict.log.annotations).toMatchObject([{ level: "error", message: expect.stringContaining("ESC") }]);
    expect(strict.environment.size).toBe(0);
    for (const runner of [lenient, strict]) expectNoSecret(runner);
  });
});

test("text from outside becomes an annotation or a line of the log, and never a command of the runner", async () => {
  const text = "##[stop-commands]x ::stop-commands::x";
  const runner = job(JSON.stringify({ variables: { ABSENT: { required: true, label: text } } }));
  esc.environment("acme/app/hostile", { values: { A: "a" } });
  esc.failNext("open", { kind: "status", status: 403, body: { code: 403, message: `${text}\n${text}` } });
  expect(await runner.action({ ...withToken(), environment: "acme/app/hostile" })).toBe(1);
  expect(runner.log.annotations.filter(({ message }) => message.includes(text))).toHaveLength(2);
  // The log throws for any other command than annotations and masks.
  expect(await runner.action({ environment: "x/##[stop-commands]x", token: esc.token })).toBe(1);
});

test("the action refuses variables that would break the runner or later steps, unless the job already has them", async () => {
  const refused = [
    ["NODE_OPTIONS", "GITHUB_WORKSPACE", "RUNNER_TEMP", "INPUT_TOKEN", "BASH_ENV", "LD_PRELOAD", "PATH"],
    // With it actions/checkout takes a step for its own end, and removes the file that STATE_sshKeyPath names.
    ["STATE_isPost", "STATE_sshKeyPath", "AGENT_TOOLSDIRECTORY", "PUPPETEER_EXECUTABLE_PATH"],
  ].flat();
  const names = [...refused, "GITHUB_TOKEN", "GITHUB_SHA"];
  const declared = JSON.stringify({ variables: Object.fromEntries(names.map((name) => [name, {}])) });
  esc.environment("acme/app/odd", {
    values: Object.fromEntries(names.map((name) => [name, secret(sentinelOf(name))])),
  });
  const inputs = { ...withToken(), environment: "acme/app/odd", prefer: "esc" };
  const runner = job(declared);
  expect(await runner.action(inputs)).toBe(1);
  const [{ message } = { message: "" }] = runner.log.annotations;
  for (const name of [...refused, "GITHUB_SHA"]) expect(message).toContain(`\n${name}: `);
  expect(message).not.toContain("GITHUB_TOKEN");
  expect(runner.environment.size).toBe(0);

  const environment = await runner.action({ ...inputs, prefer: "environment", exclude: refused.join(",") });
  expect(environment).toBe(0);
  expect([...runner.environment.keys()]).toEqual(["GITHUB_TOKEN"]);
  expectNoSecret(runner);
});

describe("the action does not export a default of the contract to later steps", () => {
  const EVIL = "https://evil.example.test";
  const contractOf = (name: string, value: string): string =>
    JSON.stringify({ variables: { [name]: { default: value, secret: false }, LEVEL: { default: "info" } } });

  test.each([
    ["GIT_EDITOR", "./x"],
    ["PERL5LIB", "lib"],
    ["HTTPS_PROXY", EVIL],
    ["NODE_TLS_REJECT_UNAUTHORIZED", "0"],
  ])("%s=%s: the contract is invalid", async (name, value) => {
    const runner = job(contractOf(name, value));
    expect(await runner.action({})).toBe(1);
    expect(runner.log.annotations[0]?.message).toContain(`a default of ${name} would`);
    expect(runner.environment.size).toBe(0);
  });

  test.each(["OPENAI_BASE_URL", "AWS_ENDPOINT_URL_S3"])(
    "if the variable is %s, which says where keys are sent",
    async (name) => {
      const found = job(contractOf(name, EVIL));
      expect(await found.action({})).toBe(0);
      expect([...found.environment.keys()]).toEqual(["LEVEL"]);
      // A pull request may change the contract that the workflow names.
      const named = job(contractOf(name, EVIL));
      expect(await named.action({ contract: "sophia.contract.json" })).toBe(1);
      expect(named.log.annotations[0]?.message).toContain(`${name}: a default of the contract would send the keys`);
      expect(named.environment.size).toBe(0);
    },
  );
});

test.each<readonly [inputs: Readonly<Record<string, string>>, message: string]>([
  [{ export: "all" }, "the input export"],
  [{ timeout: "soon" }, "the input timeout"],
  [{ "working-directory": "nowhere" }, "'nowhere'"],
  [{ "oidc-organization": "acme", token: "", "require-esc": "true" }, "id-token: write"],
  [{ fake: "perhaps" }, "the input fake"],
  [{ contract: "nowhere.json" }, "nowhere.json"],
  [{ profile: "prod" }, "profile"],
  [{ token: `pul-${sentinelOf("token")} and more` }, "ESC_TOKEN contains a space"],
  [{ environment: `pul-${"0".repeat(40)}` }, "ESC_ENV"],
])("inputs %j fail", async (inputs, message) => {
  const runner = job();
  expect(await runner.action({ ...withToken(), ...inputs })).toBe(1);
  expect(runner.log.annotations).toMatchObject([{ level: "error", message: expect.stringContaining(message) }]);
  expect(runner.environment.size).toBe(0);
  expectNoSecret(runner);
});

test("action.yml declares the inputs that the action reads, and the documents name them", () => {
  const manifest: unknown = parse(readFileSync(action, "utf8"));
  expect(manifest).toMatchObject({ runs: { using: "node24", main: "dist-action/main.cjs" } });
  const inputs: unknown = Object(manifest).inputs;
  expect(Object.keys(Object(inputs)).toSorted()).toEqual(INPUT_NAMES.toSorted());
});

test("the action has sent no request that violates the API", () => {
  expect(esc.violations).toEqual([]);
});
