import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { type EscServer, startEscServer } from "../../esc-server/index.ts";
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
  return { now: () => performance.now(), random: () => random };
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
    const clock = { now: () => 0, random: () => 0 };
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
    const clock = { now, random: () => 0 };
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
