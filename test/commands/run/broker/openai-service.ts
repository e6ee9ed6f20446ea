/** A service on this machine, and programs that send it requests with what they find in their environment. */
import type { IncomingMessage } from "node:http";
import { startUpstream, type Upstream } from "../../../broker/upstream.ts";
import { folder } from "../../../helpers/sophia.ts";

export const REAL_KEY = "sk-real-0123456789abcdefghij";

/** Sends one request, prints the status and the body, and exits with the status of its argument. */
const ASK = `
const { OPENAI_BASE_URL, OPENAI_API_KEY } = process.env;
const headers = { authorization: "Bearer " + OPENAI_API_KEY, "content-type": "application/json" };
const answer = await fetch(OPENAI_BASE_URL + (process.argv[3] ?? "/models"), { method: "POST", headers, body: "{}" });
console.log(answer.status, await answer.text());
process.exit(Number(process.argv[2] ?? 0));
`;

export interface Service extends Upstream {
  /** The environment of the launcher: a key, and this service as its gateway. */
  readonly env: Readonly<Record<string, string>>;
}

/** A service that answers with the authorization that it got, to POST /v1/models and other paths. */
export async function startService(answer: (request: IncomingMessage) => number = () => 200): Promise<Service> {
  const upstream = await startUpstream((request, response) => {
    request.resume();
    request.on("end", () => {
      response.writeHead(answer(request), { "content-type": "text/plain", "x-request-id": "req-1" });
      response.end("answered");
    });
  });
  return { ...upstream, env: { OPENAI_API_KEY: REAL_KEY, OPENAI_BASE_URL: `${upstream.origin}/v1` } };
}

/** A folder with `ask.mjs`, which sends one request. */
export function createClientFolder(files: Readonly<Record<string, string>> = {}): string {
  return folder({ "ask.mjs": ASK, ...files });
}
