/** Runs docs/agents.md: the environment of an agent, its commands, everything that it can read, and the log. */
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { SENTINEL, sentinelOf } from "../commands/sophia-environment.ts";
import { secret, startEscServer } from "../esc-server/index.ts";
import { fencedBlocksOf } from "../helpers/markdown.ts";
import { folder, sophiaRun } from "../helpers/sophia.ts";
import { startProcess } from "../helpers/start-process.ts";

const DOCUMENT = readFileSync(join(import.meta.dirname, "../../docs/agents.md"), "utf8");

const CONTRACT = {
  variables: {
    WEB_KEY: { description: "k", required: true },
    PORT: { description: "p", secret: false, default: "8080" },
    WORKER_KEY: { description: "w", required: true },
    OPENAI_API_KEY: { description: "o" },
  },
  scopes: { web: ["WEB_KEY", "PORT", "OPENAI_API_KEY"] },
};

/** The settings that the document shows, with a home folder of the test. */
function settings(home: string): { readonly env: Readonly<Record<string, string>> } {
  const block = fencedBlocksOf(DOCUMENT).find(({ text }) => text.includes("SOPHIA_ONLY_DECLARED"));
  return JSON.parse((block?.text ?? "").replaceAll("/home/me", home));
}

/** The TOML of the document is the same. */
test("Codex gets the variables that Claude Code gets", () => {
  const toml = fencedBlocksOf(DOCUMENT).find(({ language }) => language === "toml")?.text ?? "";
  const table = toml.slice(toml.indexOf("[shell_environment_policy.set]"), toml.indexOf("[sandbox_workspace_write]"));
  const set = Object.fromEntries(Array.from(table.matchAll(/^(\w+) = "(.*)"$/gm), ([, name, value]) => [name, value]));
  expect(set).toEqual(settings("/home/me").env);
});

/** An agent: each line is a command that it runs; it keeps all that it sees, its own environment first. */
const AGENT = `#!/bin/sh
exec > transcript 2>&1
env
set -x
sophia-run check
sophia-run -- sh -c 'echo "key: $WEB_KEY"; printf %s "$WEB_KEY" | base64; env'
sophia-run --reason 'the login test fails' -- sh -c 'echo "log: $WEB_KEY"; exit 3' > program.log
echo "status $?"
sophia-run --reason "it is $(sophia-run -- printenv WEB_KEY)" -- true
sophia-run -- sh -c 'echo "worker: \${WORKER_KEY-none}, extra: \${EXTRA-none}, token: \${ESC_TOKEN_FILE-none}, brokered: $SOPHIA_BROKERED"'
env -u ESC_TOKEN_FILE sophia-run --fake -- sh -c 'test -n "$WEB_KEY" && echo dummy works'
env -u ESC_TOKEN_FILE -u ESC_ENV sophia-run -- true
echo "status $?"
sophia-run explain
sophia-run export --format shell | cat
cat program.log
`;

test("an agent with the documented settings sees no secret, and the log has each of its commands", async () => {
  await using server = await startEscServer({ token: `pul-${sentinelOf("token")}`, tellsRevision: true });
  onTestFinished(() => server.close());
  server.environment("acme/sophia/dev", {
    values: Object.fromEntries(
      ["WEB_KEY", "WORKER_KEY", "EXTRA", "OPENAI_API_KEY"].map((name) => [name, secret(sentinelOf(name))] as const),
    ),
  });
  const home = folder();
  const { env } = settings(home);
  const tokenFile = env["ESC_TOKEN_FILE"] ?? "";
  mkdirSync(dirname(tokenFile), { recursive: true, mode: 0o700 });
  writeFileSync(tokenFile, `${server.token}\n`, { mode: 0o600 });
  const quoted = sophiaRun.map((word) => `'${word}'`).join(" ");
  const commands = folder({ "sophia-run": `#!/bin/sh\nexec ${quoted} "$@"\n` });
  chmodSync(join(commands, "sophia-run"), 0o755);
  const cwd = folder({ "sophia.contract.json": JSON.stringify(CONTRACT), agent: AGENT });

  const agent = startProcess(["/bin/sh", join(cwd, "agent")], {
    cwd,
    env: {
      PATH: `${commands}:${process.env["PATH"] ?? ""}`,
      HOME: home,
      CLAUDECODE: "1",
      PULUMI_BACKEND_URL: server.url,
      ...env,
    },
  });
  await agent.finished;

  const transcript = readFileSync(join(cwd, "transcript"), "utf8");
  for (const fragment of [
    "All checks passed",
    "key: ***\n***",
    "log: ***",
    "status 3",
    "worker: none, extra: none, token: none, brokered: OPENAI_API_KEY",
    "dummy works",
    "WEB_KEY is required",
    "status 78",
    "export would print secrets to Claude Code",
  ]) {
    expect(transcript).toContain(fragment);
  }
  const encoded = Buffer.from(sentinelOf("web_key")).toString("base64").slice(0, 12);
  for (const text of [transcript, readFileSync(join(home, ".local/state/sophia-run/audit.jsonl"), "utf8")]) {
    expect(text).not.toContain(SENTINEL);
    expect(text).not.toContain(encoded);
  }

  const log = env["SOPHIA_AUDIT_LOG"] ?? "";
  expect(statSync(log).mode & 0o777).toBe(0o600);
  const lines = readFileSync(log, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line): unknown => JSON.parse(line));
  const read = {
    caller: "Claude Code",
    scope: "web",
    outcome: "allowed",
    names: { WEB_KEY: "esc", PORT: "contract", OPENAI_API_KEY: "esc" },
    brokered: ["OPENAI_API_KEY"],
    esc: { status: "read", environments: [{ name: "acme/sophia/dev", revision: "1" }] },
  };
  expect(lines).toMatchObject([
    { ...read, command: "sh" },
    { ...read, command: "sh", reason: "the login test fails" },
    { ...read, command: "printenv" },
    { ...read, command: "true", reason: "it is ***" },
    { ...read, command: "sh" },
    { command: "sh", esc: { status: "fake" }, names: { WEB_KEY: "fake", PORT: "contract" } },
    { command: "true", outcome: "refused", names: {}, esc: { status: "off" } },
  ]);
});
