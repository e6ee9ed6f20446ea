/**
 * Sends many mutated requests over real connections, to find one by which a key reaches a service against the rules.
 */
import { once } from "node:events";
import { Agent } from "node:http";
import { connect, type Socket, type TcpNetConnectOpts } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Route } from "../../src/broker/route.ts";
import { PASSWORD_SLOT } from "../../src/contract/broker/broker-model.ts";
import { parseRules } from "../../src/contract/broker/path-rules.ts";
import { caseCount } from "../helpers/seed.ts";
import { folder } from "../helpers/sophia.ts";
import { REAL_KEYS, createRoutes } from "./routes.ts";
import type { BrokerProcess } from "./broker-process.ts";
import { readNextText, type ReceivedRequest, sendRequest, startBroker, startUpstream } from "./upstream.ts";

const RUNS = caseCount(100, 2000);
const PER_RUN = 50;
const [openai, anthropic, search] = createRoutes("http://127.0.0.1:1");
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
  ..."organization.json organization. organization%20 organization%3fx organization%23 sessions.json".split(" "),
  ..."%20organization organization%09 org%e2%80%8banization v1%ef%bc%8forganization %ef%bd%8frganization".split(" "),
  ..."%ef%bc%8e%ef%bc%8e %c0%ae%c0%ae v1%c0%aforganization organization,x organization%c2%a0".split(" "),
);
const segment = fc.oneof({ weight: 6, arbitrary: plainSegment }, { weight: 1, arbitrary: oddSegment });
const targetEnd = fc.constantFrom("", "", "", "/", "?a=b", "?/../v1/organization", "#x");
const path = fc.oneof(
  fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join("/")}`),
  fc.constantFrom("/v2/query", "/v2/documents/x", "/v1/chat"),
);
const target = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(path, targetEnd).map((parts) => parts.join("")) },
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
const oddHeaders = fc.constantFrom(
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
    rare(oddHeaders, 3),
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

/** Replaces the tests' dummies in a request by the broker's. A broker in another process has dummies of its own. */
function withDummiesOf({ routes }: Pick<BrokerProcess, "routes">, text: string): string {
  return DUMMIES.reduce((written, dummy, index) => written.replaceAll(dummy, routes[index]?.dummy ?? dummy), text);
}

function connectTo(door: number | string | TcpNetConnectOpts): Socket {
  if (typeof door === "object") return connect(door);
  return typeof door === "number" ? connect(door, "127.0.0.1") : connect(door);
}

/**
 * Sends one request. Returns the beginning of its answer, or nothing if the connection is closed, or `isOver` resolves,
 * before an answer comes.
 */
async function exchangeMessages(
  door: number | string | TcpNetConnectOpts,
  text: string,
  isOver: Promise<void>,
): Promise<string> {
  const socket = connectTo(door).on("error", () => {});
  const nonLoopbackAddress = typeof door === "number" ? `:${door}` : "";
  const written = text
    .replaceAll("HOST", `127.0.0.1${nonLoopbackAddress}`)
    .replaceAll("LOCAL", `localhost${nonLoopbackAddress}`);
  socket.write(written, "latin1");
  const answer = await Promise.race([
    readNextText(socket),
    once(socket, "close").then(() => ""),
    isOver.then(() => ""),
  ]);
  socket.destroy();
  return answer;
}

/**
 * Resolves when the earlier requests have their answers, or will get none because they are incomplete. It sends three
 * other requests, one after the other, and waits for their answers: this process answers all requests in turn.
 */
async function waitUntilOthersAnswered(broker: string, dummy: string): Promise<void> {
  for (let turn = 0; turn < 3; turn++)
    await sendRequest(broker, "/v1/models", { headers: { Authorization: `Bearer ${dummy}` } });
}

/**
 * Lists the rules that a request which has reached the service violates. It reads paths in another way than the broker
 * does.
 */
function violationsOf(
  { method, target: aim, rawHeaders, headers }: ReceivedRequest,
  dummies: readonly string[] = DUMMIES,
): readonly string[] {
  const used = Object.entries(REAL_KEYS).filter(([, key]) => rawHeaders.some((text) => text.includes(key)));
  const [name, key = ""] = used[0] ?? [];
  const read = new URL(aim.toLowerCase().replaceAll(/%2f|%5c|\\/g, "/"), "http://x");
  const plain = decodeURIComponent(read.pathname.replaceAll("%zz", "").replaceAll(/%(?![\da-f]{2})/g, ""))
    .normalize("NFKC")
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, "")
    .replaceAll(/\/\s+/g, "/")
    .replaceAll(/(?<=\w)[.,\s?#][^/]*|;[^/]*/g, "")
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
    ...(dummies.some((dummy) => `${aim} ${rawHeaders.join(" ")}`.includes(dummy)) ? ["a dummy"] : []),
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
    const dummies = broker.routes.map(({ dummy }) => dummy);
    const tally = { answered: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: PER_RUN, maxLength: PER_RUN }), async (requests) => {
        const before = upstream.requests.length;
        let isOver = (): void => {};
        const over = new Promise<void>((resolve) => {
          isOver = resolve;
        });
        const exchanges = requests.map((text) => exchangeMessages(port, withDummiesOf(broker, text), over));
        await waitUntilOthersAnswered(broker.origin, broker.routes[0].dummy);
        isOver();
        const answers = await Promise.all(exchanges);
        count += requests.length;
        for (const answer of answers) tally[answer.startsWith("HTTP/1.1 200") ? "answered" : "refused"] += 1;
        for (const received of upstream.requests.slice(before)) {
          for (const wrong of violationsOf(received, dummies))
            found.push(`${wrong}: ${received.method} ${received.target}`);
        }
        expect(found).toEqual([]);
      }),
      { numRuns: RUNS },
    );
    expect(count).toBeGreaterThanOrEqual(RUNS * PER_RUN);
    // If almost all requests had the same outcome, the test would have tried nothing.
    expect(Math.min(tally.answered, tally.refused)).toBeGreaterThan(count / 50);
  },
);

const own = Object.values(networkInterfaces())
  .flatMap((each = []) => each)
  .find(({ internal, family }) => !internal && family === "IPv4")?.address;

test(
  `no mutated request to a broker that listens at another address does so either (${RUNS * PER_RUN} requests)`,
  { timeout: 900_000 },
  async ({ skip }) => {
    if (own === undefined) return skip("needs an address besides those of loopback");
    const found: string[] = [];
    const tally = { answered: 0, refused: 0 };
    const upstream = await startUpstream((_, response) => void response.end("ok"));
    const broker = await startBroker(upstream.origin, {}, { address: { host: own, port: 0, name: "engine.internal" } });
    const port = Number(new URL(broker.origin).port);
    expect(broker.origin).toBe(`http://engine.internal:${port}`);
    let turn = 0;
    const withKey = `Authorization: Bearer ${broker.routes[0].dummy}`;
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: PER_RUN, maxLength: PER_RUN }), async (requests) => {
        const before = upstream.requests.length;
        // The requests of one run come from one address, which the broker refuses after 100 requests without a key.
        turn += 1;
        const from = `127.1.${turn >> 8}.${turn & 255}`;
        const ask = (text: string, isOver: Promise<void>) => {
          const written = text.replaceAll("HOST", `engine.internal:${port}`).replaceAll("LOCAL", `${own}:${port}`);
          return exchangeMessages({ host: own, port, localAddress: from }, written, isOver);
        };
        let isOver = (): void => {};
        const over = new Promise<void>((resolve) => {
          isOver = resolve;
        });
        const exchanges = requests.map((text) => ask(text, over));
        const others = ["GET /v1/models HTTP/1.1", "Host: HOST", withKey, "", ""].join("\r\n");
        for (let other = 0; other < 3; other += 1) await ask(others, new Promise(() => {}));
        isOver();
        for (const answer of await Promise.all(exchanges)) {
          tally[answer.startsWith("HTTP/1.1 200") ? "answered" : "refused"] += 1;
        }
        for (const received of upstream.requests.slice(before)) {
          for (const wrong of violationsOf(received)) found.push(`${wrong}: ${received.method} ${received.target}`);
        }
        expect(found).toEqual([]);
      }),
      { numRuns: RUNS },
    );
    expect(Math.min(tally.answered, tally.refused)).toBeGreaterThan((RUNS * PER_RUN) / 50);
  },
);

