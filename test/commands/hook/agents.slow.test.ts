/** Claude Code and Codex at pinned versions, with a model on loopback that asks for the project's secrets. */
import type { ServerResponse } from "node:http";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fieldsOf } from "../../../src/esc/transport/answer.ts";
import { fetchAgents } from "../../broker/clients/packages.ts";
import { startUpstream, readText } from "../../broker/upstream.ts";
import { notInstalled, notNightly, skipBecause } from "../../helpers/skip.ts";
import { folder, sophia, sophiaRun } from "../../helpers/sophia.ts";
import { shellWord } from "../../../src/core/shell.ts";
import { sentinelOf } from "../sophia-environment.ts";

// They are fetched, 200 MB.
skipBecause(notNightly ?? notInstalled("bash"));

const KEY = sentinelOf("key");
/** Itself, and its base64 at each position in what is encoded. */
const FORMS = [
  KEY,
  ...[0, 1, 2].map((before) =>
    Buffer.from("-".repeat(before) + KEY)
      .toString("base64")
      .slice(4, -4),
  ),
];

type Call = readonly [tool: string, input: Readonly<Record<string, string>>];

const events = (list: readonly (readonly [type: string, fields: object])[]): string =>
  list.map(([type, fields]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`).join("");

/** What Anthropic's service streams: a call of a tool, or the end. */
function messageEvents(call: Call | undefined, turn: number): string {
  const usage = { input_tokens: 1, output_tokens: 1 };
  const [block, delta] =
    call === undefined
      ? [
          { type: "text", text: "" },
          { type: "text_delta", text: "done" },
        ]
      : [
          { type: "tool_use", id: `toolu_${turn}`, name: call[0], input: {} },
          { type: "input_json_delta", partial_json: JSON.stringify(call[1]) },
        ];
  const reason = call === undefined ? "end_turn" : "tool_use";
  const start = { type: "message", role: "assistant", model: "m", content: [], stop_reason: null, stop_sequence: null };
  return events([
    ["message_start", { message: { id: `m${turn}`, ...start, usage } }],
    ["content_block_start", { index: 0, content_block: block }],
    ["content_block_delta", { index: 0, delta }],
    ["content_block_stop", { index: 0 }],
    ["message_delta", { delta: { stop_reason: reason, stop_sequence: null }, usage: { output_tokens: 1 } }],
    ["message_stop", {}],
  ]);
}

/** The same of OpenAI's. */
function responseEvents(call: Call | undefined, turn: number): string {
  const content = [{ type: "output_text", text: "done", annotations: [] }];
  const item =
    call === undefined
      ? { type: "message", id: "i1", role: "assistant", status: "completed", content }
      : {
          type: "function_call",
          id: `f${turn}`,
          call_id: `c${turn}`,
          name: call[0],
          arguments: JSON.stringify(call[1]),
        };
  const usage = {
    input_tokens: 1,
    output_tokens: 1,
    total_tokens: 2,
    input_tokens_details: null,
    output_tokens_details: null,
  };
  return events([
    ["response.created", { response: { id: "r1" } }],
    ["response.output_item.done", { output_index: 0, item: { status: "completed", ...item } }],
    ["response.completed", { response: { id: "r1", status: "completed", output: [item], usage } }],
  ]);
}

/** A model that asks for each of the calls in turn. */
async function startModel(calls: readonly Call[], result: string, answer: typeof messageEvents) {
  const bodies: string[] = [];
  const end = (to: ServerResponse, status: number, type: string, text: string): void =>
    void to.writeHead(status, { "content-type": type }).end(text);
  const upstream = await startUpstream((request, to) => {
    void (async () => {
      const body = await readText(request);
      bodies.push(body);
      const fields = fieldsOf(body === "" ? undefined : JSON.parse(body));
      if (request.method !== "POST" || fields?.["stream"] !== true) return end(to, 404, "application/json", "{}");
      const turn = body.split(result).length - 1;
      end(to, 200, "text/event-stream", answer(calls[turn], turn));
    })();
  });
  return { bodies, origin: upstream.origin };
}

/** A project with the settings that `init` writes. */
async function createProject(agent: string): Promise<string> {
  const cwd = folder({ ".env": `KEY=${KEY}\n`, "notes.txt": `a ${KEY} b\n` });
  const { status, stderr } = await sophia(["init", "--from", "dotenv", "--with", agent], { cwd });
  expect(status, stderr).toBe(0);
  return cwd;
}

/** A folder for the PATH, with the program under test. */
function programFolder(): string {
  const path = folder();
  const script = `#!/bin/sh\nexec ${sophiaRun.map(shellWord).join(" ")} "$@"\n`;
  writeFileSync(join(path, "sophia-run"), script, { mode: 0o755 });
  return path;
}

async function runAgent(script: string, cwd: string, env: Readonly<Record<string, string>>): Promise<void> {
  const child = spawn("bash", ["-c", script, fetchAgents()], {
    cwd,
    env: { PATH: `${programFolder()}:${process.env["PATH"] ?? ""}`, HOME: cwd, SHELL: "/bin/bash", KEY, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  expect(await once(child, "close"), stderr).toEqual([0, null]);
}

function runClaude(cwd: string, model: string): Promise<void> {
  const script = `exec "$0/@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude" -p hello --permission-mode bypassPermissions`;
  return runAgent(script, cwd, {
    ANTHROPIC_API_KEY: "sk-ant-of-the-agent-0000",
    ANTHROPIC_BASE_URL: model,
    DISABLE_AUTOUPDATER: "1",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    IS_SANDBOX: "1",
  });
}

test("the hook keeps each secret from the model of Claude Code", { timeout: 400_000 }, async () => {
  const cwd = await createProject("claude");
  const calls: readonly Call[] = [
    ["Bash", { command: "cat .env; printenv KEY >&2" }],
    ["Bash", { command: "base64 .env; grep -r SENT .; exit 3" }],
    ["Read", { file_path: join(cwd, ".env") }],
    ["Read", { file_path: join(cwd, "notes.txt") }],
  ];
  const model = await startModel(calls, '"type":"tool_result"', messageEvents);
  await runClaude(cwd, model.origin);
  const lastRequest = model.bodies.at(-1) ?? "";
  for (const fragment of ["KEY=***", "Exit code 3", "holds secrets (KEY)", "a *** b"])
    expect(lastRequest).toContain(fragment);
  for (const form of FORMS) expect(model.bodies.join("\n")).not.toContain(form);
});

test(
  "a user's rule that denies a command of Claude Code still denies it with the hook",
  { timeout: 400_000 },
  async () => {
    const cwd = await createProject("claude");
    const settings = join(cwd, ".claude/settings.json");
    const present = fieldsOf(JSON.parse(readFileSync(settings, "utf8"))) ?? {};
    writeFileSync(settings, JSON.stringify({ ...present, permissions: { deny: ["Bash(touch:*)"] } }));
    const calls: readonly Call[] = [
      ["Bash", { command: "touch made" }],
      ["Bash", { command: "cat notes.txt; touch also-made" }],
      ["Bash", { command: "cat notes.txt; mkdir other" }],
    ];
    const model = await startModel(calls, '"type":"tool_result"', messageEvents);
    await runClaude(cwd, model.origin);
    const lastRequest = model.bodies.at(-1) ?? "";
    expect(lastRequest.match(/has been denied/g)).toHaveLength(2);
    expect(lastRequest).toContain("a *** b");
    expect(["made", "also-made", "other"].filter((name) => existsSync(join(cwd, name)))).toEqual(["other"]);
  },
);

test("the hook keeps each secret from the model of Codex", { timeout: 400_000 }, async () => {
  const cwd = await createProject("codex");
  // As the user's settings: those of a project have effect only where the user trusts it.
  renameSync(join(cwd, ".codex"), join(cwd, "codex"));
  const calls: readonly Call[] = [
    ["exec_command", { cmd: "cat .env" }],
    ["exec_command", { cmd: "printenv KEY; exit 3" }],
    ["exec_command", { cmd: "base64 notes.txt; cat notes.txt" }],
  ];
  const model = await startModel(calls, '"function_call_output"', responseEvents);
  const flags = "--skip-git-repo-check --dangerously-bypass-approvals-and-sandbox --dangerously-bypass-hook-trust";
  await runAgent(`exec "$0/.bin/codex" exec ${flags} -c openai_base_url="$BASE" hello`, cwd, {
    CODEX_HOME: join(cwd, "codex"),
    CODEX_API_KEY: "x",
    BASE: `${model.origin}/v1`,
  });
  const lastRequest = model.bodies.at(-1) ?? "";
  for (const fragment of ["holds secrets (KEY)", '"***', "a *** b"]) expect(lastRequest).toContain(fragment);
  for (const form of FORMS) expect(model.bodies.join("\n")).not.toContain(form);
});
