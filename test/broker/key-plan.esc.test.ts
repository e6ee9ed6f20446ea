import { describe, expect, test } from "vitest";
import { planKey } from "../../src/broker/key-plan.ts";
import type { DeclaredKey, PlanContext, SourcedValue } from "../../src/broker/service-address.ts";
import type { BrokerEntry } from "../../src/contract/broker/broker-model.ts";
import { PROVIDERS } from "../../src/contract/broker/providers.ts";
import { parseRule, parseRules } from "../../src/contract/broker/path-rules.ts";

const CALLER = "environment";

function createDeclaredKey(name: string, entry: BrokerEntry = {}): DeclaredKey {
  return { name, source: "esc", dummy: "dummy", entry, provider: PROVIDERS[name] };
}

function summarizePlan(
  subject: DeclaredKey,
  values: Readonly<Record<string, SourcedValue>> = {},
  more: Partial<Pick<PlanContext, "contract" | "allowedOrigins">> = {},
) {
  const planned = planKey(subject, {
    valueOf: (name) => values[name],
    callerSource: CALLER,
    contract: { path: "/project/sophia.contract.json", isNamed: false },
    allowedOrigins: [],
    ...more,
  });
  if ("kind" in planned) return planned;
  const { route, addressPaths, trustReason } = planned;
  return { origin: route.origin, path: route.path, servicePath: route.servicePath, addressPaths, trustReason };
}

const callerValue = (value: string): SourcedValue => ({ value, source: CALLER });
const namedContract = { contract: { path: "/elsewhere.json", isNamed: true } };

describe("the address of a provider", () => {
  test("is built in, and the program gets each of the provider's variables", () => {
    expect(summarizePlan(createDeclaredKey("OPENAI_API_KEY"))).toEqual({
      origin: "https://api.openai.com",
      path: "",
      servicePath: "",
      addressPaths: { OPENAI_BASE_URL: "/v1", OPENAI_API_BASE: "/v1", OPENAI_HOST: "" },
      trustReason: "built-in",
    });
  });

  test("may be a gateway that the caller has set, whose path is kept", () => {
    expect(
      summarizePlan(createDeclaredKey("OPENAI_API_KEY"), {
        OPENAI_BASE_URL: callerValue("https://gateway.test/openai/v1/"),
      }),
    ).toEqual({
      origin: "https://gateway.test",
      path: "/openai/v1",
      servicePath: "/v1",
      addressPaths: { OPENAI_BASE_URL: "/openai/v1", OPENAI_API_BASE: "/openai/v1", OPENAI_HOST: "/openai" },
      trustReason: "caller",
    });
  });

  test("may come from goose's variable, which has no path", () => {
    expect(
      summarizePlan(createDeclaredKey("OPENAI_API_KEY"), { OPENAI_HOST: callerValue("https://gateway.test/openai") }),
    ).toMatchObject({
      path: "/openai",
      addressPaths: { OPENAI_BASE_URL: "/openai/v1", OPENAI_HOST: "/openai" },
      trustReason: "caller",
    });
    // This gateway has no path of the service, so the program's goose asks for paths beside it.
    expect(
      summarizePlan(createDeclaredKey("OPENAI_API_KEY"), {
        OPENAI_BASE_URL: callerValue("https://gateway.test/openai"),
      }),
    ).toMatchObject({
      path: "/openai",
      servicePath: "/v1",
      addressPaths: { OPENAI_BASE_URL: "/openai", OPENAI_HOST: "/openai" },
    });
  });

  test("is shared by two keys of one service, each of which has its own headers", () => {
    const gateway = { ANTHROPIC_BASE_URL: callerValue("https://gateway.test") };
    for (const name of ["ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN"]) {
      expect(summarizePlan(createDeclaredKey(name), gateway)).toMatchObject({
        origin: "https://gateway.test",
        addressPaths: { ANTHROPIC_BASE_URL: "", ANTHROPIC_HOST: "" },
      });
    }
  });

  test.each([
    ["GROQ_BASE_URL", "https://gateway.test/groq"],
    ["GROQ_API_BASE", "https://gateway.test/groq/openai/v1"],
  ])("may come from either of two variables: %s", (variable, address) => {
    expect(summarizePlan(createDeclaredKey("GROQ_API_KEY"), { [variable]: callerValue(address) })).toMatchObject({
      path: "/groq",
      servicePath: "",
      addressPaths: { GROQ_BASE_URL: "/groq", GROQ_API_BASE: "/groq/openai/v1" },
    });
  });

  test("may come from the source of the key, and from no other source", () => {
    const address = "https://gateway.test/v1";
    const from = (source: string) =>
      summarizePlan(createDeclaredKey("OPENAI_API_KEY"), { OPENAI_BASE_URL: { value: address, source } });
    expect(from("esc")).toMatchObject({ origin: "https://gateway.test", trustReason: "source" });
    expect(from("/project/.env")).toMatchObject({ origin: "https://api.openai.com", trustReason: "built-in" });
  });

  test.each([
    ["http://gateway.test/v1", "insecure"],
    ["gateway.test/v1", "no-address"],
    ["ftp://gateway.test", "no-address"],
    ["https://user:password@gateway.test", "no-address"],
    ["https://gateway.test/v1?x", "no-address"],
  ])("is refused if it is %s (%s)", (address, kind) => {
    expect(summarizePlan(createDeclaredKey("OPENAI_API_KEY"), { OPENAI_BASE_URL: callerValue(address) })).toEqual({
      kind,
      name: "OPENAI_API_KEY",
      variable: "OPENAI_BASE_URL",
    });
  });

  test.each([
    ["http://localhost:11434/v1", "http://localhost:11434"],
    ["http://127.0.0.1:/v1", "http://127.0.0.1"],
    ["http://[::1]:8080", "http://[::1]:8080"],
  ])("may be http on this machine: %s", (address, origin) => {
    expect(summarizePlan(createDeclaredKey("OPENAI_API_KEY"), { OPENAI_BASE_URL: callerValue(address) })).toMatchObject(
      { origin },
    );
  });
});