/** The git hosts of a key have names that no name server knows: the broker maps them to two local services. */
const GIT_DUMMY = "ghp_sophia-dddddddddddddddddddddddddddddddd";
const GIT_KEY = "ghp_real-git-8e9f0a1b";
const basic = (text: string): string => `Basic ${Buffer.from(text, "latin1").toString("base64")}`;
const gitSegment = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(..."acme app.git info refs repos keys app other git-receive-pack".split(" ")),
  },
  { weight: 1, arbitrary: oddSegment },
  {
    weight: 1,
    arbitrary: fc.constantFrom("app%2Fkeys", "acme%2fapp", "x%2f..%2Fy", "%2F", "app.git%2finfo", "Keys", "keys;x"),
  },
);
const gitPath = fc.oneof(
  fc.array(gitSegment, { maxLength: 6 }).map((segments) => `/${segments.join("/")}`),
  fc.constantFrom("/acme/app.git/info/refs", "/repos/acme/app", "/repos/acme/app/keys"),
);
const gitSite = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("http://git.test", "/api.test", "", "/git.test") },
  fc.constantFrom(
    "http://api.test",
    "HTTP://GIT.test",
    "https://git.test",
    "http://git.test:80",
    "http://u@git.test",
    "//git.test",
  ),
);
const gitHost = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("git.test", "HOST", "api.test", "localhost") },
  fc.constantFrom("evil.test", "GIT.TEST", "git.test.evil.test", "", "git.test\r\nHost: HOST"),
);
const gitKey = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(basic(`x-access-token:${GIT_DUMMY}`), `token ${GIT_DUMMY}`, `Bearer ${GIT_DUMMY}`),
  },
  fc.constantFrom(
    basic(`${GIT_DUMMY}:`),
    basic(`${GIT_DUMMY}:${GIT_DUMMY}`),
    basic(`u:${GIT_DUMMY}:x`),
    basic(GIT_DUMMY),
    `${basic(`u:${GIT_DUMMY}`)}=`,
    `Basic ${GIT_DUMMY}`,
    basic(`u:${openai.dummy}`),
    `Bearer ${openai.dummy}`,
    "",
  ),
);
const gitAddress = fc.constantFrom(
  ["http://git.test", "git.test"],
  ["/api.test", "HOST"],
  ["", "api.test"],
  ["", "git.test"],
);
const gitRequest = fc
  .tuple(
    fc.constantFrom("GET", "GET", "GET", "POST", "DELETE", "CONNECT"),
    fc.oneof(gitAddress, fc.tuple(gitSite, gitHost)),
    gitPath,
    targetEnd,
    gitKey,
    rare(oddHeaders, 2),
  )
  .map(([method, [site, name], below, query, key, more]) =>
    [`${method} ${site}${below}${query} HTTP/1.1`, `Host: ${name}`, `Authorization: ${key}`, ...more, "", ""].join(
      "\r\n",
    ),
  );

