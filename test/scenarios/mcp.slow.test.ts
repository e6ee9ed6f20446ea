/** Pastes the blocks of docs/mcp.md: the official SDKs, Claude Code and Codex start the servers of these configurations. */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { fetchAgents } from "../broker/clients/packages.ts";
import { startUpstream, readText } from "../broker/upstream.ts";
import { secret, startEscServer } from "../esc-server/index.ts";
import { memberAt, recordAt } from "../helpers/json-members.ts";
import { fencedBlocksOf } from "../helpers/markdown.ts";
import { notNightly, skipBecause } from "../helpers/skip.ts";
import { folder, sophiaRun } from "../helpers/sophia.ts";
import { startProcess } from "../helpers/start-process.ts";
import { fetchMcpSdk, fetchPythonMcp } from "./mcp/packages.ts";

// They are fetched: 30 MB for each SDK, 200 MB for the agents.
skipBecause(notNightly);

const DOCUMENT = readFileSync(join(import.meta.dirname, "../../docs/mcp.md"), "utf8");
const KEY = 'key"of\\the-search-7d1f';
const SHOWN = "key ***, length 22, other none";

function findCodeBlock(fragment: string): string {
  const matchingBlock = fencedBlocksOf(DOCUMENT).find(({ text }) => text.includes(fragment));
  if (matchingBlock === undefined) throw new Error(`no block has ${fragment}`);
  return matchingBlock.text;
}

/** The machine of the document: a home folder with a project, a token of the local ESC, and sophia-run on the PATH. */
async function createMachine() {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment("acme/sophia/dev", { values: { SEARCH_KEY: secret(KEY), MAIL_KEY: secret("mail-0123456789") } });
  const home = realpathSync(folder());
  const app = join(home, "app");
  const bin = join(home, "bin");
  for (const path of [app, bin, join(home, ".config/sophia-run"), join(home, "elsewhere")]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }
  writeFileSync(join(home, ".config/sophia-run/agent-token"), server.token, { mode: 0o600 });
  writeFileSync(join(app, "sophia.contract.json"), findCodeBlock('"scopes"'));
  copyFileSync(join(import.meta.dirname, "mcp/server.mjs"), join(app, "search.mjs"));
  copyFileSync(join(import.meta.dirname, "mcp/client.mjs"), join(app, "client.mjs"));
  symlinkSync(fetchMcpSdk(), join(app, "node_modules"));
  const quoted = sophiaRun.map((word) => `'${word}'`).join(" ");
  // The client of the document has the public service.
  const wrapper = `#!/bin/sh\nexport PULUMI_BACKEND_URL='${server.url}'\nexec ${quoted} "$@"\n`;
  writeFileSync(join(bin, "sophia-run"), wrapper);
  chmodSync(join(bin, "sophia-run"), 0o755);
  const env = { HOME: home, PATH: `${bin}:${dirname(process.execPath)}:${process.env["PATH"] ?? ""}` };
  const paste = (fragment: string): string => findCodeBlock(fragment).replaceAll("/home/me", home);
  return { app, home, env, cwd: join(home, "elsewhere"), paste, token: server.token };
}

type Machine = Awaited<ReturnType<typeof createMachine>>;

/** Ends with what a client printed, in which no secret is. */
async function outputOf(command: readonly [string, ...string[]], { cwd, env }: Pick<Machine, "cwd" | "env">) {
  const { stdout, stderr, status } = await startProcess(command, { cwd, env }).finished;
  expect(stdout + stderr).not.toContain("the-search-7d1f");
  expect(status, stderr).toBe(0);
  return stdout.trim();
}

const JSON_BLOCKS = [
  ["Claude Code and Cursor", '"mcpServers": {\n    "search": {\n      "command"', "mcpServers"],
  ["VS Code", '"servers"', "servers"],
] as const;

