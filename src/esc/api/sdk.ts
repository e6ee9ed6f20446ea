import { EscApi } from "@pulumi/esc-sdk/esc/raw/api.js";
import { Configuration } from "@pulumi/esc-sdk/esc/raw/configuration.js";
import type { HttpAnswer, HttpClient } from "../transport/http.ts";
import type { FullName } from "../settings/names.ts";
import type { Secret } from "../auth/secret.ts";

/** The two requests that reading an environment takes. Answers of any status come back; none is thrown. */
export interface EscRequests {
  open(name: FullName): Promise<HttpAnswer>;
  read(name: FullName, session: string): Promise<HttpAnswer>;
}

/** The service's own default, said outright: what providers mint for a session may be bound to its life. */
const SESSION_DURATION = "1h";

/**
 * The ESC SDK's raw client on our own HTTP client. Only its raw part is loaded: the rest brings a YAML parser and reads
 * credentials of its own from the user's files.
 */
export function createRequests(
  backend: string,
  token: Secret,
  http: HttpClient,
  headers: Readonly<Record<string, string>>,
): EscRequests {
  const configuration = new Configuration({
    // With its prefix: the SDK itself leaves the prefix out for tokens that begin with the same word.
    accessToken: `token ${token.reveal()}`,
    baseOptions: { headers },
  });
  // Sound: of the client the SDK calls `request` and reads `defaults.baseURL`, and hands on what `request` resolves to.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const client = http as unknown as ConstructorParameters<typeof EscApi>[2];
  const api = new EscApi(configuration, `${backend}/api/esc`, client);
  return {
    open: ({ organization, project, name, version }) =>
      asAnswer(
        version === undefined
          ? api.openEnvironment(organization, project, name, SESSION_DURATION)
          : api.openEnvironmentAtVersion(organization, project, name, version, SESSION_DURATION),
      ),
    read: ({ organization, project, name }, session) =>
      asAnswer(api.readOpenEnvironment(organization, project, name, session)),
  };
}

/** What our client gave, handed through by the SDK, whose types describe the answers of axios with parsed bodies. */
async function asAnswer(handed: Promise<unknown>): Promise<HttpAnswer> {
  const answer = await handed;
  if (!isAnswer(answer)) throw new TypeError("the ESC SDK changed the answer");
  return answer;
}

function isAnswer(value: unknown): value is HttpAnswer {
  return typeof value === "object" && value !== null && "status" in value && "headers" in value && "data" in value;
}
