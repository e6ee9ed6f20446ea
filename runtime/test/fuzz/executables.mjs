// Gives changed bytes to executables by all that a user, a repository or a service controls: command lines, `.env` files,
// contracts,
// code, answers of ESC, requests to the broker. Whatever the bytes are, all executables must print and do the same.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { isDeepStrictEqual } from "node:util";
import { mutate, random } from "./random.cjs";

const root = join(import.meta.dirname, "../../..");
const TSX = join(root, "node_modules/tsx/dist/cli.mjs");
const ESC_SERVER = join(root, "test/esc-server/main.ts");
const LIMIT_MS = 60_000;
const STATUSES = new Set([0, 1, 2, 7, 78, 125, 126, 127]);
const TOKEN = "s3cr3t-v4lue-0a1b2c3d";

const DOTENV = `# a comment
export SERVICE_TOKEN="${TOKEN}" # behind
SINGLE='as $it \\n is'
MULTI="first\\nsecond
third \${SERVICE_TOKEN}"
TICKS=\`it's "quoted"\`
EMPTY=
URL: https://user:pass@host.example:8080/path?query=1#x
GREETING=grüße 🙂
MODE=prod
`;
const CONTRACT = JSON.stringify({
  $schema: "./schema.json",
  name: "Fuzz",
  variables: {
    SERVICE_TOKEN: { required: true, label: "Service töken", aliases: ["TOKEN"], example: "abc" },
    PORT: { secret: false, format: "port", default: "8080" },
    MODE: { secret: false, format: { type: "text", pattern: "(?:debug|prod)+[a-z]{0,3}" } },
    URL: { secret: false, format: "url" },
  },
  groups: { group: { label: "Group", rule: "at-least-one", variables: ["URL", "MODE"] } },
});
const CODE = {
  "code.js":
    "const { A, B: renamed = 1 } = process.env;\nexport const url = process.env['URL_' + A] ?? process.env.URL;\n`${process.env.T}`;\n",
  "code.py":
    'import os\nfrom os import environ as e\ne["SERVICE_TOKEN"]\nos.getenv("MODE", "debug")\nclass S(BaseSettings):\n  port: int = 1\n',
  "compose.yaml": "services:\n  a:\n    environment:\n      - X=${Y:-z}\n      T: &t 1\n    env_file: [.env]\n",
  Dockerfile: "FROM a AS b\nARG X=1\nENV Y=$X Z='q'\nRUN echo ${X:-y}\n",
};
const WORDS = `check explain export get docs init scan completion help bash fish - -- --json --format json shell dotenv
  GREETING SERVICE_TOKEN --contract sophia.contract.json --dotenv .env .env.local --redact --redact=never
  --mode spawn exec auto -q -v --only-declared --pristine --include S* --exclude *_TOKEN --no-contract
  --allow X --fake --scope a --profile p --kill-after 1s --reason why true printenv sh -c exit\u00a07 --all
  -h --help=all -V --prefer=esc --timeout 1s --offline`.split(/[ \n]+/);

