/**
 * Variables that replace the address to which a client library sends its API key. A repository that sets one could
 * steal the user's key (CVE-2026-21852). Services without a built-in address (`QDRANT_URL`, `VAULT_ADDR`) are not listed.
 */
import { isLoopback } from "./loopback.ts";

/** Further keys of each service, besides `NAME_API_KEY`, by the first part of its variables' names. */
const SERVICES: ReadonlyMap<string, readonly string[]> = new Map([
  ["ANTHROPIC", ["ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"]],
  ["ANTHROPIC_BEDROCK", ["AWS_BEARER_TOKEN_BEDROCK"]],
  ["CEREBRAS", []],
  ["CO", ["COHERE_API_KEY"]],
  ["COHERE", ["CO_API_KEY"]],
  ["DEEPSEEK", []],
  ["FIREWORKS", []],
  ["GEMINI", ["GOOGLE_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"]],
  ["GOOGLE_GEMINI", ["GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"]],
  ["GROQ", []],
  ["HF", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACEHUB_API_TOKEN"]],
  ["LANGCHAIN", ["LANGSMITH_API_KEY"]],
  ["LANGSMITH", ["LANGCHAIN_API_KEY"]],
  ["MISTRAL", []],
  ["OPENAI", ["OPENAI_ADMIN_KEY"]],
  ["OPENROUTER", []],
  ["PERPLEXITY", ["PPLX_API_KEY"]],
  ["PORTKEY", []],
  ["SERPER", []],
  ["TAVILY", []],
  ["TOGETHER", []],
  ["XAI", []],
]);

const ADDRESS = /^([A-Z_]+?)_(?:BASE_URL|API_(?:BASE(?:_URL)?|URL|HOST|ENDPOINT)|(?:INFERENCE_)?ENDPOINT)$/;

const FURTHER: ReadonlyMap<string, readonly string[]> = new Map([
  ["PORTKEY_PROXY", ["PORTKEY_API_KEY"]],
  ["PULUMI_API", ["PULUMI_ACCESS_TOKEN"]],
]);

/** Returns the variables whose keys client libraries send to the address in this variable; none for other variables. */
export function keysSentTo(name: string): readonly string[] {
  const service = ADDRESS.exec(name)?.[1] ?? "";
  const keys = SERVICES.get(service);
  return keys === undefined ? (FURTHER.get(name) ?? []) : [`${service}_API_KEY`, ...keys];
}

/** Returns true for a key that client libraries send to the address in another variable. */
export function isSentKey(name: string): boolean {
  const isOne = (keys: readonly string[]): boolean => keys.includes(name);
  return (
    Array.from(SERVICES).some(([service, keys]) => name === `${service}_API_KEY` || isOne(keys)) ||
    Array.from(FURTHER.values()).some(isOne)
  );
}

/** A URL without user, backslash or space, whose host all URL parsers read alike. */
const PLAIN_URL = /^https?:\/\/([\w.-]+|\[[\da-f:]+\])(?::\d{1,5})?(?:[/?#][^\\@\s]*)?$/i;

/** Returns true for a URL of this machine, if every URL parser reads it so. */
export function isLoopbackUrl(text: string): boolean {
  const host = PLAIN_URL.exec(text.trim())?.[1];
  return host !== undefined && isLoopback(host.toLowerCase());
}
