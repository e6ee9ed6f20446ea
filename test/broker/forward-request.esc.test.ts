import { once } from "node:events";
import * as http from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { REAL_KEYS } from "./routes.ts";
import { readNextText, waitForResponse, sendRequest, startBroker, startUpstream, readText } from "./upstream.ts";

const bearerHeader = (dummy: string) => ({ Authorization: `Bearer ${dummy}` });

/** Begins a request. The test decides when its body is sent and its answer is read. */
async function beginRequest(broker: string, target: string, headers: Record<string, string>) {
  const request = http.request(broker, { method: "POST", path: target, headers, agent: false });
  onTestFinished(() => void request.destroy());
  request.on("error", () => {});
  const answered = waitForResponse(request);
  answered.catch(() => {});
  return { request, answered };
}

describe("a request", () => {
  test("reaches the service with the key, and without the headers that are about the connection", async () => {
    const upstream = await startUpstream((request, response) => {
      request.resume().on("end", () => response.end("{}"));
    });
    const { origin, routes } = await startBroker(upstream.origin);
    await sendRequest(origin, "/v1/chat/completions?x=1", {
      headers: {
        ...bearerHeader(routes[0].dummy),
        "X-Twice": ["a", "b"],
        Connection: "close, X-Hop",
        "X-Hop": "1",
        "Keep-Alive": "timeout=5",
        TE: "trailers",
        "Proxy-Authorization": "Basic eA==",
      },
      body: "hello",
    });
    const [received] = upstream.requests;
    expect(received).toMatchObject({ method: "POST", target: "/v1/chat/completions?x=1", body: "hello" });
    expect(received?.headers).toMatchObject({
      host: new URL(upstream.origin).host,
      authorization: `Bearer ${REAL_KEYS["OPENAI_API_KEY"]}`,
      "content-length": "5",
      "x-twice": "a, b",
    });
    for (const name of ["x-hop", "keep-alive", "te", "proxy-authorization"])
      expect(received?.headers).not.toHaveProperty(name);
  });

  test("without a body reaches the service without one, and a chunked body stays chunked", async () => {
    const upstream = await startUpstream((request, response) => void request.resume().on("end", () => response.end()));
    const { origin, routes } = await startBroker(upstream.origin);
    const headers = bearerHeader(routes[0].dummy);
    await sendRequest(origin, "/v1/models", { method: "GET", headers });
    await sendRequest(origin, "/v1/empty", { headers: { ...headers, "Content-Length": "0" } });
    await sendRequest(origin, "/v1/files", { headers: { ...headers, "Transfer-Encoding": "chunked" }, body: "hello" });
    const [get, empty, chunked] = upstream.requests.map((received) => received.headers);
    expect(get).not.toHaveProperty("transfer-encoding");
    expect(get).not.toHaveProperty("content-length");
    expect(empty?.["content-length"]).toBe("0");
    expect(chunked).toMatchObject({ "transfer-encoding": "chunked" });
    expect(upstream.requests[2]?.body).toBe("hello");
  });

  test("has its body passed on while the client is still sending it", async () => {
    let first: (text: string) => void = () => {};
    const arrived = new Promise<string>((resolve) => {
      first = resolve;
    });
    const upstream = await startUpstream((request, response) => {
      request.once("data", (chunk: Buffer) => first(chunk.toString())).on("end", () => response.end());
    });
    const { origin, routes } = await startBroker(upstream.origin);
    const { request, answered } = await beginRequest(origin, "/v1/files", bearerHeader(routes[0].dummy));
    request.write("first");
    expect(await arrived).toBe("first");
    request.end("second");
    await readText(await answered);
    expect(upstream.requests[0]?.body).toBe("firstsecond");
  });

  test.each([
    ["a length", { "Content-Length": "9" }],
    ["chunks", { "Transfer-Encoding": "chunked" }],
  ])("has its head passed on before its body, with %s", async (_, framing) => {
    const upstream = await startUpstream((request, response) => {
      // The client sends its body only when it has the head of the answer.
      response.flushHeaders();
      let body = "";
      request.on("data", (chunk) => (body += String(chunk))).on("end", () => response.end(body));
    });
    const { origin, routes } = await startBroker(upstream.origin);
    const { request, answered } = await beginRequest(origin, "/v1/files", {
      ...bearerHeader(routes[0].dummy),
      ...framing,
    });
    request.flushHeaders();
    const answer = await answered;
    expect(upstream.requests[0]).toMatchObject({ target: "/v1/files", body: "" });
    request.write("first");
    await expect.poll(() => upstream.requests[0]?.body).toBe("first");
    request.end("last");
    expect(await readText(answer)).toBe("firstlast");
  });

  test.each([
    ["keeps the connection", {}],
    ["closes the connection", { Connection: "close" }],
  ])("whose body the client holds back gets an early answer that %s", async (_, more) => {
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(413, { "Content-Length": 9, ...more }).end("too large");
    });
    const broker = await startBroker(upstream.origin);
    const { port, host } = new URL(broker.origin);
    const socket = connect(Number(port), "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.write(
      `POST /v1/files HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${broker.routes[0].dummy}\r\nContent-Length: 5\r\n\r\n`,
    );
    let read = "";
    while (!read.endsWith("too large")) read += await readNextText(socket);
    expect(read).toMatch(/^HTTP\/1.1 413 /);
    expect(broker.records).toMatchObject([{ outcome: "answered", status: 413, bytesSent: 0 }]);
  });

  test("whose body comes with its head is sent to the service in one piece", async () => {
    const pieces: string[] = [];
    const server = createServer((socket) => {
      socket
        .on("error", () => {})
        .on("data", (chunk) => {
          pieces.push(String(chunk));
          if (String(chunk).endsWith("hello")) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        });
    });
    onTestFinished(() => void server.close());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const { origin, routes } = await startBroker(
      `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
    );
    const { status } = await sendRequest(origin, "/v1/x", { headers: bearerHeader(routes[0].dummy), body: "hello" });
    expect([status, pieces.length]).toEqual([200, 1]);
  });

  test("that expects 100 is told to continue only when the service says so", async () => {
    const upstream = await startUpstream(() => {});
    let isContinued = false;
    upstream.server.on("checkContinue", (request: http.IncomingMessage, response: http.ServerResponse) => {
      expect(isContinued).toBe(false);
      response.writeContinue();
      request.resume().on("end", () => response.end("done"));
    });
    const { origin, routes } = await startBroker(upstream.origin);
    const { request, answered } = await beginRequest(origin, "/v1/files", {
      ...bearerHeader(routes[0].dummy),
      Expect: "100-continue",
      "Content-Length": "4",
    });
    request.flushHeaders();
    await once(request, "continue");
    isContinued = true;
    request.end("body");
    expect(await readText(await answered)).toBe("done");
  });

  test("that expects 100 may send its body before it is told to continue", async () => {
    const upstream = await startUpstream((_, response) => void response.end());
    upstream.server.on("checkContinue", (request: http.IncomingMessage, response: http.ServerResponse) => {
      let body = "";
      request.on("data", (chunk) => (body += String(chunk))).on("end", () => response.end(body));
    });
    const { origin, routes } = await startBroker(upstream.origin);
    const headers = { ...bearerHeader(routes[0].dummy), Expect: "100-continue", "Content-Length": "5" };
    const { request, answered } = await beginRequest(origin, "/v1/files", headers);
    request.flushHeaders();
    await expect.poll(() => upstream.sockets.size).toBe(1);
    request.end("hello");
    expect(await readText(await answered)).toBe("hello");
  });

  test("that expects 100 and is refused sends no body", async () => {
    const upstream = await startUpstream(() => {});
    const { origin } = await startBroker(upstream.origin);
    const { request, answered } = await beginRequest(origin, "/v1/files", {
      Expect: "100-continue",
      "Content-Length": "4",
    });
    request.flushHeaders();
    expect((await answered).statusCode).toBe(401);
    expect(upstream.requests).toHaveLength(0);
  });

  test("is ended at the service, too, if its client leaves", async () => {
    let gone: () => void = () => {};
    const closed = new Promise<void>((resolve) => {
      gone = resolve;
    });
    const upstream = await startUpstream((request) => void request.on("close", gone));
    const broker = await startBroker(upstream.origin);
    const { origin, routes } = broker;
    const { request } = await beginRequest(origin, "/v1/files", {
      ...bearerHeader(routes[0].dummy),
      "Content-Length": "10",
    });
    request.write("half");
    await once(upstream.server, "request");
    request.destroy();
    await closed;
    expect(upstream.requests[0]?.body.length).toBeLessThan(10);
    await expect.poll(() => broker.records).toMatchObject([{ outcome: "left", name: "OPENAI_API_KEY" }]);
  });

  test("is recorded as left, too, if its client leaves while the request waits for an earlier one", async () => {
    const upstream = await startUpstream(() => {});
    const broker = await startBroker(upstream.origin);
    const { port, host } = new URL(broker.origin);
    const socket = connect(Number(port), "127.0.0.1");
    const head = (path: string): string =>
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${broker.routes[0].dummy}\r\n\r\n`;
    socket.write(head("/v1/one") + head("/v1/two"));
    await expect.poll(() => upstream.requests).toHaveLength(2);
    socket.destroy();
    const left = { outcome: "left", name: "OPENAI_API_KEY" };
    await expect.poll(() => broker.records).toMatchObject([left, left]);
  });
});

