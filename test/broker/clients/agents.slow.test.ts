/** Coding agents at pinned versions, with a dummy from `sophia-run --broker`, and a service in place of their provider. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { notNightly, skipBecause } from "../../helpers/skip.ts";
import { folder, sophia } from "../../helpers/sophia.ts";
import { startUpstream } from "../upstream.ts";
import { AGENTS, fetchAgents } from "./packages.ts";
import { answerAsProvider } from "./providers.ts";

// They are fetched, 200 MB, and do with the dummy what clients.slow.test.ts has official clients do.
skipBecause(notNightly);

const KEY = "sk-real-0123456789abcdefghij";

/** The command of the package is made by its install script, which does not run. */
const CLAUDE = `exec "$0/@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude" -p hello`;
const OF_CLAUDE = { DISABLE_AUTOUPDATER: "1", CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1" } as const;

test.each([
  ["@anthropic-ai/claude-code", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "", CLAUDE, OF_CLAUDE],
  // The token of a subscription.
  ["@anthropic-ai/claude-code", "CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_BASE_URL", "", CLAUDE, OF_CLAUDE],
  [
    "@openai/codex",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "/v1",
    // It reads the key and the address from variables and settings of its own.
    'CODEX_API_KEY="$OPENAI_API_KEY" exec "$0/.bin/codex" exec --skip-git-repo-check -c openai_base_url="$OPENAI_BASE_URL" hello',
    {},
  ],
] as const)("%s works with a dummy of %s", { timeout: 400_000 }, async (name, key, base, path, script, more) => {
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
