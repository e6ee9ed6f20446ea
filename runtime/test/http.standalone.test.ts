/**
 * node:http in the executable's runtime: clients and servers must have the same events, and send the same bytes, as in Node.js.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { PATHS, serveAnswers } from "./http/answers.ts";
import { skipWithoutShell, shell } from "./helpers/shell.ts";

skipWithoutShell();
const LIMIT_MS = 30_000;

function startScript(program: string, script: string, ...args: readonly string[]): ChildProcess {
  const file = join(import.meta.dirname, "http", script);
  return spawn(program, [file, ...args], { stdio: ["ignore", "pipe", "inherit"], timeout: LIMIT_MS });
}

async function readOutput({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new TypeError("no output");
  return await text(stdout);
}

it("node:net connects, and reports addresses, as in Node.js", async () => {
  const run = async (program: string): Promise<readonly string[]> => {
    const output = await readOutput(startScript(program, "addresses.cjs"));
    return output.replaceAll(/,\d{4,5},/g, ",PORT,").split("\n");
  };
  const runtimeLines = await run(shell);
  expect(runtimeLines.at(-2)).toBe('["end"]');
  expect(runtimeLines).toEqual(await run(process.execPath));
});

it("a server serves a connection while many other connections wait to be accepted", async () => {
  expect(Number(await readOutput(startScript(shell, "flood.cjs")))).toBeLessThan(50);
});

it("a client reads answers, and bytes that are no answer, as in Node.js", async () => {
  const { port, close } = await serveAnswers();
  const run = async (program: string): Promise<readonly string[]> => {
    const output = await readOutput(startScript(program, "client.cjs", String(port), PATHS.join(" ")));
    return output.replaceAll(`:${port}`, ":PORT").split("\n");
  };
  const expected = await run(process.execPath);
  expect(expected.filter((line) => line.startsWith('["--"'))).toHaveLength(PATHS.length + 12);
  expect(await run(shell)).toEqual(expected);
  close();
});

it("a client sends no request on an idle connection that the server has ended", async () => {
  const output = await readOutput(startScript(shell, "ended.cjs"));
  expect(output.split("\n")).toEqual([
    '["POST",200,false]',
    '["GET",200,false]',
    '["POST",200,false]',
    '["POST",200,false]',
    '["connections",4]',
    "",
  ]);
});

it("a client sends no waiting request on a connection that the server has ended", async () => {
  const output = await readOutput(startScript(shell, "waiting.cjs"));
  expect(JSON.parse(output)).toEqual([[200, 200, 200], 3]);
});

it("a client does not reuse a connection on which more bytes than the answer have arrived", async () => {
  const output = await readOutput(startScript(shell, "more.cjs"));
  const lines = output.trimEnd().split("\n");
  const answer = [200, ["Content-Length", "2"]];
  const results = lines.map((line): readonly unknown[] => JSON.parse(line));
  // Empty lines before an answer are allowed.
  const isHarmless = ([more, isLate]: readonly unknown[]): boolean =>
    more === "" || (more === "\r\n" && isLate === false);
  expect(results.map((result) => result.slice(2))).toEqual(
    results.map((result) => [
      [...answer, false],
      [...answer, isHarmless(result)],
    ]),
  );
  expect(results).toHaveLength(10);
});

it("a server reads a stream whose end arrives together with its bytes as in Node.js", async () => {
  const runtimeOutput = await readOutput(startScript(shell, "stream.cjs"));
  expect(runtimeOutput).toContain('["end","/a","body"]');
  expect(runtimeOutput).toBe(await readOutput(startScript(process.execPath, "stream.cjs")));
});

it("servers and clients read messages that are divided, or whose connections end, at any byte, as in Node.js", async () => {
  const [found, expected] = await Promise.all(
    [shell, process.execPath].map((program) => readOutput(startScript(program, "split.cjs"))),
  );
  expect(found?.split("\n")).toEqual(expected?.split("\n"));
  expect(found?.match(/^\["(?:server|client)",/gm)?.length).toBeGreaterThan(500);
});

const HOST = "Host: a\r\n";
const END = `GET /last HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;
const postRequest = (path: string, fields: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\n${HOST}${fields}\r\n\r\n${body}`;
const getRequest = (path: string): string => `GET ${path} HTTP/1.1\r\n${HOST}\r\n`;
const CHUNKED = "Transfer-Encoding: chunked";

/** What a client sends at once. After each of these texts the server ends the connection. */
const REQUESTS: readonly string[] = [
  END,
  "GET /a HTTP/1.0\r\n\r\n",
  `GET /a HTTP/1.1\r\nConnection: close\r\n\r\n`,
  postRequest("/a", "Content-Length: 4", `body${END}`),
  postRequest("/a", `${CHUNKED}\r\nConnection: close`, "3\r\nabc\r\n0\r\nT: x\r\n\r\n"),
  postRequest("/ignore", "Content-Length: 4", `body${END}`),
  `${getRequest("/flush")}HEAD /b HTTP/1.1\r\n${HOST}\r\n${getRequest("/204")}${getRequest("/304")}`,
  `${getRequest("/trailer")}${getRequest("/latin1")}${END}`,
  `${getRequest("/fields")}${getRequest("/set")}${getRequest("/disclosed")}${getRequest("/closes")}`,
  `${getRequest("/wrong")}${END}`,
  postRequest("/continue", "Expect: 100-continue\r\nContent-Length: 4", `body${END}`),
  postRequest("/ignore", "Expect: 100-continue\r\nContent-Length: 4", `body${END}`),
  postRequest("/a", "Expect: other\r\nContent-Length: 4", `body${END}`),
  postRequest("/pipe", "Content-Length: 10", `helloworld${END}`),
  `${getRequest("/large")}${END}`,
  getRequest("/destroy"),
  "garbage\r\n\r\n",
  "FOO / HTTP/1.1\r\n\r\n",
  "GET / HTTP/1.1\r\nbad name: x\r\n\r\n",
  "GET / HTTP/1.1\nHost: a\n\n",
  `GET / HTTP/1.1\r\nX: ${"a".repeat(3000)}\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`,
  `GET /a HTTP/1.1\r\n${HOST}Connection: close\r\n${"a:\r\n".repeat(300)}\r\n`,
  postRequest("/a", `Content-Length: 3\r\n${CHUNKED}`, "0\r\n\r\n"),
  postRequest("/a", "Content-Length: -1", ""),
  postRequest("/a", "Transfer-Encoding: gzip", ""),
  postRequest("/a", CHUNKED, "zz\r\n"),
  postRequest("/a", CHUNKED, `1;${"x".repeat(17_000)}\r\na\r\n0\r\n\r\n`),
  `${getRequest("/a")}@@@\r\n\r\n`,
  `GET /up HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: x\r\n\r\nfirst`,
  `CONNECT a:1 HTTP/1.1\r\n${HOST}\r\nfirst`,
  `\r\n\r\n${END}`,
];

