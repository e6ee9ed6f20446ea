/* Sends answers of a hostile HTTP server in random pieces. Prints the client's events for each answer. */
const http = require("node:http");
const net = require("node:net");
const { writeSync } = require("node:fs");
const { mutate, pieces, random } = require("./random.cjs");

const [, , seed, runs] = process.argv;
const LIMIT_MS = 10_000;

const head = (fields, body) => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n${body}`;
const ANSWERS = [
  head("Content-Length: 5\r\nX-Name: value", "hello"),
  head("Transfer-Encoding: chunked\r\nTrailer: T", "5;name=value\r\nhello\r\n3\r\nabc\r\n0\r\nT: x\r\n\r\n"),
  head("Connection: close", "until the end".repeat(20)),
  `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n${head("Content-Length: 2", "ok")}`,
  "HTTP/1.1 204 No Content\r\nSet-Cookie: a=b\r\nSet-Cookie: c\r\n\r\n",
  head(Array.from({ length: 200 }, (_, index) => `H${index}: ${"v".repeat(index)}`).join("\r\n"), "x"),
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nraw bytes",
  head("Content-Length: 3\r\nContent-Length: 4", "abcd"),
  head("Content-Encoding: gzip\r\nTransfer-Encoding: gzip, chunked", "1\r\na\r\n0\r\n\r\n"),
].map((text) => Buffer.from(text, "latin1"));

async function ask(bytes, parts, isTunnel) {
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.setNoDelay(true);
    socket.once("data", () => {
      for (const part of parts) socket.write(part);
      socket.end();
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const seen = await new Promise((resolve) => {
    const found = { events: [], length: 0 };
    const timer = setTimeout(() => {
      found.events.push("too late");
      resolve(found);
    }, LIMIT_MS);
    const end = (event) => {
      found.events.push(event);
      clearTimeout(timer);
      resolve(found);
    };
    const { port } = server.address();
    const request = http.request({
      port,
      host: "127.0.0.1",
      agent: false,
      ...(isTunnel ? { method: "CONNECT", path: "a:1" } : {}),
    });
    request.on("error", ({ code }) => end(["error", code]));
    request.on("information", ({ statusCode }) => found.events.push(["information", statusCode]));
    for (const name of ["connect", "upgrade"]) {
      request.on(name, (answer, socket) => {
        socket.on("error", () => {});
        socket.destroy();
        end([name, answer.statusCode, answer.headers]);
      });
    }
    request.on("response", (answer) => {
      found.events.push([answer.statusCode, answer.statusMessage, answer.httpVersion, answer.rawHeaders]);
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("error", ({ code }) => end(["body", code]));
      answer.on("end", () =>
        end(["end", Buffer.concat(chunks).toString("latin1"), answer.complete, answer.rawTrailers]),
      );
    });
    request.end();
  });
  await new Promise((resolve) => server.close(resolve));
  if (seen.events.includes("too late")) throw new Error(`no end after ${bytes.toString("latin1")}`);
  return seen.events;
}

async function main() {
  for (let run = 0; run < Number(runs); run += 1) {
    const next = random(Number(seed) + run);
    const answer = ANSWERS[next(ANSWERS.length)];
    const bytes = next(10) === 0 ? answer : mutate(next, answer);
    const seen = await ask(bytes, pieces(next, bytes), next(8) === 0);
    writeSync(1, `${run} ${JSON.stringify(seen)}\n`);
  }
}

void main();
