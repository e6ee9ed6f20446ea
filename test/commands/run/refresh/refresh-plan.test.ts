import { describe, expect, test } from "vitest";
import { parseTokenEnd } from "../../../../src/commands/run/refresh/azure-credentials.ts";
import { createAzureVariables } from "../../../../src/commands/run/refresh/azure-variables.ts";
import { CLOUDS, type ReadStart } from "../../../../src/commands/run/refresh/cloud-credentials.ts";
import { compareFiles } from "../../../../src/commands/run/refresh/renewed-files.ts";
import { describeEmptyPlan, planRefresh } from "../../../../src/commands/run/refresh/refresh-plan.ts";
import { createRefreshScope } from "../../../../src/commands/run/refresh/refresh-scope.ts";
import type { Origin, ResolvedVariable } from "../../../../src/core/model.ts";
import type { Start } from "../../../../src/resolve/start.ts";

const AT = Date.UTC(2026, 11, 2, 7);
const HOUR = 3_600_000;
const ESC: Origin = { source: "esc", environment: "acme/app/dev" };
const CALLER: Origin = { source: "environment" };
const WHOLE = { option: "--refresh", clouds: CLOUDS, hasFiles: true } as const;
const AWS = { option: "--aws-refresh", clouds: ["aws"], hasFiles: false } as const;

type Given = Readonly<Record<string, string | Partial<ResolvedVariable>>>;

/** A start in which ESC gives these variables; a record changes the origin, the delivery and so on. */
function startWith(
  startVariables: Given,
  settings: Partial<Start["settings"]> = {},
  env: Readonly<Record<string, string>> = {},
) {
  const selected = new Map(
    Object.entries(startVariables).map(([name, value]) => {
      const base: ResolvedVariable = { name, value: "value", secret: true, origin: ESC, delivery: "value" };
      return [name, typeof value === "string" ? { ...base, value } : { ...base, ...value }];
    }),
  );
  const environments = [{ name: "acme/app/dev" }];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the plan reads no more of a start
  return {
    store: { esc: { kind: "read", environments } },
    values: { selected },
    settings: { offline: false, sessionMs: undefined, ...settings },
    environment: new Map(Object.entries(env)),
  } as unknown as ReadStart;
}

function createJwt(claims: unknown): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
}

const KEYS = { AWS_ACCESS_KEY_ID: "ASIA", AWS_SECRET_ACCESS_KEY: "s", AWS_SESSION_TOKEN: "t" };

describe("the clouds that are renewed", () => {
  const none = { refresh: undefined, awsRefresh: undefined };
  test.each([
    ["nothing", none, {}, undefined],
    ["--refresh", { ...none, refresh: true }, {}, WHOLE],
    ["the contract", none, { refresh: true }, WHOLE],
    ["--refresh over the contract", { ...none, refresh: false }, { refresh: true }, undefined],
    ["--aws-refresh", { ...none, awsRefresh: true }, {}, AWS],
    ["the contract for AWS", none, { awsRefresh: true }, AWS],
    ["both", { refresh: true, awsRefresh: true }, {}, WHOLE],
    ["--refresh without AWS", { refresh: true, awsRefresh: false }, {}, { ...WHOLE, clouds: ["google", "azure"] }],
    ["not --refresh, but AWS", { refresh: false, awsRefresh: undefined }, { awsRefresh: true, refresh: true }, AWS],
  ])("depend on the options and the contract: %s", (_, settings, contract, scope) => {
    expect(createRefreshScope(settings, contract)).toEqual(scope);
  });
});

