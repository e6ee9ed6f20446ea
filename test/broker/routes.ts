/**
 * Three routes of a broker, with dummies and real keys, for the tests of src/broker. A test sends a dummy and looks for
 * the real key.
 */
import type { Route } from "../../src/broker/route.ts";
import { parseRules, type PathRule } from "../../src/contract/broker/path-rules.ts";

const DUMMIES = {
  OPENAI_API_KEY: "sk-sophia-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  ANTHROPIC_API_KEY: "sk-ant-sophia-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
  SEARCH_KEY: "sophia-cccccccccccccccccccccccccccccccc",
} as const;

/** The real keys. A request may contain a key only if a rule of its route allows the request. */
export const REAL_KEYS: Readonly<Record<string, string>> = {
  OPENAI_API_KEY: "sk-real-openai-0a1b2c3d",
  ANTHROPIC_API_KEY: "sk-ant-real-anthropic-4e5f",
  SEARCH_KEY: "real-search-6a7b8c9d",
};

function rules(...texts: readonly string[]): readonly PathRule[] {
  return parseRules(texts);
}

/**
 * Returns three routes to one origin: one with a scheme; one with a header or a scheme, and a prefix; and one that
 * allows only certain paths.
 */
export function createRoutes(origin: string): readonly [openai: Route, anthropic: Route, search: Route] {
  const base = { origin, path: "", servicePath: "", prefix: "", allow: [], deny: [] };
  return [
    {
      ...base,
      name: "OPENAI_API_KEY",
      dummy: DUMMIES.OPENAI_API_KEY,
      slots: [{ header: "authorization", scheme: "bearer" }],
      deny: rules("* /v1/organization/**", "* /v1/realtime/sessions"),
    },
    {
      ...base,
      name: "ANTHROPIC_API_KEY",
      dummy: DUMMIES.ANTHROPIC_API_KEY,
      slots: [{ header: "x-api-key" }, { header: "authorization", scheme: "bearer" }],
      prefix: "/v1",
      deny: rules("* /v1/organizations/**"),
    },
    {
      ...base,
      name: "SEARCH_KEY",
      dummy: DUMMIES.SEARCH_KEY,
      slots: [{ header: "authorization", scheme: "bearer" }],
      allow: rules("POST /v2/query", "GET /v2/documents/**"),
    },
  ];
}