/** Sends a text to the server, and returns all that it answers, or "reset". */
async function requestAnswer(port: number, request: string): Promise<string> {
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
  const answer = Buffer.concat(chunks)
    .toString("latin1")
    .replaceAll(/Date: [^\r]*/g, "Date")
    .replaceAll("y".repeat(20_000), "Y");
  return reset === "" ? answer : reset;
}

it.each(["host", "clientError"])(
  "a server answers requests, and bytes that are no request, as in Node.js (%s)",
  async (mode) => {
    const run = async (program: string): Promise<readonly string[]> => {
      const server = startScript(program, "server.cjs", mode);
      const output = readOutput(server);
      if (server.stdout === null) throw new TypeError("no output");
      const [first] = await once(server.stdout, "data");
      const [port] = JSON.parse(String(first));
      const answers: string[] = [];
      for (const request of REQUESTS) answers.push(await requestAnswer(Number(port), request));
      connect(Number(port), "127.0.0.1").end(getRequest("/quit"));
      const [, ...events] = (await output).split("\n");
      return [...answers.flatMap((answer) => answer.split("\r\n")), ...events];
    };
    expect(await run(shell)).toEqual(await run(process.execPath));
  },
);

it.each(["overwritten", "given-away"])(
  "a server reads the bytes of a request as they arrived, even if a handler has them %s",
  async (change) => {
    const server = startScript(shell, "changed-bytes.cjs", change);
    const output = readOutput(server);
    if (server.stdout === null) throw new TypeError("no output");
    const [port] = await once(server.stdout, "data");
    const requests = ["/1", "/2"].map((path) => `GET ${path} HTTP/1.1\r\n${HOST}X: value\r\n`);
    const answer = await requestAnswer(Number(port), `${requests.join("\r\n")}Connection: close\r\n\r\n`);
    expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 200"]);
    expect((await output).split("\n").slice(1)).toEqual(["/1 value", "/2 value", ""]);
  },
);
