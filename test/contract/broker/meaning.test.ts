import { describe, expect, test } from "vitest";
import type { SophiaError } from "../../../src/core/error.ts";
import { expectWording } from "../../helpers/wording.ts";
import { contractOf, failureOf } from "../contracts.ts";

const whole = { upstream: "https://s.test", headers: ["api-key"], base: { SEARCH_BASE_URL: "" } };
const probe = { url: "https://s.test/me", headers: { "api-key": "${KEY}" } };

async function refusalOf(document: object, profile?: string): Promise<SophiaError> {
  const failure = await failureOf(() => contractOf(document, profile));
  expect(failure).toMatchObject({ code: "contract-invalid", status: 125 });
  return failure;
}

/** The text from the position of the only fault on. */
function placeOf({ message }: SophiaError, document: object): string {
  const [, column] = /^sophia\.contract\.json:1:(\d+): /.exec(message) ?? [];
  return Array.from(JSON.stringify(document))
    .slice(Number(column) - 1)
    .join("");
}

describe("a broker member that cannot be used is refused, at its place", () => {
  test.each<[what: string, key: object, place: string]>([
    ["nothing built in", { broker: true }, "true"],
    ["a probe without a request", { broker: true, probe: "postgresql" }, "true"],
    ["a probe with the key elsewhere", { broker: true, probe: { url: "https://s.test/?k=${KEY}" } }, "true"],
    ["a probe with more in the header", { broker: true, probe: { ...probe, headers: { a: "${KEY}:${URL}" } } }, "true"],
    [
      "a probe that has the key in a header of the body",
      { broker: true, probe: { ...probe, headers: { "Content-Key": "${KEY}" } } },
      "true",
    ],
    ["an empty object", { broker: {} }, "{}"],
    ["no variable", { broker: { upstream: whole.upstream, headers: whole.headers } }, '{"upstream"'],
    ["no header", { broker: { upstream: whole.upstream, base: whole.base } }, '{"upstream"'],
    ["no origin", { broker: { headers: whole.headers, base: whole.base } }, '{"headers"'],
    ["an unknown member", { broker: { ...whole, allows: [] } }, '"allows"'],
    ["a text", { broker: "yes" }, '"yes"'],
    ["null", { broker: null }, "null"],
    ["a list", { broker: [] }, "[]"],
    ["a format without room", { broker: true, probe, format: "port" }, "true"],
    ["a URL for a key", { broker: true, probe, format: { type: "url" } }, "true"],
  ])("%s", async (_, key, place) => {
    const document = { variables: { URL: {}, KEY: key } };
    const failure = await refusalOf(document);
    expect(placeOf(failure, document).startsWith(place)).toBe(true);
    expectWording(`${failure.message}\n${failure.hint}`);
  });

  test.each<[upstream: string]>([
    ["s.test"],
    ["ftp://s.test"],
    ["http://s.test"],
    ["http://127.0.0.1.s.test"],
    ["https://s.test/"],
    ["https://s.test/v1"],
    ["https://s.test?x"],
    ["https://s.test#x"],
    ["https://user@s.test"],
    ["https://:password@s.test"],
    ["https://s.test:443"],
    ["https://S.test"],
    ["https://sö.test"],
    ["https://0x7f.1"],
    ["https://s%2etest"],
    ["https://"],
    ["https://s.test:99999"],
    ["https://${URL}"],
    ["https://s.test\n"],
    ["${URL}/v1"],
    ["${URL"],
    ["${URLS}"],
    ["${KEY}"],
    ["${OPENAI_API_KEY}"],
  ])("the upstream %j", async (upstream) => {
    const document = { variables: { URL: {}, OPENAI_API_KEY: {}, KEY: { broker: { ...whole, upstream } } } };
    const failure = await refusalOf(document);
    expect(placeOf(failure, document).startsWith(JSON.stringify(upstream))).toBe(true);
    expectWording(`${failure.message}\n${failure.hint}`);
  });

  test.each<[header: string]>([
    [""],
    ["Authorization:Bearer"],
    ["Authorization: Bearer ${KEY}"],
    ["Authorization: "],
    ["api key"],
    ["x\r\ny"],
    ["X".repeat(101)],
    ["API-KEY"],
    ["Host"],
    ["Connection"],
    ["te"],
    ["Transfer-Encoding"],
    ["Upgrade: x"],
    ["Proxy-Authorization: Basic"],
    ["Content-Key"],
    ["Cookie"],
    ["Set-Cookie"],
    ["Sec-Key"],
    ["Origin"],
  ])("the header %j", async (header) => {
    const document = { variables: { KEY: { broker: { ...whole, headers: ["api-key", header] } } } };
    const failure = await refusalOf(document);
    expect(placeOf(failure, document).startsWith(JSON.stringify(header))).toBe(true);
    expectWording(`${failure.message}\n${failure.hint}`);
  });

  test.each<[base: string]>([
    ["KEY"],
    ["KEY_2"],
    ["OPENAI_API_KEY"],
    ["OTHER_KEY"],
    ["SEARCH_ADDRESS"],
    ["OPENAI_BASE_URL"],
    ["OPENAI_API_BASE"],
    ["OTHER_URL"],
    ["other_url"],
    ["PATH"],
    ["Path"],
    ["LD_PRELOAD"],
    ["NODE_OPTIONS"],
    ["node_options"],
    ["GIT_SSH_COMMAND"],
    ["HTTP_PROXY"],
    ["http_proxy"],
    ["no_proxy"],
    ["SSL_CERT_FILE"],
    ["NODE_EXTRA_CA_CERTS"],
    ["NODE_TLS_REJECT_UNAUTHORIZED"],
    ["ACTIONS_ID_TOKEN_REQUEST_URL"],
    ["ESC_TOKEN"],
    ["SOPHIA_CONTRACT"],
    ["sophia_mode"],
    ["PULUMI_BACKEND_URL"],
    ["A=B"],
  ])("the variable %s for the address", async (base) => {
    const document = {
      variables: {
        OPENAI_API_KEY: {},
        OTHER_KEY: { broker: { ...whole, base: { OTHER_URL: "" } } },
        SEARCH_URL: { aliases: ["SEARCH_ADDRESS"] },
        KEY: { aliases: ["KEY_2"], broker: { ...whole, base: { [base]: "" } } },
      },
    };
    const failure = await refusalOf(document);
    expect(placeOf(failure, document).startsWith(`"${base}":""}}}}`)).toBe(true);
    expectWording(`${failure.message}\n${failure.hint}`);
  });

  test.each<[part: string, path: unknown]>([
    ["base", "v2"],
    ["base", "/"],
    ["base", "/v2/"],
    ["base", "/v2?x"],
    ["base", "/v2#x"],
    ["base", "/a//b"],
    ["base", "//evil.test"],
    ["base", "/a/../b"],
    ["base", "/%61"],
    ["base", "/a\\b"],
    ["base", "/a b"],
    ["base", "/ä"],
    ["base", `/${"a".repeat(200)}`],
    ["base", 1],
    ["prefix", "v2"],
    ["prefix", "/v2/"],
    ["prefix", "/v2?x"],
  ])("the path of %s: %j", async (part, path) => {
    const broker = part === "base" ? { ...whole, base: { SEARCH_BASE_URL: path } } : { ...whole, prefix: path };
    const document = { variables: { KEY: { broker } } };
    const failure = await refusalOf(document);
    expect(placeOf(failure, document).startsWith(JSON.stringify(path))).toBe(true);
    expectWording(`${failure.message}\n${failure.hint}`);
  });

  test.each<[rule: unknown]>([
    [""],
    ["/v2"],
    ["POST"],
    ["POST v2"],
    ["P0ST! /v2"],
    ["POST  /v2"],
    ["POST /v2?x"],
    ["POST /v2#x"],
    ["POST /a//b"],
    ["POST /a/./b"],
    ["POST /%2e"],
    ["POST /a*"],
    ["POST /**/a"],
    ["POST /ä"],
    [`POST /${"a".repeat(500)}`],
    ["https://api.github.com: GET /a"],
    [{ method: "POST" }],
  ])("the rule %j", async (rule) => {
    for (const part of ["allow", "deny"]) {
      const document = { variables: { KEY: { broker: { ...whole, [part]: ["GET /a", rule] } } } };
      const failure = await refusalOf(document);
      expect(placeOf(failure, document).startsWith(JSON.stringify(rule))).toBe(true);
      if (part === "deny") expectWording(`${failure.message}\n${failure.hint}`);
    }
  });

  test.each([
    ["OPENAI_API_KEY", {}, "api.github.com: GET /a"],
    ["GITHUB_PAT", {}, "api.openai.com: GET /a"],
    ["GITHUB_PAT", { upstream: "https://ghe.test" }, "other.test: GET /a"],
    ["KEY", { ...whole, upstream: "${URL}" }, "s.test: GET /a"],
  ])("a rule of %s %j for a host that the key is not for: %s", async (name, member, rule) => {
    for (const part of ["allow", "deny"]) {
      const document = { variables: { URL: { secret: false }, [name]: { broker: { ...member, [part]: [rule] } } } };
      const failure = await refusalOf(document);
      expect(placeOf(failure, document).startsWith(JSON.stringify(rule))).toBe(true);
      if (part === "deny") expectWording(`${failure.message}\n${failure.hint}`);
    }
  });

  test("a limit without a number", async () => {
    const document = { variables: { OPENAI_API_KEY: { broker: { limit: {} } } } };
    const failure = await refusalOf(document);
    expect(placeOf(failure, document).startsWith("{}")).toBe(true);
    expectWording(`${failure.message}\n${failure.hint}`);
  });

  test.each([{ perMinute: 0 }, { perMinute: 100_001 }, { total: 1.5 }, { total: "1" }, { perHour: 1 }])(
    "the limit %j",
    async (limit) => {
      const failure = await refusalOf({ variables: { OPENAI_API_KEY: { broker: { limit } } } });
      expect(failure.code).toBe("contract-invalid");
      expect(failure.message).toMatch(/^sophia\.contract\.json:1:\d+: /);
    },
  );

  test(`"ssh" for a key that git has no use for`, async () => {
    const document = { variables: { OPENAI_API_KEY: { broker: { ssh: false } } } };
    const failure = await refusalOf(document);
    expect(placeOf(failure, document).startsWith("false")).toBe(true);
    expectWording(`${failure.message}\n${failure.hint}`);
  });

  const many = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);
  test.each<[what: string, part: string, value: object]>([
    ["an empty list of headers", "headers", []],
    ["nine headers", "headers", many(9).map((index) => `x-${index}`)],
    ["no variable", "base", {}],
    ["nine variables", "base", Object.fromEntries(many(9).map((index) => [`A${index}`, ""]))],
    ["nothing that is allowed", "allow", []],
    ["101 rules", "deny", many(101).map((index) => `GET /${index}`)],
  ])("%s", async (_, part, value) => {
    const document = { variables: { KEY: { broker: { ...whole, [part]: value } } } };
    const failure = await refusalOf(document);
    expect(placeOf(failure, document).startsWith(JSON.stringify(value))).toBe(true);
    expectWording(`${failure.message}\n${failure.hint}`);
  });

  test("a key that is the address for a built-in key", async () => {
    const document = { variables: { OPENAI_API_KEY: {}, OPENAI_BASE_URL: { broker: whole } } };
    const failure = await refusalOf(document);
    expect(placeOf(failure, document).startsWith('"broker"')).toBe(true);
    expectWording(`${failure.message}\n${failure.hint}`);
  });

  test("the 101st key", async () => {
    const keys = (count: number) =>
      Object.fromEntries(
        many(count).map((index) => [`K${index}`, { broker: { ...whole, base: { [`B${index}`]: "" } } }]),
      );
    expect(contractOf({ variables: keys(100) }).variables.size).toBe(100);
    const document = { variables: keys(101) };
    const failure = await refusalOf(document);
    expect(placeOf(failure, document)).toContain('"B100"');
    expectWording(`${failure.message}\n${failure.hint}`);
  });
});

