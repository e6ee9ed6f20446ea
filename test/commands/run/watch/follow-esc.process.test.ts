import { describe, expect, onTestFinished, test } from "vitest";
import { followEsc } from "../../../../src/commands/run/watch/follow-esc.ts";
import type { Lines, NewValues } from "../../../../src/commands/run/watch/rounds.ts";
import { createDigest, type Digests } from "../../../../src/commands/run/watch/digests.ts";
import { readEsc } from "../../../../src/sources/esc-layers.ts";
import { findAccessSettings, type EscSettings } from "../../../../src/esc/settings/access-settings.ts";
import { detectChanges } from "../../../../src/esc/api/detect-changes.ts";
import { SILENT } from "../../../../src/esc/transport/connection.ts";
import { type EscServer, secret, startEscServer } from "../../../esc-server/index.ts";
import { expectWording } from "../../../helpers/wording.ts";
import { requireEscSettings } from "../../../esc/esc-settings.ts";

const MINUTE = 60_000;
const ENV = "acme/app/dev";

/** Follows a real server by a clock that the test moves. `KEY` is brokered if the test says so. */
async function followServer(access: "open" | "read", sessionMs = 24 * 60 * MINUTE, isBrokered = false) {
  const server = await startEscServer();
  const { login = "demo-user" } = server.user;
  const token = server.addToken({ owner: { kind: "personal", login }, access });
  const settings = settingsFor(server, token.value);
  server.provider("aws", secret("key-0"));
  const environment = (value: string): void =>
    void server.environment(ENV, {
      definition: `values:\n  environmentVariables:\n    KEY: {fn::secret: "${value}"}\n    AWS: {"fn::open::aws": {}}\n`,
    });
  environment("one");
  const digest = createDigest();
  const read = async (): Promise<Digests> => {
    server.provider("aws", secret(`key-${server.sessions + 1}`));
    const reading = await readEsc(settings, SILENT);
    if (reading.kind !== "read") throw new Error(reading.failure.message);
    const variables = reading.layers.flatMap((layer) => layer.variables);
    const values = new Map(variables.map(({ name, value }) => [name, value]));
    if (!isBrokered) return digest({ environment: values, files: [] });
    const brokered = new Map([["KEY", values.get("KEY") ?? ""]]);
    return digest({ environment: new Map([["KEY", "dummy"]]), files: [], brokered });
  };
  const events: string[] = [];
  const messages: Lines[] = [];
  const end = new AbortController();
  let now = 0;
  let go: (() => void) | undefined;
  let waits: ((ms: number) => void) | undefined;
  const reopen = async (): Promise<NewValues<Digests>> => {
    events.push("open");
    const digests = await read();
    return { kind: "ready", digests, renewal: digests };
  };
  const follower = followEsc<Digests>(
    {
      digests: await read(),
      pollingIntervalMs: 1000,
      sessionMs,
      look: (before) => {
        events.push("look");
        return detectChanges(settings, before, SILENT);
      },
      reopen,
      restart: async (_, names) => void events.push(`restart ${names.join()}`),
      swap: (_, names) => void events.push(`swap ${names.join()}`),
      report: (level, lines) => void (level === "detail" || messages.push(lines)),
      clock: {
        now: () => now,
        random: () => 0,
        wait: (ms, signal) =>
          new Promise((over) => {
            go = () => {
              now += ms;
              over();
            };
            signal.addEventListener("abort", () => over());
            waits?.(ms);
          }),
      },
    },
    end.signal,
  );
  /** Lets time pass until the next pause begins. @returns the events until then, and the length of that pause */
  const next = async (): Promise<{ readonly events: string; readonly pause: number }> => {
    events.length = 0;
    const pause = await new Promise<number>((paused) => {
      waits = paused;
      go?.();
    });
    return { events: events.join(" "), pause };
  };
  onTestFinished(async () => {
    end.abort();
    go?.();
    await follower.stopped;
    await server.close();
  });
  const { lookNow } = follower;
  return { server, environment, next, messages, events, lookNow, end, pass: (ms: number) => (now += ms) };
}

function settingsFor(server: EscServer, token: string): EscSettings {
  const variables = new Map([
    ["PULUMI_BACKEND_URL", server.url],
    ["ESC_TOKEN", token],
    ["ESC_ENV", ENV],
  ]);
  const { access } = findAccessSettings(variables, [], { timeoutMs: 5000, insecureHttp: false });
  return requireEscSettings(access);
}