describe("the address of a service that has no built-in address", () => {
  test("comes from a variable of the caller or of the key's source", () => {
    expect(
      summarizePlan(createDeclaredKey("QDRANT_API_KEY"), {
        QDRANT_URL: { value: "https://q.test:6333", source: "esc" },
      }),
    ).toEqual({
      origin: "https://q.test:6333",
      path: "",
      servicePath: "",
      addressPaths: { QDRANT_URL: "" },
      trustReason: "source",
    });
  });

  test("is not taken from a file of the repository", () => {
    const values = { QDRANT_URL: { value: "https://evil.test", source: "/project/.env" } };
    expect(summarizePlan(createDeclaredKey("QDRANT_API_KEY"), values)).toMatchObject({
      kind: "untrusted",
      origin: "https://evil.test",
    });
  });

  test("must be set", () => {
    expect(summarizePlan(createDeclaredKey("QDRANT_API_KEY"))).toEqual({
      kind: "unset",
      name: "QDRANT_API_KEY",
      variable: "QDRANT_URL",
    });
  });
});

describe("an origin that a contract declares", () => {
  const search = createDeclaredKey("SEARCH_KEY", {
    upstream: "https://search.example.com",
    slots: [{ header: "authorization", scheme: "bearer" }],
    base: { SEARCH_BASE_URL: "/v2" },
  });

  test("is not used if the search has found the contract", () => {
    expect(summarizePlan(search)).toEqual({
      kind: "untrusted",
      name: "SEARCH_KEY",
      origin: "https://search.example.com",
      path: "/project/sophia.contract.json",
      isEsc: false,
    });
    expect(summarizePlan(createDeclaredKey("OPENAI_API_KEY", { upstream: "https://evil.test" }))).toMatchObject({
      kind: "untrusted",
    });
  });

  test("is used if the caller has named the contract or has allowed the origin", () => {
    const expected = { origin: "https://search.example.com", addressPaths: { SEARCH_BASE_URL: "/v2" } };
    expect(summarizePlan(search, {}, namedContract)).toMatchObject({ ...expected, trustReason: "contract" });
    expect(summarizePlan(search, {}, { allowedOrigins: ["https://search.example.com"] })).toMatchObject({
      ...expected,
      trustReason: "allowed",
    });
  });

  test("is not trusted because it names a variable of the caller", () => {
    const evil = { ...search, entry: { ...search.entry, upstream: "${GITHUB_SERVER_URL}" } };
    const values = { GITHUB_SERVER_URL: callerValue("https://evil.test/x") };
    expect(summarizePlan(evil, values)).toMatchObject({ kind: "untrusted", origin: "https://evil.test" });
    expect(summarizePlan(evil, values, namedContract)).toMatchObject({
      origin: "https://evil.test",
      path: "/x",
      addressPaths: { SEARCH_BASE_URL: "/x/v2" },
    });
  });

  test("needs a header, and an origin", () => {
    expect(summarizePlan(createDeclaredKey("X_KEY", { upstream: "https://x.test" }), {}, namedContract)).toEqual({
      kind: "no-header",
      name: "X_KEY",
    });
    expect(summarizePlan(createDeclaredKey("X_KEY"))).toEqual({ kind: "no-upstream", name: "X_KEY" });
  });
});