/** Lists the rules that a request which has reached the git service, or its API, violates. */
function gitViolationsOf(
  { method, target: written, rawHeaders, headers }: ReceivedRequest,
  isGit: boolean,
): readonly string[] {
  const plain = new URL(written.toLowerCase().replaceAll(/%2f|%5c|\\/g, "/"), "http://x").pathname;
  const read = plain
    .replaceAll(/;[^/]*/g, "")
    .replaceAll(/\/+/g, "/")
    .replace(/\/$/, "");
  const isAllowed = isGit
    ? /^\/acme\/app\.git(?:\/|$)/.test(read)
    : method === "GET" && /^\/repos\/acme(?:\/|$)/.test(read) && !/^\/repos\/[^/]*\/[^/]*\/keys(?:\/|$)/.test(read);
  const [scheme = "", sentKey = ""] = (headers.authorization ?? "").split(/ +/);
  const text = Buffer.from(sentKey, "base64").toString("latin1");
  const key = scheme.toLowerCase() === "basic" ? text.slice(text.indexOf(":") + 1) : sentKey;
  return [
    ...(isAllowed ? [] : ["a path that is not allowed"]),
    ...(key === GIT_KEY ? [] : ["another key"]),
    ...(`${written} ${rawHeaders.join(" ")} ${text}`.includes("sophia-") ? ["a dummy"] : []),
  ];
}

