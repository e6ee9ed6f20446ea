import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { expectWording } from "../../helpers/wording.ts";
import { readCallerNetwork, findAccessSettings } from "../../../src/esc/settings/access-settings.ts";
import { describeCredential } from "../../../src/esc/settings/credentials.ts";
import { CREDENTIAL_ORDER, isEscMentioned, WITHHELD_VARIABLES } from "../../../src/esc/settings/own-variables.ts";
import { SophiaError } from "../../../src/core/error.ts";
import type { Layer } from "../../../src/core/model.ts";

const OPTIONS = { timeoutMs: 30_000, insecureHttp: false };
const TOKEN = "pul-0123456789abcdef0123456789abcdef01234567";

type Set = Readonly<Record<string, string>>;

function createLayer(file: string, variables: Set): Layer {
  return {
    source: "dotenv",
    variables: Object.entries(variables).map(([name, value], index) => ({
      name,
      value,
      secret: false,
      delivery: "value",
      origin: { source: "dotenv", file, line: index + 1 },
    })),
  };
}

function accessFrom(
  environment: Set,
  files: readonly Layer[] = [],
  options: Parameters<typeof findAccessSettings>[2] = OPTIONS,
) {
  const variables = new Map(Object.entries(environment));
  const result = findAccessSettings(variables, files, options);
  // A start looks first whether there is anything to settle.
  if (!isEscMentioned(variables, files)) expect(result).toStrictEqual({ access: { kind: "off" }, notices: [] });
  return result;
}

function settingsFrom(environment: Set, files: readonly Layer[] = [], options = OPTIONS) {
  const result = accessFrom(environment, files, options).access;
  if (result.kind !== "on" && result.kind !== "proposed") throw new Error(`ESC is ${result.kind}`);
  return result.settings;
}

function catchRefusal(environment: Set, files: readonly Layer[] = [], options = OPTIONS): SophiaError {
  try {
    accessFrom(environment, files, options);
  } catch (error) {
    if (error instanceof SophiaError) return error;
    throw error;
  }
  throw new Error("accepted");
}

function expectRefusal(error: SophiaError): void {
  expect(error).toMatchObject({ status: 125, code: "esc-settings" });
  expectWording(`${error.message}\n${error.hint ?? ""}`);
}

describe("access to ESC", () => {
  test.each<[string, Set, unknown]>([
    ["nothing is set", {}, { kind: "off" }],
    ["all is empty", { ESC_ENV: "", ESC_TOKEN: "", ESC_TOKEN_FILE: "", ESC_OIDC_ORG: "" }, { kind: "off" }],
    ["only the name", { ESC_ENV: "a/b" }, { kind: "incomplete", present: "ESC_ENV", missing: "ESC_TOKEN" }],
    ["an empty token", { ESC_ENV: "a/b", ESC_TOKEN: "" }, { present: "ESC_ENV", missing: "ESC_TOKEN" }],
    ["a blank token", { ESC_ENV: "a/b", ESC_TOKEN: " \n" }, { present: "ESC_ENV", missing: "ESC_TOKEN" }],
    ["only the token", { ESC_TOKEN: TOKEN }, { present: "ESC_TOKEN", missing: "ESC_ENV" }],
    ["only a token file", { ESC_TOKEN_FILE: "/t" }, { present: "ESC_TOKEN_FILE", missing: "ESC_ENV" }],
    ["an ID token file alone", { ESC_ENV: "a/b", ESC_OIDC_TOKEN_FILE: "/t" }, { missing: "ESC_OIDC_ORG" }],
    ["only the trusting organization", { ESC_ENV: "a/b", ESC_OIDC_ORG: "acme" }, { present: "ESC_OIDC_ORG" }],
    [
      "GitHub Actions without the permission",
      { ESC_ENV: "a/b", ESC_OIDC_ORG: "acme", GITHUB_ACTIONS: "true" },
      { kind: "incomplete", present: "ESC_OIDC_ORG", missing: "the permission id-token: write" },
    ],
    // The runner sets these in every job that may have an ID token; that is no wish to read ESC.
    [
      "GitHub Actions alone",
      { ACTIONS_ID_TOKEN_REQUEST_URL: "u", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "t" },
      { kind: "off" },
    ],
  ])("is off, or incomplete with the missing variable named: %s", (_, environment, expected) => {
    expect(accessFrom(environment)).toMatchObject({ access: expected, notices: [] });
  });

  test("is on with both a name and a token", () => {
    expect(settingsFrom({ ESC_ENV: "sophia/dev", ESC_TOKEN: TOKEN })).toMatchObject({
      environments: [{ text: "sophia/dev", project: "sophia", name: "dev" }],
      credential: { kind: "token" },
      backend: "https://api.pulumi.com",
      timeoutMs: 30_000,
    });
  });

  test.each<[Set, string]>([
    [{ ESC_ENV: TOKEN }, "ESC_ENV"],
    [{ ESC_ENV: TOKEN, ESC_TOKEN: "sophia/dev" }, "ESC_ENV"],
    [{ ESC_ENV: "a/b", ESC_TOKEN_FILE: `${TOKEN}\n` }, "ESC_TOKEN_FILE"],
    [
      { ESC_ENV: "a/b", ESC_OIDC_ORG: "acme", ESC_OIDC_TOKEN_FILE: "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln" },
      "ESC_OIDC_TOKEN_FILE",
    ],
  ])("is refused before any report shows a token that is in the wrong variable: %j", (environment, name) => {
    const error = catchRefusal(environment);
    expect(error.message).toMatch(new RegExp(`^${name} .*token`));
    expectRefusal(error);
    expect(`${error.message} ${error.hint ?? ""}`).not.toMatch(/pul-|eyJ/);
  });

  test("is incomplete, without an error, if a malformed name has no credential", () => {
    expect(accessFrom({ ESC_ENV: "a//b" }).access.kind).toBe("incomplete");
  });
});

