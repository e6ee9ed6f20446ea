/**
 * The services that the broker knows without a `broker` member in the contract. The list has, for the variable of each
 * key, the service and the header for the key, the variables in which clients look for the service's address, and the
 * paths that the broker denies because they create or change credentials.
 *
 * A client is a library or a program, such as OpenAI's SDK. docs/broker.md lists those that were tested.
 */
import { GITHUB } from "./github-keys.ts";
import type { Slot } from "./broker-model.ts";

export interface Provider {
  /** The origin of the service; absent if each user has a server of their own. */
  readonly origin?: string;
  /** The variable that holds the address if there is no `origin`. */
  readonly address?: string;
  /** The headers in which clients send the key. */
  readonly slots: readonly Slot[];
  /**
   * The variables in which the program gets the broker's address, each with the path that clients expect in the
   * address. Keys of one service may share a variable, since the broker finds the key of a request by the dummy in it.
   */
  readonly base: Readonly<Record<string, string>>;
  /**
   * The variables of `base` whose clients add the complete path of the service to the address, such as `/v1/chat/completions`.
   */
  readonly wholePathVariables?: readonly string[];
  /** The path that the broker puts in front of a request's path, unless the path begins with it already. */
  readonly prefix?: string;
  /** Rules in the syntax of path-rules.ts for requests that the broker refuses. */
  readonly deny?: readonly string[];
  /** True for GitHub, which has several hosts and is used by git (github-keys.ts). */
  readonly isGithub?: boolean;
}

const BEARER: Slot = { header: "authorization", scheme: "bearer" };

/** ANTHROPIC_HOST is for the agent goose. */
const ANTHROPIC_BASE = { ANTHROPIC_BASE_URL: "", ANTHROPIC_API_BASE: "", ANTHROPIC_HOST: "" } as const;
/** The path at which Claude Code creates a permanent key from its token. */
const KEY_CREATION_RULE = "* /api/oauth/claude_cli/create_api_key/**";

/** The providers by the variable of the key. The variables in `base` were tested with the clients of docs/broker.md. */
export const PROVIDERS: Readonly<Record<string, Provider>> = {
  OPENAI_API_KEY: {
    origin: "https://api.openai.com",
    slots: [BEARER],
    // OPENAI_HOST is for the agent goose.
    base: { OPENAI_BASE_URL: "/v1", OPENAI_API_BASE: "/v1", OPENAI_HOST: "" },
    wholePathVariables: ["OPENAI_HOST"],
    deny: [
      "* /v1/realtime/client_secrets/**",
      "* /v1/realtime/sessions/**",
      "* /v1/realtime/transcription_sessions/**",
      "* /v1/chatkit/sessions/**",
      "* /v1/organization/**",
    ],
  },
  ANTHROPIC_API_KEY: {
    origin: "https://api.anthropic.com",
    slots: [{ header: "x-api-key" }, BEARER],
    base: ANTHROPIC_BASE,
    // Some clients have /v1 in their address, others in their paths.
    prefix: "/v1",
    // The variable may hold the token of a subscription instead of a key.
    deny: ["* /v1/organizations/**", KEY_CREATION_RULE],
  },
  // The token of a subscription. Only Claude Code uses it. It sends whole paths, so that no prefix is needed.
  CLAUDE_CODE_OAUTH_TOKEN: {
    origin: "https://api.anthropic.com",
    slots: [BEARER],
    base: ANTHROPIC_BASE,
    deny: ["* /v1/organizations/**", KEY_CREATION_RULE],
  },
  GEMINI_API_KEY: {
    origin: "https://generativelanguage.googleapis.com",
    // OpenAI's clients, which can call this service at /v1beta/openai, send a bearer token.
    slots: [{ header: "x-goog-api-key" }, BEARER],
    base: { GOOGLE_GEMINI_BASE_URL: "" },
    deny: ["* /v1/auth_tokens/**", "* /v1alpha/auth_tokens/**", "* /v1beta/auth_tokens/**"],
  },
  GROQ_API_KEY: {
    origin: "https://api.groq.com",
    slots: [BEARER],
    base: { GROQ_BASE_URL: "", GROQ_API_BASE: "/openai/v1" },
  },
  OPENROUTER_API_KEY: {
    origin: "https://openrouter.ai",
    slots: [BEARER],
    base: { OPENROUTER_BASE_URL: "/api/v1", OPENROUTER_API_BASE: "/api/v1" },
    deny: ["* /api/v1/keys/**", "* /api/v1/auth/keys/**"],
  },
  PERPLEXITY_API_KEY: {
    origin: "https://api.perplexity.ai",
    slots: [BEARER],
    base: { PERPLEXITY_BASE_URL: "" },
  },
  PORTKEY_API_KEY: {
    origin: "https://api.portkey.ai",
    slots: [{ header: "x-portkey-api-key" }],
    base: { PORTKEY_BASE_URL: "/v1", PORTKEY_PROXY: "/v1" },
    deny: ["* /v1/api-keys/**", "* /v1/virtual-keys/**"],
  },
  QDRANT_API_KEY: { address: "QDRANT_URL", slots: [{ header: "api-key" }, BEARER], base: { QDRANT_URL: "" } },
  MISTRAL_API_KEY: { origin: "https://api.mistral.ai", slots: [BEARER], base: { MISTRAL_BASE_URL: "" } },
  DEEPSEEK_API_KEY: { origin: "https://api.deepseek.com", slots: [BEARER], base: { DEEPSEEK_BASE_URL: "" } },
  TAVILY_API_KEY: { origin: "https://api.tavily.com", slots: [BEARER], base: { TAVILY_BASE_URL: "" } },
  SERPER_API_KEY: {
    origin: "https://google.serper.dev",
    slots: [{ header: "x-api-key" }],
    base: { SERPER_BASE_URL: "" },
  },
  // The first of these tokens that is brokered is the one for git.
  GH_FINE_GRAINED_TOKEN: GITHUB,
  GITHUB_PAT: GITHUB,
  GITHUB_TOKEN: GITHUB,
  GH_TOKEN: GITHUB,
};

/** Returns what is built in for a key; undefined for other variables. */
export function providerOf(name: string): Provider | undefined {
  return Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined;
}

/** The variables of GitHub's tokens, the preferred one first. */
export const GITHUB_TOKENS: readonly string[] = Object.keys(PROVIDERS).filter(
  (name) => PROVIDERS[name]?.isGithub === true,
);