describe("a contract that the search has found", () => {
  const evil = "/project/sophia.contract.json";

  test.each<[string, BrokerEntry, string]>([
    ["a header whose value the service repeats", { slots: [{ header: "openai-organization" }] }, "headers"],
    ["another scheme", { slots: [{ header: "authorization", scheme: "token" }] }, "headers"],
    ["a prefix", { prefix: "/openai/v1" }, "prefix"],
    ["an empty header list beside a prefix", { prefix: "/x", slots: [] }, "no-header"],
  ])("may not change how a built-in key is sent: %s", (_, entry, part) => {
    const values = { OPENAI_BASE_URL: callerValue("https://gateway.test/openai/v1") };
    expect(summarizePlan(createDeclaredKey("OPENAI_API_KEY", entry), values)).toMatchObject(
      part === "no-header" ? { kind: part } : { kind: "untrusted-part", part, path: evil },
    );
    if (part !== "no-header")
      expect(summarizePlan(createDeclaredKey("OPENAI_API_KEY", entry), values, namedContract)).not.toHaveProperty(
        "kind",
      );
  });

  test("may repeat the built-in settings", () => {
    const entry: BrokerEntry = { slots: [{ header: "x-api-key" }], prefix: "/v1" };
    expect(summarizePlan(createDeclaredKey("ANTHROPIC_API_KEY", entry))).toMatchObject({ trustReason: "built-in" });
  });

  test("cannot change which paths the rules see, neither by its base nor by its upstream", () => {
    const values = { OPENAI_BASE_URL: callerValue("https://gateway.test/openai/v1") };
    const entry: BrokerEntry = { base: { OPENAI_BASE_URL: "", OTHER_URL: "/v10" } };
    expect(summarizePlan(createDeclaredKey("OPENAI_API_KEY", entry), values)).toMatchObject({
      path: "/openai/v1",
      servicePath: "/v1",
      addressPaths: { OPENAI_BASE_URL: "/openai/v1", OTHER_URL: "/openai/v1/v10" },
    });
    const upstream = "https://api.openai.com/v1/organization";
    expect(summarizePlan(createDeclaredKey("OPENAI_API_KEY", { upstream }))).toMatchObject({ kind: "untrusted" });
    expect(
      summarizePlan(
        createDeclaredKey("OPENAI_API_KEY", { upstream }),
        {},
        { allowedOrigins: ["https://api.openai.com"] },
      ),
    ).toMatchObject({
      path: "/v1/organization",
      servicePath: "/v1/organization",
    });
  });
});

describe("a contract that the caller has named", () => {
  const values = (more: Partial<SourcedValue>) => ({ Q: { value: "https://q.test", source: "other", ...more } });
  const entry: BrokerEntry = { upstream: "${Q}", slots: [{ header: "api-key" }], base: { Q: "" } };

  test("decides which variable gives an address, but does not make a repository's value of it trusted", () => {
    expect(
      summarizePlan(
        createDeclaredKey("X_KEY", entry),
        values({ file: "/project/.env:1", mayBeFromRepository: true }),
        namedContract,
      ),
    ).toEqual({
      kind: "untrusted",
      name: "X_KEY",
      origin: "https://q.test",
      path: "/project/.env:1",
      isEsc: false,
      variable: "Q",
    });
    expect(
      summarizePlan(createDeclaredKey("X_KEY", entry), values({ file: "ESC a/b/c", isEsc: true }), namedContract),
    ).toMatchObject({
      trustReason: "contract",
    });
  });
});

describe("the built-in denials", () => {
  const routeOf = (entry: BrokerEntry, isNamed: boolean) => {
    const planned = planKey(createDeclaredKey("OPENAI_API_KEY", entry), {
      valueOf: () => undefined,
      callerSource: CALLER,
      contract: { path: "/c.json", isNamed },
      allowedOrigins: [],
    });
    return "kind" in planned ? [] : planned.route.deny.map(({ text }) => text);
  };
  const own = [parseRule("* /v1/files/**")].flatMap((rule) => rule ?? []);

  test("still apply if a contract that the search has found has denials of its own", () => {
    expect(routeOf({ deny: own }, false)).toEqual([...(PROVIDERS["OPENAI_API_KEY"]?.deny ?? []), "* /v1/files/**"]);
    expect(routeOf({ deny: [] }, false)).toEqual(PROVIDERS["OPENAI_API_KEY"]?.deny);
  });

  test("are replaced by those of a contract that the caller has named", () => {
    expect(routeOf({ deny: own }, true)).toEqual(["* /v1/files/**"]);
  });

  test.each(Object.entries(PROVIDERS))("of %s are valid rules", (_, { deny = [] }) => {
    expect(deny.map((text) => parseRule(text)?.text)).toEqual(deny);
  });
});