describe("the order in which credentials are used", () => {
  const actions = { ACTIONS_ID_TOKEN_REQUEST_URL: "https://x.example/t", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "rq" };
  const all = { ESC_ENV: "a/b", ESC_OIDC_ORG: "acme", ESC_OIDC_TOKEN_FILE: "/id", ESC_TOKEN_FILE: "/t", ...actions };

  test("is as documented", () => {
    expect(CREDENTIAL_ORDER).toEqual(["ESC_TOKEN", "ESC_TOKEN_FILE", "ESC_TOKEN_COMMAND", "ESC_OIDC_TOKEN_FILE"]);
    const exchange = ["ESC_OIDC_ORG", "ESC_OIDC_TYPE", "ESC_OIDC_SCOPE", "ESC_OIDC_EXPIRATION"];
    expect(WITHHELD_VARIABLES).toEqual(["ESC_ENV", ...CREDENTIAL_ORDER, ...exchange]);
  });

  test.each<[string, Set, readonly Layer[], string]>([
    ["the token itself", { ...all, ESC_TOKEN: TOKEN }, [], "ESC_TOKEN"],
    ["then its file", all, [], "ESC_TOKEN_FILE (/t)"],
    [
      "then an ID token's file",
      { ...all, ESC_TOKEN_FILE: "" },
      [],
      "ESC_OIDC_TOKEN_FILE (/id), exchanged for organization acme",
    ],
    [
      "then GitHub Actions",
      { ...all, ESC_TOKEN_FILE: "", ESC_OIDC_TOKEN_FILE: "" },
      [],
      "GitHub Actions ID token, exchanged for organization acme",
    ],
    ["the environment before files", all, [createLayer(".env", { ESC_TOKEN: TOKEN })], "ESC_TOKEN_FILE (/t)"],
    [
      "files before GitHub Actions",
      { ...actions, ESC_ENV: "a/b", ESC_OIDC_ORG: "acme" },
      [createLayer(".env", { ESC_TOKEN: TOKEN })],
      "ESC_TOKEN",
    ],
    [
      "an ID token's file without an organization is ignored",
      { ESC_ENV: "a/b", ESC_OIDC_TOKEN_FILE: "/id" },
      [createLayer(".env", { ESC_TOKEN: TOKEN })],
      "ESC_TOKEN",
    ],
  ])("chooses this credential: %s", (_, environment, files, expected) => {
    expect(describeCredential(settingsFrom(environment, files).credential)).toBe(expected);
  });

  test("GitHub Actions' variables are ignored in a file", () => {
    const { access: result } = accessFrom({ ESC_ENV: "a/b", ESC_OIDC_ORG: "acme" }, [createLayer(".env", actions)]);
    expect(result.kind).toBe("incomplete");
  });

  test("the exchange has the terms of the variables", () => {
    const variables = { ESC_ENV: "a/b", ESC_OIDC_TOKEN_FILE: "/id", ESC_OIDC_ORG: "acme" };
    expect(settingsFrom(variables).credential).toMatchObject({
      exchange: { organization: "acme", type: "organization" },
    });
    expect(
      settingsFrom({ ...variables, ESC_OIDC_TYPE: "team", ESC_OIDC_SCOPE: "team:ops", ESC_OIDC_EXPIRATION: "600" })
        .credential,
    ).toMatchObject({ exchange: { organization: "acme", type: "team", scope: "team:ops", expiration: 600 } });
  });
});

