/**
 * The program of `npx tsx bench/broker.ts`: does the task of each line of its standard input and prints the result, both JSON.
 * It sends to OPENAI_BASE_URL: to the service itself, or to a broker. The program is the same in both cases.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { Results, Task } from "./tasks.mts";

const { OPENAI_BASE_URL: base = "", OPENAI_API_KEY: key = "", HTTPS_PROXY } = process.env;
const { protocol, hostname, port, pathname } = new URL(base);
const { request: begin, Agent } = protocol === "https:" ? https : http;
// `proxyEnv` is new in Node.js 24, and not in the types.
const proxy = HTTPS_PROXY === undefined ? {} : { proxyEnv: { HTTPS_PROXY } };
const agent = new Agent({ keepAlive: true, ...proxy });
const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
const run = promisify(execFile);
const BODY = JSON.stringify({ model: "x", messages: [{ role: "user", content: "q".repeat(1950) }] });
const BLOCK = Buffer.alloc(64 * 1024, "u");

const TASKS: { readonly [Name in keyof Results]: (task: Task<Name>) => Promise<Results[Name]> } = {
  latency: async ({ count }) => {
    const times: number[] = [];
    for (let index = 0; index < count; index++) {
      const start = now();
      await post();
      times.push(milliseconds(now() - start));
    }
    return times;
  },

  rate: async ({ count, atOnce }) => {
    let left = count;
    const work = async (): Promise<void> => {
      while (left-- > 0) await post();
    };
    const start = now();
    await Promise.all(Array.from({ length: atOnce }, work));
    return (count / milliseconds(now() - start)) * 1000;
  },

  events: async ({ count, ms }) => {
    const start = now();
    const answer = await responseTo(open("GET", `/events?count=${count}&ms=${ms}`));
    let first = 0;
    let merged = 0;
    const delays: number[] = [];
    for await (const chunk of answer) {
      const time = now();
      const events = String(chunk).match(/\d+/g) ?? [];
      if (delays.length === 0) first = milliseconds(time - start);
      merged += events.length - 1;
      delays.push(...events.map((sent) => milliseconds(time - BigInt(sent))));
    }
    return { first, delays, merged };
  },

  upload: async ({ bytes }) => {
    const request = open("POST", "/upload", { "content-length": bytes });
    const answered = responseTo(request);
    // The connection is there, and a body that is on its way is measured.
    const start = now();
    for (let left = bytes; left > 0; left -= BLOCK.length) {
      const isTaken = request.write(BLOCK.subarray(0, Math.min(left, BLOCK.length)));
      if (!isTaken) await new Promise((resolve) => request.once("drain", resolve));
    }
    request.end();
    // Sound: upstream.mts answers so.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    const { bytes: received, first } = JSON.parse(await textOf(await answered)) as { bytes: number; first: string };
    expectEqual(received, bytes);
    return { firstChunk: milliseconds(BigInt(first) - start), ms: milliseconds(now() - start) };
  },

  download: async ({ bytes }) => {
    const start = now();
    const answer = await responseTo(open("GET", `/download?bytes=${bytes}`));
    let received = 0;
    for await (const chunk of answer) {
      // Sound: no encoding is set.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
      received += (chunk as Buffer).length;
    }
    expectEqual(received, bytes);
    return milliseconds(now() - start);
  },

  abandon: async ({ count, atOnce }) => {
    let left = count;
    const work = async (): Promise<void> => {
      while (left-- > 0) {
        const request = open("GET", "/events?count=1000&ms=50");
        const answer = await responseTo(request);
        await new Promise((resolve) => answer.once("data", resolve));
        answer.on("error", () => {});
        const closed = new Promise((resolve) => request.once("close", resolve));
        request.destroy();
        await closed;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    return count;
  },

  clone: async ({ repository }) => {
    const target = mkdtempSync("clone-");
    const ms = await timeOf("git", "clone", "--quiet", "--no-checkout", repository, target);
    rmSync(target, { recursive: true });
    return ms;
  },

  push: async ({ from, repository }) => timeOf("git", "-C", from, "push", "--quiet", repository, "main"),

  gh: async ({ count }) => {
    let ms = 0;
    for (let index = 0; index < count; index++) ms += await timeOf("gh", "api", "user");
    return ms / count;
  },
};

async function timeOf(command: string, ...args: readonly string[]): Promise<number> {
  const start = now();
  await run(command, args);
  return milliseconds(now() - start);
}

for await (const line of createInterface({ input: process.stdin })) {
  // Sound: tasks.mts sends these.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  const task = JSON.parse(line) as Task<keyof Results>;
  const result = await perform(task);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

function perform<Name extends keyof Results>(task: Task<Name>): Promise<Results[Name]> {
  return TASKS[task.name](task);
}

async function post(): Promise<void> {
  const request = open("POST", "/chat/completions", { "content-length": BODY.length });
  request.end(BODY);
  const answer = await responseTo(request);
  await textOf(answer);
  expectEqual(answer.statusCode, 200);
}

function open(method: string, target: string, more: http.OutgoingHttpHeaders = {}): http.ClientRequest {
  const request = begin({ agent, method, hostname, port, path: pathname + target, headers: { ...headers, ...more } });
  if (method === "GET") request.end();
  return request;
}

function responseTo(request: http.ClientRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve).on("error", reject);
  });
}

async function textOf(answer: http.IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of answer) text += String(chunk);
  return text;
}

function expectEqual(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${String(actual)} in place of ${String(expected)}`);
}

function now(): bigint {
  return process.hrtime.bigint();
}

function milliseconds(ns: bigint): number {
  return Number(ns) / 1e6;
}
