import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { COMMAND_NAMES, type CommandName } from "../../src/command-line/command-line.ts";
import { OPTION_NAMES, OPTIONS, type OptionName, type OptionForm } from "../../src/command-line/options.ts";
import { namesFor } from "../../src/command-line/takers.ts";
import { dispatch } from "../../src/commands/dispatch.ts";
import { applyProjectOption } from "../../src/commands/parts/project-option.ts";
import { COMMANDS } from "../../src/commands/registry.ts";
import type { Context } from "../../src/core/context.ts";
import { SophiaError } from "../../src/core/error.ts";
import { type EscServer, secret, startEscServer } from "../esc-server/index.ts";
import { foldersOf } from "../helpers/folders.ts";
import { folder } from "../helpers/sophia.ts";
import { addSophiaEnvironment, escVariables, sentinelOf } from "./sophia-environment.ts";

/** A call of each command that reads ESC, the contract and .env files as far as it can. */
const CALLS: Readonly<Record<CommandName, readonly string[]>> = {
  check: ["--json"],
  explain: ["--json"],
  get: ["--json"],
  export: ["--format", "json"],
  scan: ["--json"],
  mask: [],
  hook: ["claude-code"],
  set: ["QDRANT_API_KEY", "--dry-run"],
  import: ["new.env", "--dry-run"],
  rotate: ["QDRANT_API_KEY", "--dry-run"],
  enforce: ["--dry-run"],
  request: ["--reason", "a test", "--wait"],
  audit: ["--json"],
  docs: [".env.example"],
  init: ["--from", "esc"],
  allow: [],
  login: [],
  link: [],
  completion: ["bash"],
};

/** Two calls that only an option tells apart, and that must not end alike. */
interface Proof {
  /** The variable that `get` prints, if it is another than QDRANT_API_KEY. */
  readonly variable?: string;
  /** The option as it is given. */
  readonly words: readonly string[];
  /** The words in its place in the other call. */
  readonly instead?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  /** Time decides how far requests come, which is then left out. */
  readonly isTimed?: true;
  /** Prepares the server, and perhaps calls the command, before each of the calls. */
  readonly before?: (server: EscServer, call: (words: readonly string[]) => Promise<unknown>) => Promise<unknown>;
}

const contract = (variables: object): Readonly<Record<string, string>> => ({
  "sophia.contract.json": JSON.stringify({ variables: { QDRANT_API_KEY: {}, ...variables } }),
});
/** What a file sets and a program does not get. */
const WITHHELD = { ".env": "BASH_ENV=x\n" };
const BROKERED = contract({ OPENAI_API_KEY: { broker: { upstream: "https://search.test" } } });
const makeServerHang = (server: EscServer): Promise<void> => Promise.resolve(server.failAlways("any", "hang"));