describe("settings of ESC in files", () => {
  test("may contain both the name and the token; the environment wins", () => {
    const files = [
      createLayer(".env.local", { ESC_ENV: "l/dev" }),
      createLayer(".env", { ESC_ENV: "f/dev", ESC_TOKEN: "from-file" }),
    ];
    const fromFiles = settingsFrom({}, files);
    expect(fromFiles.environments.map(({ text }) => text)).toEqual(["l/dev"]);
    const mixed = settingsFrom({ ESC_ENV: "e/dev", ESC_TOKEN: "" }, files);
    expect(mixed.environments.map(({ text }) => text)).toEqual(["e/dev"]);
    expect(mixed.credential.kind === "token" && mixed.credential.token.reveal()).toBe("from-file");
  });

  const evil = "https://evil.example";

  test("do not decide where a token of the environment goes", () => {
    const { access: result, notices } = accessFrom({ ESC_ENV: "a/b", ESC_TOKEN: TOKEN }, [
      createLayer("dir/.env", {
        PULUMI_BACKEND_URL: evil,
        HTTPS_PROXY: evil,
        https_proxy: evil,
        SSL_CERT_FILE: "evil.pem",
      }),
    ]);
    expect(notices).toEqual([{ kind: "setting-ignored", name: "PULUMI_BACKEND_URL", file: "dir/.env" }]);
    expect(result).toMatchObject({
      kind: "on",
      settings: { backend: "https://api.pulumi.com", network: { httpsProxy: undefined, certificateFile: undefined } },
    });
  });

  test.each<[string, Set, readonly Layer[]]>([
    [
      "another file's",
      {},
      [createLayer("a.env", { PULUMI_BACKEND_URL: evil }), createLayer("b.env", { ESC_TOKEN: TOKEN })],
    ],
    [
      "a lower file's",
      {},
      [createLayer("b.env", { ESC_TOKEN: TOKEN }), createLayer("a.env", { PULUMI_BACKEND_URL: evil })],
    ],
    // The token file may belong to another user than the file that names it.
    ["a token file's", {}, [createLayer("a.env", { PULUMI_BACKEND_URL: evil, ESC_TOKEN_FILE: "/home/u/.token" })]],
    [
      "an environment's token file's",
      { ESC_TOKEN_FILE: "/run/t" },
      [createLayer("a.env", { PULUMI_BACKEND_URL: evil })],
    ],
    [
      "an ID token's",
      { ESC_OIDC_ORG: "acme", ESC_OIDC_TOKEN_FILE: "/id" },
      [createLayer("a.env", { PULUMI_BACKEND_URL: evil })],
    ],
    [
      "GitHub Actions'",
      { ESC_OIDC_ORG: "acme", ACTIONS_ID_TOKEN_REQUEST_URL: "u", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "t" },
      [createLayer("a.env", { PULUMI_BACKEND_URL: evil })],
    ],
    // The environment's own token wins over the file's and is the one that would travel.
    [
      "the environment's, with one in the file",
      { ESC_TOKEN: "e" },
      [createLayer("a.env", { PULUMI_BACKEND_URL: evil, ESC_TOKEN: "f" })],
    ],
  ])("do not decide where this token goes: %s", (_, environment, files) => {
    const { access: result, notices } = accessFrom({ ESC_ENV: "a/b", ...environment }, files);
    expect(notices).toEqual([{ kind: "setting-ignored", name: "PULUMI_BACKEND_URL", file: "a.env" }]);
    expect(result).toMatchObject({ kind: "on", settings: { backend: "https://api.pulumi.com" } });
  });

  test("decide where their own token goes", () => {
    const own = { ESC_ENV: "a/b", ESC_TOKEN: "f", PULUMI_BACKEND_URL: "https://own.example/x", HTTPS_PROXY: "p:1" };
    const { access: result, notices } = accessFrom({}, [
      createLayer("b.env", { PULUMI_BACKEND_URL: evil }),
      createLayer("a.env", own),
    ]);
    expect(notices).toEqual([{ kind: "setting-ignored", name: "PULUMI_BACKEND_URL", file: "b.env" }]);
    expect(result).toMatchObject({ settings: { backend: "https://own.example/x", network: { httpsProxy: "p:1" } } });
  });

  test("may name the organization; the environment's backend wins over theirs", () => {
    const result = accessFrom({ ESC_ENV: "a/b", ESC_TOKEN: TOKEN, PULUMI_BACKEND_URL: "https://mine.example" }, [
      createLayer("a.env", { ESC_ORG: "acme", PULUMI_BACKEND_URL: evil }),
    ]);
    expect(result.notices).toEqual([]);
    expect(result.access).toMatchObject({
      kind: "proposed",
      proposal: { environments: ["acme/a/b"], choices: [{ name: "ESC_ORG", file: "a.env" }] },
    });
    expect(result.access).toMatchObject({ settings: { backend: "https://mine.example", organization: "acme" } });
  });
});

