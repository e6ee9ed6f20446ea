import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type EscServer, startEscServer } from "../../esc-server/index.ts";
import { expectFailure } from "../expect-failure.ts";
import { closeStrictly, expectEscFailure, expectEscReading, type ProgressLog, valuesByName } from "../read-esc.ts";

let server: EscServer;
beforeEach(async () => {
  server = await startEscServer();
});
afterEach(() => closeStrictly(server));

function accessVariables(name: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { ESC_ENV: name, ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url, ...more };
}

function requestedOperations(): (string | undefined)[] {
  return server.calls.map(({ operation }) => operation);
}

describe("several environments", () => {
  test("are opened in parallel, values of later environments win, and each value names its environment", async () => {
    server.environment("demo-org/sophia/base", { values: { BASE: "b", BOTH: "base" } });
    server.environment("demo-org/sophia/dev", { values: { DEV: "d", BOTH: "dev" } });
    const held = [server.hold("open"), server.hold("open")];
    const pending = expectEscReading(accessVariables("demo-org/sophia/base,demo-org/sophia/dev@1"));
    // Neither waits for the other.
    await server.waitFor("open", 2);
    for (const one of held) one.release();
    const result = await pending;
    expect(result.environments).toEqual([
      { name: "demo-org/sophia/base" },
      { name: "demo-org/sophia/dev", version: "1" },
    ]);
    const shown = result.layers.map(({ variables }) =>
      variables.map(({ name, value, origin }) => [name, value, "environment" in origin ? origin.environment : ""]),
    );
    expect(shown).toEqual([
      [
        ["DEV", "d", "demo-org/sophia/dev"],
        ["BOTH", "dev", "demo-org/sophia/dev"],
      ],
      [
        ["BASE", "b", "demo-org/sophia/base"],
        ["BOTH", "base", "demo-org/sophia/base"],
      ],
    ]);
    expect(server.connections).toBe(2);
  });

  test("that are the same are opened once", async () => {
    server.environment("demo-org/sophia/dev", { values: { A: "x" } });
    await expectEscReading(accessVariables("demo-org/sophia/dev,demo-org/sophia/dev"));
    expect(requestedOperations()).toEqual(["open", "read"]);
  });

  test("share one look-up of the organization", async () => {
    server.environment("demo-org/sophia/base", { values: { A: "base" } });
    server.environment("demo-org/sophia/dev", { values: { A: "dev" } });
    const result = await expectEscReading(accessVariables("sophia/base,sophia/dev"));
    expect(valuesByName(result)).toEqual({ A: "dev" });
    expect(server.count("defaultOrg")).toBe(1);
    expect(server.count("open")).toBe(2);
  });

  test("share the allowed number of connections", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `demo-org/many/e${index}`);
    for (const [index, name] of names.entries())
      server.environment(name, { values: { [`V${index}`]: "x", ALL: name } });
    const result = await expectEscReading(accessVariables(names.join(",")));
    expect(result.layers).toHaveLength(20);
    expect(valuesByName(result)).toEqual({ V19: "x", ALL: "demo-org/many/e19" });
    expect(server.connections).toBeLessThanOrEqual(6);
  });

  test("are all unavailable if one of them is, and the message names it", async () => {
    server.environment("demo-org/sophia/dev", { values: { A: "x" } });
    server.failAlways("read", "hang");
    // The other one is not waited for: the deadline is later than that of this test.
    const failure = await expectEscFailure(accessVariables("demo-org/sophia/dev,demo-org/sophia/gone"), {
      timeoutMs: 600_000,
    });
    expect(failure.message).toContain("demo-org/sophia/gone");
  });
});

describe("the organization", () => {
  beforeEach(() => {
    server.environment("demo-org/sophia/dev", { values: { FROM: "demo-org" } });
    server.environment("other-org/sophia/dev", { values: { FROM: "other-org" } });
  });

  test.each<[string, Record<string, string>, string, readonly string[]]>([
    ["the name itself", { ESC_ENV: "other-org/sophia/dev", ESC_ORG: "demo-org" }, "other-org", []],
    ["ESC_ORG", { ESC_ORG: "other-org", PULUMI_DEFAULT_ORGANIZATION: "demo-org" }, "other-org", []],
    ["PULUMI_DEFAULT_ORGANIZATION", { PULUMI_DEFAULT_ORGANIZATION: "other-org" }, "other-org", []],
    [
      "the next variable, because ESC_ORG is empty",
      { ESC_ORG: "", PULUMI_DEFAULT_ORGANIZATION: "other-org" },
      "other-org",
      [],
    ],
    ["the user's default, which only the service knows", {}, "demo-org", ["defaultOrg"]],
  ])("comes from %s", async (_, more, expected, lookUps) => {
    expect(valuesByName(await expectEscReading(accessVariables("sophia/dev", more)))).toEqual({ FROM: expected });
    expect(requestedOperations()).toEqual([...lookUps, "open", "read"]);
    expect(server.connections).toBe(1);
  });

  test.each(["GitHubLogin", "gitHubLogin"] as const)(
    "is read from the answer in the spelling %s",
    async (defaultOrgField) => {
      server.user = { defaultOrg: "other-org", defaultOrgField };
      expect(valuesByName(await expectEscReading(accessVariables("sophia/dev")))).toEqual({ FROM: "other-org" });
    },
  );

  test.each([400, 404] as const)(
    "is the user's personal organization if there is no default organization (%i)",
    async (noDefaultOrg) => {
      server.user = { defaultOrg: null, noDefaultOrg, login: "other-org", organizations: ["other-org", "demo-org"] };
      expect(valuesByName(await expectEscReading(accessVariables("sophia/dev")))).toEqual({ FROM: "other-org" });
      expect(requestedOperations()).toEqual(["defaultOrg", "user", "open", "read"]);
    },
  );

  test("is the organization of the token if there is no default organization", async () => {
    server.user = { defaultOrg: null, login: "somebody" };
    const token = server.addToken({ owner: { kind: "organization", organization: "other-org" }, name: "ci" });
    expect(valuesByName(await expectEscReading(accessVariables("sophia/dev", { ESC_TOKEN: token.value })))).toEqual({
      FROM: "other-org",
    });
  });

  test("may be hidden from the token: the old form of a name still works", async () => {
    server.environment("sophia/default/dev", { values: { FROM: "old form" } });
    server.failAlways("defaultOrg", 403);
    server.failAlways("user", 403);
    expect(valuesByName(await expectEscReading(accessVariables("sophia/dev")))).toEqual({ FROM: "old form" });
  });

  test("is looked up again after a transient failure", async () => {
    server.failNext("defaultOrg", 503);
    expect(valuesByName(await expectEscReading(accessVariables("sophia/dev")))).toEqual({ FROM: "demo-org" });
  });

  test("is named in a failure if it cannot be looked up", async () => {
    server.failAlways("defaultOrg", 401);
    const failure = await expectEscFailure(accessVariables("sophia/dev"));
    expect(failure.code).toBe("esc-denied");
    expect(failure.message).toMatch(/default organization.*HTTP 401/);
  });
});

