/**
 * The services whose keys are brokered without a word in the contract: where each key goes, in which header, by which
 * variables clients learn the address, and which paths are denied since they make or change credentials.
 */
import { GITHUB } from "./github-keys.ts";
import type { Slot } from "./broker-model.ts";

export interface Provider {
  /** The service's origin; absent if a variable of the contract holds it. */
  readonly origin?: string;
  /** The variable that holds the address of a service without one of its own. */
  readonly address?: string;
  readonly slots: readonly Slot[];
  /**
   * The variables that the program gets, each with the path that clients expect in it. Keys of one service share them: the
   * dummy decides.
   */
  readonly base: Readonly<Record<string, string>>;
  /** The variables whose clients send whole paths, while those of the others leave a part of it to the address. */
  readonly whole?: readonly string[];
  readonly prefix?: string;
  readonly deny?: readonly string[];
  /** Has several hosts, and git. */
  readonly isGithub?: boolean;
}

const BEARER: Slot = { header: "authorization", scheme: "bearer" };

/** The last one is goose's. */
const ANTHROPIC_BASE = { ANTHROPIC_BASE_URL: "", ANTHROPIC_API_BASE: "", ANTHROPIC_HOST: "" } as const;
/** Claude Code makes a lasting key of its token there. */
const MAKES_A_KEY = "* /api/oauth/claude_cli/create_api_key/**";

/** By the variable of the key. Measured with the clients of docs/broker.md. */
export const PROVIDERS: Readonly<Record<string, Provider>> = {
  OPENAI_API_KEY: {
    origin: "https://api.openai.com",
    slots: [BEARER],
    // The last one is goose's.
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
    // Some clients have it in their base address, others in their paths.
    prefix: "/v1",
    // The token of a subscription may stand here, too.
    deny: ["* /v1/organizations/**", MAKES_A_KEY],
  },
  // The token of a subscription, for Claude Code alone, which sends whole paths.
  CLAUDE_CODE_OAUTH_TOKEN: {
    origin: "https://api.anthropic.com",
    slots: [BEARER],
    base: ANTHROPIC_BASE,
    deny: ["* /v1/organizations/**", MAKES_A_KEY],
  },
  GEMINI_API_KEY: {
    origin: "https://generativelanguage.googleapis.com",
    // The second one is that of OpenAI's form (/v1beta/openai).
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
  // In the order of preference: git gets the first one that is brokered.
  GH_FINE_GRAINED_TOKEN: GITHUB,
  GITHUB_PAT: GITHUB,
  GITHUB_TOKEN: GITHUB,
  GH_TOKEN: GITHUB,
};

/** Returns what is built in for a key; undefined for other variables. */
export function providerOf(name: string): Provider | undefined {
  return Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined;
}

/** In the order of preference. */
export const GITHUB_TOKENS: readonly string[] = Object.keys(PROVIDERS).filter(
  (name) => PROVIDERS[name]?.isGithub === true,
);
