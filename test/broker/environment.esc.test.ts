import { describe, expect, test } from "vitest";
import { brokerVariables } from "../../src/broker/environment.ts";
import { routesTo } from "./routes.ts";

const BROKER = "http://127.0.0.1:40123";
const [route] = routesTo("https://api.example.test");
const base = { OPENAI_BASE_URL: "/v1", OPENAI_API_BASE: "/v1" };
const openai = {
  route,
  base,
  because: "built-in",
  variable: undefined,
  aliases: ["OPENAI_KEY", "OPENAI_TOKEN"],
} as const;

const environmentOf = (variables: Readonly<Record<string, string>>) => new Map(Object.entries(variables));

test("the program gets the dummy under each name that is set, and the broker's address", () => {
  expect(brokerVariables([openai], BROKER, environmentOf({ OPENAI_API_KEY: "real", OPENAI_TOKEN: "real" }))).toEqual({
    OPENAI_API_KEY: route.dummy,
    OPENAI_TOKEN: route.dummy,
    OPENAI_BASE_URL: `${BROKER}/v1`,
    OPENAI_API_BASE: `${BROKER}/v1`,
    SOPHIA_BROKERED: "OPENAI_API_KEY",
  });
});

test("a nested launcher's program keeps the dummies of the outer one", () => {
  const { SOPHIA_BROKERED } = brokerVariables([openai], BROKER, new Map(), ["GROQ_API_KEY"]);
  expect(SOPHIA_BROKERED).toBe("GROQ_API_KEY,OPENAI_API_KEY");
});

describe("behind a proxy, the broker is reached without it", () => {
  test.each([
    [{ HTTP_PROXY: "http://proxy:3128" }, "127.0.0.1", "127.0.0.1"],
    [
      { https_proxy: "http://proxy:3128", no_proxy: "a.test, b.test" },
      "a.test,b.test,127.0.0.1",
      "a.test,b.test,127.0.0.1",
    ],
    [{ ALL_PROXY: "socks5://proxy", NO_PROXY: "localhost,127.0.0.1" }, "localhost,127.0.0.1", "localhost,127.0.0.1"],
    [{ HTTP_PROXY: "http://proxy", no_proxy: "a", NO_PROXY: "b" }, "a,127.0.0.1", "b,127.0.0.1"],
    [{ HTTP_PROXY: "http://proxy", NO_PROXY: "*" }, "*", "*"],
    [{ HTTP_PROXY: "" }, undefined, undefined],
    [{ NO_PROXY: "a" }, undefined, undefined],
  ])("%j", (environment, lower, upper) => {
    const { no_proxy, NO_PROXY } = brokerVariables([openai], BROKER, environmentOf(environment));
    expect([no_proxy, NO_PROXY]).toEqual([lower, upper]);
  });
});