describe("an answer", () => {
  test("keeps its status and headers, and its redirects lead to the broker", async () => {
    const upstream = await startUpstream((request, response) => {
      const { host } = request.headers;
      response.writeHead(303, "Over There", {
        Location: `http://${host}/v1/next?a=http://${host}.evil.test/`,
        "Set-Cookie": ["a=1", "b=2"],
        "X-Echo": request.headers.authorization,
        "Keep-Alive": "timeout=1",
      });
      response.end("see there");
    });
    const { origin, routes } = await startBroker(upstream.origin);
    const { status, headers, body } = await sendRequest(origin, "/v1/x", { headers: bearerHeader(routes[0].dummy) });
    const host = new URL(upstream.origin).host;
    expect({ status, body }).toEqual({ status: 303, body: "see there" });
    expect(headers).toMatchObject({
      location: `${origin}/v1/next?a=http://${host}.evil.test/`,
      "set-cookie": ["a=1", "b=2"],
      "x-echo": `Bearer ${routes[0].dummy}`,
    });
  });

  test("without a body reaches the client without one", async () => {
    const upstream = await startUpstream((request, response) => {
      response.writeHead(
        request.method === "HEAD" ? 200 : 204,
        request.method === "HEAD" ? { "Content-Length": 7 } : {},
      );
      response.end();
    });
    const { origin, routes } = await startBroker(upstream.origin);
    const headers = bearerHeader(routes[0].dummy);
    expect(await sendRequest(origin, "/v1/x", { method: "HEAD", headers })).toMatchObject({ status: 200, body: "" });
    expect(await sendRequest(origin, "/v1/x", { method: "DELETE", headers })).toMatchObject({ status: 204, body: "" });
  });

  test("is passed on event by event", async () => {
    const next: (() => void)[] = [];
    const upstream = await startUpstream((_, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.flushHeaders();
      next.push(
        () => void response.write("data: 1\n\n"),
        () => void response.write("data: 2\n\n"),
        () => void response.end("data: [DONE]\n\n"),
      );
    });
    const { origin, routes } = await startBroker(upstream.origin);
    const { request, answered } = await beginRequest(origin, "/v1/x", bearerHeader(routes[0].dummy));
    request.end();
    const response = await answered;
    const events: string[] = [];
    for (const write of next) {
      write();
      const chunk = await readNextText(response);
      events.push(chunk);
    }
    expect(events).toEqual(["data: 1\n\n", "data: 2\n\n", "data: [DONE]\n\n"]);
  });

  test("that the service breaks off is broken off for the client", async () => {
    const upstream = await startUpstream((_, response) => {
      response.writeHead(200, { "Content-Length": 100 });
      response.write("half", () => response.destroy());
    });
    const { origin, routes } = await startBroker(upstream.origin);
    const { request, answered } = await beginRequest(origin, "/v1/x", bearerHeader(routes[0].dummy));
    request.end();
    await expect(readText(await answered)).rejects.toThrow("aborted");
  });

  test("that comes before the end of the request is passed on", async () => {
    const upstream = await startUpstream((_, response) => {
      response.writeHead(413, { Connection: "close" }).end("too large");
    });
    const { origin, routes } = await startBroker(upstream.origin);
    const { request, answered } = await beginRequest(origin, "/v1/x", {
      ...bearerHeader(routes[0].dummy),
      "Content-Length": "1000000",
    });
    request.write("x".repeat(1000));
    const response = await answered;
    expect(response.statusCode).toBe(413);
    expect(await readText(response)).toBe("too large");
  });

  test("that refuses the body and closes the connection ends the body", async () => {
    let finish: () => void = () => {};
    const upstream = await startUpstream((request, response) => {
      request.once("data", () => {
        response.writeHead(413, { Connection: "close", "Content-Length": 9 });
        response.flushHeaders();
      });
      finish = () => void response.end("too large");
    });
    const { origin, routes } = await startBroker(upstream.origin);
    const headers = { ...bearerHeader(routes[0].dummy), "Transfer-Encoding": "chunked" };
    const { request, answered } = await beginRequest(origin, "/v1/x", headers);
    request.write("first");
    const response = await answered;
    await new Promise<void>((resolve) => void request.write("second", () => resolve()));
    request.end("third");
    finish();
    expect([response.statusCode, await readText(response)]).toEqual([413, "too large"]);
    await expect.poll(() => upstream.sockets.size).toBe(0);
    expect(upstream.requests[0]?.body).toBe("first");
  });

  test("that the client reads slowly slows the service down", async () => {
    let written = 0;
    const upstream = await startUpstream((_, response) => {
      const chunk = Buffer.alloc(64 * 1024);
      const more = (): void => {
        while (written < 256 * 1024 * 1024) {
          written += chunk.length;
          if (!response.write(chunk)) return void response.once("drain", more);
        }
      };
      more();
    });
    const { origin, routes } = await startBroker(upstream.origin);
    const { request, answered } = await beginRequest(origin, "/v1/x", bearerHeader(routes[0].dummy));
    request.end();
    const response = await answered;
    response.pause();
    let before = -1;
    await expect
      .poll(() => {
        const isStill = written === before;
        before = written;
        return isStill;
      })
      .toBe(true);
    expect(written).toBeLessThan(64 * 1024 * 1024);
  });
});

