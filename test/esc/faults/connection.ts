/** Cases of faults of ESC: connections that are refused, reset, silent or do not use HTTP. */
import {
  type FaultCase,
  planServerFault,
  VALUES_ARRIVE,
  LASTS_UNTIL_DEADLINE_IN_CONNECTING,
  lastsUntilDeadlineIn,
  unavailable,
} from "./case.ts";
import { startGreeter } from "./greeter.ts";
import { REFUSED_PORT, startDeafPort, startSilentServer } from "../../esc-server/sockets.ts";

const MALFORMED_CHUNK = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}\r\n";
const SWITCHING = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

export const CONNECTION: readonly FaultCase[] = [
  {
    fault: "connection refused",
    behaviour: "tried twice",
    expect: unavailable("esc-unreachable"),
    arrange: () => ({ PULUMI_BACKEND_URL: `http://127.0.0.1:${REFUSED_PORT}` }),
  },
  {
    fault: "unknown host",
    behaviour: "tried twice",
    expect: unavailable("esc-unreachable"),
    arrange: () => ({ PULUMI_BACKEND_URL: "https://esc.invalid" }),
  },
  {
    fault: "connecting never ends",
    behaviour: "ends at the deadline",
    expect: unavailable("esc-timeout"),
    ...LASTS_UNTIL_DEADLINE_IN_CONNECTING,
    arrange: async ({ defer }) => {
      const deaf = await startDeafPort();
      defer(() => deaf.close());
      return { PULUMI_BACKEND_URL: `http://127.0.0.1:${deaf.port}` };
    },
  },
  {
    fault: "a TLS handshake that never ends",
    behaviour: "ends at the deadline",
    expect: unavailable("esc-timeout"),
    ...LASTS_UNTIL_DEADLINE_IN_CONNECTING,
    arrange: async ({ defer }) => {
      const silent = await startSilentServer();
      defer(() => silent.close());
      return { PULUMI_BACKEND_URL: `https://127.0.0.1:${silent.port}` };
    },
  },
  {
    fault: "opening is never answered",
    behaviour: "ends at the deadline",
    expect: unavailable("esc-timeout"),
    ...lastsUntilDeadlineIn("open"),
    arrange: planServerFault((server) => server.failAlways("open", "hang")),
  },
  {
    fault: "reading is never answered",
    behaviour: "ends at the deadline",
    expect: unavailable("esc-timeout"),
    ...lastsUntilDeadlineIn("read"),
    arrange: planServerFault((server) => server.failAlways("read", "hang")),
  },
  {
    fault: "silence in the middle of the answer",
    behaviour: "ends at the deadline",
    expect: unavailable("esc-timeout"),
    ...lastsUntilDeadlineIn("read"),
    arrange: planServerFault((server) => server.failAlways("read", { kind: "hang", at: "body" })),
  },
  {
    fault: "an answer of one byte at a time",
    behaviour: "ends at the deadline",
    expect: unavailable("esc-timeout"),
    ...lastsUntilDeadlineIn("read"),
    arrange: planServerFault((server) => server.failAlways("read", { kind: "drip", bytes: 1, everyMs: 50 })),
  },
  {
    fault: "opening is reset once",
    behaviour: "retried",
    expect: VALUES_ARRIVE,
    arrange: planServerFault((server) => server.failNext("open", "ECONNRESET")),
  },
  {
    fault: "opening is reset in mid-answer, every time",
    behaviour: "retried twice",
    expect: unavailable("esc-unreachable"),
    arrange: planServerFault((server) => server.failAlways("open", { kind: "reset", at: "body" })),
  },
  {
    fault: "reading is reset in the headers, then in mid-answer",
    behaviour: "retried",
    expect: VALUES_ARRIVE,
    arrange: planServerFault((server) => {
      server.failNext("read", { kind: "reset", at: "headers" });
      server.failNext("read", { kind: "reset", at: "body" });
    }),
  },
  {
    fault: "the connection is closed in mid-answer, once",
    behaviour: "retried",
    expect: VALUES_ARRIVE,
    arrange: planServerFault((server) => server.failNext("read", { kind: "disconnect", at: "body" })),
  },
  {
    fault: "the connection is closed before every answer to reading",
    behaviour: "retried four times",
    expect: unavailable("esc-unreachable"),
    arrange: planServerFault((server) => server.failAlways("read", { kind: "disconnect", at: "start" })),
  },
  {
    fault: "a server that does not use HTTP",
    behaviour: "not retried",
    expect: unavailable("esc-answer"),
    arrange: arrangeGreeting(),
  },
  {
    fault: "an answer in chunks without a length",
    behaviour: "not retried",
    expect: unavailable("esc-answer"),
    arrange: arrangeGreeting(MALFORMED_CHUNK),
  },
  {
    fault: "a server that switches to another protocol",
    behaviour: "not retried",
    expect: unavailable("esc-status"),
    arrange: arrangeGreeting(SWITCHING),
  },
];

/** A backend that sends this text, whatever it hears. */
function arrangeGreeting(greeting?: string): FaultCase["arrange"] {
  return async ({ defer }) => ({ PULUMI_BACKEND_URL: `http://127.0.0.1:${await startGreeter(defer, greeting)}` });
}