describe("a plan of renewals", () => {
  test.each<readonly [string, Given, readonly object[]]>([
    ["AWS, for the session", KEYS, [{ cloud: "aws", expiresAt: AT + HOUR, expirySource: "session" }]],
    [
      "AWS, until a stated time",
      { ...KEYS, AWS_CREDENTIAL_EXPIRATION: "2026-12-02T07:15:00Z" },
      [{ cloud: "aws", expiresAt: AT + HOUR / 4, expirySource: "AWS_CREDENTIAL_EXPIRATION" }],
    ],
    [
      "Google Cloud, until a stated time",
      { GOOGLE_OAUTH_ACCESS_TOKEN: "ya29", GOOGLE_OAUTH_ACCESS_TOKEN_EXPIRY: "2026-12-02T09:30:00.5+02:00" },
      [
        {
          cloud: "google",
          token: "ya29",
          expiresAt: AT + HOUR / 2 + 500,
          expirySource: "GOOGLE_OAUTH_ACCESS_TOKEN_EXPIRY",
        },
      ],
    ],
    [
      "Google Cloud, for an hour, if the time has no zone",
      { CLOUDSDK_AUTH_ACCESS_TOKEN: "ya29", GOOGLE_OAUTH_ACCESS_TOKEN_EXPIRY: "2026-12-02T09:30:00" },
      [{ cloud: "google", token: "ya29", expiresAt: AT + HOUR, expirySource: "default" }],
    ],
    [
      "Azure, until the time in the token",
      { AZURE_FEDERATED_TOKEN: createJwt({ exp: AT / 1000 + 60 }) },
      [{ cloud: "azure", expiresAt: AT + 60_000, expirySource: "token" }],
    ],
    ["no JWT", { ARM_OIDC_TOKEN: "opaque" }, []],
    ["keys that do not expire", { AWS_ACCESS_KEY_ID: "AKIA", AWS_SECRET_ACCESS_KEY: "s" }, []],
    ["an empty token", { GOOGLE_OAUTH_ACCESS_TOKEN: "" }, []],
    ["a token as a file", { GOOGLE_OAUTH_ACCESS_TOKEN: { delivery: "file" } }, []],
  ])("finds credentials and their ends: %s", (_, startVariables, credentials) => {
    const plan = planRefresh(WHOLE, startWith(startVariables), AT);
    expect(plan.credentials).toMatchObject(credentials);
    expect(plan.credentials).toHaveLength(credentials.length);
    expect(plan.refusals).toEqual([]);
  });

  test("gives files of ESC the end of the session", () => {
    const startVariables: Given = { TLS: { delivery: "file" }, OWN: { delivery: "file", origin: CALLER } };
    const plan = planRefresh(WHOLE, startWith(startVariables, { sessionMs: 2 * HOUR }), AT);
    expect(plan.files.map(({ name }) => name)).toEqual(["TLS"]);
    expect(plan.session).toEqual({ openedAt: AT, expiresAt: AT + 2 * HOUR });
    expect(planRefresh(AWS, startWith(startVariables), AT).files).toEqual([]);
  });

  test("has a reason if there is nothing to renew", () => {
    const start = startWith({});
    expect(describeEmptyPlan(planRefresh(WHOLE, start, AT), start)).toContain(
      "neither credentials that expire nor files",
    );
    expect(describeEmptyPlan(planRefresh(AWS, start, AT), start)).toContain("ESC does not set AWS_ACCESS_KEY_ID");
  });
});

describe("the plan refuses to renew the caller's credentials", () => {
  const GOOGLE = { GOOGLE_OAUTH_ACCESS_TOKEN: "ya29" };
  const callerValue = { value: "/own", origin: CALLER };
  test.each<readonly [string, Given, string | undefined]>([
    [
      "a file beside a token of ESC",
      { ...GOOGLE, GOOGLE_APPLICATION_CREDENTIALS: callerValue },
      "GOOGLE_APPLICATION_CREDENTIALS",
    ],
    [
      "a file for gcloud",
      { ...GOOGLE, CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: callerValue },
      "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
    ],
    [
      "a token that wins over ESC's",
      { GOOGLE_OAUTH_ACCESS_TOKEN: { origin: CALLER, shadowed: [{ origin: ESC, same: false }] } },
      "GOOGLE_OAUTH_ACCESS_TOKEN",
    ],
    ["a file, and ESC has no token", { GOOGLE_APPLICATION_CREDENTIALS: callerValue, ...KEYS }, undefined],
    ["an empty variable", { ...GOOGLE, GOOGLE_APPLICATION_CREDENTIALS: { value: "", origin: CALLER } }, undefined],
    ["static keys of AWS beside a token of Google Cloud", { ...GOOGLE, AWS_ACCESS_KEY_ID: callerValue }, undefined],
    [
      "a key of AWS beside a session of ESC",
      { ...KEYS, AWS_ACCESS_KEY_ID: callerValue },
      "AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY",
    ],
    [
      "a file for Azure",
      { ARM_OIDC_TOKEN: createJwt({ exp: 1 }), ARM_OIDC_TOKEN_FILE_PATH: callerValue },
      "ARM_OIDC_TOKEN_FILE_PATH",
    ],
  ])("and names the variables to exclude: %s", (_, startVariables, excluded) => {
    const [refusal] = planRefresh(WHOLE, startWith(startVariables), AT).refusals;
    if (excluded === undefined) expect(refusal).toBeUndefined();
    else expect(refusal?.error.hint).toContain(`--exclude ${excluded}`);
  });

  test("but not variables of an outer sophia-run", () => {
    const startVariables: Given = { ...GOOGLE, GOOGLE_APPLICATION_CREDENTIALS: callerValue };
    const env = { SOPHIA_REFRESHED: "GOOGLE_OAUTH_ACCESS_TOKEN,GOOGLE_APPLICATION_CREDENTIALS" };
    expect(planRefresh(WHOLE, startWith(startVariables, {}, env), AT).refusals).toEqual([]);
  });

  test("but keeps the name of what ESC itself sets, and withholds what SDKs would use first", () => {
    const startVariables: Given = {
      ...GOOGLE,
      GOOGLE_APPLICATION_CREDENTIALS: { delivery: "file" },
      ARM_OIDC_TOKEN: createJwt({ exp: AT / 1000 + 60 }),
      AZURE_CLIENT_SECRET: "static",
      AZURE_USERNAME: callerValue,
    };
    const plan = planRefresh(WHOLE, startWith(startVariables), AT);
    expect(plan.namesSetByEsc).toEqual(["GOOGLE_APPLICATION_CREDENTIALS"]);
    expect(plan.withheldNames).toEqual(["AZURE_CLIENT_SECRET"]);
    expect(plan.warnings.flat().filter((line) => line.includes("AZURE_"))).toEqual([
      expect.stringContaining("AZURE_USERNAME of the process environment"),
      expect.stringContaining("--exclude AZURE_USERNAME"),
    ]);
  });
});

