import type { Notice, Variable } from "../../core/model.ts";
import { EscFault } from "../faults/fault.ts";
import { formatName, type FullName } from "../settings/names.ts";
import { parseDiagnostics, revisionIn } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { budget, MAX_OPEN_RETRIES, MAX_READ_RETRIES } from "../transport/retry.ts";
import { mayMint } from "./minting.ts";
import type { EscRequests } from "./sdk.ts";
import { readValues } from "./values.ts";

export interface OpenedEnvironment {
  readonly name: FullName;
  /** The number of the revision, if the service tells. */
  readonly revision?: string | undefined;
  readonly variables: readonly Variable[];
  readonly notices: readonly Notice[];
  /** Returns true if it may hold credentials that end with the session. Computed on demand. */
  readonly mayMint: () => boolean;
}

/** As {@link openAndRead}, for a session of the service's own length. */
export async function openByDefaults(name: FullName, connection: Connection): Promise<OpenedEnvironment> {
  const { createRequests } = await import("./sdk.ts");
  return openAndRead(name, connection, createRequests(connection));
}

/** @throws EscFault @throws SophiaError for values that no environment variable can have */
export async function openAndRead(
  name: FullName,
  connection: Connection,
  requests: EscRequests,
): Promise<OpenedEnvironment> {
  const { host, cleaner } = connection;
  const environment = formatName(name);
  // One budget for all: each open may mint credentials, whatever the reason for another.
  const opens = budget(MAX_OPEN_RETRIES);
  const reads = budget(MAX_READ_RETRIES);
  const attempt = async (): Promise<OpenedEnvironment> => {
    const { session, revision, diagnostics } = await connection.repeat(`opening ${environment}`, opens, async () => {
      const answer = await requests.open(name);
      const { id, diagnostics: list } = connection.objectIn(answer);
      const told = parseDiagnostics(list, cleaner);
      if (typeof id === "string" && isSegment(id)) {
        return { session: id, revision: revisionIn(answer), diagnostics: told };
      }
      if (told.length === 0) throw connection.unexpected();
      throw new EscFault({ kind: "status", host, status: answer.status, diagnostics: told });
    });
    const { variables, notices, fields } = await connection.repeat(`reading ${environment}`, reads, async () => {
      const answer = await requests.read(name, session);
      // The session has ended since it was opened: the environment is not unknown.
      if (answer.status === 404) throw new EscFault({ kind: "session", host });
      const object = connection.objectIn(answer);
      return { ...readValues(object, answer.data, { ...name, revision }, host), fields: object };
    });
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
