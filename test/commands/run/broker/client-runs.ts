/** Real starts with --broker in a repository, and services on this machine which record what reaches them. */
import { expect } from "vitest";
import { startUpstream, type Upstream } from "../../../broker/upstream.ts";
import { type ProcessResult, folder, sophia, unwrapLines } from "../../../helpers/sophia.ts";

export const OPENAI_KEY = "sk-real-openai-0a1b2c3d4e5f";
export const QDRANT_KEY = "real-qdrant-0a1b2c3d4e5f";
export const GROQ_KEY = "gsk-real-groq-0a1b2c3d4e5f";
export const SEARCH_KEY = "real-search-0a1b2c3d4e5f";

/** Sends one request with the key of a variable, as a client would, and writes what it has and gets. */
export const CLIENT = `
const [base, key, header, path] = process.argv.slice(2);
const { env } = process;
const value = header === "authorization" ? "Bearer " + env[key] : env[key];
console.log("started");
fetch(env[base] + path, { headers: { [header]: value } }).then(
  async (answer) => console.log(JSON.stringify({ status: answer.status, body: await answer.text(), env })),
  (error) => console.log(JSON.stringify({ error: String(error.cause ?? error), env })),
);`;

export const startRecordingService = (tls?: Parameters<typeof startUpstream>[1]): Promise<Upstream> =>
  startUpstream((_, response) => void response.end("served"), tls);

export interface ClientRun {
  readonly files?: Readonly<Record<string, string>>;
  readonly options?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The arguments of the client. */
  readonly client?: readonly [base: string, key: string, header: string, path: string];
}

const SEARCH_CLIENT = ["SEARCH_BASE_URL", "SEARCH_KEY", "authorization", "/v2/query"] as const;
export const QDRANT_CLIENT = ["QDRANT_URL", "QDRANT_API_KEY", "api-key", "/collections"] as const;
export const OPENAI_CLIENT = ["OPENAI_BASE_URL", "OPENAI_API_KEY", "authorization", "/chat/completions"] as const;

export function runClient({
  files = {},
  options = [],
  env = {},
  client = SEARCH_CLIENT,
}: ClientRun): Promise<ProcessResult> {
  const cwd = folder({ ...files, "client.cjs": CLIENT });
  return sophia(["--broker", ...options, "--", process.execPath, "client.cjs", ...client], { cwd, env });
}

export function contractText(variables: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ variables });
}

/** A contract that sends a key to a service of its own. */
export function searchContract(origin: string): string {
  const broker = { upstream: origin, headers: ["Authorization: Bearer"], base: { SEARCH_BASE_URL: "" } };
  return contractText({ SEARCH_KEY: { broker }, SEARCH_URL: { secret: false }, GITHUB_SERVER_URL: { secret: false } });
}

export const QDRANT_CONTRACT = contractText({ QDRANT_API_KEY: {}, QDRANT_URL: { secret: false, format: "url" } });
export const OPENAI_CONTRACT = contractText({ OPENAI_API_KEY: {} });

export function expectRefused(result: ProcessResult, evil: Upstream, fragments: readonly string[]): void {
  expect({ status: result.status, stdout: result.stdout }).toEqual({ status: 125, stdout: "" });
  expect(evil.requests).toEqual([]);
  for (const fragment of ["--broker", ...fragments]) expect(unwrapLines(result.stderr)).toContain(fragment);
  for (const key of [OPENAI_KEY, QDRANT_KEY, SEARCH_KEY]) expect(result.stderr).not.toContain(key);
}

/** The key reached the service, and the program had a dummy alone. */
export function expectSent(result: ProcessResult, service: Upstream, key: string): void {
  expect(result.stderr).not.toContain("sophia-run:");
  expect(result.status).toBe(0);
  const answer = parseClientAnswer(result);
  expect({ status: answer.status, body: answer.body }).toEqual({ status: 200, body: "served" });
  expect(JSON.stringify(answer.env)).not.toContain(key);
  expect(service.requests.map(({ rawHeaders }) => rawHeaders.join(" "))).toEqual([expect.stringContaining(key)]);
}

export interface ClientAnswer {
  readonly status?: number;
  readonly body?: string;
  readonly error?: string;
  readonly env: Readonly<Record<string, string>>;
}

export function parseClientAnswer({ stdout }: ProcessResult): ClientAnswer {
  return JSON.parse(stdout.slice(stdout.indexOf("\n") + 1));
}
