import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { secret, startEscServer } from "../../esc-server/index.ts";
import { startProxy } from "../../esc-server/proxy.ts";
import { REFUSED_PORT } from "../../esc-server/sockets.ts";
import { useCertificates } from "../../helpers/certificates.ts";
import { folder, sophia, unwrapLines } from "../../helpers/sophia.ts";
import { notPreloadable } from "../../helpers/skip.ts";
import { expectWording } from "../../helpers/wording.ts";
import { atTerminal } from "../../helpers/terminal.ts";
import { SENTINEL, sentinelOf } from "../sophia-environment.ts";
import { startPostgres, type PostgresOptions } from "./postgres-server.ts";

type Answer = (request: http.IncomingMessage, response: http.ServerResponse, body: string) => void;

/** A service on loopback: what it is asked, and what it says. */
async function startService(answer: Answer, tls?: { readonly cert: string; readonly key: string }) {
  const requests: { method: string; host: string; url: string; headers: http.IncomingHttpHeaders; body: string }[] = [];
  const server = tls === undefined ? http.createServer() : https.createServer(tls);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.on("request", (request: http.IncomingMessage, response: http.ServerResponse) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      const { method = "", headers, url = "" } = request;
      requests.push({ method, headers, url, body, host: headers.host ?? "" });
      answer(request, response, body);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  // Listening on a port: its address is no path.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { port } = server.address() as AddressInfo;
  return { requests, port, url: `http://127.0.0.1:${port}` };
}

const KEY = sentinelOf("key");

/** A contract of one key whose probe goes to a service of this machine. */
function contractText(probe: object | string, more: object = {}): string {
  return JSON.stringify({ variables: { KEY: { probe }, ...more } });
}

/** Runs `check --live`. The reasons for which values are not sent are in the snapshot. */
async function runLiveCheck(
  text: string,
  env: Readonly<Record<string, string>>,
  options: readonly string[] = ["--yes"],
  files: Readonly<Record<string, string>> = {},
) {
  const cwd = folder({ "sophia.contract.json": text, ...files });
  const checkRun = await sophia(["check", "--live", "--json", ...options], { cwd, env });
  expect(checkRun.stdout + checkRun.stderr).not.toContain(SENTINEL);
  expect(checkRun.stderr).not.toContain("internal error");
  const results = checkRun.stdout === "" ? [] : JSON.parse(checkRun.stdout).live;
  const reasons = results.flatMap(({ reason }: { readonly reason?: string }) => reason ?? []);
  if (reasons.length > 0) expectWording(reasons.join("\n"));
  return { ...checkRun, live: results, cwd };
}

describe("check --live makes a probe that the contract declares, which", () => {
  test("sends the value and judges the status, in the report for people and in JSON", async () => {
    const { requests, url } = await startService((_, response) => response.end("{}"));
    const more = { USER_ID: { secret: false }, QUERY: { probe: { url: `${url}/q?key=\${QUERY}` } } };
    const probe = {
      url: `${url}/me/\${USER_ID}?x=1`,
      method: "POST",
      headers: { "X-Key": "k-${KEY}" },
      basic: "${USER_ID}:${KEY}",
      body: '{"q":"${USER_ID}"}',
    };
    const env = { KEY, USER_ID: 'a/"b', QUERY: `${KEY}&c=d` };
    const { status, live: results, cwd } = await runLiveCheck(contractText(probe, more), env);
    expect(status).toBe(0);
    expect(results).toMatchObject([
      { name: "KEY", where: new URL(url).host, outcome: "accepted" },
      { name: "QUERY", outcome: "accepted" },
    ]);
    const sentRequests = requests.toSorted((a, b) => (a.url < b.url ? -1 : 1));
    expect(sentRequests).toMatchObject([
      {
        method: "POST",
        url: "/me/a%2F%22b?x=1",
        body: String.raw`{"q":"a/\"b"}`,
        headers: { "x-key": `k-${KEY}`, authorization: `Basic ${btoa(`a/"b:${KEY}`)}` },
      },
      { method: "GET", url: `/q?key=${encodeURIComponent(`${KEY}&c=d`)}` },
    ]);
    const shown = await sophia(["check", "--live", "--yes"], { cwd, env });
    expect(shown.stdout).toContain(`--- Live Check ---\n✅ KEY: Accepted by ${new URL(url).host}\n`);
    expect(shown.stdout).toContain("✅ All checks passed, but nothing is required.");
  });

  test("ends as accepted, as rejected, which fails, or as unclear, which fails with --strict", async () => {
    const { requests, url } = await startService((request, response) => {
      const [, status = "", text = ""] = (request.url ?? "").split("/");
      response.writeHead(Number(status), { Location: `${url}/200/elsewhere` }).end(text);
    });
    const statuses = {
      A200: "accepted",
      A401: "rejected",
      A400_BAD: "rejected",
      A400: "unexpected",
      A402: "credit",
      A403: "permission",
      A404: "unexpected",
      A429: "quota",
      A500: "trouble",
      A302: "redirect",
    } as const;
    const reject = [401, { status: 400, contains: "BAD" }];
    const variables = Object.fromEntries(
      Object.keys(statuses).map((name) => [
        name,
        { probe: { url: `${url}/${name.slice(1).replace("_", "/")}`, headers: { K: `\${${name}}` }, reject } },
      ]),
    );
    const env = Object.fromEntries(Object.keys(statuses).map((name) => [name, sentinelOf(name)]));
    const { status, live: results } = await runLiveCheck(JSON.stringify({ variables }), env);
    expect(status).toBe(1);
    const shown = results.map((probeResult: Record<string, string>) => [
      probeResult["name"],
      probeResult["kind"] ?? probeResult["outcome"],
    ]);
    expect(Object.fromEntries(shown)).toEqual(statuses);
    // No redirect is followed, and nothing is asked twice.
    expect(requests).toHaveLength(10);
    const unclear = JSON.stringify({ variables: { A429: variables["A429"] } });
    expect((await runLiveCheck(unclear, env)).status).toBe(0);
    expect((await runLiveCheck(unclear, env, ["--yes", "--strict"])).status).toBe(1);
  });

  test("ends after 5 s, in parallel with the others; a service that does not answer is not a rejection", async () => {
    let [open, most] = [0, 0];
    const count = (response: http.ServerResponse): void => {
      most = Math.max(most, (open += 1));
      response.on("close", () => void (open -= 1));
    };
    const { url } = await startService((_, response) => count(response));
    const { url: half } = await startService((_, response) => {
      count(response);
      response.write("{");
    });
    const gone = `http://127.0.0.1:${REFUSED_PORT}`;
    const headers = (name: string): object => ({ headers: { K: `\${${name}}` } });
    const variables = {
      KEY: { probe: { url, ...headers("KEY") } },
      // The body decides, and does not end.
      HALF: { probe: { url: half, ...headers("HALF"), reject: [{ status: 200, contains: "no" }] } },
      GONE: { probe: { url: gone, ...headers("GONE") } },
    };
    const env = { KEY, HALF: sentinelOf("half"), GONE: sentinelOf("gone") };
    const { status, live: results } = await runLiveCheck(JSON.stringify({ variables }), env);
    expect(most).toBe(2);
    expect(status).toBe(0);
    expect(results).toMatchObject([
      { kind: "unreachable", code: "timed out" },
      { kind: "unreachable", code: "timed out" },
      { kind: "unreachable", code: "ECONNREFUSED" },
    ]);
  });

  test("is judged by the status alone, if the body cannot be read", async () => {
    const cut = (response: http.ServerResponse): void => void response.write("{", () => response.socket?.destroy());
    const bodies: Readonly<Record<string, (response: http.ServerResponse, status: number) => void>> = {
      COMPRESSED: (response, status) =>
        void response.writeHead(status, { "Content-Encoding": "gzip" }).end(gzipSync("BAD")),
      LARGE: (response, status) => void response.writeHead(status, { "Content-Length": 1 << 30 }).write("x"),
      CUT: (response, status) => cut(response.writeHead(status, { "Content-Length": 100 })),
      ENDLESS: (response, status) => void response.writeHead(status).write("x"),
    };
    const { url } = await startService((request, response) => {
      const [, status = "", body = ""] = (request.url ?? "").split("/");
      bodies[body]?.(response, Number(status));
    });
    const kinds = Object.keys(bodies);
    expect(kinds).toHaveLength(4);
    const results = async (status: number, more: object): Promise<readonly string[]> => {
      const probe = (name: string): object => ({
        url: `${url}/${status}/${name}`,
        headers: { K: `\${${name}}` },
        ...more,
      });
      const variables = Object.fromEntries(kinds.map((name) => [name, { probe: probe(name) }]));
      const checkRun = await runLiveCheck(
        JSON.stringify({ variables }),
        Object.fromEntries(kinds.map((name) => [name, KEY])),
      );
      return checkRun.live.map((probeResult: Record<string, string>) => probeResult["outcome"]);
    };
    expect(await results(200, {})).toEqual(kinds.map(() => "accepted"));
    expect(await results(401, { reject: [{ status: 401, contains: "BAD" }] })).toEqual(kinds.map(() => "rejected"));
    // What cannot be read accepts nothing.
    const contains = { reject: [{ status: 200, contains: "BAD" }] };
    expect(await results(200, contains)).toEqual(kinds.map(() => "unclear"));
  });

  test("that is answered with 101, or fails with an internal error, does not affect others", async ({ skip }) => {
    skip(notPreloadable !== undefined, notPreloadable);
    const { url } = await startService((_, response) => response.end("{}"));
    const server = http.createServer().on("upgrade", () => {});
    server.on("request", (_, response: http.ServerResponse) =>
      response.socket?.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
    const { port } = server.address() as AddressInfo;
    const probe = (name: string, to: string): object => ({ probe: { url: to, headers: { K: `\${${name}}` } } });
    const variables = {
      SWITCHED: probe("SWITCHED", `http://127.0.0.1:${port}`),
      BUG: probe("BUG", `${url}/bug`),
      GOOD: probe("GOOD", url),
    };
    const cwd = folder({
      "sophia.contract.json": JSON.stringify({ variables }),
      "bug.cjs":
        'const http = require("node:http"), { request } = http;' +
        'http.request = (options) => { if (options.path === "/bug") throw new RangeError("x"); return request(options); };',
    });
    const env = { SWITCHED: KEY, BUG: KEY, GOOD: KEY, NODE_OPTIONS: `--require=${join(cwd, "bug.cjs")}` };
    const checkRun = await sophia(["check", "--live", "--json", "--yes"], { cwd, env });
    expect(JSON.parse(checkRun.stdout).live).toMatchObject([
      { name: "SWITCHED", kind: "unexpected", code: "HTTP 101" },
      { name: "BUG", kind: "internal", code: "RangeError" },
      { name: "GOOD", outcome: "accepted" },
    ]);
    expect(checkRun.status).toBe(1);
    expect(checkRun.stderr).toContain("internal error (RangeError)");
  });

  test("is sent only over TLS or within this machine, and only with valid headers", async () => {
    const probe = { url: "${BASE}/x", headers: { K: "${KEY}" } };
    const more = { BASE: { secret: false } };
    const result = async (env: Readonly<Record<string, string>>): Promise<object> => {
      const { status, live: results } = await runLiveCheck(contractText(probe, more), env);
      expect(status).toBe(0);
      return results[0];
    };
    const plain = await result({ KEY, BASE: "http://service.example.test" });
    expect(plain).toMatchObject({ kind: "unsent", reason: expect.stringContaining("plain http") });
    expect(await result({ KEY, BASE: "ftp://x" })).toMatchObject({ reason: expect.stringContaining("https") });
    expect(await result({ KEY })).toMatchObject({ reason: "BASE is not set" });
    expect(await result({ KEY: `${KEY}\n`, BASE: "https://127.0.0.1:1" })).toMatchObject({
      reason: expect.stringContaining("line break"),
    });
  });

  test.each<[what: string, probe: object, message: string]>([
    ["plain http to another machine", { url: "http://a.test/${KEY}" }, "http sends the value"],
    ["a variable in the host", { url: "https://${KEY}.evil.test/" }, "only a part of the host"],
    ["a variable before the host's end", { url: "${KEY}.evil.test/" }, "the whole host"],
    ["a user in the URL", { url: "https://x:${KEY}@a.test/" }, "a user name"],
    ["what is not declared", { url: "https://a.test/${KEY}${OTHER}" }, "refers to a variable that is not declared"],
    ["a probe without the value", { url: "https://a.test/" }, "the probe does not send the value"],
    ["a reserved header", { url: "https://a.test/${KEY}", headers: { Host: "b.test" } }, "this header cannot be set"],
    ["a body without POST", { url: "https://a.test/${KEY}", body: "x" }, "only a POST has a body"],
    ["another method", { url: "https://a.test/${KEY}", method: "DELETE" }, "unknown value"],
  ])("is refused with %s", async (_, probe, message) => {
    const cwd = folder({ "sophia.contract.json": contractText(probe) });
    const checkRun = await sophia(["check"], { cwd });
    expect(checkRun.status).toBe(125);
    expect(unwrapLines(checkRun.stderr)).toContain(message);
  });
});

describe("check --live to a host that a file of the repository names", () => {
  test("sends a value only with --yes, or if the user agrees at the terminal", async () => {
    const { requests, url } = await startService((_, response) => response.end());
    const { host } = new URL(url);
    const text = contractText({ url, headers: { K: "${KEY}" } });
    const unasked = await runLiveCheck(text, { KEY }, []);
    expect(unasked.status).toBe(0);
    expect(unasked.live).toMatchObject([
      { kind: "unasked", reason: expect.stringMatching(new RegExp(`the contract .* ${host}; --yes`)) },
    ]);
    expect((await runLiveCheck(text, { KEY }, ["--strict"])).status).toBe(1);
    const runOptions = { cwd: unasked.cwd, env: { KEY } };
    const no = await atTerminal(["check", "--live"], runOptions, [["Send them? [y/N] ", "\n"]]);
    expect(no.stdout).toMatch(new RegExp(`  KEY: the contract .* ${host}`));
    expect(no.stdout).toContain("KEY: Not sent: ");
    expect(no.stdout).toContain("✅ The contract is met.");
    expect(no.stdout).toContain("⚠️ 1 value not sent");
    expect(no.stdout).not.toContain("All checks passed");
    expect(no.status).toBe(0);
    const strict = await atTerminal(["check", "--live", "--strict"], runOptions, [["Send them? [y/N] ", "n\n"]]);
    expect(strict.status).toBe(1);
    expect(requests).toEqual([]);
    const yes = await atTerminal(["check", "--live"], runOptions, [["Send them? [y/N] ", "y\n"]]);
    expect(yes.stdout).toContain(`✅ KEY: Accepted by ${host}`);
    expect(requests).toHaveLength(1);
  });

  test("sends no value by a built-in probe either, if a .env file, a default or an alias names the host", async () => {
    const { requests, url } = await startService((_, response) => response.end());
    const env = { QDRANT_API_KEY: KEY };
    const extended = (variables: object): string => JSON.stringify({ extends: "builtin", variables });
    const plain = extended({});
    const of = async (text: string, given: Readonly<Record<string, string>>, files = {}): Promise<object> =>
      (await runLiveCheck(text, given, [], files)).live.find(({ name }: { name: string }) => name === "QDRANT_API_KEY");
    const reason = expect.stringMatching(/^a file .* QDRANT_URL; --yes/);
    expect(await of(plain, env, { ".env": `QDRANT_URL=${url}\n` })).toMatchObject({ reason });
    const withDefault = extended({ QDRANT_URL: { secret: false, default: url } });
    expect(await of(withDefault, env)).toMatchObject({ reason });
    const renamed = extended({ QDRANT_API_KEY: { aliases: ["KEY_OF_SOMETHING_ELSE"] } });
    expect(await of(renamed, { KEY_OF_SOMETHING_ELSE: KEY, QDRANT_URL: url })).toMatchObject({ kind: "unasked" });
    const moved = extended({ QDRANT_API_KEY: { probe: { url: "https://evil.test/${QDRANT_API_KEY}" } } });
    expect(await of(moved, { ...env, QDRANT_URL: url })).toMatchObject({ kind: "unasked" });
    expect(requests).toEqual([]);
    // Both of the same file belong together; the caller's own word counts.
    const both = { ".env": `QDRANT_URL=${url}\nQDRANT_API_KEY=${KEY}\n` };
    expect(await of(plain, {}, both)).toMatchObject({ outcome: "accepted" });
    expect(await of(plain, { ...env, QDRANT_URL: url })).toMatchObject({ outcome: "accepted" });
    expect(requests.map((probeResult) => [probeResult.url, probeResult.headers["api-key"]])).toEqual([
      ["/collections", KEY],
      ["/collections", KEY],
    ]);
  });

  test("sends no key of the caller if the token of a .env file opens the environment that names the host", async () => {
    const { requests, url } = await startService((_, response) => response.end());
    const server = await startEscServer();
    onTestFinished(() => server.close());
    server.environment("evil/app/dev", { values: { QDRANT_URL: secret(url) } });
    const files = { ".env": `ESC_ENV=evil/app/dev\nESC_TOKEN=${server.token}\nPULUMI_BACKEND_URL=${server.url}\n` };
    const { live: results } = await runLiveCheck(
      JSON.stringify({ extends: "builtin" }),
      { QDRANT_API_KEY: KEY },
      [],
      files,
    );
    expect(results).toMatchObject([{ name: "QDRANT_API_KEY", kind: "unasked" }]);
    expect(requests).toEqual([]);
  });
});

const HOSTS = [
  ["api.github.com", "api.pulumi.com", "openrouter.ai", "api.portkey.ai", "api.anthropic.com", "api.openai.com"],
  ["api.deepseek.com", "api.groq.com", "api.mistral.ai", "cloud.lambda.ai", "api.tavily.com", "google.serper.dev"],
  ["api.perplexity.ai", "qdrant.example.test"],
].flat();
const certificates = useCertificates(HOSTS);

/** How each service of the Sophia contract is asked; written here by hand, so that a slip in the contract is one. */
const SERVICES: Readonly<Record<string, readonly [url: string, header: string, value: string]>> = {
  GH_FINE_GRAINED_TOKEN: ["https://api.github.com/user", "authorization", "Bearer VALUE"],
  GITHUB_PAT: ["https://api.github.com/user", "authorization", "Bearer VALUE"],
  PULUMI_ACCESS_TOKEN: ["https://api.pulumi.com/api/user", "authorization", "token VALUE"],
  QDRANT_API_KEY: ["https://qdrant.example.test:6333/collections", "api-key", "VALUE"],
  OPENROUTER_API_KEY: ["https://openrouter.ai/api/v1/key", "authorization", "Bearer VALUE"],
  PORTKEY_API_KEY: ["https://api.portkey.ai/v1/models", "x-portkey-api-key", "VALUE"],
  ANTHROPIC_API_KEY: ["https://api.anthropic.com/v1/models?limit=1", "x-api-key", "VALUE"],
  OPENAI_API_KEY: ["https://api.openai.com/v1/models", "authorization", "Bearer VALUE"],
  DEEPSEEK_API_KEY: ["https://api.deepseek.com/user/balance", "authorization", "Bearer VALUE"],
  GROQ_API_KEY: ["https://api.groq.com/openai/v1/models", "authorization", "Bearer VALUE"],
  MISTRAL_API_KEY: ["https://api.mistral.ai/v1/models", "authorization", "Bearer VALUE"],
  LAMBDA_CLOUD_API_KEY: ["https://cloud.lambda.ai/api/v1/instances", "authorization", "Basic BASE64"],
  TAVILY_API_KEY: ["https://api.tavily.com/usage", "authorization", "Bearer VALUE"],
  SERPER_API_KEY: ["https://google.serper.dev/account", "x-api-key", "VALUE"],
  PERPLEXITY_API_KEY: ["https://api.perplexity.ai/async/chat/completions?limit=1", "authorization", "Bearer VALUE"],
};

describe("check --live with the Sophia contract", () => {
  test("sends each value to its own service, over TLS and through the proxy, and to no other host", async () => {
    const { requests, port } = await startService((request, response) => {
      const [, found] =
        Object.entries(SERVICES).find(([name, [url, header, value]]) => {
          const credential = value.replace("VALUE", sentinelOf(name)).replace("BASE64", btoa(`${sentinelOf(name)}:`));
          return url === `https://${request.headers.host}${request.url}` && request.headers[header] === credential;
        }) ?? [];
      response.writeHead(found === undefined ? 401 : 200).end("{}");
    }, certificates().valid);
    const to = { host: "127.0.0.1", port };
    const routes = Object.fromEntries(
      HOSTS.flatMap((host) => [443, 6333].map((runOptions) => [`${host}:${runOptions}`, to])),
    );
    await using proxy = await startProxy({ routes });
    const values = Object.fromEntries(Object.keys(SERVICES).map((name) => [name, sentinelOf(name)]));
    const env = {
      ...values,
      QDRANT_URL: "https://qdrant.example.test:6333/",
      HTTPS_PROXY: proxy.url,
      SSL_CERT_FILE: certificates().caFile,
    };
    const checkRun = await sophia(["check", "--live", "--json"], { env });
    expect(checkRun).toMatchObject({ status: 0, stderr: "" });
    const { live: results } = JSON.parse(checkRun.stdout);
    expect(results.map(({ name, outcome }: Record<string, string>) => [name, outcome])).toEqual(
      Object.keys(SERVICES).map((name) => [name, "accepted"]),
    );
    expect([requests.length, proxy.tunnels]).toEqual([15, 15]);
    const bad = await sophia(["check", "--live"], { env: { ...env, SERPER_API_KEY: sentinelOf("bad") } });
    expect(bad.status).toBe(1);
    expect(bad.stdout).toContain("❌ Serper API Key: Rejected by google.serper.dev (HTTP 401)\n");
    expect(bad.stdout).toContain("✅ Qdrant API Key: Accepted by the host of QDRANT_URL\n");
    expect(bad.stdout).toContain("❌ 1 value rejected by its service\n");
    expect(bad.stdout + bad.stderr).not.toContain(SENTINEL);
    // With an untrusted certificate.
    const { SSL_CERT_FILE: _, ...untrusting } = env;
    const untrusted = await sophia(["check", "--live", "--json"], { env: untrusting });
    const [first] = JSON.parse(untrusted.stdout).live;
    expect(first).toMatchObject({ outcome: "unclear", kind: "unreachable" });
    expect(requests).toHaveLength(30);
  });

  test("uses the caller's own Pulumi service, if there is one", async () => {
    const { requests, url } = await startService((_, response) => response.end("{}"));
    const env = { PULUMI_ACCESS_TOKEN: KEY, PULUMI_BACKEND_URL: url };
    const { stdout } = await sophia(["check", "--live", "--json"], { env });
    expect(JSON.parse(stdout).live).toMatchObject([{ outcome: "accepted", where: new URL(url).host }]);
    expect(requests).toMatchObject([{ url: "/api/user", headers: { authorization: `token ${KEY}` } }]);
  });

  test("--live cannot be used with --fake or --against", async () => {
    expect(await sophia(["check", "--live", "--fake"])).toMatchObject({ status: 125 });
    expect(await sophia(["check", "--live", "--against", "a/b/c"])).toMatchObject({ status: 125 });
  });
});

describe("check --live logs in to PostgreSQL: a URL", () => {
  const PASSWORD = `${SENTINEL}-p@ss:wörd/1`;
  const URL_CONTRACT = contractText("postgresql");
  const base: PostgresOptions = { auth: "scram", user: "app", password: PASSWORD, database: "main" };
  const urlOf = (port: number, password = PASSWORD, rest = "main"): string =>
    `postgresql://app:${encodeURIComponent(password)}@127.0.0.1:${port}/${rest}`;

  async function tryIt(options: Partial<PostgresOptions>, url: (port: number) => string = urlOf, env = {}) {
    await using server = await startPostgres({ ...base, ...options });
    const { status, live: results } = await runLiveCheck(URL_CONTRACT, { KEY: url(server.port), ...env }, []);
    await server.idle();
    return { status, result: results[0], server };
  }

  test.each<PostgresOptions["auth"]>(["scram", "md5", "cleartext", "trust"])(
    "is tested by %s, and the connection is closed",
    async (auth) => {
      const { status, result, server } = await tryIt({ auth });
      expect(result).toMatchObject({ name: "KEY", outcome: "accepted", where: "the database of KEY" });
      expect(status).toBe(0);
      expect([server.violations, server.goodbyes]).toEqual([[], 1]);
      if (auth === "trust") return;
      const bad = await tryIt({ auth }, (port) => urlOf(port, "wrong"));
      expect(bad).toMatchObject({ status: 1, result: { outcome: "rejected", code: "28P01" } });
    },
  );

  test("from the contract's default, or with an alias, is tested only if the user agrees", async () => {
    await using server = await startPostgres(base);
    const url = urlOf(server.port);
    const cases = [
      { text: contractText("postgresql", { KEY: { probe: "postgresql", secret: false, default: url } }), env: {} },
      { text: contractText("postgresql", { KEY: { probe: "postgresql", aliases: ["OTHER"] } }), env: { OTHER: url } },
      {
        text: JSON.stringify({ extends: "builtin", variables: { DATABASE_URL: { default: url, secret: false } } }),
        env: {},
      },
    ];
    for (const { text, env } of cases) {
      const { live: results } = await runLiveCheck(text, env, []);
      expect(results).toMatchObject([{ kind: "unasked", reason: expect.stringMatching(/^the contract.*--yes/) }]);
    }
    expect(server.connections).toBe(0);
    for (const { text, env } of cases)
      expect((await runLiveCheck(text, env)).live).toMatchObject([{ outcome: "accepted" }]);
    await server.idle();
    expect(server.connections).toBe(3);
  });

  test("is tested over TLS, with a trusted certificate if sslmode requires one", async () => {
    const tls = certificates().valid;
    const verified = (port: number): string => urlOf(port, PASSWORD, "main?sslmode=verify-full");
    expect((await tryIt({ tls })).result).toMatchObject({ outcome: "accepted" });
    expect((await tryIt({ tls }, verified)).result).toMatchObject({
      reason: expect.stringContaining("not trusted"),
    });
    const trusting = { SSL_CERT_FILE: certificates().caFile };
    expect((await tryIt({ tls }, verified, trusting)).result).toMatchObject({ outcome: "accepted" });
    expect((await tryIt({}, verified)).result).toMatchObject({ reason: expect.stringContaining("no TLS") });
  });

  test.each<[what: string, options: Partial<PostgresOptions>, rest: string, result: object]>([
    ["no such database", {}, "other", { outcome: "rejected", code: "3D000" }],
    ["no line of pg_hba.conf", { refusal: "28000" }, "main", { kind: "permission", code: "28000" }],
    ["too many connections", { refusal: "53300" }, "main", { kind: "quota", code: "53300" }],
    ["a server that starts", { refusal: "57P03" }, "main", { kind: "trouble", code: "57P03" }],
    ["what speaks something else", { fault: "babble" }, "main", { kind: "trouble" }],
    ["a server that closes", { fault: "closes" }, "main", { kind: "trouble", code: expect.stringContaining("closed") }],
    ["a server that does not know the password", { fault: "impostor" }, "main", { kind: "unexpected" }],
    ["a server that does not show that it does", { fault: "unproven" }, "main", { kind: "unexpected" }],
    ["no answer", { fault: "silent" }, "main", { kind: "unreachable", code: "timed out" }],
  ])("is judged by what the server does: %s", async (_, options, rest, result) => {
    const tried = await tryIt(options, (port) => urlOf(port, PASSWORD, rest));
    expect(tried.result).toMatchObject(result);
  });

  test("is not tested if its password would go unencrypted to another machine, or if it is not a URL of PostgreSQL", async () => {
    const result = async (url: string): Promise<object> => (await runLiveCheck(URL_CONTRACT, { KEY: url }, [])).live[0];
    expect(await result(`postgresql://a:${SENTINEL}@db.example.test/x?sslmode=disable`)).toMatchObject({
      reason: expect.stringContaining("sslmode=disable"),
    });
    expect(await result(`mysql://a:${SENTINEL}@127.0.0.1/x`)).toMatchObject({
      reason: expect.stringContaining("not the URL"),
    });
    const gone = `postgresql://a:${SENTINEL}@127.0.0.1:${REFUSED_PORT}/x`;
    expect(await result(gone)).toMatchObject({ kind: "unreachable", code: "ECONNREFUSED" });
  });
});
