/** Cases of faults of ESC: answers whose form, size or place is not what the API promises. */
import { type FaultCase, planServerFault, unavailable } from "./case.ts";
import { SENTINEL_SECRET, SENTINEL_TOKEN } from "./sentinels.ts";

export const ANSWERS: readonly FaultCase[] = [
  {
    fault: "a web page with status 200 (captive portal) to opening",
    behaviour: "not retried",
    expect: unavailable("esc-answer"),
    arrange: planServerFault((server) =>
      server.failAlways("open", { kind: "html", body: `<html><body>Sign in ${SENTINEL_SECRET}</body></html>` }),
    ),
  },
  {
    fault: "a web page with status 200 to reading",
    behaviour: "not retried",
    expect: unavailable("esc-answer"),
    arrange: planServerFault((server) => server.failAlways("read", "html")),
  },
  {
    fault: "an empty body with status 200",
    behaviour: "not retried",
    expect: unavailable("esc-answer"),
    arrange: planServerFault((server) => server.failAlways("open", "empty")),
  },
  {
    fault: "truncated JSON",
    behaviour: "not retried",
    expect: unavailable("esc-answer"),
    arrange: planServerFault((server) => server.failAlways("read", "truncated")),
  },
  {
    fault: "a body that is not JSON",
    behaviour: "not retried",
    expect: unavailable("esc-answer"),
    arrange: planServerFault((server) => server.failAlways("open", "invalidJson")),
  },
  {
    fault: "JSON without a session to opening",
    behaviour: "not retried",
    expect: unavailable("esc-answer"),
    arrange: planServerFault((server) =>
      server.failAlways("open", { kind: "status", status: 200, body: { ok: true } }),
    ),
  },
  {
    fault: "JSON of another form to reading",
    behaviour: "not retried",
    expect: unavailable("esc-answer"),
    arrange: planServerFault((server) =>
      server.failAlways("read", { kind: "status", status: 200, body: { message: SENTINEL_SECRET } }),
    ),
  },
  {
    fault: "more than 16 MiB, announced",
    behaviour: "cut off",
    expect: unavailable("esc-answer"),
    arrange: planServerFault((server) =>
      server.failAlways("read", { kind: "oversized", bytes: 17 << 20, declared: true }),
    ),
  },
  {
    fault: "more than 16 MiB, not announced",
    behaviour: "cut off",
    expect: unavailable("esc-answer"),
    arrange: planServerFault((server) => server.failAlways("read", { kind: "oversized", bytes: 17 << 20 })),
  },
  {
    fault: "a compressed answer, which was not requested",
    behaviour: "not retried",
    expect: unavailable("esc-answer"),
    arrange: planServerFault((server) => server.failAlways("read", { kind: "oversized", bytes: 1 << 20, gzip: true })),
  },
  {
    fault: "a redirect to another host",
    behaviour: "not followed; no other host gets the token",
    expect: unavailable("esc-redirect"),
    arrange: planServerFault((server) =>
      server.failAlways("open", { kind: "redirect", to: `https://elsewhere.example/?token=${SENTINEL_TOKEN}` }),
    ),
  },
  {
    fault: "a permanent redirect of reading",
    behaviour: "not followed; no other host gets the token",
    expect: unavailable("esc-redirect"),
    arrange: planServerFault((server) =>
      server.failAlways("read", { kind: "redirect", to: "/elsewhere", status: 308 }),
    ),
  },
];