describe("a name of an environment", () => {
  test("with two parts has the old meaning only if ESC does not know the new one", async () => {
    server.environment("sophia/default/dev", { values: { FROM: "old form" } });
    expect(valuesByName(await expectEscReading(accessVariables("sophia/dev", { ESC_ORG: "demo-org" })))).toEqual({
      FROM: "old form",
    });
    expect(
      server.calls.map(({ path }) => path.replace(/^.*environments\//, "").replace(/\?.*|\/open\/.*/, "")),
    ).toEqual(["demo-org/sophia/dev/open", "sophia/default/dev/open", "sophia/default/dev"]);
    const { notices } = await expectEscReading(accessVariables("sophia/dev@1", { ESC_ORG: "demo-org" }));
    expect(notices).toEqual([
      {
        kind: "esc-old-form",
        written: "sophia/dev@1",
        opened: "sophia/default/dev@1",
        instead: "demo-org/sophia/dev",
      },
    ]);
    server.reset();
    server.environment("demo-org/sophia/dev", { values: { FROM: "denied" }, deny: 403 });
    expect((await expectEscFailure(accessVariables("sophia/dev", { ESC_ORG: "demo-org" }))).code).toBe("esc-forbidden");
    expect(requestedOperations()).toEqual(["open"]);
  });

  test("with two parts has only the new meaning with --require-esc", async () => {
    server.environment("sophia/default/dev", { values: { FROM: "old form" } });
    const failure = await expectEscFailure(accessVariables("sophia/dev", { ESC_ORG: "demo-org" }), {
      requireEsc: true,
    });
    expect(failure).toMatchObject({
      code: "esc-not-found",
      details: expect.arrayContaining([expect.stringMatching(/^sophia\/default\/dev .*--require-esc/)]),
    });
    expectFailure(failure);
    expect(requestedOperations()).toEqual(["open"]);
    server.environment("demo-org/sophia/dev", { values: { FROM: "demo-org" } });
    const result = await expectEscReading(accessVariables("sophia/dev", { ESC_ORG: "demo-org" }), { requireEsc: true });
    expect([valuesByName(result), result.notices]).toEqual([{ FROM: "demo-org" }, []]);
  });

  test("with three parts has no notice about the old form", async () => {
    server.environment("sophia/default/dev", { values: { A: "x" } });
    expect((await expectEscReading(accessVariables("sophia/default/dev"))).notices).toEqual([]);
    expect((await expectEscReading(accessVariables("dev", { ESC_ORG: "sophia" }))).notices).toEqual([]);
  });

  test.each([
    [undefined, "1h"],
    [7_200_000, "2h"],
    [5_400_000, "1h30m"],
    [90_061_000, "25h1m1s"],
    [45_000, "45s"],
  ])("is opened for %s ms", async (sessionMs, duration) => {
    server.environment("demo-org/sophia/dev", { values: { A: "x" } });
    await expectEscReading(accessVariables("demo-org/sophia/dev@1"), sessionMs === undefined ? {} : { sessionMs });
    expect(server.calls[0]?.query).toEqual({ duration });
  });

  test("with one part is in the default project", async () => {
    server.environment("demo-org/default/dev", { values: { A: "x" } });
    const result = await expectEscReading(accessVariables("dev"));
    expect(valuesByName(result)).toEqual({ A: "x" });
    expect(result.environments).toEqual([{ name: "demo-org/default/dev" }]);
  });

  test("is reported during the wait for it", async () => {
    server.environment("demo-org/sophia/dev", { values: { A: "x" } });
    const progressLog: ProgressLog = { waiting: [], retries: [] };
    await expectEscReading(accessVariables("sophia/dev"), { progressLog });
    expect(progressLog).toEqual({
      waiting: ["finding the default organization", "opening demo-org/sophia/dev", "reading demo-org/sophia/dev"],
      retries: [],
    });
  });
});
