/**
 * Coding agents at pinned versions get a dummy from `sophia-run --broker`. A local service stands in for their
 * provider.
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import { notNightly, skipBecause } from "../../helpers/skip.ts";
import { folder, sophia } from "../../helpers/sophia.ts";
import { startUpstream } from "../upstream.ts";
import { AGENTS, fetchAgents } from "./packages.ts";
import { answerAsProvider } from "./providers.ts";

// The agents are a download of 200 MB. They do with the dummy what the official clients do in clients.slow.test.ts, so
// these tests run at night only.
skipBecause(notNightly);

const KEY = "sk-real-0123456789abcdefghij";

/** Runs the binary itself: the package's install script, which makes the command, does not run. */
const CLAUDE = `exec "$0/@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude" -p hello`;
const CLAUDE_VARIABLES = { DISABLE_AUTOUPDATER: "1", CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1" } as const;

test.each([
  ["@anthropic-ai/claude-code", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "", CLAUDE, CLAUDE_VARIABLES],
  // This variable holds the token of a subscription.
  ["@anthropic-ai/claude-code", "CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_BASE_URL", "", CLAUDE, CLAUDE_VARIABLES],
  [
    "@openai/codex",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "/v1",
    // Codex reads the key from a variable of its own and the address from a setting of its own.
    'CODEX_API_KEY="$OPENAI_API_KEY" exec "$0/.bin/codex" exec --skip-git-repo-check -c openai_base_url="$OPENAI_BASE_URL" hello',
    {},
  ],
] as const)("%s works with a dummy in %s", { timeout: 400_000 }, async (name, key, base, path, script, more) => {
  const upstream = await startUpstream((request, response) => void answerAsProvider(request, response));
  const env = { [key]: KEY, [base]: upstream.origin + path, ...more };
  const agents = fetchAgents();
  const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables: { [key]: {} } }) });
  const args = ["--broker", "--", "sh", "-c", script, agents];
  const { status, stdout, stderr } = await sophia(args, { cwd, env });
  expect([status, stdout.trim()], `${AGENTS[name]}: ${stderr}`).toEqual([0, "hello"]);
  const calls = upstream.requests.filter(({ method }) => method === "POST");
  expect(calls.length).toBeGreaterThan(0);
  for (const { rawHeaders } of calls) expect(rawHeaders.join("\n")).toContain(KEY);
  expect(join(stdout, stderr)).not.toContain(KEY);
});