describe("the hosts of GitHub", () => {
  const routeForGithub = (values: Readonly<Record<string, SourcedValue>> = {}, entry: BrokerEntry = {}, more = {}) => {
    const planned = planKey(createDeclaredKey("GITHUB_PAT", entry), {
      valueOf: (name) => values[name],
      callerSource: CALLER,
      contract: { path: "/project/sophia.contract.json", isNamed: false },
      allowedOrigins: [],
      ...more,
    });
    if ("kind" in planned) return planned.kind;
    const { route, addressPaths, git } = planned;
    return { hosts: route.sites?.map(({ host }) => host), addressPaths, git, deny: route.deny.at(-1)?.text };
  };
  const own = {
    hosts: ["github.com", "api.github.com", "uploads.github.com"],
    addressPaths: { GITHUB_API_URL: "/api.github.com", GITHUB_GRAPHQL_URL: "/api.github.com/graphql" },
    git: { host: "github.com", ssh: true },
    deny: "api.github.com: * /user/ssh_signing_keys/**",
  };
  const enterprise = {
    hosts: ["ghe.test"],
    addressPaths: { GITHUB_API_URL: "/ghe.test/api/v3", GITHUB_GRAPHQL_URL: "/ghe.test/api/graphql" },
    git: { host: "ghe.test", ssh: true },
    deny: "ghe.test: * /api/v3/user/ssh_signing_keys/**",
  };

  const resident = {
    hosts: ["acme.ghe.com", "api.acme.ghe.com", "uploads.acme.ghe.com"],
    addressPaths: { GITHUB_API_URL: "/api.acme.ghe.com", GITHUB_GRAPHQL_URL: "/api.acme.ghe.com/graphql" },
    git: { host: "acme.ghe.com", ssh: true },
    deny: "api.acme.ghe.com: * /user/ssh_signing_keys/**",
  };

  test.each([
    ["nothing", {}, own],
    ["the API's own address", { GITHUB_API_URL: callerValue("https://api.github.com") }, own],
    ["that of GraphQL", { GITHUB_GRAPHQL_URL: callerValue("https://api.github.com/graphql") }, own],
    ["an Enterprise Server", { GITHUB_API_URL: callerValue("https://ghe.test/api/v3/") }, enterprise],
    ["its GraphQL", { GITHUB_GRAPHQL_URL: callerValue("https://ghe.test/api/graphql") }, enterprise],
    ["a customer's API", { GITHUB_API_URL: callerValue("https://api.acme.ghe.com") }, resident],
    ["a customer's GraphQL", { GITHUB_GRAPHQL_URL: callerValue("https://api.acme.ghe.com/graphql") }, resident],
    ["another path", { GITHUB_API_URL: callerValue("https://ghe.test/other") }, "no-github"],
    ["a path of the API", { GITHUB_API_URL: callerValue("https://api.github.com/user") }, "no-github"],
    ["http", { GITHUB_API_URL: callerValue("http://ghe.test/api/v3") }, "insecure"],
  ])("follow the caller's variables: %s", (_, values, expected) => {
    expect(routeForGithub(values)).toEqual(expected);
  });

  test("follow a contract only if the caller has named it, and git's settings leave out ssh if the contract says so", () => {
    const entry = { upstream: "https://ghe.test", ssh: false };
    expect(routeForGithub({}, entry)).toBe("untrusted");
    expect(routeForGithub({}, entry, namedContract)).toEqual({ ...enterprise, git: { host: "ghe.test", ssh: false } });
  });

  test("get the rules that name github.com's hosts, translated for an Enterprise Server", () => {
    const allow = ["github.com: * /a/**", "api.github.com: GET /b", "uploads.github.com: * /c", "* /d"];
    const planned = planKey(createDeclaredKey("GH_TOKEN", { upstream: "https://ghe.test", allow: parseRules(allow) }), {
      valueOf: () => undefined,
      callerSource: CALLER,
      allowedOrigins: [],
      ...namedContract,
    });
    expect("route" in planned && planned.route.allow.map(({ text }) => text)).toEqual([
      "ghe.test: * /a/**",
      "ghe.test: GET /api/v3/b",
      "ghe.test: * /api/uploads/c",
      "* /d",
    ]);
  });
});