describe("a refusal", () => {
  test("gives its reason in the form of the providers' errors, and the request reaches no service", async () => {
    const upstream = await startUpstream((_, response) => void response.end());
    const broker = await startBroker(upstream.origin);
    const { origin, routes } = broker;
    const cases = [
      ["/v1/x", {}, 401, "broker-key"],
      ["/v1/organization/admin_api_keys", bearerHeader(routes[0].dummy), 403, "broker-denied"],
      ["/v1//x", bearerHeader(routes[0].dummy), 400, "broker-request"],
    ] as const;
    for (const [target, headers, status, code] of cases) {
      const answer = await sendRequest(origin, target, { headers });
      expect(answer).toMatchObject({
        status,
        headers: { "x-should-retry": "false", "content-type": "application/json" },
      });
      expect(JSON.parse(answer.body)).toMatchObject({ error: { type: "sophia_run", code } });
    }
    expect(upstream.requests).toHaveLength(0);
    expect(broker.records.map(({ code, name, outcome, path }) => ({ code, name, outcome, path }))).toEqual([
      { code: "broker-key", name: undefined, outcome: "refused", path: "/v1/x" },
      { code: "broker-denied", name: "OPENAI_API_KEY", outcome: "refused", path: "/v1/organization/admin_api_keys" },
      { code: "broker-request", name: "OPENAI_API_KEY", outcome: "refused", path: "/v1//x" },
    ]);
  });

  test.each([
    ["CONNECT api.example.test:443 HTTP/1.1\r\nHost: api.example.test:443\r\n\r\n", "405", "broker-method"],
    ["TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", "405", "broker-method"],
    ["GET http://127.0.0.1/ HTTP/1.1\r\nHost: x\r\n\r\n", "400", "broker-request"],
    ["GET / HTTP/1.1\r\n\r\n", "400", "broker-request"],
    ["GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400", "broker-request"],
    ["nonsense\r\n\r\n", "400", "broker-request"],
    [`GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, "400", "broker-request"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400", "broker-request"],
  ])("is the answer to the invalid request %j", async (text, status, code) => {
    const { origin } = await startBroker("http://127.0.0.1:1");
    const socket = connect(Number(new URL(origin).port), "127.0.0.1");
    socket.write(text);
    const chunk = await readNextText(socket);
    socket.destroy();
    expect(chunk).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*"code":"${code}"`));
  });

  test("because the service cannot be reached says that the client may try again", async () => {
    const broker = await startBroker("http://127.0.0.1:1");
    const { origin, routes } = broker;
    const answer = await sendRequest(origin, "/v1/x", { headers: bearerHeader(routes[0].dummy) });
    expect(answer).toMatchObject({ status: 502, headers: { "x-should-retry": "true" } });
    expect(answer.body).toContain("broker-upstream");
    expect(broker.records).toMatchObject([
      { outcome: "failed", status: 502, code: "broker-upstream", name: "OPENAI_API_KEY" },
    ]);
  });

  test("is the answer if the service closes the connection before it answers", async () => {
    const upstream = await startUpstream((request) => void request.socket.destroy());
    const { origin, routes } = await startBroker(upstream.origin);
    const answer = await sendRequest(origin, "/v1/x", { headers: bearerHeader(routes[0].dummy), body: "x" });
    expect(answer).toMatchObject({ status: 502 });
    expect(answer.body).toContain("broker-upstream");
  });
});

