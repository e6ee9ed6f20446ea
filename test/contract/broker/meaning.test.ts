import { describe, expect, test } from "vitest";
import type { SophiaError } from "../../../src/core/error.ts";
import { expectWording } from "../../helpers/wording.ts";
import { contractOf, catchFailure } from "../contracts.ts";

const COMPLETE_MEMBER = { upstream: "https://s.test", headers: ["api-key"], base: { SEARCH_BASE_URL: "" } };
const probe = { url: "https://s.test/me", headers: { "api-key": "${KEY}" } };

async function refusalOf(document: object, profile?: string): Promise<SophiaError> {
  const failure = await catchFailure(() => contractOf(document, profile));
  expect(failure).toMatchObject({ code: "contract-invalid", status: 125 });
  return failure;
}

/** Returns the text of the document from the position of its only fault. */
function textFromFault({ message }: SophiaError, document: object): string {
  const [, column] = /^sophia\.contract\.json:1:(\d+): /.exec(message) ?? [];
  return Array.from(JSON.stringify(document))
    .slice(Number(column) - 1)
    .join("");
}

describe("a contract whose broker member cannot be used is refused with the position of the fault", () => {
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
    [
      "no variable",
      { broker: { upstream: COMPLETE_MEMBER.upstream, headers: COMPLETE_MEMBER.headers } },
      '{"upstream"',
    ],
    ["no header", { broker: { upstream: COMPLETE_MEMBER.upstream, base: COMPLETE_MEMBER.base } }, '{"upstream"'],
    ["no origin", { broker: { headers: COMPLETE_MEMBER.headers, base: COMPLETE_MEMBER.base } }, '{"headers"'],
    ["an unknown member", { broker: { ...COMPLETE_MEMBER, allows: [] } }, '"allows"'],
    ["a text", { broker: "yes" }, '"yes"'],
    ["null", { broker: null }, "null"],
    ["a list", { broker: [] }, "[]"],
    ["a format without room", { broker: true, probe, format: "port" }, "true"],
    ["a URL for a key", { broker: true, probe, format: { type: "url" } }, "true"],
  ])("if the key has %s", async (_, key, place) => {
    const document = { variables: { URL: {}, KEY: key } };
    const failure = await refusalOf(document);
    expect(textFromFault(failure, document).startsWith(place)).toBe(true);
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
  ])("if the upstream is %j", async (upstream) => {
    const document = { variables: { URL: {}, OPENAI_API_KEY: {}, KEY: { broker: { ...COMPLETE_MEMBER, upstream } } } };
    const failure = await refusalOf(document);
    expect(textFromFault(failure, document).startsWith(JSON.stringify(upstream))).toBe(true);
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
  ])("if a header is %j", async (header) => {
    const document = { variables: { KEY: { broker: { ...COMPLETE_MEMBER, headers: ["api-key", header] } } } };
    const failure = await refusalOf(document);
    expect(textFromFault(failure, document).startsWith(JSON.stringify(header))).toBe(true);
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
  ])("if the variable for the address is %s", async (base) => {
    const document = {
      variables: {
        OPENAI_API_KEY: {},
        OTHER_KEY: { broker: { ...COMPLETE_MEMBER, base: { OTHER_URL: "" } } },
        SEARCH_URL: { aliases: ["SEARCH_ADDRESS"] },
        KEY: { aliases: ["KEY_2"], broker: { ...COMPLETE_MEMBER, base: { [base]: "" } } },
      },
    };
    const failure = await refusalOf(document);
    expect(textFromFault(failure, document).startsWith(`"${base}":""}}}}`)).toBe(true);
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
  ])("if the path in %s is %j", async (part, path) => {
    const broker =
      part === "base" ? { ...COMPLETE_MEMBER, base: { SEARCH_BASE_URL: path } } : { ...COMPLETE_MEMBER, prefix: path };
    const document = { variables: { KEY: { broker } } };
    const failure = await refusalOf(document);
    expect(textFromFault(failure, document).startsWith(JSON.stringify(path))).toBe(true);
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
  ])("if a rule is %j", async (rule) => {
    for (const part of ["allow", "deny"]) {
      const document = { variables: { KEY: { broker: { ...COMPLETE_MEMBER, [part]: ["GET /a", rule] } } } };
      const failure = await refusalOf(document);
      expect(textFromFault(failure, document).startsWith(JSON.stringify(rule))).toBe(true);
      if (part === "deny") expectWording(`${failure.message}\n${failure.hint}`);
    }
  });

  test.each([
    ["OPENAI_API_KEY", {}, "api.github.com: GET /a"],
    ["GITHUB_PAT", {}, "api.openai.com: GET /a"],
    ["GITHUB_PAT", { upstream: "https://ghe.test" }, "other.test: GET /a"],
    ["KEY", { ...COMPLETE_MEMBER, upstream: "${URL}" }, "s.test: GET /a"],
  ])("if a rule of %s %j names a host that is not the key's: %s", async (name, member, rule) => {
    for (const part of ["allow", "deny"]) {
      const document = { variables: { URL: { secret: false }, [name]: { broker: { ...member, [part]: [rule] } } } };
      const failure = await refusalOf(document);
      expect(textFromFault(failure, document).startsWith(JSON.stringify(rule))).toBe(true);
      if (part === "deny") expectWording(`${failure.message}\n${failure.hint}`);
    }
  });

  test("if a limit has no number", async () => {
    const document = { variables: { OPENAI_API_KEY: { broker: { limit: {} } } } };
    const failure = await refusalOf(document);
    expect(textFromFault(failure, document).startsWith("{}")).toBe(true);
    expectWording(`${failure.message}\n${failure.hint}`);
  });

  test.each([{ perMinute: 0 }, { perMinute: 100_001 }, { total: 1.5 }, { total: "1" }, { perHour: 1 }])(
    "if the limit is %j",
    async (limit) => {
      const failure = await refusalOf({ variables: { OPENAI_API_KEY: { broker: { limit } } } });
      expect(failure.code).toBe("contract-invalid");
      expect(failure.message).toMatch(/^sophia\.contract\.json:1:\d+: /);
    },
  );

  test(`if "ssh" is set for a key that git does not use`, async () => {
    const document = { variables: { OPENAI_API_KEY: { broker: { ssh: false } } } };
    const failure = await refusalOf(document);
    expect(textFromFault(failure, document).startsWith("false")).toBe(true);
    expectWording(`${failure.message}\n${failure.hint}`);
  });

  const indexes = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);
  test.each<[what: string, part: string, value: object]>([
    ["an empty list of headers", "headers", []],
    ["nine headers", "headers", indexes(9).map((index) => `x-${index}`)],
    ["no variable", "base", {}],
    ["nine variables", "base", Object.fromEntries(indexes(9).map((index) => [`A${index}`, ""]))],
    ["nothing that is allowed", "allow", []],
    ["101 rules", "deny", indexes(101).map((index) => `GET /${index}`)],
  ])("if the member has %s", async (_, part, value) => {
    const document = { variables: { KEY: { broker: { ...COMPLETE_MEMBER, [part]: value } } } };
    const failure = await refusalOf(document);
    expect(textFromFault(failure, document).startsWith(JSON.stringify(value))).toBe(true);
    expectWording(`${failure.message}\n${failure.hint}`);
  });

  test("if a key is declared as the address of a built-in key", async () => {
    const document = { variables: { OPENAI_API_KEY: {}, OPENAI_BASE_URL: { broker: COMPLETE_MEMBER } } };
    const failure = await refusalOf(document);
    expect(textFromFault(failure, document).startsWith('"broker"')).toBe(true);
    expectWording(`${failure.message}\n${failure.hint}`);
  });

  test("if there is a 101st key", async () => {
    const keys = (count: number) =>
      Object.fromEntries(
        indexes(count).map((index) => [`K${index}`, { broker: { ...COMPLETE_MEMBER, base: { [`B${index}`]: "" } } }]),
      );
    expect(contractOf({ variables: keys(100) }).variables.size).toBe(100);
    const document = { variables: keys(101) };
    const failure = await refusalOf(document);
    expect(textFromFault(failure, document)).toContain('"B100"');
    expectWording(`${failure.message}\n${failure.hint}`);
  });
});

