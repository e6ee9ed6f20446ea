/** Opening and reading environments, by the ESC SDK. */
import { EscApi } from "@pulumi/esc-sdk/esc/raw/api.js";
import { Configuration } from "@pulumi/esc-sdk/esc/raw/configuration.js";
import type { Notice, Variable } from "../../core/model.ts";
import { EscFault, unexpectedAnswer } from "../faults/fault.ts";
import { SESSION_MS } from "../settings/access.ts";
import { formatName, type FullName } from "../settings/names.ts";
import { parseDiagnostics, revisionIn } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import type { HttpAnswer } from "../transport/http.ts";
import { openBudget, readBudget } from "../transport/retry.ts";
import { mayMint } from "./minting.ts";
import { readValues } from "./values.ts";

export interface OpenedEnvironment {
  readonly name: FullName;
  /** The number of the revision, if the service reports it. */
  readonly revision?: string | undefined;
  readonly variables: readonly Variable[];
  readonly notices: readonly Notice[];
  /** Returns true if it may contain credentials that end with the session. Computed on demand. */
  readonly mayMint: () => boolean;
}

/** Opens and reads an environment. @throws EscFault @throws SophiaError for values that no variable can have */
export async function openAndRead(
  name: FullName,
  connection: Connection,
  sessionMs = SESSION_MS,
): Promise<OpenedEnvironment> {
  const requests = createRequests(connection, sessionMs);
  const { host, cleaner } = connection;
  const environment = formatName(name);
  // One budget for both attempts: each open may mint credentials.
  const opens = openBudget();
  const reads = readBudget();
  const open = async () => {
    const answer = await requests.open(name);
    const { id, diagnostics: list } = connection.objectIn(answer);
    const diagnostics = parseDiagnostics(list, cleaner);
    if (typeof id === "string" && isSegment(id)) return { session: id, revision: revisionIn(answer), diagnostics };
    if (diagnostics.length === 0) throw unexpectedAnswer(host);
    throw new EscFault({ kind: "status", host, status: answer.status, diagnostics });
  };
  const read = async (session: string, revision: string | undefined) => {
    const answer = await requests.read(name, session);
    // The environment exists: the session has ended.
    if (answer.status === 404) throw new EscFault({ kind: "session", host });
    const fields = connection.objectIn(answer);
    return { ...readValues(fields, answer.data, { ...name, revision }, host), fields };
  };
  const attempt = async (): Promise<OpenedEnvironment> => {
    const { session, revision, diagnostics } = await connection.repeat(`opening ${environment}`, open, opens);
    const reading = connection.repeat(`reading ${environment}`, () => read(session, revision), reads);
    const { variables, notices, fields } = await reading;
    const warnings: readonly Notice[] =
      diagnostics.length === 0 ? [] : [{ kind: "esc-diagnostics", environment, diagnostics }];
    return { name, revision, variables, notices: [...warnings, ...notices], mayMint: () => mayMint(fields) };
  };

  try {
    return await attempt();
  } catch (error) {
    const hasEnded = error instanceof EscFault && error.fault.kind === "session";
    if (!hasEnded || opens.retries >= opens.maxRetries) throw error;
    opens.retries += 1;
    return attempt();
  }
}

/** A dot segment would change the path of the request that reads; half a surrogate pair has no form in a path. */
function isSegment(id: string): boolean {
  return id !== "" && id !== "." && id !== ".." && id.isWellFormed();
}

/**
 * Makes the two requests for reading an environment: the ESC SDK's raw client on our own HTTP client, which returns
 * answers of any status. The rest of the SDK loads a YAML parser and reads credentials from the user's files.
 *
 * @param sessionMs the life of the opened environment, in whole seconds
 */
export function createRequests(connection: Connection, sessionMs: number) {
  const duration = goDuration(sessionMs);
  // Our headers replace those of the SDK: it omits the prefix of a token that begins with the same word.
  const configuration = new Configuration({ baseOptions: { headers: connection.headers() } });
  // Sound: the SDK only calls `request`, returns its result, and reads `defaults.baseURL`.
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

/** `1h`, `1h30m`, `90s` becomes `1m30s`: https://pkg.go.dev/time#ParseDuration */
function goDuration(ms: number): string {
  const seconds = ms / 1000;
  const parts = [
    [Math.floor(seconds / 3600), "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ] as const;
  return parts.map(([amount, unit]) => (amount === 0 ? "" : `${amount}${unit}`)).join("");
}

/** Checks that the SDK returned the answer of our client; its types describe the answers of axios. */
async function asAnswer(returned: Promise<unknown>): Promise<HttpAnswer> {
  const answer = await returned;
  if (!isAnswer(answer)) throw new TypeError("the ESC SDK changed the answer");
  return answer;
}

function isAnswer(value: unknown): value is HttpAnswer {
  return typeof value === "object" && value !== null && "status" in value && "headers" in value && "data" in value;
}