test.each([
  ["a JWT", createJwt({ exp: 1_700_000_000 }), 1_700_000_000_000],
  ["one with a fraction", createJwt({ exp: 1.5 }), 1500],
  ["one without an end", createJwt({ iat: 1 }), undefined],
  ["one with a text for its end", createJwt({ exp: "tomorrow" }), undefined],
  ["one whose end is no date", createJwt({ exp: 1e300 }), undefined],
  ["claims that are no object", createJwt(null), undefined],
  ["claims that are no JSON", "a.b.c", undefined],
  ["two parts", "e30.e30", undefined],
  ["four parts", `${createJwt({ exp: 1 })}.x`, undefined],
  ["nothing", "", undefined],
])("the end of a token is parsed: %s", (_, token, end) => {
  expect(parseTokenEnd(token)).toBe(end);
});

test("the identity for Azure is taken from ARM_… unless it is set", () => {
  const variables = createAzureVariables(
    new Map(Object.entries({ ARM_CLIENT_ID: "c", ARM_TENANT_ID: "t", AZURE_TENANT_ID: "o" })),
    "/f",
  );
  expect(variables).toMatchObject({
    AZURE_CLIENT_ID: "c",
    AZURE_FEDERATED_TOKEN_FILE: "/f",
    ARM_OIDC_TOKEN: undefined,
  });
  expect(variables).not.toHaveProperty("AZURE_TENANT_ID");
});

test("a renewal of files finds new contents, missing ones, and those that break the contract", () => {
  const present = new Map(Object.entries({ SAME: "a", NEW: "a", GONE: "a", BAD: "a", PATH_OF: "a" }));
  const startVariables = Object.entries({ SAME: "a", NEW: "b", BAD: "b", PATH_OF: "b", FURTHER: "c" }).map(
    ([name, value]): ResolvedVariable => ({ name, value, secret: true, origin: ESC, delivery: "file" }),
  );
  const format = { kind: "json" } as const;
  const variables = new Map(
    Object.entries({ BAD: { as: "file", format }, PATH_OF: { format } }).map(([name, rest]) => [
      name,
      { name, ...rest },
    ]),
  );
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else of a contract is read
  const contract = { variables, aliases: new Map() } as unknown as Start["files"]["contract"];
  const changes = compareFiles(present, startVariables, contract, () => ({ kind: "not-json" }));
  expect(Object.fromEntries(changes.contents)).toEqual({ NEW: "b", PATH_OF: "b" });
  expect(changes.missing).toEqual(["GONE"]);
  expect(Object.fromEntries(changes.refused)).toEqual({ BAD: "must be JSON" });
});
