import { describe, expect, onTestFinished, test } from "vitest";
import { follow } from "../../../../src/commands/run/watch/follow.ts";
import type { Lines, Resolved } from "../../../../src/commands/run/watch/rounds.ts";
import { printer, type Prints } from "../../../../src/commands/run/watch/prints.ts";
import { readEsc } from "../../../../src/sources/esc.ts";
import { escAccess, type EscSettings } from "../../../../src/esc/settings/access.ts";
import { detectChanges } from "../../../../src/esc/api/follow.ts";
import { SILENT } from "../../../../src/esc/transport/connection.ts";
import { type EscServer, secret, startEscServer } from "../../../esc-server/index.ts";

const MINUTE = 60_000;
const ENV = "acme/app/dev";

/** Follows a real server by a clock that the test moves: each wait is told, and is over when the test says so. */
async function followed(access: "open" | "read", sessionMs = 24 * 60 * MINUTE) {
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
  const print = printer();
  const read = async (): Promise<Prints> => {
    server.provider("aws", secret(`key-${server.sessions + 1}`));
    const reading = await readEsc(settings, SILENT);
    if (reading.kind !== "read") throw new Error(reading.failure.message);
    const variables = reading.layers.flatMap((layer) => layer.variables);
    return print({ environment: new Map(variables.map(({ name, value }) => [name, value])), files: [] });
  };
  const events: string[] = [];
  const told: Lines[] = [];
  const end = new AbortController();
  let now = 0;
  let go: (() => void) | undefined;
  let waits: ((ms: number) => void) | undefined;
  const resolve = async (): Promise<Resolved<Prints>> => {
    events.push("open");
    const prints = await read();
    return { kind: "ready", prints, renewal: prints };
  };
  const following = follow<Prints>(
    {
      prints: await read(),
      everyMs: 1000,
      sessionMs,
      look: (before) => {
        events.push("look");
        return detectChanges(settings, before, SILENT);
      },
      resolve,
      restart: async (_, names) => void events.push(`restart ${names.join()}`),
      tell: (lines) => void told.push(lines),
      inform: (lines) => void told.push(lines),
      detail: () => {},
      clock: {
        now: () => now,
        random: () => 0,
        wait: (ms) =>
          new Promise((over) => {
            go = () => {
              now += ms;
              over();
            };
            waits?.(ms);
          }),
      },
    },
    end.signal,
  );
  /** Lets time pass until the next pause begins. @returns what happened, and how long that pause is */
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
    await following;
    await server.close();
  });
  return { server, environment, next, told, pass: (ms: number) => (now += ms) };
}

function settingsFor(server: EscServer, token: string): EscSettings {
  const variables = new Map([
    ["PULUMI_BACKEND_URL", server.url],
    ["ESC_TOKEN", token],
    ["ESC_ENV", ENV],
  ]);
  const { access } = escAccess(variables, [], { timeoutMs: 5000, insecureHttp: false });
  if (access.kind !== "on") throw new Error(access.kind);
  return access.settings;
}

describe("a token that may see revisions", () => {
  test("opens once more after the first look, then looks by a cheap request alone", async () => {
    const { server, next } = await followed("read");
    // What providers make is another each time: no reason to start the program anew.
    expect(await next()).toEqual({ events: "look open open", pause: 1000 });
    server.reset();
    expect(await next()).toEqual({ events: "look", pause: 1000 });
    expect(server.calls.map(({ operation }) => operation)).toEqual(["etag"]);
    expect(server.violations).toEqual([]);
  });

  test("restarts for a change, once, and not for one that changes nothing that the program gets", async () => {
    const { environment, next } = await followed("read");
    await next();
    environment("two");
    expect((await next()).events).toBe("look open open restart KEY");
    expect((await next()).events).toBe("look");
    environment("two");
    expect((await next()).events).toBe("look open open");
  });

  test("leaves a service in trouble alone for longer each time, and as long as it asks for", async () => {
    const { server, next, told } = await followed("read");
    await next();
    server.failAlways("any", 503);
    const pauses = [];
    for (let round = 0; round < 10; round += 1) pauses.push((await next()).pause);
    expect(pauses.slice(0, 4)).toEqual([2000, 4000, 8000, 16_000]);
    expect(Math.max(...pauses)).toBe(5 * MINUTE);
    expect(told).toHaveLength(1);
    server.failAlways("any", { kind: "status", status: 429, headers: { "Retry-After": "1200" } });
    expect((await next()).pause).toBe(20 * MINUTE);
    server.heal();
    expect(await next()).toEqual({ events: "look", pause: 1000 });
    // A 503, a 429, and that it is over.
    expect(told).toHaveLength(3);
    expect(told.at(-1)).toEqual(["ESC is followed again"]);
  });

  test.each([403, 404])(
    "goes on after a %i, with growing pauses, and says once that, and once that it is over",
    async (status) => {
      const { server, environment, next, told } = await followed("read");
      await next();
      server.failAlways("etag", { kind: "status", status });
      server.failAlways("definition", { kind: "status", status });
      const rounds = [];
      for (let round = 0; round < 10; round += 1) rounds.push(await next());
      expect(rounds.slice(0, 3)).toEqual([2000, 4000, 8000].map((pause) => ({ events: "look", pause })));
      expect(Math.max(...rounds.map(({ pause }) => pause))).toBe(5 * MINUTE);
      expect(told).toHaveLength(1);
      expect(told[0]?.join()).toContain(`${ENV} (HTTP ${status})`);
      server.heal();
      environment("two");
      expect(await next()).toEqual({ events: "look open open restart KEY", pause: 1000 });
      expect(told.slice(1)).toEqual([["ESC is followed again"]]);
      expect((await next()).events).toBe("look");
    },
  );

  test("opens every 15 minutes meanwhile, and before the session ends", async () => {
    const { server, environment, next, told, pass } = await followed("read", 60 * MINUTE);
    await next();
    server.failAlways("etag", { kind: "status", status: 403 });
    await next();
    environment("two");
    pass(15 * MINUTE);
    expect((await next()).events).toBe("look open open restart KEY");
    pass(48 * MINUTE);
    expect((await next()).events).toBe("look open restart AWS");
    expect(told).toHaveLength(1);
  });
});

test("a first look that is refused is not the last", async () => {
  const { server, environment, next, pass } = await followed("read");
  server.failAlways("any", { kind: "status", status: 404 });
  expect((await next()).events).toBe("look");
  server.heal();
  pass(15 * MINUTE);
  expect((await next()).events).toBe("look open open");
  environment("two");
  expect((await next()).events).toBe("look open open restart KEY");
});

test("a token that may only open: opened every 15 minutes, nothing asked in between", async () => {
  const { server, environment, next, pass } = await followed("open");
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

test("before the session ends the program gets what providers make anew", async () => {
  const { next, pass } = await followed("read", 60 * MINUTE);
  await next();
  pass(48 * MINUTE);
  expect((await next()).events).toBe("look open restart AWS");
  pass(47 * MINUTE);
  expect((await next()).events).toBe("look");
});