describe("clients of the MCP SDKs start the server of the documented configuration", { timeout: 300_000 }, () => {
  test.each(JSON_BLOCKS)("from %s, in JavaScript", async (_, fragment, member) => {
    const machineSetup = await createMachine();
    const { command, args, env } = recordAt(JSON.parse(machineSetup.paste(fragment)), member, "search");
    const words = JSON.stringify({ command, args, env });
    expect(await outputOf([process.execPath, join(machineSetup.app, "client.mjs"), words], machineSetup)).toBe(
      `${SHOWN}, in ${machineSetup.cwd}`,
    );
  });

  test("with the token from a .env file that the arguments name", async () => {
    const machineSetup = await createMachine();
    const file = join(machineSetup.home, ".config/sophia-run/esc.env");
    writeFileSync(file, `ESC_ENV=acme/sophia/dev\nESC_TOKEN=${machineSetup.token}\n`, { mode: 0o600 });
    const { command, args } = recordAt(JSON.parse(machineSetup.paste(JSON_BLOCKS[0][1])), "mcpServers", "search");
    const added: unknown = JSON.parse(
      `[${/`("--dotenv", [^`]*)`/.exec(DOCUMENT)?.[1]}]`.replace("/home/me", machineSetup.home),
    );
    const words = [added, args].flatMap((list) => (Array.isArray(list) ? list.map(String) : []));
    expect(words).toContain(file);
    const client = [
      process.execPath,
      join(machineSetup.app, "client.mjs"),
      JSON.stringify({ command, args: words }),
    ] as const;
    expect(await outputOf(client, machineSetup)).toBe(`${SHOWN}, in ${machineSetup.cwd}`);
  });

  test("from Claude Code's and Cursor's settings, with client and server in Python", async () => {
    const machineSetup = await createMachine();
    const { command, args, env } = recordAt(JSON.parse(machineSetup.paste(JSON_BLOCKS[0][1])), "mcpServers", "search");
    const path = { PYTHONPATH: fetchPythonMcp() };
    const server = join(import.meta.dirname, "mcp/server.py");
    const words = (Array.isArray(args) ? args.map(String) : []).slice(0, -2);
    const parameters = { command, args: [...words, "python3", server], env: { ...recordAt(env), ...path } };
    const client = ["python3", join(import.meta.dirname, "mcp/client.py"), JSON.stringify(parameters)] as const;
    expect(await outputOf(client, { ...machineSetup, env: { ...machineSetup.env, ...path } })).toBe(
      `${SHOWN}, in ${machineSetup.cwd}`,
    );
  });
});

const event = (type: string, fields: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;

/** Answers as a model that calls the server's tool once, and then says `done`. */
async function answerAsModel(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const text = await readText(request);
  const isCalled = text.includes("tool_result") || text.includes("function_call_output");
  if (request.method !== "POST") return void response.writeHead(426).end();
  response.writeHead(200, { "content-type": "text/event-stream" });
  const events = request.url?.includes("/responses") === true ? responses(isCalled) : messages(isCalled);
  response.end(events.join(""));
}

function messages(isCalled: boolean): readonly string[] {
  const usage = { input_tokens: 1, output_tokens: 1 };
  const message = {
    id: "m1",
    type: "message",
    role: "assistant",
    model: "good",
    content: [],
    stop_reason: null,
    usage,
  };
  const content = isCalled
    ? { type: "text", text: "" }
    : { type: "tool_use", id: "toolu_1", name: "mcp__search__show", input: {} };
  const delta = isCalled ? { type: "text_delta", text: "done" } : { type: "input_json_delta", partial_json: "{}" };
  return [
    event("message_start", { message }),
    event("content_block_start", { index: 0, content_block: content }),
    event("content_block_delta", { index: 0, delta }),
    event("content_block_stop", { index: 0 }),
    event("message_delta", { delta: { stop_reason: isCalled ? "end_turn" : "tool_use" }, usage }),
    event("message_stop", {}),
  ];
}

function responses(isCalled: boolean): readonly string[] {
  const content = [{ type: "output_text", text: "done", annotations: [] }];
  const item = isCalled
    ? { type: "message", id: "i1", role: "assistant", status: "completed", content }
    : { type: "function_call", id: "f1", call_id: "c1", namespace: "mcp__search", name: "show", arguments: "{}" };
  const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };
  return [
    event("response.created", { response: { id: "r1" } }),
    event("response.output_item.done", { output_index: 0, item }),
    event("response.completed", { response: { id: "r1", output: [item], usage } }),
  ];
}

describe(
  "agents start the MCP server of the documented configuration, and the model reads masked output",
  { timeout: 400_000 },
  () => {
    const CLAUDE = `@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude`;
    const QUIET = { DISABLE_AUTOUPDATER: "1", CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1" };

    test("in Claude Code", async () => {
      const machineSetup = await createMachine();
      const model = await startUpstream((request, response) => void answerAsModel(request, response));
      writeFileSync(join(machineSetup.app, ".mcp.json"), machineSetup.paste(JSON_BLOCKS[0][1]));
      const options = ["--mcp-config", join(machineSetup.app, ".mcp.json"), "--strict-mcp-config"];
      const command = [join(fetchAgents(), CLAUDE), "-p", "hello", ...options, "--allowedTools", "mcp__search__show"];
      const env = { ...machineSetup.env, ...QUIET, ANTHROPIC_API_KEY: "sk-x", ANTHROPIC_BASE_URL: model.origin };
      expect(await outputOf([command[0] ?? "", ...command.slice(1)], { ...machineSetup, env })).toBe("done");
      expect(model.requests.some(({ body }) => body.includes(SHOWN))).toBe(true);
      expect(model.requests.filter(({ body }) => body.includes("the-search-7d1f"))).toEqual([]);
    });

    test("in Codex", async () => {
      const machineSetup = await createMachine();
      const model = await startUpstream((request, response) => void answerAsModel(request, response));
      mkdirSync(join(machineSetup.home, ".codex"));
      writeFileSync(join(machineSetup.home, ".codex/config.toml"), machineSetup.paste("[mcp_servers.search]"));
      const settings = ["-c", `openai_base_url="${model.origin}/v1"`, "-m", "gpt-5"];
      const options = ["--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", ...settings];
      const env = { ...machineSetup.env, CODEX_API_KEY: "sk-x" };
      const command = [join(fetchAgents(), ".bin/codex"), "exec", ...options, "hello"] as const;
      expect(await outputOf([...command], { ...machineSetup, env })).toBe("done");
      expect(model.requests.some(({ body }) => body.includes(SHOWN))).toBe(true);
      expect(model.requests.filter(({ body }) => body.includes("the-search-7d1f"))).toEqual([]);
    });

    test("in Claude Code over HTTP, with a dummy in place of the server's key", async () => {
      const machineSetup = await createMachine();
      const model = await startUpstream((request, response) => void answerAsModel(request, response));
      const search = await startUpstream((request, response) => void answerAsServer(request, response));
      const contract = findCodeBlock('"upstream"').replace("https://mcp.example.com", search.origin);
      writeFileSync(join(machineSetup.app, "sophia.contract.json"), contract);
      writeFileSync(join(machineSetup.app, ".env"), "SEARCH_KEY=http-key-0123456789abcdef\n", { mode: 0o600 });
      writeFileSync(join(machineSetup.app, ".mcp.json"), findCodeBlock('"type": "http"'));
      const line = findCodeBlock("--broker-to").trim().replace("https://mcp.example.com", search.origin);
      const claude = `'${join(fetchAgents(), CLAUDE)}' -p hello --mcp-config .mcp.json --strict-mcp-config`;
      const script = `${line.replace(/claude$/, claude)} --allowedTools mcp__search__show`;
      const env = { ...machineSetup.env, ...QUIET, ANTHROPIC_AUTH_TOKEN: "sk-x", ANTHROPIC_BASE_URL: model.origin };
      expect(await outputOf(["sh", "-c", script], { cwd: machineSetup.app, env })).toBe("done");
      const calls = search.requests.filter(({ body }) => body.includes("tools/call"));
      expect(calls.map(({ target, headers }) => [target, headers.authorization])).toEqual([
        ["/mcp", "Bearer http-key-0123456789abcdef"],
      ]);
      expect(model.requests.some(({ body }) => body.includes("found by http"))).toBe(true);
    });
  },
);

/** Answers as an MCP server over HTTP. */
async function answerAsServer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const text = await readText(request);
  if (request.method !== "POST") return void response.writeHead(405).end();
  const message: unknown = JSON.parse(text);
  const id = memberAt(message, "id");
  if (id === undefined) return void response.writeHead(202).end();
  const tool = { name: "show", description: "Searches", inputSchema: { type: "object" } };
  const results: Readonly<Record<string, unknown>> = {
    initialize: {
      protocolVersion: memberAt(message, "params", "protocolVersion"),
      capabilities: { tools: {} },
      serverInfo: { name: "search", version: "1" },
    },
    "tools/list": { tools: [tool] },
    "tools/call": { content: [{ type: "text", text: "found by http" }] },
  };
  const result = results[String(memberAt(message, "method"))];
  const answer = result === undefined ? { error: { code: -32601, message: "no such method" } } : { result };
  response
    .writeHead(200, { "content-type": "application/json" })
    .end(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
  await once(response, "close");
}