describe("a broker member in a profile", () => {
  const KEY = { broker: COMPLETE_MEMBER };
  const OTHER = { broker: { ...COMPLETE_MEMBER, base: { OTHER_URL: "" } } };

  test("is refused at its own position, or at the profile's entry if the profile makes an inherited member wrong", async () => {
    const own = {
      variables: { KEY },
      profiles: { p: { variables: { KEY: { broker: { ...COMPLETE_MEMBER, prefix: "/v1/" } } } } },
    };
    expect(textFromFault(await refusalOf(own), own).startsWith('"/v1/"')).toBe(true);
    const probed = {
      variables: { KEY: { broker: true, probe } },
      profiles: { p: { variables: { KEY: { probe: "postgresql" } } } },
    };
    expect(textFromFault(await refusalOf(probed), probed).startsWith('{"probe":"postgresql"}')).toBe(true);
  });

  test("that gives a variable to two keys is refused once, at the key that the profile has", async () => {
    const same = { broker: { ...COMPLETE_MEMBER, base: { OTHER_URL: "" } } };
    const document = {
      variables: { KEY, OTHER },
      profiles: { p: { variables: { KEY: same } }, q: { extends: "p", variables: { A: {} } } },
    };
    expect(textFromFault(await refusalOf(document), document).startsWith('"OTHER_URL":""}}}}},"q"')).toBe(true);
  });

  test("may have the variable of a key that the profile excludes from the broker", () => {
    const swapped = { KEY: { broker: false }, OTHER: { broker: COMPLETE_MEMBER } };
    const contract = contractOf({ variables: { KEY, OTHER }, profiles: { p: { variables: swapped } } }, "p");
    expect(contract.variables.get("OTHER")?.broker).toEqual(COMPLETE_MEMBER);
  });
});