test(
  `no mutated request in absolute form, or on a socket, does so either (${RUNS * PER_RUN} requests)`,
  { timeout: 900_000 },
  async () => {
    const found: string[] = [];
    const tally = { answered: 0, refused: 0 };
    const git = await startUpstream((_, response) => void response.end("ok"));
    const api = await startUpstream((_, response) => void response.end("ok"));
    const other = await startUpstream((_, response) => void response.end("ok"));
    const services = [git, api, other];
    for (const { server } of services) {
      server.on("upgrade", (_, socket) => void socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    }
    const agents = new Map(services.map(({ origin }) => [origin, new Agent({ keepAlive: true })]));
    const keyOf = (name: string): string => (name === "GITHUB_PAT" ? GIT_KEY : (REAL_KEYS[name] ?? ""));
    const agentFor = (origin: string): Agent => agents.get(origin) ?? expect.fail(origin);
    const broker = await startBroker(git.origin, { keyOf, agentFor });
    const route: Route = {
      ...openai,
      name: "GITHUB_PAT",
      dummy: GIT_DUMMY,
      origin: git.origin,
      slots: [
        { header: "authorization", scheme: "bearer" },
        { header: "authorization", scheme: "token" },
        PASSWORD_SLOT,
      ],
      allow: parseRules(["git.test: * /acme/app.git/**", "api.test: GET /repos/acme/**"]),
      deny: parseRules(["api.test: * /repos/*/*/keys/**"]),
      sites: [
        { host: "git.test", origin: git.origin, hasGit: true },
        { host: "api.test", origin: api.origin, hasGit: false },
      ],
    };
    broker.replaceRoutes([route, { ...openai, origin: other.origin }]);
    const socketPath = join(folder(), "s");
    await broker.openSocket(socketPath);
    const port = Number(new URL(broker.origin).port);
    const mark = { Authorization: `Bearer ${GIT_DUMMY}` };
    await fc.assert(
      fc.asyncProperty(fc.array(gitRequest, { minLength: PER_RUN, maxLength: PER_RUN }), async (requests) => {
        const counts = services.map((each) => each.requests.length);
        let isOver = (): void => {};
        const over = new Promise<void>((resolve) => {
          isOver = resolve;
        });
        const exchanges = requests.map((text, index) =>
          exchangeMessages(index % 2 === 0 ? port : socketPath, text, over),
        );
        for (let turn = 0; turn < 3; turn++)
          await sendRequest(broker.origin, "/api.test/repos/acme/x", { method: "GET", headers: mark });
        isOver();
        for (const answer of await Promise.all(exchanges)) {
          tally[answer.startsWith("HTTP/1.1 200") ? "answered" : "refused"] += 1;
        }
        for (const [index, service] of services.entries()) {
          for (const received of service.requests.slice(counts[index])) {
            for (const wrong of index === 2 ? violationsOf(received) : gitViolationsOf(received, index === 0)) {
              found.push(`${wrong}: ${received.method} ${received.target}`);
            }
          }
        }
        expect(found).toEqual([]);
      }),
      { numRuns: RUNS },
    );
    expect(Math.min(tally.answered, tally.refused)).toBeGreaterThan((RUNS * PER_RUN) / 50);
  },
);
