/** Answers like those of the language models' providers, as far as the official clients read them. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { fieldsOf } from "../../../src/esc/transport/answer.ts";
import { readText } from "../upstream.ts";

const PIECES = ["hel", "lo"] as const;

/** Answers a call and a stream, and answers a request for the model `broken` with status 400. */
export async function answerAsProvider(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const text = await readText(request);
  const body = text === "" ? {} : (fieldsOf(JSON.parse(text)) ?? {});
  const [path = ""] = (request.url ?? "").split("?");
  const isQdrant = path.startsWith("/collections");
  const [, model, method] = /\/models\/(.*):(.*)/.exec(path) ?? [];
  if (body["model"] === "broken" || model === "broken" || path === "/collections/broken") {
    return json(response, isQdrant ? 404 : 400, { error: { type: "invalid_request_error", message: "broken" } });
  }
  if (isQdrant) return json(response, 200, { result: { collections: [{ name: "hello" }] }, status: "ok", time: 0 });
  if (method === "generateContent") return json(response, 200, candidate("hello"));
  if (method === "streamGenerateContent") return stream(response, candidateEvents());
  if (path.endsWith("/responses")) return stream(response, responseEvents());
  const isAnthropic = path.endsWith("/messages");
  if (body["stream"] !== true) return json(response, 200, isAnthropic ? message("hello") : completion("hello"));
  return stream(response, isAnthropic ? messageEvents() : completionEvents());
}

function stream(response: ServerResponse, events: readonly string[]): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const [index, event] of events.entries()) {
    setTimeout(() => void response.write(event), 5 * index);
  }
  setTimeout(() => void response.end(), 5 * events.length);
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

const COMPLETION = { id: "c1", created: 1, model: "good", system_fingerprint: "f" } as const;

function completion(content: string): unknown {
  const choices = [{ index: 0, finish_reason: "stop", message: { role: "assistant", content } }];
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  return { ...COMPLETION, object: "chat.completion", choices, usage };
}

function completionEvents(): readonly string[] {
  const chunk = (delta: unknown, finish_reason: string | null): string => {
    const data = { ...COMPLETION, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason }] };
    return `data: ${JSON.stringify(data)}\n\n`;
  };
  return [
    ...PIECES.map((content) => chunk({ role: "assistant", content }, null)),
    chunk({}, "stop"),
    "data: [DONE]\n\n",
  ];
}

/** Returns an answer of Gemini. */
function candidate(text: string): unknown {
  return { candidates: [{ index: 0, finishReason: "STOP", content: { role: "model", parts: [{ text }] } }] };
}

function candidateEvents(): readonly string[] {
  return PIECES.map((text) => `data: ${JSON.stringify(candidate(text))}\r\n\r\n`);
}

/** Returns the events of OpenAI's Responses API, which Codex uses. */
function responseEvents(): readonly string[] {
  const event = (type: string, fields: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  const content = [{ type: "output_text", text: PIECES.join(""), annotations: [] }];
  const item = { type: "message", id: "i1", role: "assistant", status: "completed", content };
  const usage = {
    input_tokens: 1,
    output_tokens: 1,
    total_tokens: 2,
    input_tokens_details: null,
    output_tokens_details: null,
  };
  return [
    event("response.created", { response: { id: "r1" } }),
    event("response.output_item.done", { output_index: 0, item }),
    event("response.completed", { response: { id: "r1", output: [item], usage } }),
  ];
}

const USAGE = { input_tokens: 1, output_tokens: 1 } as const;

function message(text: string): Record<string, unknown> {
  const content = text === "" ? [] : [{ type: "text", text }];
  return {
    id: "m1",
    type: "message",
    role: "assistant",
    model: "good",
    content,
    stop_reason: "end_turn",
    usage: USAGE,
  };
}

function messageEvents(): readonly string[] {
  const event = (type: string, fields: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  return [
    event("message_start", { message: message("") }),
    event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
    ...PIECES.map((text) => event("content_block_delta", { index: 0, delta: { type: "text_delta", text } })),
    event("content_block_stop", { index: 0 }),
    event("message_delta", { delta: { stop_reason: "end_turn" }, usage: USAGE }),
    event("message_stop", {}),
  ];
}
