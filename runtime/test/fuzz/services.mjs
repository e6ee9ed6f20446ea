// Runs executables against services that change their answers, and sends changed requests to their brokers. All executables must say
// and do the same.
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as http from "node:http";
import * as net from "node:net";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { chooseInput, readCorpus } from "./corpus.cjs";
import { compare, repeat, run, describeValue } from "./executables.mjs";
import { mutate, random } from "./random.cjs";

const ROOT = join(import.meta.dirname, "../../..");
const TSX = join(ROOT, "node_modules/tsx/dist/cli.mjs");
const ESC_SERVER = join(ROOT, "test/esc-server/main.ts");
const REQUESTS = readCorpus(join(import.meta.dirname, "corpus/http-requests"));
/** Command lines that read an environment of ESC. */
const ESC_COMMAND_LINES = [
  ["--require-esc", "--", "env", "-0"],
  ["--require-esc", "--redact", "--", "env", "-0"],
  ["get", "QDRANT_URL"],
  ["explain"],
];

/**
 * Forwards requests to a service, and changes its answers. In a run each program gets the same answers as the first program. Requests
 * that are made at the same time have no order, so an answer is found by its request.
 */
async function serveChanged(origin) {
  const state = { seed: 0, answers: new Map(), counts: new Map() };
  const server = http.createServer((request, response) => {
    // The key does not contain the name of the session, which differs from program to program.
    const key = `${request.method} ${request.url.replaceAll(/[\da-f-]{8,}/g, "")}`;
    const count = (state.counts.get(key) ?? 0) + 1;
    state.counts.set(key, count);
    const reply = ({ status, type, body }) => response.writeHead(status, { "content-type": type }).end(body);
    const earlierAnswer = state.answers.get(`${key} ${count}`);
    if (earlierAnswer !== undefined) {
      request.resume().on("end", () => reply(earlierAnswer));
      return;
    }
    const forwarded = http.request(new URL(request.url, origin), { method: request.method, headers: request.headers });
    request.pipe(forwarded);
    forwarded.on("error", () => response.destroy());
    forwarded.on("response", async (answer) => {
      const next = random(state.seed + count + Buffer.from(key).reduce((sum, byte) => Math.imul(sum, 31) + byte, 0));
      const bytes = await buffer(answer);
      const body = next(3) === 0 ? mutate(next, bytes) : bytes;
      const status = next(20) === 0 ? [204, 301, 400, 401, 403, 404, 409, 500][next(8)] : answer.statusCode;
      const changed = { status, type: answer.headers["content-type"] ?? "text/plain", body };
      state.answers.set(`${key} ${count}`, changed);
      reply(changed);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { state, server, url: `http://127.0.0.1:${server.address().port}` };
}

/**
 * Sends raw bytes to the broker of a program, on a connection for each request. Resolves with the answer to the last request, which
 * is not changed.
 */
async function sendRequests(child, next) {
  let answer = "";
  child.stdout.setEncoding("utf8");
  let printed = "";
  for await (const part of child.stdout) {
    printed += part;
    if (printed.endsWith("\n")) break;
  }
  const [base, key] = printed.trim().split(" ");
  if (key !== undefined) {
    const { port, host } = new URL(base);
    for (let request = 20; request >= 0; request -= 1) {
      const fields = `Host: ${host}\r\nAuthorization: Bearer ${key}\r\n`;
      const valid = `POST /v1/models?a=${request} HTTP/1.1\r\n${fields}Content-Length: 2\r\nConnection: close\r\n\r\n{}`;
      const socket = net.connect({ port: Number(port), host: "127.0.0.1" });
      socket.on("error", () => {});
      if (request === 0) socket.write(valid);
      // It depends on the timing whether an answer arrives before the broker notices that the client no longer waits for it.
      else socket.end(next(2) === 0 ? mutate(next, Buffer.from(valid, "latin1")) : changedRequest(next, fields));
      answer = await text(socket).catch(() => "");
    }
  }
  child.stdin.end();
  return answer;
}

/** Returns a changed request of the corpus, with the fields by which the broker accepts it. */
function changedRequest(next, fields) {
  const bytes = chooseInput(REQUESTS, next(2 * REQUESTS.length), next);
  return Buffer.from(bytes.toString("latin1").replace("Host: a\r\n", fields), "latin1");
}

/**
 * @param programs the paths of executables by their names; all are compared with the first
 * @returns for each case a function that makes a batch of runs, and throws if a program crashed, or if two differed
 */
export function serviceCases(programs) {
  return { esc: (batch) => readFromEsc(programs, batch), broker: (batch) => callBroker(programs, batch) };
}

async function readFromEsc(programs, { seed, ...batch }) {
  const server = spawn(process.execPath, [TSX, ESC_SERVER, "--stdin"], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(server.stdout.setEncoding("utf8"), "data");
  const { url, token, environment } = JSON.parse(line);
  const changed = await serveChanged(url);
  const env = { ESC_ENV: environment, ESC_TOKEN: token, PULUMI_BACKEND_URL: changed.url };
  try {
    return await repeat(batch, (number, cwd) => {
      const args = ESC_COMMAND_LINES[number % ESC_COMMAND_LINES.length];
      Object.assign(changed.state, { seed: seed + number, answers: new Map() });
      return compare(programs, { number, args }, (program) => {
        changed.state.counts = new Map();
        return run(program, ["--timeout", "5s", ...args], cwd, {}, env);
      });
    });
  } finally {
    server.stdin.end();
    changed.server.close();
    changed.server.closeAllConnections();
  }
}

async function callBroker(programs, { seed, ...batch }) {
  const service = http.createServer((request, response) => {
    request.resume().on("end", () => response.writeHead(200, { date: "now" }).end("answered"));
  });
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
  const env = {
    OPENAI_API_KEY: "sk-real-0123456789abcdefghij",
    OPENAI_BASE_URL: `http://127.0.0.1:${service.address().port}/v1`,
  };
  const script = 'echo "$OPENAI_BASE_URL $OPENAI_API_KEY"; cat; exit $1';
  try {
    return await repeat(batch, async (number, cwd) => {
      const args = ["--no-contract", "-q", "--broker", "--", "sh", "-c", script, "sh", number % 2 === 0 ? "0" : "7"];
      const result = await compare(programs, { number, args }, (program) =>
        run(program, args, cwd, {}, env, (child) => sendRequests(child, random(seed + number))),
      );
      if (!result.talked.includes("answered")) throw new Error(`a request has no answer: ${describeValue(result)}`);
      return result;
    });
  } finally {
    service.close();
    service.closeAllConnections();
  }
}
