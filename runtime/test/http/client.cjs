// Sends requests to the port in the first argument, and prints all events. Node.js and the executable's runtime both run this
// script.
const { writeSync } = require("node:fs");
const http = require("node:http");
const net = require("node:net");

const port = Number(process.argv[2]);
const paths = process.argv[3].split(" ");
const agent = new http.Agent({ keepAlive: true });

const log = (...values) => writeSync(1, `${JSON.stringify(values)}\n`);
const described = (value) => (value instanceof Error ? [value.name, value.code, value.message] : []);

function watch(name, emitter, events) {
  for (const event of events) emitter.on(event, (value) => log(name, event, ...described(value)));
}

function send(path, { body, act = () => {}, ...options } = {}) {
  return new Promise((resolve) => {
    log("--", options.method ?? "GET", path);
    const request = http.request({ agent, host: "127.0.0.1", port, path, ...options });
    const ends = [];
    watch("request", request, ["continue", "finish", "error", "abort", "close"]);
    request.on("response", (response) => {
      ends.push(new Promise((done) => response.on("close", done)));
      log(response.statusCode, response.statusMessage, response.httpVersion, response.headers, response.rawHeaders);
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      watch("response", response, ["aborted", "end", "error", "close"]);
      response.on("close", () => {
        const text = Buffer.concat(chunks).toString("latin1");
        log(text.slice(0, 20), text.length, response.complete, response.rawTrailers, request.reusedSocket);
      });
      act(request, response);
    });
    for (const event of ["upgrade", "connect"]) {
      request.on(event, (response, socket, head) => {
        log(event, response.statusCode, response.rawHeaders, head.toString());
        socket.destroy();
      });
    }
    // An answer precedes the end of its request, unless there is an error.
    request.on("close", () => resolve(Promise.all(ends)));
    request.end(body);
  });
}

async function main() {
  for (const path of paths) await send(path);
  await send("/head", { method: "HEAD" });
  await send("target:1", { method: "CONNECT" });
  await send("/ok", { method: "POST", body: "some text" });
  await send("/ok", { headers: ["Host", "x", "A", "1", "a", "2"] });
  await send("/ok", { headers: { A: ["1", "2"], cookie: ["a=1", "b=2"] }, setHost: false });
  await send("/ok", { agent: false });
  await send("/ok", { agent: undefined, createConnection: () => net.connect(port, "127.0.0.1") });
  await send("/ok", { port: 1 });
  await send("/large", { act: (_, response) => response.destroy() });
  await send("/large", { act: (request) => request.destroy(new Error("mine")) });
  const late = new AbortController();
  await send("/begun", { signal: late.signal, act: () => late.abort() });
  const aborted = new AbortController();
  aborted.abort();
  await send("/ok", { signal: aborted.signal });
  agent.destroy();
}

const wrong = [
  { path: "/a b" },
  { path: "/\u20ac" },
  { method: "A B" },
  { headers: { "a b": 1 } },
  { headers: { a: "x\ny" } },
  { headers: { a: undefined } },
  { protocol: "https:" },
];
for (const options of wrong) {
  try {
    http.request({ host: "127.0.0.1", port, ...options });
  } catch (error) {
    log(...described(error));
  }
}
void main();
