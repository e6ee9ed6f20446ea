/* Sends answers of a hostile HTTP server in random pieces. Prints the client's events for each answer. */
const http = require("node:http");
const net = require("node:net");
const { writeSync } = require("node:fs");
const { chooseInput, readCorpus } = require("./corpus.cjs");
const { pieces, random } = require("./random.cjs");

const [, , seed, first, runs, corpus] = process.argv;
const LIMIT_MS = 10_000;

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
  const answers = readCorpus(corpus);
  for (let run = Number(first); run < Number(first) + Number(runs); run += 1) {
    const next = random(Number(seed) + run);
    const bytes = chooseInput(answers, run, next);
    const seen = await ask(bytes, pieces(next, bytes), next(8) === 0);
    writeSync(1, `${run} ${JSON.stringify(seen)}\n`);
  }
}

void main();