describe("in a profile", () => {
  const KEY = { broker: whole };
  const OTHER = { broker: { ...whole, base: { OTHER_URL: "" } } };

  test("a member is refused where it stands, and one that it makes wrong at the profile's entry", async () => {
    const own = {
      variables: { KEY },
      profiles: { p: { variables: { KEY: { broker: { ...whole, prefix: "/v1/" } } } } },
    };
    expect(placeOf(await refusalOf(own), own).startsWith('"/v1/"')).toBe(true);
    const probed = {
      variables: { KEY: { broker: true, probe } },
      profiles: { p: { variables: { KEY: { probe: "postgresql" } } } },
    };
    expect(placeOf(await refusalOf(probed), probed).startsWith('{"probe":"postgresql"}')).toBe(true);
  });

  test("a variable for two keys is refused once, at the key that the profile has", async () => {
    const same = { broker: { ...whole, base: { OTHER_URL: "" } } };
    const document = {
      variables: { KEY, OTHER },
      profiles: { p: { variables: { KEY: same } }, q: { extends: "p", variables: { A: {} } } },
    };
    expect(placeOf(await refusalOf(document), document).startsWith('"OTHER_URL":""}}}}},"q"')).toBe(true);
  });

  test("another key may have the variable of one that the profile takes out", () => {
    const swapped = { KEY: { broker: false }, OTHER: { broker: whole } };
    const contract = contractOf({ variables: { KEY, OTHER }, profiles: { p: { variables: swapped } } }, "p");
    expect(contract.variables.get("OTHER")?.broker).toEqual(whole);
  });
});

