import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type EscServer, startEscServer } from "../../esc-server/index.ts";
import { startDeafPort, startSilentServer } from "../../esc-server/sockets.ts";
import { systemClock } from "../../../src/esc/transport/deadline.ts";
import { expectFailure } from "../expect-failure.ts";
import { closeStrictly, expectEscFailure, expectEscReading, type ProgressLog, valuesByName } from "../read-esc.ts";
import { VirtualClock } from "../virtual-clock.ts";

let server: EscServer;
beforeEach(async () => {
  server = await startEscServer();
  server.environment("demo-org/sophia/dev", { values: { A: "x" } });
});
afterEach(() => closeStrictly(server));

function accessVariables(): Record<string, string> {
  return { ESC_ENV: "demo-org/sophia/dev", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
}

function createProgressLog(): ProgressLog {
  return { waiting: [], retries: [] };
}

describe("another attempt of a request", () => {
  test("is made after a pause, and is reported", async () => {
    server.failNext("open", 503, 2);
    const log = createProgressLog();
    const clock = new VirtualClock(0.5);
    await expectEscReading(accessVariables(), { progressLog: log, clock });
    expect(log.retries).toEqual([
      { what: "opening demo-org/sophia/dev", reason: "HTTP 503", attempt: 2, delayMs: 300 },
      { what: "opening demo-org/sophia/dev", reason: "HTTP 503", attempt: 3, delayMs: 600 },
    ]);
    expect(clock.now()).toBe(900);
  });

  test("uses the existing connection", async () => {
    server.failNext("open", 503);
    await expectEscReading(accessVariables(), { clock: new VirtualClock() });
    expect(server.connections).toBe(1);
  });

  test.each<[string, string, string | undefined]>([
    ["seconds", "1", undefined],
    ["a date", "Thu, 01 Jan 2026 00:00:01 GMT", "Thu, 01 Jan 2026 00:00:00 GMT"],
  ])("comes no sooner than Retry-After allows, in %s", async (_, retryAfter, date) => {
    const headers = { "Retry-After": retryAfter, ...(date === undefined ? {} : { Date: date }) };
    server.failNext("open", { kind: "status", status: 429, headers });
    const log = createProgressLog();
    const clock = new VirtualClock();
    await expectEscReading(accessVariables(), { progressLog: log, clock });
    expect(log.retries.map(({ reason, delayMs }) => [reason, delayMs])).toEqual([["HTTP 429", 1000]]);
    expect(clock.now()).toBe(1000);
  });

  test("is not made if Retry-After is beyond the deadline", async () => {
    server.failAlways("open", { kind: "status", status: 429, headers: { "Retry-After": "60" } });
    const clock = new VirtualClock();
    const failure = await expectEscFailure(accessVariables(), { timeoutMs: 10_000, clock });
    expect(failure.code).toBe("esc-rate-limited");
    expectFailure(failure);
    expect(clock.now()).toBe(0);
  });

  test("to open the environment counts together with the attempt after an ended session", async () => {
    server.failNext("open", 503, 2);
    server.failNext("read", "expired");
    const failure = await expectEscFailure(accessVariables(), { clock: new VirtualClock() });
    expect(failure.code).toBe("esc-session");
    expect(server.count("open")).toBe(3);
  });

  test("is made if the connection was kept alive too long", async () => {
    server.failNext("read", { kind: "disconnect", at: "start" });
    expect(valuesByName(await expectEscReading(accessVariables(), { clock: new VirtualClock() }))).toEqual({ A: "x" });
    expect(server.connections).toBe(2);
  });

  test("waits by the system's clock", async () => {
    server.failNext("open", 503);
    const log = createProgressLog();
    const started = performance.now();
    await expectEscReading(accessVariables(), { progressLog: log });
    expect(log.retries).toHaveLength(1);
    // A timer of Node.js may act up to a millisecond early.
    expect(performance.now() - started).toBeGreaterThanOrEqual((log.retries[0]?.delayMs ?? 0) - 1);
  });
});

describe("the limit on a step of a request", () => {
  test("is 5 s by default", () => {
    expect(systemClock.stepMs).toBe(new VirtualClock().stepMs);
    expect(systemClock.stepMs).toBe(5000);
  });

  test.each(["http", "https"])("makes the client connect twice if no connection has succeeded (%s)", async (scheme) => {
    const silent = scheme === "http" ? await startDeafPort() : await startSilentServer();
    onTestFinished(() => silent.close());
    const log = createProgressLog();
    const clock = new VirtualClock();
    const variables = { ...accessVariables(), PULUMI_BACKEND_URL: `${scheme}://127.0.0.1:${silent.port}` };
    const failed = expectEscFailure(variables, { progressLog: log, clock });
    for (const times of [1, 2]) {
      await clock.limited(clock.stepMs, times);
      clock.advance(clock.stepMs);
    }
    const failure = await failed;
    expect(failure).toMatchObject({ code: "esc-unreachable", message: expect.stringMatching(/\(2 attempts\)$/) });
    expectFailure(failure);
    expect(log.retries.map(({ reason, delayMs }) => [reason, delayMs])).toEqual([["timed out", 150]]);
    expect(clock.now()).toBe(10_150);
  });

  test("makes the client repeat a read without an answer, in the same session", async () => {
    server.failNext("read", "hang");
    const clock = new VirtualClock();
    const read = expectEscReading(accessVariables(), { clock });
    await server.waitFor("read");
    clock.advance(clock.stepMs);
    expect(valuesByName(await read)).toEqual({ A: "x" });
    expect([server.count("open"), server.count("read")]).toEqual([1, 2]);
  });

  test("does not apply to a read whose answer has begun", async () => {
    server.failNext("read", { kind: "hang", at: "body" });
    const clock = new VirtualClock();
    const failed = expectEscFailure(accessVariables(), { timeoutMs: 20_000, clock });
    // The step of the read is over with the first byte: this never resolves if that waits for the last one.
    await clock.calledOff(clock.stepMs, 2);
    clock.advance(20_000);
    expect(await failed).toMatchObject({ code: "esc-timeout", message: expect.stringContaining("while receiving") });
    expect(server.count("read")).toBe(1);
  });

  test("does not apply to opening, which has the whole deadline", async () => {
    const held = server.hold("open");
    const clock = new VirtualClock();
    const read = expectEscReading(accessVariables(), { timeoutMs: 20_000, clock });
    await server.waitFor("open");
    clock.advance(19_000);
    held.release();
    expect(valuesByName(await read)).toEqual({ A: "x" });
    expect(server.count("open")).toBe(1);
  });
});

describe("the deadline", () => {
  test("covers all attempts and pauses together", async () => {
    server.failAlways("open", "hang");
    server.failNext("open", { kind: "status", status: 503, headers: { "Retry-After": "4" } });
    const clock = new VirtualClock();
    const failed = expectEscFailure(accessVariables(), { timeoutMs: 10_000, clock });
    await server.waitFor("open", 2);
    expect(clock.now()).toBe(4000);
    clock.advance(6000);
    expect((await failed).code).toBe("esc-timeout");
  });

  test("ends a pause", async () => {
    server.failAlways("open", { kind: "status", status: 503, headers: { "Retry-After": "30" } });
    // The readings of this clock leave an hour, so that a pause of 30 s is begun; limits keep to it.
    class LateClock extends VirtualClock {
      readonly #first = super.now();
      #readings = 0;
      override now(): number {
        return this.#readings++ === 0 ? this.#first : -3_600_000;
      }
    }
    const failure = await expectEscFailure(accessVariables(), { timeoutMs: 1000, clock: new LateClock() });
    expect(failure.code).toBe("esc-timeout");
    expectFailure(failure);
  });
});
