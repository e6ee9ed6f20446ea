import { describe, expect, test } from "vitest";
import { createBrokerVariables, createSocketVariables } from "../../src/broker/broker-variables.ts";
import { createRoutes } from "./routes.ts";

const BROKER = "http://127.0.0.1:40123";
const [route] = createRoutes("https://api.example.test");
const addressPaths = { OPENAI_BASE_URL: "/v1", OPENAI_API_BASE: "/v1" };
const openai = {
  route,
  addressPaths,
  trustReason: "built-in",
  variable: undefined,
  aliases: ["OPENAI_KEY", "OPENAI_TOKEN"],
} as const;

const environmentOf = (variables: Readonly<Record<string, string>>) => new Map(Object.entries(variables));

test("the program gets the dummy under each name that is set, and the broker's address", () => {
  expect(
    createBrokerVariables([openai], BROKER, environmentOf({ OPENAI_API_KEY: "real", OPENAI_TOKEN: "real" })),
  ).toEqual({
    OPENAI_API_KEY: route.dummy,
    OPENAI_TOKEN: route.dummy,
    OPENAI_BASE_URL: `${BROKER}/v1`,
    OPENAI_API_BASE: `${BROKER}/v1`,
    SOPHIA_BROKERED: "OPENAI_API_KEY",
  });
});

test("the program of a nested sophia-run keeps the dummies of the outer sophia-run", () => {
  const { SOPHIA_BROKERED } = createBrokerVariables([openai], BROKER, new Map(), ["GROQ_API_KEY"]);
  expect(SOPHIA_BROKERED).toBe("GROQ_API_KEY,OPENAI_API_KEY");
});

test("the program gets the path of the broker's socket and the dummies, and no address, if the broker is on a socket", () => {
  const environment = environmentOf({ OPENAI_API_KEY: "real", OPENAI_TOKEN: "real", HTTP_PROXY: "http://proxy" });
  expect(createSocketVariables([openai], "/run/s", environment, ["GROQ_API_KEY"])).toEqual({
    OPENAI_API_KEY: route.dummy,
    OPENAI_TOKEN: route.dummy,
    SOPHIA_BROKERED: "GROQ_API_KEY,OPENAI_API_KEY",
    SOPHIA_BROKER_SOCKET: "/run/s",
  });
});

test.each([
  ["http://172.17.0.1:8080", "172.17.0.1"],
  ["http://host.docker.internal:8080", "host.docker.internal"],
  ["http://[fd00::1]:8080", "fd00::1"],
])("NO_PROXY gets the broker's host if the caller has a proxy: the broker is %s, the entry %s", (broker, entry) => {
  const { NO_PROXY } = createBrokerVariables(
    [openai],
    broker,
    environmentOf({ HTTP_PROXY: "http://proxy", NO_PROXY: "a" }),
  );
  expect(NO_PROXY).toBe(`a,${entry}`);
});

describe("the program reaches the broker without the proxy of", () => {
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
  ])("the environment %j", (environment, lower, upper) => {
    const { no_proxy, NO_PROXY } = createBrokerVariables([openai], BROKER, environmentOf(environment));
    expect([no_proxy, NO_PROXY]).toEqual([lower, upper]);
  });
});

describe("the program's git", () => {
  const token = (name: string, host: string, ssh = true) => ({
    ...openai,
    route: { ...route, name, dummy: `dummy of ${name}` },
    addressPaths: {},
    aliases: [],
    git: { host, ssh },
  });
  const keys = [
    token("GH_TOKEN", "github.com"),
    token("GITHUB_PAT", "github.com"),
    token("OTHER", "ghe.test:8443", false),
  ];
  const credentials = (name: string): string =>
    `Authorization: Basic ${Buffer.from(`x-access-token:dummy of ${name}`).toString("base64")}`;

  test("gets its settings after those of the caller, with the preferred token of each host", () => {
    const variables = createBrokerVariables(keys, BROKER, environmentOf({ GIT_CONFIG_COUNT: "2" }));
    const settings = Array.from({ length: 10 }, (_, index) => [
      variables[`GIT_CONFIG_KEY_${index + 2}`],
      variables[`GIT_CONFIG_VALUE_${index + 2}`],
    ]);
    expect(variables["GIT_CONFIG_COUNT"]).toBe("12");
    expect(settings).toEqual([
      ["url.http://ghe.test:8443/.insteadOf", "https://ghe.test:8443/"],
      ["http.http://ghe.test:8443/.proxy", BROKER],
      ["http.http://ghe.test:8443/.extraHeader", credentials("OTHER")],
      ["credential.http://ghe.test:8443.helper", ""],
      ["url.http://github.com/.insteadOf", "https://github.com/"],
      ["url.http://github.com/.insteadOf", "git@github.com:"],
      ["url.http://github.com/.insteadOf", "ssh://git@github.com/"],
      ["http.http://github.com/.proxy", BROKER],
      ["http.http://github.com/.extraHeader", credentials("GITHUB_PAT")],
      ["credential.http://github.com.helper", ""],
    ]);
  });

  test.each([" 2", "+2", "\t02"])("keeps the caller's settings if their number is written as %j", (count) => {
    expect(createBrokerVariables(keys, BROKER, environmentOf({ GIT_CONFIG_COUNT: count }))["GIT_CONFIG_COUNT"]).toBe(
      "12",
    );
  });

  test.each(["", "x", "-1", "1e3", "1 "])(
    "gets the broker's settings alone if git refuses the caller's number of settings: %j",
    (count) => {
      expect(createBrokerVariables(keys, BROKER, environmentOf({ GIT_CONFIG_COUNT: count }))["GIT_CONFIG_COUNT"]).toBe(
        "10",
      );
    },
  );

  test.each([
    ["github.com", ""],
    ["GitHub.com:443 a.test", "a.test"],
    [".com,xgithub.com,api.github.com", "xgithub.com,api.github.com"],
    ["*.github.com,hub.com", "hub.com"],
  ])("does not find the broker's hosts in NO_PROXY if the caller has %j", (list, left) => {
    const { no_proxy, NO_PROXY } = createBrokerVariables(keys, BROKER, environmentOf({ NO_PROXY: list }));
    expect([no_proxy, NO_PROXY]).toEqual([left, left]);
  });

  test("gets no proxy variables at all if the caller's NO_PROXY is a star", () => {
    const changes = createBrokerVariables(
      keys,
      BROKER,
      environmentOf({ NO_PROXY: "*", https_proxy: "http://p", ALL_PROXY: "x" }),
    );
    const removed = Object.entries(changes).flatMap(([name, value]) => (value === undefined ? [name] : []));
    expect(removed.toSorted()).toEqual(["ALL_PROXY", "NO_PROXY", "https_proxy", "no_proxy"]);
  });
});