describe("a contract is accepted if its broker member has", () => {
  test.each<[what: string, key: object]>([
    ["all members", { broker: { ...COMPLETE_MEMBER, prefix: "/v1", allow: ["POST /v1/*"], deny: ["* /v1/**"] } }],
    ["an empty list of denials", { broker: { ...COMPLETE_MEMBER, deny: [] } }],
    ["no prefix", { broker: { ...COMPLETE_MEMBER, prefix: "" } }],
    ["http on this machine", { broker: { ...COMPLETE_MEMBER, upstream: "http://127.0.0.1:8080" } }],
    ["http on this machine, by IPv6", { broker: { ...COMPLETE_MEMBER, upstream: "http://[::1]:8080" } }],
    ["another port", { broker: { ...COMPLETE_MEMBER, upstream: "https://s.test:8443" } }],
    ["a declared variable", { broker: { ...COMPLETE_MEMBER, upstream: "${URL}", base: { URL: "" } } }],
    [
      "one header with two schemes",
      { broker: { ...COMPLETE_MEMBER, headers: ["Authorization: Bearer", "authorization: token"] } },
    ],
    ["a proxy that is none", { broker: { ...COMPLETE_MEMBER, base: { SEARCH_PROXY: "/v1" } } }],
    ["a probe", { broker: true, probe }],
    ["a probe with members", { broker: { deny: ["* /keys"] }, probe }],
    ["false for any name", { broker: false, format: "port" }],
    ["a format with room", { broker: true, probe, format: { type: "text", prefix: "sk-" } }],
    [
      "the address of a built-in name that is not declared",
      { broker: { ...COMPLETE_MEMBER, base: { OPENAI_BASE_URL: "/v1" } } },
    ],
  ])("this valid form: %s", (_, key) => {
    expect(contractOf({ variables: { URL: {}, KEY: key } }).variables.size).toBe(2);
  });

  test("a variable that belongs to a built-in key which the contract excludes from the broker", () => {
    const KEY = { broker: { ...COMPLETE_MEMBER, base: { OPENAI_BASE_URL: "/v1" } } };
    expect(contractOf({ variables: { OPENAI_API_KEY: { broker: false }, KEY } }).variables.size).toBe(2);
  });
});
