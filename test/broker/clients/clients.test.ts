/** Official clients of the providers, at pinned versions, through the broker to a service that records what reaches it. */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { dummyKey } from "../../../src/broker/dummy.ts";
import type { Route } from "../../../src/broker/model.ts";
import { PROVIDERS } from "../../../src/contract/broker/providers.ts";
import { parseRule } from "../../../src/contract/broker/path-rules.ts";
import { type Certificates, makeCertificates } from "../../esc-server/tls.ts";
import { startBroker, startUpstream } from "../upstream.ts";
import { answerAsProvider } from "./providers.ts";

const run = promisify(execFile);

const JAVASCRIPT = {
  openai: "7.59.0",
  "@anthropic-ai/sdk": "1.14.0",
  "groq-sdk": "1.6.0",
  "@ai-sdk/anthropic": "4.0.105",
  "@openrouter/sdk": "1.3.19",
  "portkey-ai": "3.1.0",
  "@perplexity-ai/perplexity_ai": "0.38.5",
  "@qdrant/js-client-rest": "1.19.0",
} as const;
const PYTHON = {
  openai: "3.57.0",
  anthropic: "2.14.0",
  groq: "1.7.0",
  perplexityai: "0.46.1",
  "portkey-ai": "2.3.4",
  "qdrant-client": "1.20.0",
} as const;

const KEY_OF: Readonly<Record<string, string>> = {
  openai: "OPENAI_API_KEY",
  "@anthropic-ai/sdk": "ANTHROPIC_API_KEY",
  "@ai-sdk/anthropic": "ANTHROPIC_API_KEY",
  anthropic: "ANTHROPIC_API_KEY",
  "groq-sdk": "GROQ_API_KEY",
  groq: "GROQ_API_KEY",
  "@openrouter/sdk": "OPENROUTER_API_KEY",
  "portkey-ai": "PORTKEY_API_KEY",
  "@perplexity-ai/perplexity_ai": "PERPLEXITY_API_KEY",
  perplexityai: "PERPLEXITY_API_KEY",
  "@qdrant/js-client-rest": "QDRANT_API_KEY",
  "qdrant-client": "QDRANT_API_KEY",
};

const cache = join(import.meta.dirname, "../../../.cache/broker-clients");
let certificates: Certificates;

beforeAll(async () => {
  certificates = await makeCertificates();
});
afterAll(() => certificates.remove());

/** Fetches packages into a folder that is named for their versions, if it is not there yet. */
function fetchInto(
  name: string,
  versions: Readonly<Record<string, string>>,
  install: (folder: string) => void,
): string {
  const folder = join(cache, `${name}-${Object.values(versions).join("-")}`);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  install(unfinished);
  renameSync(unfinished, folder);
  return folder;
}

function fetchJavaScript(): string {
  return fetchInto("javascript", JAVASCRIPT, (folder) => {
    writeFileSync(
      join(folder, "package.json"),
      JSON.stringify({ private: true, type: "module", dependencies: JAVASCRIPT }),
    );
    execFileSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"], {
      cwd: folder,
      timeout: 300_000,
      stdio: "ignore",
    });
  });
}

function fetchPython(): string {
  return fetchInto("python", PYTHON, (folder) => {
    const packages = Object.entries(PYTHON).map(([name, version]) => `${name}==${version}`);
    execFileSync("python3", ["-m", "pip", "install", "--quiet", "--target", folder, ...packages], {
      timeout: 300_000,
      stdio: "ignore",
    });
  });
}

/** Starts the service and the broker for the key of a client. */
async function brokered(name: string) {
  const upstream = await startUpstream(
    (request, response) => void answerAsProvider(request, response),
    certificates.valid,
  );
  const key = KEY_OF[name] ?? "";
  const provider = PROVIDERS[key];
  if (provider === undefined) throw new TypeError(`no provider of ${key}`);
  const route: Route = {
    name: key,
    dummy: dummyKey({ name: key }) ?? "",
    origin: upstream.origin,
    path: "",
    servicePath: "",
    prefix: provider.prefix ?? "",
    slots: provider.slots,
    allow: [],
    deny: (provider.deny ?? []).flatMap((text) => parseRule(text) ?? []),
  };
  const real = `real-key-of-${key}`;
  const network = { certificateFile: certificates.caFile };
  const broker = await startBroker(upstream.origin, { keyOf: () => real }, network);
  broker.replaceRoutes([route]);
  const base = Object.entries(provider.base).map(([variable, path]): [string, string] => [
    variable,
    broker.origin + path,
  ]);
  const env = {
    PATH: process.env["PATH"],
    [key]: route.dummy,
    ...Object.fromEntries(base),
  };
  return { upstream, broker, env, real, key };
}

async function expectCalls(name: string, command: string, args: readonly string[], more: Record<string, string>) {
  const { upstream, broker, env, real, key } = await brokered(name);
  const { stdout } = await run(command, [...args, name], {
    env: { ...env, ...more },
    timeout: 60_000,
    killSignal: "SIGKILL",
  });
  const isQdrant = key === "QDRANT_API_KEY";
  expect(JSON.parse(stdout)).toEqual({
    call: "hello",
    stream: isQdrant ? [] : ["hel", "lo"],
    error: isQdrant ? 404 : 400,
  });
  expect(upstream.requests.length).toBeGreaterThanOrEqual(isQdrant ? 2 : 3);
  for (const { rawHeaders } of upstream.requests) expect(rawHeaders.join("\n")).toContain(real);
  expect(broker.records.every(({ outcome }) => outcome === "answered")).toBe(true);
}

describe("JavaScript", { timeout: 400_000 }, () => {
  test.each(Object.keys(JAVASCRIPT))("%s makes a call, a stream and a call that fails", async (name) => {
    const folder = fetchJavaScript();
    const script = join(folder, "javascript.mjs");
    const { copyFileSync } = await import("node:fs");
    copyFileSync(join(import.meta.dirname, "javascript.mjs"), script);
    onTestFinished(() => rmSync(script, { force: true }));
    await expectCalls(name, process.execPath, [script], {});
  });
});

describe("Python", { timeout: 400_000 }, () => {
  test.each(Object.keys(PYTHON))("%s makes a call, a stream and a call that fails", async (name) => {
    const folder = fetchPython();
    await expectCalls(name, "python3", [join(import.meta.dirname, "python.py")], { PYTHONPATH: folder });
  });
});
