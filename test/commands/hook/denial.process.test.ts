import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folder, sophia } from "../../helpers/sophia.ts";

/** Has the hook judge that an agent reads `.env`; returns the reason that the agent gets. */
async function reasonIn(cwd: string): Promise<string> {
  const event = { hook_event_name: "PreToolUse", cwd, tool_name: "Read", tool_input: { file_path: join(cwd, ".env") } };
  const { stdout } = await sophia(["hook", "claude-code"], { cwd, input: JSON.stringify(event) });
  return /"permissionDecisionReason":"([^"]*)"/.exec(stdout)?.[1] ?? "";
}

test("the hook's denial names the command as the project starts it", async () => {
  const contract = JSON.stringify({ variables: { API_KEY: {} } });
  const cwd = folder({ "sophia.contract.json": contract, ".env": "API_KEY=secret-value\n" });
  expect(await reasonIn(cwd)).toMatch(/`sophia-run check` .*`sophia-run -- COMMAND`/);
  mkdirSync(join(cwd, "node_modules/.bin"), { recursive: true });
  writeFileSync(join(cwd, "node_modules/.bin/sophia-run"), "#!/bin/sh\n");
  chmodSync(join(cwd, "node_modules/.bin/sophia-run"), 0o755);
  expect(await reasonIn(cwd)).toMatch(/`npx --no-install sophia-run check` .*`npx --no-install sophia-run -- COMMAND`/);
});
