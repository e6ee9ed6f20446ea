/** Searches for a request by which a key reaches a service against the rules: many mutated ones, over real connections. */
import { once } from "node:events";
import { connect } from "node:net";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { cases } from "../helpers/seed.ts";
import { KEYS, routesTo } from "./routes.ts";
import { nextText, type Received, send, startBroker, startUpstream } from "./upstream.ts";

const RUNS = cases(200, 2000);
const PER_RUN = 50;
const [openai, anthropic, search] = routesTo("http://127.0.0.1:1");
const DUMMIES = [openai, anthropic, search].map(({ dummy }) => dummy);

const escaped = (text: string): string =>
  text.replaceAll(/[a-z]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
const plainSegment = fc.constantFrom(
  ..."v1 v2 V1 organization organizations Organization realtime sessions query documents keys chat".split(" "),
);
const oddSegment = fc.constantFrom(
  ..."| . .. ... %2e%2e %2E %2f %5c \\ ;x=1 organization;x organization%3bx a%20b query%00 * ~ % %zz".split(" "),
  "",
  escaped("organization"),
  escaped("v1"),
  "documents%2f..%2fkeys",
);
const segment = fc.oneof({ weight: 6, arbitrary: plainSegment }, { weight: 1, arbitrary: oddSegment });
const end = fc.constantFrom("", "", "", "/", "?a=b", "?/../v1/organization", "#x");
const path = fc.oneof(
  fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join("/")}`),
  fc.constantFrom("/v2/query", "/v2/documents/x", "/v1/chat"),
);
const target = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(path, end).map((parts) => parts.join("")) },
  fc.constantFrom(
    "*",
    "http://127.0.0.1/v1/organization",
    "//127.0.0.1/v1/organization",
    "v1/chat",
    ...DUMMIES.map((dummy) => `/v1?k=${dummy}`),
  ),
);
const credentials = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...DUMMIES) },
  fc.constantFrom(
    "sk-unknown",
    "",
    ...DUMMIES.map((dummy) => `${dummy}x`),
    ...DUMMIES.map((dummy) => `${dummy},${dummy}`),
  ),
);
const mutatedKey = fc
  .tuple(
    fc.constantFrom(
      "Authorization",
      "authorization",
      "x-api-key",
      "X-API-Key",
      "api-key",
      "Cookie",
      "X-Forwarded-Authorization",
      "Authorization ",
    ),
    fc.constantFrom("Bearer ", "bearer ", "BEARER  ", "Basic ", "", "Bearer\t", "Bearer Bearer "),
    credentials,
  )
  .map(([name, scheme, value]) => `${name}: ${scheme}${value}`);
const validKey = fc.constantFrom(
  ...DUMMIES.map((dummy) => `Authorization: Bearer ${dummy}`),
  `x-api-key: ${anthropic.dummy}`,
);
const authorization = fc.oneof({ weight: 4, arbitrary: validKey }, { weight: 1, arbitrary: mutatedKey });
const further = fc.constantFrom(
  "Connection: authorization",
  "Connection: close, x-api-key, host",
  "Connection: Upgrade",
  "Transfer-Encoding: chunked",
  "Content-Length: 0",
  "Content-Length: 5",
  "Upgrade: websocket",
  "Upgrade: h2c",
  "Expect: 100-continue",
  "Expect: x",
  "X-HTTP-Method-Override: DELETE",
  "X-Original-URL: /v1/organization",
  "X-Rewrite-URL: /v1/organization",
  "Origin: null",
  "Sec-Fetch-Site: none",
  "Host: evil.example.test",
  "X-Forwarded-Host: evil.example.test",
  "X: y\r\n Z: w",
  "\u0000: x",
);
const host = fc.constantFrom(
  ...Array.from({ length: 20 }, () => "HOST"),
  "LOCAL",
  "127.0.0.1",
  "api.example.test",
  "HOST, HOST",
  "",
);
const rare = <T>(arbitrary: fc.Arbitrary<T>, maxLength: number) =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant([] as T[]) },
    { weight: 1, arbitrary: fc.array(arbitrary, { maxLength }) },
  );
const request = fc
  .tuple(
    fc.constantFrom("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "get", "TRACE", "CONNECT", "PATCH", "QUERY"),
    target,
    host,
    fc.oneof(
      { weight: 4, arbitrary: fc.array(authorization, { minLength: 1, maxLength: 1 }) },
      { weight: 1, arbitrary: fc.array(authorization, { maxLength: 3 }) },
    ),
    rare(further, 3),
    fc.constantFrom(
      "",
      "",
      "",
      "hello",
      "5\r\nhello\r\n0\r\n\r\n",
      "GET /v1/organization HTTP/1.1\r\nHost: HOST\r\n\r\n",
    ),
  )
  .map(([method, aim, name, keys, more, body]) =>
    [`${method} ${aim} HTTP/1.1`, `Host: ${name}`, ...keys, ...more, "", body].join("\r\n"),
  );

/** Sends one request. Returns the beginning of its answer; nothing if the connection was closed, or `isOver` without one. */
async function exchange(port: number, text: string, isOver: Promise<void>): Promise<string> {
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  const written = text.replaceAll("HOST", `127.0.0.1:${port}`).replaceAll("LOCAL", `localhost:${port}`);
  socket.write(written, "latin1");
  const answer = await Promise.race([nextText(socket), once(socket, "close").then(() => ""), isOver.then(() => "")]);
  socket.destroy();
  return answer;
}

/**
 * Resolves when requests that were sent before have their answers, or get none since they are not whole: when three others,
 * one after the other, have theirs. All of them are answered in this process, in turn.
 */
async function untilOthersAnswered(broker: string, dummy: string): Promise<void> {
  for (let turn = 0; turn < 3; turn++)
    await send(broker, "/v1/models", { headers: { Authorization: `Bearer ${dummy}` } });
}

/** Says what is wrong with a request that has reached the service. Reads paths in another way than the broker does. */
function wrongs({ method, target: aim, rawHeaders, headers }: Received): readonly string[] {
  const used = Object.entries(KEYS).filter(([, key]) => rawHeaders.some((text) => text.includes(key)));
  const [name, key = ""] = used[0] ?? [];
  const read = new URL(aim.toLowerCase().replaceAll(/%2f|%5c|\\/g, "/"), "http://x");
  const plain = decodeURIComponent(read.pathname.replaceAll("%zz", "").replaceAll(/%(?![\da-f]{2})/g, ""))
    .replaceAll(/;[^/]*/g, "")
    .replaceAll(/\/+/g, "/");
  const begins = (prefix: string): boolean => plain === prefix || plain.startsWith(`${prefix}/`);
  const isAllowed =
    name === "OPENAI_API_KEY"
      ? !begins("/v1/organization") && plain !== "/v1/realtime/sessions"
      : name === "ANTHROPIC_API_KEY"
        ? !begins("/v1/organizations")
        : (method === "POST" && plain.replace(/\/$/, "") === "/v2/query") ||
          (method === "GET" && begins("/v2/documents"));
  const values = [headers.authorization, headers["x-api-key"]].filter((value) => value?.includes(key));
  const places = rawHeaders.filter((text) => text.includes(key)).length;
  return [
    ...(used.length === 1 ? [] : ["not exactly one key"]),
    ...(isAllowed ? [] : ["a path that is not allowed"]),
    ...(places === 1 && values.length === 1 && (values[0] === key || values[0]?.slice(7) === key)
      ? []
      : ["a key in another place"]),
    ...(DUMMIES.some((dummy) => `${aim} ${rawHeaders.join(" ")}`.includes(dummy)) ? ["a dummy"] : []),
    ...(["TRACE", "CONNECT"].includes(method) ? ["a method"] : []),
  ];
}

test(
  `no mutated request brings a key to a service against the rules (${RUNS * PER_RUN} requests)`,
  { timeout: 900_000 },
  async () => {
    let count = 0;
    const found: string[] = [];
    const upstream = await startUpstream((_, response) => void response.end("ok"));
    upstream.server.on("upgrade", (_, socket) => void socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    const broker = await startBroker(upstream.origin);
    const port = Number(new URL(broker.origin).port);
    const tally = { answered: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: PER_RUN, maxLength: PER_RUN }), async (requests) => {
        const before = upstream.requests.length;
        let isOver = (): void => {};
        const over = new Promise<void>((resolve) => {
          isOver = resolve;
        });
        const exchanges = requests.map((text) => exchange(port, text, over));
        await untilOthersAnswered(broker.origin, broker.routes[0].dummy);
        isOver();
        const answers = await Promise.all(exchanges);
        count += requests.length;
        for (const answer of answers) tally[answer.startsWith("HTTP/1.1 200") ? "answered" : "refused"] += 1;
        for (const received of upstream.requests.slice(before)) {
          for (const wrong of wrongs(received)) found.push(`${wrong}: ${received.method} ${received.target}`);
        }
        expect(found).toEqual([]);
      }),
      { numRuns: RUNS },
    );
    expect(count).toBeGreaterThanOrEqual(RUNS * PER_RUN);
    // Otherwise nothing was tried.
    expect(Math.min(tally.answered, tally.refused)).toBeGreaterThan(count / 50);
  },
);
