/** Cases of faults of ESC: answers with an error status, limits of the rate, and sessions that have ended. */
import { type FaultCase, planServerFault, VALUES_ARRIVE, refused, unavailable } from "./case.ts";
import { SENTINEL_SECRET, SENTINEL_TOKEN } from "./sentinels.ts";

export const STATUS: readonly FaultCase[] = [
  ...([500, 502, 503, 504] as const).flatMap((status): readonly FaultCase[] => [
    {
      fault: `${status} to opening, once`,
      behaviour: "retried",
      expect: VALUES_ARRIVE,
      arrange: planServerFault((server) => server.failNext("open", status)),
    },
    {
      fault: `${status} to opening, every time`,
      behaviour: "retried twice",
      expect: unavailable("esc-server"),
      arrange: planServerFault((server) =>
        server.failAlways("open", { kind: "status", status, body: { code: status, message: SENTINEL_SECRET } }),
      ),
    },
  ]),
  {
    fault: "503 to opening, twice",
    behaviour: "retried twice",
    expect: VALUES_ARRIVE,
    arrange: planServerFault((server) => server.failNext("open", 503, 2)),
  },
  {
    fault: "503 to reading, twice",
    behaviour: "retried twice, on the same session",
    expect: VALUES_ARRIVE,
    arrange: planServerFault((server) => server.failNext("read", 503, 2)),
  },
  {
    fault: "503 to reading, every time",
    behaviour: "retried four times, on the same session",
    expect: unavailable("esc-server"),
    arrange: planServerFault((server) => server.failAlways("read", 503)),
  },
  {
    fault: "500 with a request ID",
    behaviour: "retried twice; the request ID is shown",
    expect: unavailable("esc-server"),
    arrange: planServerFault((server) =>
      server.failAlways("open", {
        kind: "status",
        status: 500,
        body: { code: 500, message: `panic at ${SENTINEL_SECRET}` },
        headers: { "X-Pulumi-Request-ID": "5b8e0f2a" },
      }),
    ),
  },
  {
    fault: "429 once, without Retry-After",
    behaviour: "retried within the first part of the time",
    expect: VALUES_ARRIVE,
    timeoutMs: 3000,
    arrange: planServerFault((server) => server.failNext("open", 429)),
  },
  {
    fault: "429 every time",
    behaviour: "retried twice, spread over the time",
    expect: unavailable("esc-rate-limited"),
    timeoutMs: 3000,
    arrange: planServerFault((server) => server.failAlways("open", 429)),
  },
  {
    fault: "429 with Retry-After in seconds",
    behaviour: "retried no sooner than that",
    expect: VALUES_ARRIVE,
    arrange: planServerFault((server) =>
      server.failNext("open", { kind: "status", status: 429, headers: { "Retry-After": "1" } }),
    ),
  },
  {
    fault: "429 with Retry-After as a date",
    behaviour: "retried no sooner than that",
    expect: VALUES_ARRIVE,
    arrange: planServerFault((server) =>
      server.failNext("open", {
        kind: "status",
        status: 429,
        headers: { Date: "Thu, 01 Jan 2026 00:00:00 GMT", "Retry-After": "Thu, 01 Jan 2026 00:00:01 GMT" },
      }),
    ),
  },
  {
    fault: "429 with a Retry-After beyond the deadline",
    behaviour: "ends at once",
    expect: unavailable("esc-rate-limited"),
    arrange: planServerFault((server) =>
      server.failAlways("open", { kind: "status", status: 429, headers: { "Retry-After": "3600" } }),
    ),
  },
  {
    fault: "503 with a Retry-After beyond the deadline",
    behaviour: "ends at once",
    expect: unavailable("esc-server"),
    arrange: planServerFault((server) =>
      server.failAlways("read", { kind: "status", status: 503, headers: { "Retry-After": "3600" } }),
    ),
  },
  {
    fault: "401",
    behaviour: "not retried",
    expect: refused("esc-denied"),
    arrange: planServerFault((server) =>
      server.failAlways("open", {
        kind: "status",
        status: 401,
        body: { code: 401, message: `Unauthorized: token ${SENTINEL_TOKEN} is not valid` },
      }),
    ),
  },
  {
    fault: "403",
    behaviour: "not retried",
    expect: refused("esc-forbidden"),
    arrange: planServerFault((server) => server.failAlways("open", 403)),
  },
  {
    fault: "403 of an environment whose opens need an approval",
    behaviour: "not retried",
    expect: refused("esc-approval"),
    arrange: planServerFault((server) => {
      server.environment("demo-org/sophia/dev", { values: {}, deny: "approval" });
    }),
  },
  {
    fault: "404",
    behaviour: "not retried",
    expect: refused("esc-not-found"),
    arrange: planServerFault((server) => server.failAlways("open", 404)),
  },
  {
    fault: "409",
    behaviour: "not retried",
    expect: unavailable("esc-status"),
    arrange: planServerFault((server) => server.failAlways("open", 409)),
  },
  {
    fault: "the session has ended between opening and reading",
    behaviour: "opened again, once",
    expect: VALUES_ARRIVE,
    arrange: planServerFault((server) => server.failNext("read", "expired")),
  },
  {
    fault: "the session has ended again",
    behaviour: "opened again, once",
    expect: unavailable("esc-session"),
    arrange: planServerFault((server) => server.failAlways("read", "expired")),
  },
];