const PROOFS: Readonly<Partial<Record<OptionName, Proof>>> = {
  project: {
    words: ["--project", "../other"],
    environment: { ESC_ENV: "", SOPHIA_ALLOW_ENVIRONMENT: "acme/*/*" },
    files: {
      "../other/sophia.contract.json":
        '{ "environment": "acme/sophia/dev", "variables": { "A": {}, "QDRANT_API_KEY": {} } }',
    },
  },
  dotenv: { words: ["--dotenv", "absent.env"] },
  "no-override": { words: ["--no-override"], files: { ".env.override": `QDRANT_API_KEY=${sentinelOf("other")}\n` } },
  "secrets-dir": {
    variable: "FROM_FOLDER",
    words: ["--secrets-dir", "folder"],
    files: { ...contract({ FROM_FOLDER: { required: true } }), "folder/FROM_FOLDER": sentinelOf("other") },
  },
  prefer: { words: ["--prefer", "esc"], environment: { QDRANT_API_KEY: "another-value-of-it" } },
  // With it a name of two parts has one meaning.
  "require-esc": {
    words: ["--require-esc"],
    environment: { ESC_ENV: "other/dev" },
    before: (server) => {
      server.environment("other/default/dev", { values: { QDRANT_API_KEY: secret(sentinelOf("other")) } });
      return Promise.resolve();
    },
  },
  timeout: { words: ["--timeout", "200ms"], instead: ["--timeout", "100ms"], before: makeServerHang, isTimed: true },
  session: { words: ["--session", "30m"] },
  "insecure-http": { words: ["--insecure-http"], environment: { PULUMI_BACKEND_URL: "http://0.0.0.0:1" } },
  cache: { words: ["--cache"] },
  offline: { words: ["--offline"] },
  "cache-fresh": { words: ["--cache-fresh", "1h"], instead: ["--cache"], before: (_, call) => call(["--cache"]) },
  "cache-max-age": {
    words: ["--offline", "--cache-max-age", "1ms"],
    instead: ["--offline"],
    before: (_, call) => call(["--cache"]),
  },
  fake: { words: ["--fake"] },
  // Without it the .env file beside the contract above is read, too, which is all that `request` needs of it.
  contract: {
    words: ["--contract", "own.json"],
    environment: { ESC_ENV: "" },
    files: {
      "own.json": '{ "variables": { "A": {} } }',
      "../sophia.contract.json": '{ "variables": { "QDRANT_API_KEY": {} } }',
      "../.env": "ESC_ENV=acme/sophia/dev\n",
      // The search for a contract goes up to the root of the repository.
      "../.git/HEAD": "",
    },
  },
  profile: { words: ["--profile", "absent"] },
  scope: { words: ["--scope", "absent"] },
  "no-contract": { variable: "NEEDED", words: ["--no-contract"], files: contract({ NEEDED: { required: true } }) },
  "keep-esc": { variable: "ESC_ENV", words: ["--keep-esc"], files: contract({ ESC_ENV: {} }) },
  allow: { variable: "BASH_ENV", words: ["--allow", "BASH_ENV"], files: WITHHELD },
  "only-declared": { variable: "UNDECLARED", words: ["--only-declared"], files: { ".env": "UNDECLARED=1\n" } },
  pristine: { variable: "UNDECLARED", words: ["--pristine"], files: { ".env": "UNDECLARED=1\n" } },
  include: { variable: "GITHUB_PAT", words: ["--include", "QDRANT_*"] },
  exclude: { words: ["--exclude", "QDRANT_*"] },
  broker: { words: ["--broker"] },
  "broker-to": {
    words: ["--broker", "--broker-to", "https://search.test"],
    instead: ["--broker"],
    files: BROKERED,
  },
  "broker-except": {
    words: ["--broker", "--broker-except", "OPENAI_API_KEY"],
    instead: ["--broker"],
    environment: { OPENAI_API_KEY: sentinelOf("openai") },
    files: contract({ OPENAI_API_KEY: {} }),
  },
  "broker-listen": {
    words: ["--broker", "--broker-listen", "unix:broker.sock"],
    instead: ["--broker"],
    files: BROKERED,
  },
  // A check and an explanation only see whether the name is one.
  "broker-name": { words: ["--broker", "--broker-name", "no host"], instead: ["--broker"], files: BROKERED },
  // Without credentials of ESC it has no effect, which check and explain say of keys from elsewhere.
  "aws-refresh": { words: ["--aws-refresh"], environment: { AWS_ACCESS_KEY_ID: sentinelOf("key") } },
  refresh: {
    words: ["--refresh"],
    before: (server) => {
      const values = {
        QDRANT_API_KEY: secret(sentinelOf("key")),
        GOOGLE_OAUTH_ACCESS_TOKEN: secret(sentinelOf("google")),
      };
      server.environment("acme/sophia/dev", { values });
      return Promise.resolve();
    },
  },
  "audit-log": { words: ["--audit-log", "log"] },
  reason: { words: ["--reason", "a test"], environment: { SOPHIA_AUDIT_LOG: "log" } },
  quiet: {
    words: ["--quiet"],
    environment: { ESC_ENV: "" },
    files: { ".env": "ESC_ENV=acme/sophia/dev\nQDRANT_API_KEY=in-a-file-0001\n" },
  },
  verbose: { words: ["--verbose"], before: (server) => Promise.resolve(server.failNext("any", 503)) },
};

