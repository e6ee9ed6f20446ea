/**
 * Opens an ESC environment and reads its values. That takes two requests: the first one opens a session, for which providers mint
 * credentials; the second one reads the values by the ID of the session.
 */
import type { Notice, Variable } from "../../core/model.ts";
import { EscFault, unexpectedAnswer } from "../faults/esc-fault.ts";
import { formatName, type FullName } from "../settings/environment-names.ts";
import { parseDiagnostics, revisionIn } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { createOpenBudget, createReadBudget } from "../transport/retry.ts";
import { mayMint } from "./minting.ts";
import type { EscRequests } from "./sdk.ts";
import { readValues } from "./opened-values.ts";

/** An environment that was opened, with the variables that a program would get. */
export interface OpenedEnvironment {
  readonly name: FullName;
  readonly revision?: string | undefined;
  readonly variables: readonly Variable[];
  readonly notices: readonly Notice[];
  /** Returns true if the values may include credentials that end with the session. It is computed on demand. */
  readonly mayMint: () => boolean;
}

/** Does the same as {@link openAndRead}, for a session of the service's default length. */
export async function openByDefaults(name: FullName, connection: Connection): Promise<OpenedEnvironment> {
  const { createRequests } = await import("./sdk.ts");
  return openAndRead(name, connection, createRequests(connection));
}

/** Opens and reads an environment. @throws EscFault @throws SophiaError for values that no variable can have */
export async function openAndRead(
  name: FullName,
  connection: Connection,
  requests: EscRequests,
): Promise<OpenedEnvironment> {
  const { host, cleaner } = connection;
  const environment = formatName(name);
  // Both attempts below share one budget, because each open may mint credentials.
  const openBudget = createOpenBudget();
  const readBudget = createReadBudget();
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
    // The environment exists, since it was opened. So 404 means that the session has ended.
    if (answer.status === 404) throw new EscFault({ kind: "session", host });
    const fields = connection.objectIn(answer);
    return { ...readValues(fields, answer.data, { ...name, revision }, host), fields };
  };
  const attempt = async (): Promise<OpenedEnvironment> => {
    const { session, revision, diagnostics } = await connection.repeat(`opening ${environment}`, open, openBudget);
    const reading = connection.repeat(`reading ${environment}`, () => read(session, revision), readBudget);
    const { variables, notices, fields } = await reading;
    const warnings: readonly Notice[] =
      diagnostics.length === 0 ? [] : [{ kind: "esc-diagnostics", environment, diagnostics }];
    return { name, revision, variables, notices: [...warnings, ...notices], mayMint: () => mayMint(fields) };
  };

  try {
    return await attempt();
  } catch (error) {
    // If the session ended before its values were read, the environment is opened a second time.
    const hasEnded = error instanceof EscFault && error.fault.kind === "session";
    if (!hasEnded || openBudget.retries >= openBudget.maxRetries) throw error;
    openBudget.retries += 1;
    return attempt();
  }
}

/** Returns false for an ID that cannot be a segment of a path: a dot segment would lead to another request. */
function isSegment(id: string): boolean {
  return id !== "" && id !== "." && id !== ".." && id.isWellFormed();
}