describe("the environment that the caller's token opens", () => {
  const named = { names: ["acme/b/c"], file: "/r/sophia.contract.json", isFound: true };
  const byFile = { environments: ["acme/b/c"], choices: [{ name: "ESC_ENV", file: ".env" }] };
  const byContract = { environments: ["acme/b/c"], choices: [{ name: '"environment"', file: named.file }] };

  test.each<[string, Set, Set, typeof named | undefined, object | undefined]>([
    ["a file's, with the caller's token", { ESC_TOKEN: TOKEN }, { ESC_ENV: "acme/b/c" }, undefined, byFile],
    ["a file's, with the caller's token file", { ESC_TOKEN_FILE: "/t" }, { ESC_ENV: "acme/b/c" }, undefined, byFile],
    ["a file's, with a token file that it names", {}, { ESC_ENV: "acme/b/c", ESC_TOKEN_FILE: "/t" }, undefined, byFile],
    ["a file's, with the file's token", {}, { ESC_ENV: "acme/b/c", ESC_TOKEN: TOKEN }, undefined, undefined],
    ["the caller's, with a file's token", { ESC_ENV: "acme/b/c" }, { ESC_TOKEN: TOKEN }, undefined, undefined],
    [
      "the caller's",
      { ESC_ENV: "acme/b/c", ESC_TOKEN: TOKEN },
      { ESC_ENV: "x/y/z", ESC_ORG: "evil" },
      named,
      undefined,
    ],
    [
      "the caller's organization",
      { ESC_ENV: "acme/b/c", ESC_ORG: "acme", ESC_TOKEN: TOKEN },
      { ESC_ORG: "evil" },
      named,
      undefined,
    ],
    ["the contract's, with the caller's token", { ESC_TOKEN: TOKEN }, {}, named, byContract],
    ["the contract's, with a file's token", {}, { ESC_TOKEN: TOKEN }, named, byContract],
    ["a contract's that the caller has named", { ESC_TOKEN: TOKEN }, {}, { ...named, isFound: false }, undefined],
  ])(
    "is opened at once, or only with consent if a file of the repository chose it: %s",
    (_, environment, file, contract, proposal) => {
      const options = { ...OPTIONS, ...(contract === undefined ? {} : { contract }) };
      const { access: found, notices } = accessFrom(environment, [createLayer(".env", file)], options);
      expect(notices).toEqual([]);
      expect(found.kind).toBe(proposal === undefined ? "on" : "proposed");
      if (proposal !== undefined) expect(found).toMatchObject({ proposal });
      expect(found).toMatchObject({ settings: { environments: [{ text: "acme/b/c" }] } });
    },
  );

  test("has all names that a short one may mean", () => {
    const meanings = (text: string, more: Set = {}) => {
      const found = accessFrom({ ESC_TOKEN: TOKEN, ...more }, [createLayer(".env", { ESC_ENV: text })]).access;
      return found.kind === "proposed" ? found.proposal.environments : found.kind;
    };
    expect(meanings("sophia/dev")).toEqual(["sophia/dev", "sophia/default/dev"]);
    expect(meanings("sophia/dev@3", { ESC_ORG: "acme" })).toEqual(["acme/sophia/dev@3", "sophia/default/dev@3"]);
    expect(meanings("dev", { ESC_ORG: "acme" })).toEqual(["acme/default/dev"]);
    expect(meanings("dev")).toEqual(["dev"]);
    expect(meanings("acme/a/b,acme/a/c@stable")).toEqual(["acme/a/b", "acme/a/c@stable"]);
  });

  test("is not missed without a token, if only the contract names it", () => {
    const options = { ...OPTIONS, contract: named };
    const { access: found } = findAccessSettings(new Map(), [], options);
    expect(found).toMatchObject({ kind: "incomplete", missing: "ESC_TOKEN", names: "acme/b/c", isByContract: true });
    expect(accessFrom({ ESC_ENV: "acme/b/c" }, [], options).access).not.toHaveProperty("isByContract");
  });
});