/** Options that a command takes although no call shows them, with the reason. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  "check --only-declared": "a check takes the options of the run that it is for, and reports declared variables alone",
  "check --pristine": "the same",
  "mask --cache": "it always uses the cache",
  "mask --cache-fresh": "by default 10 minutes; test/commands/mask has a shorter time",
  "hook --cache": "it always uses the cache",
  "hook --cache-fresh": "by default 10 minutes, as for mask",
  "hook --quiet": "it is always quiet: an agent calls it for each of its tools",
  "audit --quiet": "it has no notice that --quiet drops",
  "init --quiet": "it has no notice that --quiet drops",
  "login --timeout": "it needs a terminal and a login: test/commands/login/login.slow.test.ts",
  "login --insecure-http": "the same",
};

/** Calls a command in this process and returns all that can be seen of it. */
async function outcomeOf(name: CommandName, proof: Proof, words: readonly string[]): Promise<string> {
  await using server = await startEscServer();
  addSophiaEnvironment(server);
  const projectFiles = { "new.env": "QDRANT_API_KEY=value-to-import\n", "found.txt": sentinelOf("QDRANT_API_KEY") };
  const base = folder();
  const cwd = join(base, "project");
  for (const [file, text] of Object.entries({ ...projectFiles, ...proof.files })) {
    mkdirSync(dirname(join(cwd, file)), { recursive: true });
    writeFileSync(join(cwd, file), text);
  }
  // World-readable, as far as a file is in it.
  chmodSync(base, 0o755);
  if (existsSync(join(cwd, ".env"))) chmodSync(join(cwd, ".env"), 0o644);
  const environment = new Map(
    Object.entries({
      PATH: process.env["PATH"] ?? "",
      HOME: join(cwd, "home"),
      ESC_ADMIN_TOKEN: server.token,
      ...escVariables(server),
      ...proof.environment,
    }),
  );
  const variable = name === "get" ? [proof.variable ?? "QDRANT_API_KEY"] : [];
  const call = async (more: readonly string[]): Promise<object> => {
    const seen: string[] = [];
    const write = (text: string): undefined => void seen.push(text);
    const context: Context = {
      environment,
      ...foldersOf(cwd),
      out: write,
      err: write,
      raw: (_, data) => write(Buffer.from(data).toString()),
      readLine: () => Promise.resolve(undefined),
      readHidden: () => Promise.resolve(undefined),
      readInput: () => Promise.resolve(Buffer.from("a-new-value-0001\n")),
      async *readChunks() {
        const read = ["QDRANT_API_KEY", "other"].map((one) => sentinelOf(one)).join(" ");
        const event = { hook_event_name: "PostToolUse", tool_response: read };
        yield Buffer.from(name === "hook" ? JSON.stringify(event) : read);
      },
      isTerminal: () => false,
    };
    const invocation = { kind: "subcommand", name, words: [...variable, ...CALLS[name], ...more] } as const;
    const status = await dispatch(invocation, applyProjectOption(invocation, context)).catch((error: unknown) => {
      if (error instanceof SophiaError) return `${error.code}: ${error.message}`;
      throw error;
    });
    return { seen, status };
  };
  await proof.before?.(server, call);
  const { length } = server.calls;
  const result = await call(words);
  const calls = proof.isTimed === true ? [] : server.calls.slice(length);
  const requests = calls.map(({ operation, query }) => JSON.stringify({ operation, query }));
  const written = ["log", ".env.example"].map((file) => join(cwd, file)).filter((file) => existsSync(file));
  const texts = written.map((file) => readFileSync(file, "utf8"));
  const files = readdirSync(cwd, { recursive: true }).map(String).toSorted();
  return JSON.stringify({ ...result, requests: requests.toSorted(), texts, files })
    .replaceAll(base, "BASE")
    .replaceAll(basename(base), "FOLDER")
    .replaceAll(server.host, "HOST")
    .replaceAll(String(server.port), "PORT")
    .replaceAll(/esc-[\da-f]{32}-[\da-f]{32}/g, "CACHED")
    .replaceAll(/\d+(?= s (?:ago|old))|(?<=ageSeconds\D*)\d+|(?<=\bin )\d+(?= ms\b)/g, "AGE")
    .replaceAll(/(?<=timed out after [\d.]+ m?s )while [^"\\;:(]*/g, "MEANWHILE")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME");
}

describe.each(COMMAND_NAMES)("the command %s", (name) => {
  const used = namesFor(name);
  const commandOptions = Object.keys(COMMANDS[name].options ?? {});

  test.each(used)("obeys --%s", async (option) => {
    const proof = PROOFS[option];
    if (proof === undefined) throw new Error(`no two calls show that ${name} uses --${option}`);
    const { words, instead = [] } = proof;
    const [without, again, having] = await Promise.all([
      outcomeOf(name, proof, instead),
      outcomeOf(name, proof, instead),
      outcomeOf(name, proof, words),
    ]);
    expect(again).toBe(without);
    expect(having !== without).toBe(WITHOUT_EFFECT[`${name} --${option}`] === undefined);
  });

  test.each(OPTION_NAMES.filter((option) => !used.includes(option) && !commandOptions.includes(option)))(
    "refuses --%s",
    async (option) => {
      const { type, choices }: OptionForm = OPTIONS[option];
      const words = type === "boolean" ? [`--${option}`] : [`--${option}=${choices?.[0] ?? "1"}`];
      expect(await outcomeOf(name, { words }, words)).toContain(
        // A hook ends with the status that its agent expects, and says the rest itself.
        `${name === "hook" ? "sophia-run" : "usage"}: option --${option} is not for ${name}`,
      );
    },
  );
});