describe("a key that was replaced", () => {
  test("is used by the next request; an answer that refuses the old key says that the client may try again", async () => {
    const upstream = await startUpstream((request, response) => {
      response.writeHead(request.headers.authorization === "Bearer new-key" ? 200 : 401, { "x-should-retry": "false" });
      response.end();
    });
    let looks = 0;
    const parts = {
      onUnauthorized: () => {
        looks += 1;
        broker.keys["OPENAI_API_KEY"] = "new-key";
        return Promise.resolve();
      },
    };
    const broker = await startBroker(upstream.origin, parts);
    const headers = bearerHeader(broker.routes[0].dummy);
    const first = await sendRequest(broker.origin, "/v1/x", { headers });
    const second = await sendRequest(broker.origin, "/v1/x", { headers });
    expect([first.status, first.headers["x-should-retry"], second.status]).toEqual([401, "true", 200]);
    expect(looks).toBe(1);
  });

  test("does not change an answer that refuses the present key", async () => {
    const upstream = await startUpstream((_, response) => void response.writeHead(401).end("no"));
    const { origin, routes } = await startBroker(upstream.origin);
    const answer = await sendRequest(origin, "/v1/x", { headers: bearerHeader(routes[0].dummy) });
    expect(answer).toMatchObject({ status: 401, body: "no" });
    expect(answer.headers).not.toHaveProperty("x-should-retry");
  });
});