describe("the organization of an ID token", () => {
  const actions = { ACTIONS_ID_TOKEN_REQUEST_URL: "https://x.example/t", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "rq" };
  const ignored = [{ kind: "setting-ignored", name: "ESC_OIDC_ORG", file: ".env" }];

  test.each<[string, Set]>([
    ["a job's", actions],
    ["the one in the caller's file", { ESC_OIDC_TOKEN_FILE: "/id" }],
  ])("is not set by a file: %s", (_, environment) => {
    const { access: result, notices } = accessFrom({ ESC_ENV: "acme/b/c", ...environment }, [
      createLayer(".env", { ESC_OIDC_ORG: "evil", ESC_OIDC_TYPE: "personal", ESC_OIDC_SCOPE: "user:evil" }),
    ]);
    expect(result.kind).toBe("incomplete");
    expect(notices).toEqual(ignored);
  });

  test("and the other terms are not set by a file", () => {
    const { credential } = settingsFrom({ ESC_ENV: "acme/b/c", ESC_OIDC_ORG: "acme", ...actions }, [
      createLayer(".env", { ESC_OIDC_TYPE: "personal", ESC_OIDC_SCOPE: "user:evil", ESC_OIDC_EXPIRATION: "99999999" }),
    ]);
    expect(credential).toMatchObject({ exchange: { organization: "acme", type: "organization" } });
    expect(credential).not.toHaveProperty("exchange.scope");
    expect(credential).not.toHaveProperty("exchange.expiration");
  });

  test("is set by the file that names the ID token", () => {
    const own = { ESC_OIDC_TOKEN_FILE: "/id", ESC_OIDC_ORG: "acme", ESC_OIDC_EXPIRATION: "60" };
    const { credential } = settingsFrom({ ESC_ENV: "acme/b/c" }, [
      createLayer("b.env", { ESC_OIDC_ORG: "evil", ESC_OIDC_EXPIRATION: "99" }),
      createLayer("a.env", own),
    ]);
    expect(credential).toMatchObject({ kind: "oidc-file", exchange: { organization: "acme", expiration: 60 } });
  });
});

