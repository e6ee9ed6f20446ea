/**
 * The services whose keys are brokered without a `broker` member in the contract: where each key goes, in which header, which
 * variables tell clients the address, and which paths are denied because they create or change credentials.
 */
import { GITHUB } from "./github-keys.ts";
import type { Slot } from "./broker-model.ts";

export interface Provider {
  /** The origin of the service; absent if each user has their own, which the variable `address` holds. */
  readonly origin?: string;
  /** The variable that holds the address of a service without an origin. */
  readonly address?: string;
  readonly slots: readonly Slot[];
  /**
   * The variables that the program gets, each with the path that clients expect in it. Keys of one service may share them,
   * since the broker finds the key by the dummy.
   */
  readonly base: Readonly<Record<string, string>>;
  /** The variables whose clients send whole paths. Clients of the other variables send only what follows the path in `base`. */
  readonly whole?: readonly string[];
  /** The broker puts it in front of paths that do not begin with it. */
  readonly prefix?: string;
  /** Rules: see path-rules.ts. */
  readonly deny?: readonly string[];
  /** GitHub has several hosts, and git (github-keys.ts). */
  readonly isGithub?: boolean;
}

const BEARER: Slot = { header: "authorization", scheme: "bearer" };

/** The agent goose reads the last one. */
const ANTHROPIC_BASE = { ANTHROPIC_BASE_URL: "", ANTHROPIC_API_BASE: "", ANTHROPIC_HOST: "" } as const;
/** Here Claude Code creates a permanent key from its token. */
const CREATES_KEY = "* /api/oauth/claude_cli/create_api_key/**";

/** The providers by the variable of the key. The variables in `base` were tested with the clients of docs/broker.md. */
export const PROVIDERS: Readonly<Record<string, Provider>> = {
  OPENAI_API_KEY: {
    origin: "https://api.openai.com",
    slots: [BEARER],
    // The agent goose reads the last one.
    base: { OPENAI_BASE_URL: "/v1", OPENAI_API_BASE: "/v1", OPENAI_HOST: "" },
    whole: ["OPENAI_HOST"],
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
    deny: ["* /v1/organizations/**", CREATES_KEY],
  },
  // The token of a subscription. Only Claude Code uses it, and sends whole paths.
  CLAUDE_CODE_OAUTH_TOKEN: {
    origin: "https://api.anthropic.com",
    slots: [BEARER],
    base: ANTHROPIC_BASE,
    deny: ["* /v1/organizations/**", CREATES_KEY],
  },
  GEMINI_API_KEY: {
    origin: "https://generativelanguage.googleapis.com",
    // Clients of the API in OpenAI's form (/v1beta/openai) send the second header.
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
  // The order is that of preference: git gets the first token that is brokered.
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