/** Empties a folder, writes the files into it, and runs a program in it. */
async function run(program, args, cwd, files, env, talk) {
  rmSync(cwd, { recursive: true, force: true });
  mkdirSync(cwd);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(cwd, name), bytes, { mode: 0o600 });
  chmodSync(cwd, 0o700);
  const child = spawn(program, args, {
    cwd,
    env: { PATH: "/usr/bin:/bin", HOME: cwd, ...env },
    stdio: [talk === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  const errors = text(child.stderr);
  const ended = once(child, "close");
  const talked = talk?.(child);
  const output = talk === undefined ? (await buffer(child.stdout)).toString("latin1") : "";
  const [status, signal] = await ended;
  // The name of a folder with secret files differs from run to run.
  const comparableOutput = output.replaceAll(/\/sophia-run-\d+-\d+-\d+-(?:locked-)?\w+\//g, "/");
  return { status, signal, output: comparableOutput, errors: await errors, talked: await talked };
}

/** For each kind of run a function that chooses words, files and variables by random numbers. */
const KINDS = {
  lines: (next) => ({
    args: Array.from({ length: 1 + next(6) }, () => {
      const word = WORDS[next(WORDS.length)].replaceAll("\u00a0", " ");
      return next(6) === 0 ? mutate(next, Buffer.from(word)).toString("latin1").replaceAll("\0", "?") : word;
    }),
    files: { ".env": DOTENV, "sophia.contract.json": CONTRACT },
  }),
  dotenv: (next) => ({
    args: [["-q", "--", "env", "-0"], ["explain"], ["export", "--format", "json"], ["check"]][next(4)],
    files: { ".env": mutate(next, Buffer.from(DOTENV), 8), "sophia.contract.json": CONTRACT },
  }),
  contracts: (next) => ({
    args: [["--", "true"], ["explain"], ["check", "--json"], ["docs"]][next(4)],
    files: {
      ".env": DOTENV,
      // Most changes make the contract invalid.
      "sophia.contract.json": next(4) === 0 ? CONTRACT : mutate(next, Buffer.from(CONTRACT), 1),
    },
  }),
  code: (next) => ({
    args: ["init"],
    files: Object.fromEntries(Object.entries(CODE).map(([name, code]) => [name, mutate(next, Buffer.from(code), 6)])),
  }),
};

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
    const comparableOutput = state.answers.get(`${key} ${count}`);
    if (comparableOutput !== undefined) {
      request.resume().on("end", () => reply(comparableOutput));
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
 * Sends raw bytes to the broker of a program, each on a connection. Resolves with the answer to the last bytes, which are
 * unchanged.
 */
async function sendToBroker(child, next) {
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
      const head = `POST /v1/models?a=${request} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${key}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`;
      const socket = net.connect({ port: Number(port), host: "127.0.0.1" });
      socket.on("error", () => {});
      if (request === 0) socket.write(head);
      // It depends on the timing whether an answer arrives before the broker notices that the client no longer waits for it.
      else socket.end(mutate(next, Buffer.from(head, "latin1")));
      answer = await text(socket).catch(() => "");
    }
  }
  child.stdin.end();
  return answer;
}

/** Returns the beginning of a value as text. Each byte becomes a character. */
function describeValue(value) {
  const whole = JSON.stringify(value, (_, part) =>
    part?.type === "Buffer" ? Buffer.from(part.data).toString("latin1") : part,
  );
  return whole.slice(0, 2000);
}

/**
 * Runs all programs by a function, and compares them.
 *
 * @param given what the programs get, for the message
 * @throws if a program has crashed, or has behaved differently from the first program
 */
async function compare(programs, given, runOne) {
  let [expected, reference] = [];
  for (const [name, path] of Object.entries(programs)) {
    const result = await runOne(path);
    const isCrash = result.signal !== null || !STATUSES.has(result.status);
    if (isCrash || /internal error|checking mode/.test(result.errors)) {
      throw new Error(
        `${name} ended by ${result.signal ?? result.status}: ${describeValue(result)}\n${describeValue(given)}`,
      );
    }
    expected ??= result;
    reference ??= name;
    if (!isDeepStrictEqual(result, expected)) {
      throw new Error(
        `${reference}: ${describeValue(expected)}\n${name}: ${describeValue(result)}\n${describeValue(given)}`,
      );
    }
  }
  return expected;
}

/** Makes runs in a new folder. Some runs must succeed, because the bytes are changed too much otherwise. */
async function repeat(times, runOnce) {
  const folder = mkdtempSync(join(tmpdir(), "sophia-run-fuzz-"));
  try {
    const statuses = [];
    for (let number = 0; number < times; number += 1) {
      const { status } = await runOnce(number, join(folder, "work"));
      statuses.push(status);
    }
    if (!statuses.includes(0)) throw new Error(`none of ${times} runs was successful`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * @param programs the paths of executables by name; all are compared with the first
 *
 * @returns for each case a function that throws if a program has crashed, or if two programs differ
 */
export function executableCases(programs, seed, runs) {
  const cases = Object.entries(KINDS).map(([name, kind]) => [
    name,
    () =>
      repeat(runs, (number, cwd) => {
        const { args, files } = kind(random(seed + number));
        return compare(programs, { number, args, files }, (program) => run(program, args, cwd, files, {}));
      }),
  ]);
  return { ...Object.fromEntries(cases), esc, broker };

  async function esc() {
    const server = spawn(process.execPath, [TSX, ESC_SERVER, "--stdin"], { stdio: ["pipe", "pipe", "inherit"] });
    const [line] = await once(server.stdout.setEncoding("utf8"), "data");
    const { url, token, environment } = JSON.parse(line);
    const changed = await serveChanged(url);
    const env = { ESC_ENV: environment, ESC_TOKEN: token, PULUMI_BACKEND_URL: changed.url };
    const lines = [
      ["--require-esc", "--", "env", "-0"],
      ["--require-esc", "--redact", "--", "env", "-0"],
      ["get", "QDRANT_URL"],
      ["explain"],
    ];
    try {
      await repeat(runs, (number, cwd) => {
        const args = lines[number % lines.length];
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

  async function broker() {
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
      await repeat(Math.ceil(runs / 10), (number, cwd) => {
        const args = ["--no-contract", "-q", "--broker", "--", "sh", "-c", script, "sh", number % 2 === 0 ? "0" : "7"];
        return compare(programs, { number, args }, (program) =>
          run(program, args, cwd, {}, env, (child) => sendToBroker(child, random(seed + number))),
        ).then((ended) => {
          if (!ended.talked.includes("answered")) throw new Error(`a request has no answer: ${describeValue(ended)}`);
          return ended;
        });
      });
    } finally {
      service.close();
      service.closeAllConnections();
    }
  }
}