describe("the records of requests", () => {
  test("contain how the key was used, and neither the query nor the key", async () => {
    const upstream = await startUpstream((request, response) => {
      request.resume().on("end", () => response.writeHead(200, { "x-request-id": "req_1" }).end());
    });
    const broker = await startBroker(upstream.origin);
    const { origin, routes } = broker;
    await sendRequest(origin, "/v1/x?secret=s3cr3t", { headers: bearerHeader(routes[0].dummy), body: "hello" });
    expect(broker.records.map(({ ms, ...rest }) => ({ ...rest, isTimed: ms >= 0 }))).toEqual([
      {
        isTimed: true,
        name: "OPENAI_API_KEY",
        method: "POST",
        host: new URL(upstream.origin).host,
        path: "/v1/x",
        outcome: "answered",
        status: 200,
        bytesSent: 5,
        requestId: "req_1",
      },
    ]);
  });

  test("contain the path that the service gets, with the prefix that the client has left out", async () => {
    const upstream = await startUpstream((request, response) => {
      request.resume().on("end", () => response.end());
    });
    const broker = await startBroker(upstream.origin, {});
    await sendRequest(broker.origin, "/messages?beta=1", { headers: { "x-api-key": broker.routes[1].dummy } });
    expect(upstream.requests.map(({ target }) => target)).toEqual(["/v1/messages?beta=1"]);
    expect(broker.records.map(({ path }) => path)).toEqual(["/v1/messages"]);
  });

  test("close the broker if they cannot be written, and the answer is not passed on", async () => {
    const upstream = await startUpstream((_, response) => void response.end("answer"));
    const failure = new Error("disk full");
    let reason: unknown;
    const parts = {
      record: () => {
        throw failure;
      },
      reportRecordFailure: (error: unknown) => {
        reason = error;
      },
    };
    const { origin, routes } = await startBroker(upstream.origin, parts);
    await expect(sendRequest(origin, "/v1/x", { headers: bearerHeader(routes[0].dummy) })).rejects.toThrow("hang up");
    expect(reason).toBe(failure);
    await expect(sendRequest(origin, "/v1/x")).rejects.toThrow("ECONNREFUSED");
  });
});

test("the broker does not accept more than 256 connections", async () => {
  const upstream = await startUpstream(() => {});
  const { origin, routes } = await startBroker(upstream.origin);
  const { port, host } = new URL(origin);
  const ask = (): Socket => {
    const socket = connect(Number(port), "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    // Bun has a connection only once a request has come.
    socket.write(`GET /v1/x HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${routes[0].dummy}\r\n\r\n`);
    return socket.on("error", () => {});
  };
  const sockets = Array.from({ length: 256 }, ask);
  await expect.poll(() => upstream.requests.length).toBe(256);
  const late = ask();
  // The late connection is either reset or closed.
  await new Promise((resolve) => late.once("close", resolve));
  expect(sockets.every((socket) => !socket.destroyed)).toBe(true);
  expect(upstream.requests).toHaveLength(256);
});
