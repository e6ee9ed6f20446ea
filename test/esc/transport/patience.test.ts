import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type EscServer, startEscServer } from "../../esc-server/index.ts";
import { startDeafPort, startSilentServer } from "../../esc-server/sockets.ts";
import { systemClock } from "../../../src/esc/transport/deadline.ts";
import { sophiaRun } from "../command.ts";
import { closeStrictly, failing, reading, type Said, values } from "../reading.ts";

let server: EscServer;
const folder = mkdtempSync(join(tmpdir(), "esc-patience-"));
beforeEach(async () => {
  server = await startEscServer();
  server.environment("demo-org/sophia/dev", { values: { A: "x" } });
});
afterEach(() => closeStrictly(server));
afterAll(() => rm(folder, { recursive: true }));

function access(): Record<string, string> {
  return { ESC_ENV: "demo-org/sophia/dev", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
}

function said(): Said {
  return { waiting: [], retries: [] };
}

/** Chance at one end or the other. */
function chance(random: number) {
  return { now: () => performance.now(), random: () => random, stepMs: 5000 };
}

async function elapsed<T>(act: () => Promise<T>): Promise<{ readonly ms: number; readonly result: T }> {
  const started = performance.now();
  const result = await act();
  return { ms: performance.now() - started, result };
}

describe("another attempt", () => {
  test("comes after a pause and is reported", async () => {
    server.failNext("open", 503, 2);
    const log = said();
    const { ms } = await elapsed(() => reading(access(), { said: log, clock: chance(0.5) }));
    expect(log.retries).toEqual([
      { what: "opening demo-org/sophia/dev", reason: "HTTP 503", attempt: 2, delayMs: 300 },
      { what: "opening demo-org/sophia/dev", reason: "HTTP 503", attempt: 3, delayMs: 600 },
    ]);
    expect(ms).toBeGreaterThanOrEqual(895);
  });

  test("uses the connection that is there", async () => {
    server.failNext("open", 503);
    await reading(access(), { clock: chance(0) });
    expect(server.connections).toBe(1);
  });

  test.each<[string, string, string | undefined]>([
    ["seconds", "1", undefined],
    ["a date", "Thu, 01 Jan 2026 00:00:01 GMT", "Thu, 01 Jan 2026 00:00:00 GMT"],
  ])("comes no sooner than Retry-After says, in %s", async (_, retryAfter, date) => {
    const headers = { "Retry-After": retryAfter, ...(date === undefined ? {} : { Date: date }) };
    server.failNext("open", { kind: "status", status: 429, headers });
    const log = said();
    const { ms } = await elapsed(() => reading(access(), { said: log, clock: chance(0) }));
    expect(log.retries.map(({ reason, delayMs }) => [reason, delayMs])).toEqual([["HTTP 429", 1000]]);
    expect(ms).toBeGreaterThanOrEqual(995);
  });

  test("does not come when Retry-After is beyond the deadline", async () => {
    server.failAlways("open", { kind: "status", status: 429, headers: { "Retry-After": "60" } });
    const clock = { now: () => 0, random: () => 0, stepMs: 5000 };
    const { ms, result } = await elapsed(() => failing(access(), { timeoutMs: 10_000, clock }));
    expect(result.code).toBe("esc-rate-limited");
    expect(result.message).toContain("asks for a pause of 60 s, longer than the 10 s left");
    expect(ms).toBeLessThan(5000);
  });

  test("of opening and one after an ended session share one budget", async () => {
    server.failNext("open", 503, 2);
    server.failNext("read", "expired");
    const failure = await failing(access(), { clock: chance(0) });
    expect(failure.code).toBe("esc-session");
    expect(server.count("open")).toBe(3);
  });

  test("after a connection that was kept alive too long", async () => {
    server.failNext("read", { kind: "disconnect", at: "start" });
    expect(values(await reading(access(), { clock: chance(0) }))).toEqual({ A: "x" });
    expect(server.connections).toBe(2);
  });
});

/** Steps that are over soon. */
function hasty(stepMs: number) {
  return { ...chance(0), stepMs };
}

describe("a step that takes too long", () => {
  test("is 5 s by default", () => {
    expect(systemClock.stepMs).toBe(5000);
  });

  test.each(["http", "https"])("connecting is tried twice where nothing was ever reached (%s)", async (scheme) => {
    const silent = scheme === "http" ? await startDeafPort() : await startSilentServer();
    onTestFinished(() => silent.close());
    const log = said();
    const variables = { ...access(), PULUMI_BACKEND_URL: `${scheme}://127.0.0.1:${silent.port}` };
    const { ms, result } = await elapsed(() => failing(variables, { said: log, clock: hasty(300) }));
    expect(result).toMatchObject({
      code: "esc-unreachable",
      message: expect.stringMatching(/timed out after 300 ms while connecting to .* \(2 attempts\)$/),
    });
    expect(log.retries.map(({ reason }) => reason)).toEqual(["timed out"]);
    expect(ms).toBeGreaterThanOrEqual(590);
    expect(ms).toBeLessThan(5000);
  });

  test("a read that is silent is asked again, on the same session", async () => {
    server.failNext("read", "hang");
    expect(values(await reading(access(), { clock: hasty(300) }))).toEqual({ A: "x" });
    expect([server.count("open"), server.count("read")]).toEqual([1, 2]);
  });

  test("a read that has begun may go on", async () => {
    server.failNext("read", { kind: "drip", bytes: 8, everyMs: 20 });
    const { ms, result } = await elapsed(() => reading(access(), { clock: hasty(150) }));
    expect(values(result)).toEqual({ A: "x" });
    expect(ms).toBeGreaterThan(150);
    expect(server.count("read")).toBe(1);
  });

  test("opening has the whole deadline", async () => {
    const held = server.hold("open");
    setTimeout(() => held.release(), 600);
    const { ms, result } = await elapsed(() => reading(access(), { clock: hasty(150) }));
    expect(values(result)).toEqual({ A: "x" });
    expect(ms).toBeGreaterThanOrEqual(595);
    expect(server.count("open")).toBe(1);
  });
});

describe("the deadline", () => {
  test("covers all attempts and pauses together", async () => {
    server.failAlways("open", { kind: "status", status: 503, headers: { "Retry-After": "0" } });
    server.failNext("open", "hang");
    const { ms, result } = await elapsed(() => failing(access(), { timeoutMs: 400 }));
    expect(result.code).toBe("esc-timeout");
    expect(ms).toBeGreaterThanOrEqual(395);
    expect(ms).toBeLessThan(5000);
  });

  test("ends a pause", async () => {
    server.failAlways("open", { kind: "status", status: 503, headers: { "Retry-After": "30" } });
    // By this clock there is an hour left, so that a pause of 30 s is begun; the deadline itself keeps real time.
    let readings = 0;
    const now = (): number => (readings++ === 0 ? 0 : -3_600_000);
    const clock = { now, random: () => 0, stepMs: 5000 };
    const { ms, result } = await elapsed(() => failing(access(), { timeoutMs: 1000, clock }));
    expect(result).toMatchObject({
      code: "esc-timeout",
      message: expect.stringContaining("timed out after 1 s while waiting to retry after HTTP 503"),
    });
    expect(ms).toBeGreaterThanOrEqual(995);
    expect(ms).toBeLessThan(5000);
  });

  test("leaves nothing behind that keeps the process alive", async () => {
    server.failAlways("read", "hang");
    const variables = { ...access(), PATH: process.env["PATH"] ?? "" };
    const started = performance.now();
    const finished = await sophiaRun(["--no-contract", "--timeout", "300ms", "--", "true"], variables, folder);
    expect(finished.status).toBe(0);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe("a signal while ESC is waited for", () => {
  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "ends sophia-run by it, with nothing started: %s",
    async (signal) => {
      server.failAlways("open", "hang");
      const finished = await sophiaRun(["--no-contract", "--", "echo", "started"], access(), folder, async (kill) => {
        await server.waitFor("open");
        kill(signal);
      });
      expect(finished).toEqual({ status: null, signal, stdout: "", stderr: "" });
    },
  );
});

describe("outside a terminal", () => {
  test("each retry is a line with --verbose", async () => {
    server.failNext("open", 503);
    const finished = await sophiaRun(["--no-contract", "--verbose", "--", "true"], access(), folder);
    expect(finished.stderr).toMatch(
      /^sophia-run: opening demo-org\/sophia\/dev again in \d+ ms \(attempt 2\): HTTP 503\nsophia-run: contract: /,
    );
  });

  test("nothing is written without", async () => {
    server.failNext("open", 503);
    const finished = await sophiaRun(["--no-contract", "--", "true"], access(), folder);
    expect(finished.stderr).toBe("");
  });
});