describe("--watch with a token that may see revisions", () => {
  test("opens ESC after the first look, then sends a single cheap request", async () => {
    const { server, next } = await followServer("read");
    // Values of providers differ on every open: no reason for a restart.
    expect(await next()).toEqual({ events: "look open open", pause: 1000 });
    server.reset();
    expect(await next()).toEqual({ events: "look", pause: 1000 });
    expect(server.calls.map(({ operation }) => operation)).toEqual(["etag"]);
    expect(server.violations).toEqual([]);
  });

  test("restarts the program once for a change, and not if the program would get the same values", async () => {
    const { environment, next } = await followServer("read");
    await next();
    environment("two");
    expect((await next()).events).toBe("look open open restart KEY");
    expect((await next()).events).toBe("look");
    environment("two");
    expect((await next()).events).toBe("look open open");
  });

  test("waits longer for each failure in a row, and as long as the service asks for", async () => {
    const { server, next, messages } = await followServer("read");
    await next();
    server.failAlways("any", 503);
    const pauses = [];
    for (let round = 0; round < 10; round += 1) pauses.push((await next()).pause);
    expect(pauses.slice(0, 4)).toEqual([2000, 4000, 8000, 16_000]);
    expect(Math.max(...pauses)).toBe(5 * MINUTE);
    expect(messages).toHaveLength(1);
    server.failAlways("any", { kind: "status", status: 429, headers: { "Retry-After": "1200" } });
    expect((await next()).pause).toBe(20 * MINUTE);
    server.heal();
    expect(await next()).toEqual({ events: "look", pause: 1000 });
    // A 503, a 429, and the end of the trouble.
    expect(messages).toHaveLength(3);
    expectWording(messages.flat().join("\n"));
  });

  test.each([403, 404])(
    "continues after a %i, with growing pauses, and reports its beginning and its end once",
    async (status) => {
      const { server, environment, next, messages } = await followServer("read");
      await next();
      server.failAlways("etag", { kind: "status", status });
      server.failAlways("definition", { kind: "status", status });
      const rounds = [];
      for (let round = 0; round < 10; round += 1) rounds.push(await next());
      expect(rounds.slice(0, 3)).toEqual([2000, 4000, 8000].map((pause) => ({ events: "look", pause })));
      expect(Math.max(...rounds.map(({ pause }) => pause))).toBe(5 * MINUTE);
      expect(messages).toHaveLength(1);
      expect(messages[0]?.join()).toContain(`${ENV} (HTTP ${status})`);
      server.heal();
      environment("two");
      expect(await next()).toEqual({ events: "look open open restart KEY", pause: 1000 });
      expect(messages).toHaveLength(2);
      expectWording(messages.flat().join("\n"));
      expect((await next()).events).toBe("look");
    },
  );

  test("opens ESC every 15 minutes until the first look, and before the session ends", async () => {
    const { server, environment, next, messages, pass } = await followServer("read", 60 * MINUTE);
    await next();
    server.failAlways("etag", { kind: "status", status: 403 });
    await next();
    environment("two");
    pass(15 * MINUTE);
    expect((await next()).events).toBe("look open open restart KEY");
    pass(48 * MINUTE);
    expect((await next()).events).toBe("look open restart AWS");
    expect(messages).toHaveLength(1);
  });
});

test("--watch repeats a refused first look", async () => {
  const { server, environment, next, pass } = await followServer("read");
  server.failAlways("any", { kind: "status", status: 404 });
  expect((await next()).events).toBe("look");
  server.heal();
  pass(15 * MINUTE);
  expect((await next()).events).toBe("look open open");
  environment("two");
  expect((await next()).events).toBe("look open open restart KEY");
});

test("--watch opens ESC every 15 minutes with a token that may only open, and sends no request in between", async () => {
  const { server, environment, next, pass } = await followServer("open");
  expect((await next()).events).toBe("look");
  server.reset();
  environment("two");
  expect((await next()).events).toBe("");
  expect(server.calls).toEqual([]);
  pass(15 * MINUTE);
  expect((await next()).events).toBe("look open open restart KEY");
  expect((await next()).events).toBe("");
  pass(15 * MINUTE);
  expect((await next()).events).toBe("look open");
});

test("--watch gives the program new values of providers before the session ends", async () => {
  const { next, pass } = await followServer("read", 60 * MINUTE);
  await next();
  pass(48 * MINUTE);
  expect((await next()).events).toBe("look open restart AWS");
  pass(47 * MINUTE);
  expect((await next()).events).toBe("look");
});

describe("--watch with a service that refuses a key", () => {
  test("begins a round at once, which swaps the key, and the pause begins again", async () => {
    const { environment, next, events, lookNow } = await followServer("read", undefined, true);
    expect((await next()).events).toBe("look open");
    environment("two");
    events.length = 0;
    await Promise.all([lookNow(), lookNow()]);
    expect(events.join(" ")).toBe("look open open swap KEY");
    events.length = 0;
    await lookNow();
    expect(events.join(" ")).toBe("look");
    expect((await next()).events).toBe("look");
  });

  test("begins another round after the current one, which may have looked too early", async () => {
    const { server, environment, next, events, lookNow } = await followServer("read", undefined, true);
    await next();
    const held = server.hold("etag");
    events.length = 0;
    const first = lookNow();
    await server.waitFor("etag", server.count("etag") + 1);
    const second = lookNow();
    held.release();
    await first;
    environment("two");
    await second;
    expect(events.join(" ")).toBe("look look open open swap KEY");
  });

  test("answers at once if nothing follows ESC any more", async () => {
    const { server, next, events, lookNow, end } = await followServer("read", undefined, true);
    await next();
    const held = server.hold("etag");
    events.length = 0;
    const looking = lookNow();
    await server.waitFor("etag", server.count("etag") + 1);
    end.abort();
    await looking;
    await lookNow();
    expect(events.join(" ")).toBe("look");
    held.release();
  });

  test("opens ESC at once with a token that may only open", async () => {
    const { environment, next, events, lookNow } = await followServer("open", undefined, true);
    expect((await next()).events).toBe("look");
    environment("two");
    events.length = 0;
    await lookNow();
    expect(events.join(" ")).toBe("open open swap KEY");
  });
});
