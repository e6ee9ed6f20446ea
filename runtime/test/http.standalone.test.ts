/** node:http in the executable's runtime: clients and servers have the events, and send the bytes, of Node.js. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { PATHS, serveAnswers } from "./http/answers.ts";
import { needShell, shell } from "./helpers/shell.ts";

needShell();
const LIMIT_MS = 30_000;

function start(program: string, script: string, ...args: readonly string[]): ChildProcess {
  const file = join(import.meta.dirname, "http", script);
  return spawn(program, [file, ...args], { stdio: ["ignore", "pipe", "inherit"], timeout: LIMIT_MS });
}

async function outputOf({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new TypeError("no output");
  return await text(stdout);
}

it("connects, and tells addresses, as Node.js does", async () => {
  const run = async (program: string): Promise<readonly string[]> => {
    const output = await outputOf(start(program, "addresses.cjs"));
    return output.replaceAll(/,\d{4,5},/g, ",PORT,").split("\n");
  };
  const found = await run(shell);
  expect(found.at(-2)).toBe('["end"]');
  expect(found).toEqual(await run(process.execPath));
});

it("serves a connection while many others wait to be accepted", async () => {
  expect(Number(await outputOf(start(shell, "flood.cjs")))).toBeLessThan(50);
});

it("reads answers, and what is none, as Node.js does", async () => {
  const { port, close } = await serveAnswers();
  const run = async (program: string): Promise<readonly string[]> => {
    const output = await outputOf(start(program, "client.cjs", String(port), PATHS.join(" ")));
    return output.replaceAll(`:${port}`, ":PORT").split("\n");
  };
  const expected = await run(process.execPath);
  expect(expected.filter((line) => line.startsWith('["--"'))).toHaveLength(PATHS.length + 12);
  expect(await run(shell)).toEqual(expected);
  close();
});

it("sends no request on an idle connection whose end is there", async () => {
  const output = await outputOf(start(shell, "ended.cjs"));
  expect(output.split("\n")).toEqual([
    '["POST",200,false]',
    '["GET",200,false]',
    '["POST",200,false]',
    '["POST",200,false]',
    '["connections",4]',
    "",
  ]);
});

it("gives no connection whose end is there to a request that waits for one", async () => {
  const found = await outputOf(start(shell, "waiting.cjs"));
  expect(JSON.parse(found)).toEqual([[200, 200, 200], 3]);
});

it("keeps no connection on which more has come than the answer", async () => {
  const output = await outputOf(start(shell, "more.cjs"));
  const lines = output.trimEnd().split("\n");
  const answer = [200, ["Content-Length", "2"]];
  const found = lines.map((line): readonly unknown[] => JSON.parse(line));
  // Empty lines precede an answer without harm.
  const isHarmless = ([more, isLate]: readonly unknown[]): boolean =>
    more === "" || (more === "\r\n" && isLate === false);
  expect(found.map((one) => one.slice(2))).toEqual(
    found.map((one) => [
      [...answer, false],
      [...answer, isHarmless(one)],
    ]),
  );
  expect(found).toHaveLength(10);
});

it("reads a stream whose end comes with its bytes, as Node.js does", async () => {
  const found = await outputOf(start(shell, "stream.cjs"));
  expect(found).toContain('["end","/a","body"]');
  expect(found).toBe(await outputOf(start(process.execPath, "stream.cjs")));
});

it("reads messages that are divided, or whose connections end, at any byte, as Node.js does", async () => {
  const [found, expected] = await Promise.all(
    [shell, process.execPath].map((one) => outputOf(start(one, "split.cjs"))),
  );
  expect(found?.split("\n")).toEqual(expected?.split("\n"));
  expect(found?.match(/^\["(?:server|client)",/gm)?.length).toBeGreaterThan(500);
});

const HOST = "Host: a\r\n";
const END = `GET /last HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;
const post = (path: string, fields: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\n${HOST}${fields}\r\n\r\n${body}`;
const get = (path: string): string => `GET ${path} HTTP/1.1\r\n${HOST}\r\n`;
const CHUNKED = "Transfer-Encoding: chunked";

/** Bytes that a client sends at once. Each makes the server end the connection. */
const REQUESTS: readonly string[] = [
  END,
  "GET /a HTTP/1.0\r\n\r\n",
  `GET /a HTTP/1.1\r\nConnection: close\r\n\r\n`,
  post("/a", "Content-Length: 4", `body${END}`),
  post("/a", `${CHUNKED}\r\nConnection: close`, "3\r\nabc\r\n0\r\nT: x\r\n\r\n"),
  post("/ignore", "Content-Length: 4", `body${END}`),
  `${get("/flush")}HEAD /b HTTP/1.1\r\n${HOST}\r\n${get("/204")}${get("/304")}`,
  `${get("/trailer")}${get("/latin1")}${END}`,
  `${get("/fields")}${get("/set")}${get("/disclosed")}${get("/closes")}`,
  `${get("/wrong")}${END}`,
  post("/continue", "Expect: 100-continue\r\nContent-Length: 4", `body${END}`),
  post("/ignore", "Expect: 100-continue\r\nContent-Length: 4", `body${END}`),
  post("/a", "Expect: other\r\nContent-Length: 4", `body${END}`),
  post("/pipe", "Content-Length: 10", `helloworld${END}`),
  `${get("/large")}${END}`,
  get("/destroy"),
  "garbage\r\n\r\n",
  "FOO / HTTP/1.1\r\n\r\n",
  "GET / HTTP/1.1\r\nbad name: x\r\n\r\n",
  "GET / HTTP/1.1\nHost: a\n\n",
  `GET / HTTP/1.1\r\nX: ${"a".repeat(3000)}\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`,
  `GET /a HTTP/1.1\r\n${HOST}Connection: close\r\n${"a:\r\n".repeat(300)}\r\n`,
  post("/a", `Content-Length: 3\r\n${CHUNKED}`, "0\r\n\r\n"),
  post("/a", "Content-Length: -1", ""),
  post("/a", "Transfer-Encoding: gzip", ""),
  post("/a", CHUNKED, "zz\r\n"),
  post("/a", CHUNKED, `1;${"x".repeat(17_000)}\r\na\r\n0\r\n\r\n`),
  `${get("/a")}@@@\r\n\r\n`,
  `GET /up HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: x\r\n\r\nfirst`,
  `CONNECT a:1 HTTP/1.1\r\n${HOST}\r\nfirst`,
  `\r\n\r\n${END}`,
];