describe("a variable that an outer sophia-run read from a file", () => {
  const caller = { ESC_ENV: "acme/b/c", ESC_TOKEN: TOKEN };
  const network = { HTTPS_PROXY: "http://evil.example", SSL_CERT_FILE: "evil.pem", NODE_EXTRA_CA_CERTS: "evil.pem" };

  test("is treated like one of a file", () => {
    const marked = { ...caller, ...network, PULUMI_BACKEND_URL: "https://evil.example" };
    const { access: result, notices } = accessFrom({
      ...marked,
      SOPHIA_FROM_FILES: Object.keys(marked).slice(2).join(","),
    });
    expect(notices).toEqual([
      { kind: "setting-ignored", name: "PULUMI_BACKEND_URL", file: "a file that an outer sophia-run read" },
    ]);
    expect(result).toMatchObject({
      settings: {
        backend: "https://api.pulumi.com",
        network: {
          httpsProxy: undefined,
          certificateFile: undefined,
          extraCertificateFile: undefined,
          isRuntimeTrusted: false,
        },
      },
    });
  });

  test("does not hide the caller's variable of another name", () => {
    const { network: result } = settingsFrom({
      ...caller,
      https_proxy: "http://evil.example",
      HTTPS_PROXY: "http://mine.example",
      SOPHIA_FROM_FILES: "https_proxy",
    });
    expect(result).toMatchObject({ httpsProxy: "http://mine.example", isRuntimeTrusted: true });
  });

  test("does not trust its backend with its token: they may be from different files", () => {
    const { access: result } = accessFrom({
      ...caller,
      PULUMI_BACKEND_URL: "https://evil.example",
      SOPHIA_FROM_FILES: "ESC_TOKEN,PULUMI_BACKEND_URL",
    });
    expect(result).toMatchObject({ settings: { backend: "https://api.pulumi.com" } });
  });
});

function backend(url: string, options = OPTIONS): string {
  return settingsFrom({ ESC_ENV: "a/b", ESC_TOKEN: TOKEN, PULUMI_BACKEND_URL: url }, [], options).backend;
}

describe("the address of ESC's backend", () => {
  test.each([
    ["https://api.example", "https://api.example"],
    ["https://api.example:8443/pulumi//", "https://api.example:8443/pulumi"],
    ["https://API.example:443/", "https://api.example"],
    [" https://api.example ", "https://api.example"],
    ["http://localhost:8080", "http://localhost:8080"],
    ["http://127.8.9.1:1/p", "http://127.8.9.1:1/p"],
    ["http://0x7f.1", "http://127.0.0.1"],
    ["http://[::1]:9", "http://[::1]:9"],
    ["http://[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]"],
  ])("is normalized: %s", (url, expected) => {
    expect(backend(url)).toBe(expected);
  });

  test.each([
    "not a url",
    "api.example",
    "https://",
    "api.example:8080/x",
    "s3://bucket",
    "file://~",
    "https://u:p@api.example",
    "https://api.example?x=1",
    "http://api.example",
    "http://localhost.evil.example",
    "http://127.evil.example",
    "http://[::ffff:10.0.0.1]",
  ])("is refused: %s", (url) => {
    const error = catchRefusal({ ESC_ENV: "a/b", ESC_TOKEN: TOKEN, PULUMI_BACKEND_URL: url });
    expect(error.hint).not.toBeUndefined();
    expectRefusal(error);
  });

  test("may be plain http if that is allowed", () => {
    expect(backend("http://api.example", { ...OPTIONS, insecureHttp: true })).toBe("http://api.example");
  });

  test("of a file is named with it", () => {
    const file = createLayer("x/.env", { ESC_ENV: "a/b", ESC_TOKEN: TOKEN, PULUMI_BACKEND_URL: "nonsense" });
    expect(catchRefusal({}, [file]).message).toContain("PULUMI_BACKEND_URL in x/.env");
  });
});

