/**
 * Official clients of the providers, at pinned versions, make calls through the broker to a service that records what
 * reaches it.
 */
import { execFile } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { createDummy } from "../../../src/broker/dummy.ts";
import type { Route } from "../../../src/broker/route.ts";
import { PROVIDERS } from "../../../src/contract/broker/providers.ts";
import { parseRules } from "../../../src/contract/broker/path-rules.ts";
import { notInstalled, notNightly, skipBecause } from "../../helpers/skip.ts";
import { useCertificates } from "../../helpers/certificates.ts";
import { startBroker, startUpstream } from "../upstream.ts";
import {
  fetchGo,
  fetchJavaScript,
  fetchMaven,
  fetchPython,
  GO,
  isLarge,
  JAVASCRIPT,
  MAVEN,
  PYTHON,
} from "./packages.ts";
import { answerAsProvider } from "./providers.ts";

const runFile = promisify(execFile);

const KEY_NAMES: Readonly<Record<string, string>> = {
  openai: "OPENAI_API_KEY",
  "@anthropic-ai/sdk": "ANTHROPIC_API_KEY",
  "@ai-sdk/anthropic": "ANTHROPIC_API_KEY",
  anthropic: "ANTHROPIC_API_KEY",
  "@google/genai": "GEMINI_API_KEY",
  "google-genai": "GEMINI_API_KEY",
  "groq-sdk": "GROQ_API_KEY",
  groq: "GROQ_API_KEY",
  "@openrouter/sdk": "OPENROUTER_API_KEY",
  "portkey-ai": "PORTKEY_API_KEY",
  "@perplexity-ai/perplexity_ai": "PERPLEXITY_API_KEY",
  perplexityai: "PERPLEXITY_API_KEY",
  "@qdrant/js-client-rest": "QDRANT_API_KEY",
  "qdrant-client": "QDRANT_API_KEY",
  "github.com/openai/openai-go/v3": "OPENAI_API_KEY",
  "github.com/anthropics/anthropic-sdk-go": "ANTHROPIC_API_KEY",
  "com.openai:openai-java": "OPENAI_API_KEY",
  "com.anthropic:anthropic-java": "ANTHROPIC_API_KEY",
};

const certificates = useCertificates();

/** Starts the service, and the broker with the key of this client. */
async function startBrokerForClient(name: string) {
  const upstream = await startUpstream(
    (request, response) => void answerAsProvider(request, response),
    certificates().valid,
  );
  const key = KEY_NAMES[name] ?? "";
  const provider = PROVIDERS[key];
  if (provider === undefined) throw new TypeError(`no provider of ${key}`);
  const route: Route = {
    name: key,
    dummy: createDummy({ name: key }) ?? "",
    origin: upstream.origin,
    path: "",
    servicePath: "",
    prefix: provider.prefix ?? "",
    slots: provider.slots,
    allow: [],
    deny: parseRules(provider.deny ?? []),
  };
  const real = `real-key-of-${key}`;
  const network = { certificateFile: certificates().caFile };
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
  const { upstream, broker, env, real, key } = await startBrokerForClient(name);
  const { stdout } = await runFile(command, [...args, name], {
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

describe("through the broker, the JavaScript client", { timeout: 400_000 }, () => {
  test.for(Object.keys(JAVASCRIPT))("%s makes a call, a stream and a call that fails", async (name, { skip }) => {
    skip(isLarge(name) && notNightly !== undefined, notNightly);
    const folder = fetchJavaScript();
    const script = join(folder, "javascript.mjs");
    copyFileSync(join(import.meta.dirname, "javascript.mjs"), script);
    onTestFinished(() => rmSync(script, { force: true }));
    await expectCalls(name, process.execPath, [script], {});
  });
});

describe("through the broker, the Python client", { timeout: 400_000 }, () => {
  test.for(Object.keys(PYTHON))("%s makes a call, a stream and a call that fails", async (name, { skip }) => {
    skip(name !== "openai" && notNightly !== undefined, notNightly);
    const folder = fetchPython();
    await expectCalls(name, "python3", [join(import.meta.dirname, "python.py")], { PYTHONPATH: folder });
  });
});

describe("through the broker, the Go client", { timeout: 400_000 }, () => {
  skipBecause(notNightly ?? notInstalled("go", "version"));
  test.each(Object.keys(GO))("%s makes a call, a stream and a call that fails", async (name) => {
    await expectCalls(name, fetchGo(), [], {});
  });
});

describe("through the broker, the Java client", { timeout: 400_000 }, () => {
  skipBecause(notNightly ?? notInstalled("mvn", "--version"));
  test.each(Object.keys(MAVEN))("%s makes a call, a stream and a call that fails", async (name) => {
    await expectCalls(name, "java", ["-cp", fetchMaven(), join(import.meta.dirname, "Clients.java")], {});
  });
});