async function answerTo(port: number, request: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", timeout: LIMIT_MS });
  socket.on("timeout", () => socket.destroy(new Error(`no end of ${JSON.stringify(request)}`)));
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.write(request, "latin1");
  let reset = "";
  socket.on("error", (error) => {
    if (!("code" in error)) throw error;
    reset = "reset";
  });
  await once(socket, "close");
  const all = Buffer.concat(chunks)
    .toString("latin1")
    .replaceAll(/Date: [^\r]*/g, "Date")
    .replaceAll("y".repeat(20_000), "Y");
  return reset === "" ? all : reset;
}

it.each(["host", "clientError"])("answers requests, and what is none, as Node.js does (%s)", async (mode) => {
  const run = async (program: string): Promise<readonly string[]> => {
    const server = start(program, "server.cjs", mode);
    const output = outputOf(server);
    if (server.stdout === null) throw new TypeError("no output");
    const [first] = await once(server.stdout, "data");
    const [port] = JSON.parse(String(first));
    const answers: string[] = [];
    for (const request of REQUESTS) answers.push(await answerTo(Number(port), request));
    connect(Number(port), "127.0.0.1").end(get("/quit"));
    const [, ...events] = (await output).split("\n");
    return [...answers.flatMap((answer) => answer.split("\r\n")), ...events];
  };
  expect(await run(shell)).toEqual(await run(process.execPath));
});

it.each(["overwritten", "given-away"])("reads bytes as they came, though a handler has them %s", async (change) => {
  const server = start(shell, "changed-bytes.cjs", change);
  const output = outputOf(server);
  if (server.stdout === null) throw new TypeError("no output");
  const [port] = await once(server.stdout, "data");
  const requests = ["/1", "/2"].map((path) => `GET ${path} HTTP/1.1\r\n${HOST}X: value\r\n`);
  const answer = await answerTo(Number(port), `${requests.join("\r\n")}Connection: close\r\n\r\n`);
  expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 200"]);
  expect((await output).split("\n").slice(1)).toEqual(["/1 value", "/2 value", ""]);
});
