/** Services and clients that keep to no rule. Each case was found by a raw socket on one side. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import type { BrokerProcess } from "./broker-process.ts";
import { REAL_KEYS } from "./routes.ts";
import { sendRequest, startBroker, startUpstream } from "./upstream.ts";

const KEY = REAL_KEYS["OPENAI_API_KEY"] ?? "";
const bearerHeader = (dummy: string) => ({ Authorization: `Bearer ${dummy}` });

/** Starts a service that answers each request with these bytes. */
async function startRawService(answer: (host: string) => string): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(answer(host), "latin1"));
  });
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const host = `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  return `http://${host}`;
}

function connectTo({ origin }: BrokerProcess): Socket {
  const socket = connect(Number(new URL(origin).port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  return socket.on("error", () => {});
}

/** Sends the text, and reads everything until the connection ends. */
async function sendText(broker: BrokerProcess, text: string): Promise<string> {
  const socket = connectTo(broker);
  socket.write(text, "latin1");
  let read = "";
  for await (const chunk of socket.setEncoding("latin1")) read += String(chunk);
  return read;
}

/** Sends the text, ends its own side of the connection, and reads everything that comes. */
async function sendTextAndEnd(broker: BrokerProcess, text: string): Promise<string> {
  const socket = connect({ port: Number(new URL(broker.origin).port), host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  socket.end(text);
  let read = "";
  for await (const chunk of socket.setEncoding("latin1")) read += String(chunk);
  return read;
}

/** Returns a request with the first dummy, as text. */
function requestText(
  { origin, routes }: BrokerProcess,
  line: string,
  headers: readonly string[] = [],
  body = "",
): string {
  const { host } = new URL(origin);
  return [`${line} HTTP/1.1`, `Host: ${host}`, `Authorization: Bearer ${routes[0].dummy}`, ...headers, "", body].join(
    "\r\n",
  );
}

describe("the head of an answer", () => {
  test.each([
    ["a status below 100", "HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n"],
    ["the status 000", "HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n"],
    ["another protocol that nobody has asked for", "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"],
    ["101 alone", "HTTP/1.1 101 S\r\n\r\n"],
  ])("that is invalid, with %s, becomes a 502, and the next request is served", async (_, answer) => {
    const service = await startRawService(() => answer);
    const broker = await startBroker(service);
    for (const target of ["/v1/x", "/v1/y"]) {
      const { status, body } = await sendRequest(broker.origin, target, {
        headers: bearerHeader(broker.routes[0].dummy),
      });
      expect(status).toBe(502);
      expect(body).toContain("broker-upstream");
      expect(body).toContain(`${new URL(service).host} cannot be reached (the answer is not HTTP)`);
    }
  });

  test("is not passed on if an invalid chunk came with it", async () => {
    const answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nnone\r\n";
    const broker = await startBroker(await startRawService(() => answer));
    const { status, body } = await sendRequest(broker.origin, "/v1/x", {
      headers: bearerHeader(broker.routes[0].dummy),
    });
    expect({ status, body }).toMatchObject({ status: 502, body: expect.stringContaining("HPE_INVALID_CHUNK_SIZE") });
    expect(broker.records).toMatchObject([{ outcome: "failed", status: 502, code: "broker-upstream" }]);
  });

  test("reaches the client without control characters in its reason phrase", async () => {
    const broker = await startBroker(await startRawService(() => "HTTP/1.1 200 a\u0001b\r\nContent-Length: 0\r\n\r\n"));
    const text = await sendText(broker, requestText(broker, "GET /v1/x", ["Connection: close"]));
    expect(text).toMatch(/^HTTP\/1.1 200 a\?b\r\n/);
  });

  test("reaches the client without a key, wherever in it the service repeats one", async () => {
    const other = REAL_KEYS["SEARCH_KEY"] ?? "";
    const head = `HTTP/1.1 200 ${KEY}\r\n${KEY}: 1\r\nX-Other: ${other}\r\nContent-Length: 0\r\n\r\n`;
    const broker = await startBroker(await startRawService(() => head));
    const text = await sendText(broker, requestText(broker, "GET /v1/x", ["Connection: close"]));
    expect(text).toMatch(/^HTTP\/1.1 200 /);
    expect(text).not.toContain(KEY);
    expect(text).not.toContain(other);
    expect(text).toContain(broker.routes[2].dummy);
  });

  test.each([["x"], ["1"], ["text"], ["Private"]])(
    "keeps its words if the key is %s, which is too short or too common to replace",
    async (key) => {
      const head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nCache-Control: Private\r\nContent-Length: 11\r\n\r\n01234567890";
      const broker = await startBroker(await startRawService(() => head), { keyOf: () => key });
      const text = await sendText(broker, requestText(broker, "GET /v1/x", ["Connection: close"]));
      expect(text.startsWith(head.slice(0, head.indexOf("\r\n\r\n")))).toBe(true);
    },
  );

  test.each([[""], ["X-Name: \u00c3\u00a9\r\n"]])(
    "keeps the bytes of its reason phrase, with the header %j",
    async (header) => {
      const head = `HTTP/1.1 200 caf\u00c3\u00a9\r\n${header}Content-Length: 0\r\n\r\n`;
      const broker = await startBroker(await startRawService(() => head));
      const text = await sendText(broker, requestText(broker, "GET /v1/x", ["Connection: close"]));
      expect(text.startsWith(`HTTP/1.1 200 caf\u00c3\u00a9\r\n${header}`)).toBe(true);
    },
  );

  test("keeps its bytes, and all its headers", async () => {
    const many = Array.from({ length: 1500 }, (_, index) => `X-${index}: 1\r\n`).join("");
    const head = `HTTP/1.1 200 OK\r\nX-Name: \u00c3\u00a9\r\n${many}X-Last: 1\r\nContent-Length: 2\r\n\r\nok`;
    const broker = await startBroker(await startRawService(() => head));
    const text = await sendText(broker, requestText(broker, "GET /v1/x", ["Connection: close"]));
    expect(text).toContain("X-Name: \u00c3\u00a9\r\n");
    expect(text).toContain("X-Last: 1\r\n");
    expect(text).toMatch(/\r\n\r\nok$/);
  });

  test.each([
    ["Location: http://HOST/a?b", "Location: BROKER/a?b"],
    ["Location: //HOST/a", "Location: BROKER/a"],
    ["Location: /a", "Location: /a"],
    ["Location: http://other.test/?back=http://HOST/a", "Location: http://other.test/?back=http://HOST/a"],
    ["Location: http://HOST@other.test/", "Location: http://HOST@other.test/"],
    ["Link: <http://HOST/a>; rel=x, <http://other.test/>", "Link: <BROKER/a>; rel=x, <http://other.test/>"],
  ])("with %s reaches the client with %s", async (sent, expected) => {
    const upstream = await startRawService((host) => {
      return `HTTP/1.1 302 F\r\n${sent.replaceAll("HOST", host)}\r\nContent-Length: 0\r\n\r\n`;
    });
    const broker = await startBroker(upstream);
    const text = await sendText(broker, requestText(broker, "GET /v1/x", ["Connection: close"]));
    const line = expected.replaceAll("HOST", new URL(upstream).host).replace("BROKER", broker.origin);
    expect(text).toContain(`\r\n${line}\r\n`);
  });
});

describe("a complete answer", () => {
  test.each([
    ["204, with a body", "HTTP/1.1 204 N\r\nContent-Length: 2\r\n\r\n", "ok"],
    ["304, with a body", "HTTP/1.1 304 N\r\nETag: x\r\n\r\n", "ok"],
    ["200, with more than was announced", "HTTP/1.1 200 O\r\nContent-Length: 2\r\n\r\nok", "more"],
    ["200, with a second one", "HTTP/1.1 200 O\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 O\r\n\r\nsecond"],
  ])("is passed on without what follows it: %s", async (_, answer, more) => {
    const broker = await startBroker(await startRawService(() => answer + more));
    const text = await sendText(broker, requestText(broker, "GET /v1/x", ["Connection: close"]));
    const [line = "", body] = answer.split(/\r\n[^]*\r\n\r\n/);
    expect(text.startsWith(`${line}\r\n`)).toBe(true);
    expect(text.split("\r\n\r\n")[1]).toBe(body);
  });

  test("that waits until the broker has looked for a new key does not need its connection any more", async () => {
    const refused = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.write("HTTP/1.1 401 U\r\nContent-Length: 2\r\n\r\nno"));
    });
    onTestFinished(() => void refused.close());
    const accepted = once(refused, "connection");
    refused.listen(0, "127.0.0.1");
    await once(refused, "listening");
    const address = refused.address();
    const broker = await startBroker(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`, {
      onUnauthorized: async () => {
        const [ours] = Object.values(broker.agent.sockets).flatMap((sockets) => sockets ?? []);
        const [theirs]: readonly Socket[] = await accepted;
        theirs?.resetAndDestroy();
        if (ours !== undefined) await new Promise((resolve) => ours.once("close", resolve));
      },
    });
    const answer = await sendRequest(broker.origin, "/v1/x", { headers: bearerHeader(broker.routes[0].dummy) });
    expect(answer).toMatchObject({ status: 401, body: "no" });
  });
});

describe("a request", () => {
  test("keeps its Host and its Content-Length even if its Connection header names them", async () => {
    const upstream = await startUpstream((request, response) => void request.resume().on("end", () => response.end()));
    const broker = await startBroker(upstream.origin);
    const second = "GET /v1/smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    const headers = ["Connection: close, host, content-length", `Content-Length: ${second.length}`];
    expect(await sendText(broker, requestText(broker, "DELETE /v1/x", headers, second))).toMatch(/^HTTP\/1.1 200 /);
    expect(upstream.requests).toMatchObject([
      { target: "/v1/x", body: second, headers: { host: new URL(upstream.origin).host } },
    ]);
  });

  test("that expects 100 is sent on without that expectation once the client sends its body", async () => {
    const upstream = await startUpstream(() => {});
    upstream.server.on("checkContinue", (request, response) => {
      request.resume().on("end", () => response.end("done"));
    });
    const broker = await startBroker(upstream.origin);
    const socket = connectTo(broker);
    const headers = ["Expect: 100-continue", "Content-Length: 4", "Connection: close"];
    socket.write(requestText(broker, "POST /v1/x", headers));
    await once(upstream.server, "checkContinue");
    socket.write("body");
    let read = "";
    for await (const chunk of socket) read += String(chunk);
    expect(read).toMatch(/^HTTP\/1.1 200 [^]*done/);
  });

  test("with a malformed body is refused", async () => {
    const upstream = await startUpstream(() => {});
    const broker = await startBroker(upstream.origin);
    const text = requestText(broker, "POST /v1/x", ["Transfer-Encoding: chunked"], "zz\r\n");
    expect(await sendText(broker, text)).toMatch(/^HTTP\/1.1 400 [^]*broker-request/);
  });

  test("that is refused gets its answer while the client is still sending", async () => {
    const upstream = await startUpstream(() => {});
    const { origin } = await startBroker(upstream.origin);
    const answer = await sendRequest(origin, "/v1/x", { body: "x".repeat(20_000_000) });
    expect(answer.status).toBe(401);
  });
});

describe("a request line", () => {
  test.each([
    ["HTTP/2.0", "GET /v1/x HTTP/2.0"],
    ["HTTP/0.9", "GET /v1/x HTTP/0.9"],
    ["HTTP/3.0", "GET /v1/x HTTP/3.0"],
    ["no version", "GET /v1/x"],
  ])("with %s is refused, even if the rest of the request is valid", async (_, line) => {
    const upstream = await startUpstream((_request, response) => void response.end());
    const broker = await startBroker(upstream.origin);
    const head = requestText(broker, "").replace(/^ HTTP\/1.1/, line);
    for (const more of ["", "GET /v1/x HTTP/1.1\r\n\r\n"]) {
      expect(await sendText(broker, head + more)).toMatch(/^HTTP\/1.1 400 [^]*"code":"broker-request"[^]*}$/);
    }
    const handshake = head.replace(/\r\n$/, "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    expect(await sendText(broker, handshake)).toMatch(/^HTTP\/1.1 400 [^]*"code":"broker-request"/);
    expect(upstream.requests).toEqual([]);
    expect(broker.records).toMatchObject(Array.from({ length: 3 }, () => ({ outcome: "refused", status: 400 })));
  });
});

describe("a client that ends its side of the connection", () => {
  test.each([
    ["nonsense", "nonsense"],
    ["a line of nonsense", "nonsense\r\n\r\n"],
    ["a part of a request line", "GET / HT"],
    ["a line without a version", "GET /\r\n"],
    ["a part of a header", "GET / HTTP/1.1\r\nHos"],
    ["a head without its end", "GET / HTTP/1.1\r\nHost: x\r\n"],
    ["a request of another version", "GET / HTTP/2.0\r\n\r\n"],
  ])("gets an answer after sending %s", async (_, text) => {
    const broker = await startBroker("http://127.0.0.1:1");
    expect(await sendTextAndEnd(broker, text)).toMatch(/^HTTP\/1.1 400 [^]*"code":"broker-request"[^]*}$/);
    await expect
      .poll(() => broker.records)
      .toMatchObject([{ outcome: "refused", status: 400, code: "broker-request" }]);
  });

  test("gets no answer after sending nothing or an empty line, and there is no record", async () => {
    const broker = await startBroker("http://127.0.0.1:1");
    for (const text of ["", "\r\n"]) expect(await sendTextAndEnd(broker, text)).toBe("");
    expect(broker.records).toEqual([]);
  });

  test("gets an answer to nonsense that follows an answered request, too", async () => {
    const upstream = await startUpstream((_, response) => void response.end("first"));
    const broker = await startBroker(upstream.origin);
    const socket = connect({ port: Number(new URL(broker.origin).port), host: "127.0.0.1", allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.write(requestText(broker, "GET /v1/x"));
    let read = "";
    for await (const chunk of socket.setEncoding("latin1")) {
      if (read === "") setImmediate(() => socket.end("GET /v1/y HT"));
      read += String(chunk);
    }
    expect(read).toMatch(/^HTTP\/1.1 200 [^]*first[^]*HTTP\/1.1 400 [^]*broker-request/);
  });

  test("within a body is recorded as left, and gets no answer", async () => {
    const upstream = await startUpstream(() => {});
    const broker = await startBroker(upstream.origin);
    expect(await sendTextAndEnd(broker, requestText(broker, "POST /v1/x", ["Content-Length: 5"], "ab"))).toBe("");
    await expect.poll(() => broker.records).toMatchObject([{ outcome: "left" }]);
  });
});

describe("of several requests in one connection,", () => {
  test.each([
    ["denied", "GET /v1/organization/x HTTP/1.1\r\nHost: HOST\r\nAuthorization: KEY\r\n\r\n", "403"],
    ["malformed", "nonsense\r\n\r\n", "400"],
    ["CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: HOST\r\n\r\n", "405"],
    ["a handshake", "GET / HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "401"],
  ])("the first is answered completely even if the second is %s", async (_, second, status) => {
    const upstream = await startUpstream((_request, response) => void setImmediate(() => response.end("whole")));
    const broker = await startBroker(upstream.origin);
    const key = `Bearer ${broker.routes[0].dummy}`;
    const behind = second.replace("HOST", new URL(broker.origin).host).replace("KEY", key);
    const text = await sendText(broker, requestText(broker, "GET /v1/x") + behind);
    expect(text).toMatch(new RegExp(`^HTTP/1.1 200 [^]*whole(?:\r\n0\r\n\r\n)?HTTP/1.1 ${status} `));
  });

  test("256 are forwarded before their answers, and further ones are refused; another client is still served", async () => {
    const waiting: (() => void)[] = [];
    const upstream = await startUpstream((request, response) => {
      if (request.url === "/v1/other") return void response.end("other");
      waiting.push(() => void response.end());
      return undefined;
    });
    const broker = await startBroker(upstream.origin);
    const text = sendText(broker, requestText(broker, "GET /v1/x").repeat(400));
    await expect
      .poll(() => broker.records)
      .toMatchObject([{ outcome: "refused", status: 400, code: "broker-request" }]);
    const other = await sendRequest(broker.origin, "/v1/other", { headers: bearerHeader(broker.routes[0].dummy) });
    expect(other).toMatchObject({ status: 200, body: "other" });
    await expect.poll(() => waiting.length).toBe(256);
    for (const answer of waiting) answer();
    const statuses = (await text).match(/HTTP\/1.1 \d+/g);
    expect(statuses).toEqual([...Array.from({ length: 256 }, () => "HTTP/1.1 200"), "HTTP/1.1 400"]);
  });

  test("none is served after a refused one", async () => {
    const upstream = await startUpstream((_, response) => void response.end());
    const broker = await startBroker(upstream.origin);
    const text = await sendText(broker, requestText(broker, "GET /v1//x") + requestText(broker, "GET /v1/x"));
    expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 400"]);
    expect(upstream.requests).toHaveLength(0);
  });
});
