/**
 * The two requests that open and read an ESC environment. The SDK of Pulumi ESC builds them, and sophia-run's own HTTP client sends them.
 */
import { EscApi } from "@pulumi/esc-sdk/esc/raw/api.js";
import { Configuration } from "@pulumi/esc-sdk/esc/raw/configuration.js";
import type { HttpAnswer } from "../../network/http.ts";
import { SESSION_MS } from "../settings/access-settings.ts";
import type { FullName } from "../settings/environment-names.ts";
import type { Connection } from "../transport/connection.ts";

export type EscRequests = ReturnType<typeof createRequests>;

/**
 * Creates the requests with the SDK's raw client. The rest of the SDK loads a YAML parser, and reads credentials from the user's
 * files.
 *
 * @param sessionMs the length of the session, in whole seconds
 */
export function createRequests(connection: Connection, sessionMs = SESSION_MS) {
  const duration = goDuration(sessionMs);
  // Our headers replace those of the SDK, which leaves out the prefix `token ` for a token that begins with that word.
  const configuration = new Configuration({ baseOptions: { headers: connection.headers() } });
  // The cast is sound: the SDK only calls `request`, returns its result, and reads `defaults.baseURL`.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const client = connection.http as unknown as ConstructorParameters<typeof EscApi>[2];
  const api = new EscApi(configuration, `${connection.backend}/api/esc`, client);
  return {
    open: ({ organization, project, name, version }: FullName) =>
      asAnswer(
        version === undefined
          ? api.openEnvironment(organization, project, name, duration)
          : api.openEnvironmentAtVersion(organization, project, name, version, duration),
      ),
    read: ({ organization, project, name }: FullName, session: string) =>
      asAnswer(api.readOpenEnvironment(organization, project, name, session)),
  };
}

/** Formats a duration for Go: 3,600,000 becomes `1h`, 90,000 becomes `1m30s` (https://pkg.go.dev/time#ParseDuration). */
function goDuration(ms: number): string {
  const seconds = ms / 1000;
  const parts = [
    [Math.floor(seconds / 3600), "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ] as const;
  return parts.map(([amount, unit]) => (amount === 0 ? "" : `${amount}${unit}`)).join("");
}

/** Checks that the SDK returned the answer of our client unchanged. Its types describe the answers of axios. */
async function asAnswer(returned: Promise<unknown>): Promise<HttpAnswer> {
  const answer = await returned;
  if (!isAnswer(answer)) throw new TypeError("the ESC SDK changed the answer");
  return answer;
}

function isAnswer(value: unknown): value is HttpAnswer {
  return typeof value === "object" && value !== null && "status" in value && "headers" in value && "data" in value;
}