describe("a broker member is accepted", () => {
  test.each<[what: string, key: object]>([
    ["all members", { broker: { ...whole, prefix: "/v1", allow: ["POST /v1/*"], deny: ["* /v1/**"] } }],
    ["an empty list of denials", { broker: { ...whole, deny: [] } }],
    ["no prefix", { broker: { ...whole, prefix: "" } }],
    ["http on this machine", { broker: { ...whole, upstream: "http://127.0.0.1:8080" } }],
    ["http on this machine, by IPv6", { broker: { ...whole, upstream: "http://[::1]:8080" } }],
    ["another port", { broker: { ...whole, upstream: "https://s.test:8443" } }],
    ["a declared variable", { broker: { ...whole, upstream: "${URL}", base: { URL: "" } } }],
    [
      "one header with two schemes",
      { broker: { ...whole, headers: ["Authorization: Bearer", "authorization: token"] } },
    ],
    ["a proxy that is none", { broker: { ...whole, base: { SEARCH_PROXY: "/v1" } } }],
    ["a probe", { broker: true, probe }],
    ["a probe with members", { broker: { deny: ["* /keys"] }, probe }],
    ["false for any name", { broker: false, format: "port" }],
    ["a format with room", { broker: true, probe, format: { type: "text", prefix: "sk-" } }],
    ["the address of a built-in name that is not declared", { broker: { ...whole, base: { OPENAI_BASE_URL: "/v1" } } }],
  ])("%s", (_, key) => {
    expect(contractOf({ variables: { URL: {}, KEY: key } }).variables.size).toBe(2);
  });

  test("for a variable that replaces that of a built-in name which is taken out", () => {
    const KEY = { broker: { ...whole, base: { OPENAI_BASE_URL: "/v1" } } };
    expect(contractOf({ variables: { OPENAI_API_KEY: { broker: false }, KEY } }).variables.size).toBe(2);
  });
});