describe("malformed settings", () => {
  test.each<[string, Set]>([
    ["a line break in the token", { ESC_TOKEN: "pul-a\nb" }],
    ["a carriage return in the token", { ESC_TOKEN: "pul-a\rb" }],
    ["a space in the token", { ESC_TOKEN: "token pul-a" }],
    ["a control character in the token", { ESC_TOKEN: "pul-a\u0001b" }],
    ["a letter that headers do not allow", { ESC_TOKEN: "pul-ä" }],
    ["a bad organization", { ESC_ORG: "a/b" }],
    ["a bad default organization", { PULUMI_DEFAULT_ORGANIZATION: "-x-" }],
    ["a bad trusting organization", { ESC_TOKEN: "", ESC_OIDC_TOKEN_FILE: "/t", ESC_OIDC_ORG: "a b" }],
    ["an unknown type", { ESC_TOKEN: "", ESC_OIDC_TOKEN_FILE: "/t", ESC_OIDC_ORG: "acme", ESC_OIDC_TYPE: "x" }],
    [
      "a type that needs a scope",
      { ESC_TOKEN: "", ESC_OIDC_TOKEN_FILE: "/t", ESC_OIDC_ORG: "acme", ESC_OIDC_TYPE: "team" },
    ],
    ["a bad life", { ESC_TOKEN: "", ESC_OIDC_TOKEN_FILE: "/t", ESC_OIDC_ORG: "acme", ESC_OIDC_EXPIRATION: "1h" }],
  ])("are refused, and the token is not shown: %s", (_, variables) => {
    const error = catchRefusal({ ESC_ENV: "a/b", ESC_TOKEN: TOKEN, ...variables });
    expectRefusal(error);
    expect(inspect(error, { depth: null })).not.toContain("pul-");
  });

  test.each<[string, Set]>([
    ["ESC_ENV", { ESC_ENV: `"a/b"` }],
    ["ESC_TOKEN", { ESC_TOKEN: `'${TOKEN}'` }],
    ["ESC_TOKEN_FILE", { ESC_TOKEN: "", ESC_TOKEN_FILE: `"/run/secrets/esc"` }],
    ["ESC_ORG", { ESC_ORG: `"acme"` }],
    ["PULUMI_DEFAULT_ORGANIZATION", { PULUMI_DEFAULT_ORGANIZATION: "'acme'" }],
    ["PULUMI_BACKEND_URL", { PULUMI_BACKEND_URL: `"https://esc.example"` }],
    ["ESC_OIDC_ORG", { ESC_TOKEN: "", ESC_OIDC_TOKEN_FILE: "/t", ESC_OIDC_ORG: `"acme"` }],
    ["ESC_OIDC_TYPE", { ESC_TOKEN: "", ESC_OIDC_TOKEN_FILE: "/t", ESC_OIDC_ORG: "acme", ESC_OIDC_TYPE: "'team'" }],
  ])("are explained if docker run --env-file has kept the quotes around %s", (name, variables) => {
    const error = catchRefusal({ ESC_ENV: "a/b", ESC_TOKEN: TOKEN, ...variables });
    expect(error).toMatchObject({ status: 125, code: "esc-settings" });
    expect(error.message).toBe(`${name} begins and ends with a quote`);
    expect(error.hint).toContain("without quotes: docker run --env-file ");
  });

  test("do not include white space around a token, which is ignored", () => {
    const { credential } = settingsFrom({ ESC_ENV: "a/b", ESC_TOKEN: ` ${TOKEN}\r\n` });
    expect(credential.kind === "token" && credential.token.reveal()).toBe(TOKEN);
  });
});

test("settings show no token", () => {
  const environment = {
    ESC_ENV: "a/b",
    ESC_TOKEN: TOKEN,
    ESC_OIDC_ORG: "acme",
    ACTIONS_ID_TOKEN_REQUEST_URL: "https://x.example/t",
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request-token",
  };
  for (const variables of [environment, { ...environment, ESC_TOKEN: "" }]) {
    const result = settingsFrom(variables);
    const shown = [
      inspect(result, { depth: null, showHidden: true }),
      JSON.stringify(result),
      result.credential.kind === "token" ? String(result.credential.token) : "",
    ];
    expect(shown.join("\n")).not.toMatch(/pul-|request-token/);
  }
});

test("the network of other hosts than ESC is that of the process environment, in lower case before capitals", () => {
  const variables = {
    https_proxy: "http://a.test",
    HTTPS_PROXY: "http://b.test",
    HTTP_PROXY: "http://c.test",
    no_proxy: "d.test",
    NODE_EXTRA_CA_CERTS: "e.pem",
  };
  expect(readCallerNetwork(new Map(Object.entries(variables)))).toMatchObject({
    httpsProxy: "http://a.test",
    httpProxy: "http://c.test",
    noProxy: "d.test",
    extraCertificateFile: "e.pem",
  });
});
