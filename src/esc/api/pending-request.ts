/** Requests for an open that are there already, so that no second one is filed. */
import { importedName, readImports } from "../definition/imports.ts";
import { EscFault } from "../faults/fault.ts";
import { formatName, formatVersion, type FullName } from "../settings/names.ts";
import { type Fields, fieldsOf } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { budget, MAX_READ_RETRIES } from "../transport/retry.ts";
import { pathOfRevision } from "./definition.ts";
import { readOpenGate } from "./gates.ts";
import { type OpenRequest, pathOfRequest } from "./open-request.ts";

/** An environment imports few; a chain that is endless is not followed to its end. */
const MOST_ENVIRONMENTS = 100;
/** Submitted, and neither applied nor closed. */
const PENDING: ReadonlySet<unknown> = new Set(["pending", "ready"]);

/**
 * Finds the caller's own pending requests for an environment and for those that it imports, as far as the token may see
 * them.
 *
 * @returns none where one of them needs a request and has none, or none can be seen
 * @throws EscFault where the service cannot be asked
 */
export async function findPendingRequests(name: FullName, connection: Connection): Promise<readonly OpenRequest[]> {
  const found: OpenRequest[] = [];
  const login = (await ask(connection, "/api/user"))?.["githubLogin"];
  for (const environment of await withImports(name, connection)) {
    const gate = await visible(readOpenGate(environment, connection));
    if (gate?.isGated !== true) continue;
    const id = gate.changeRequest;
    if (id === undefined) return [];
    const { organization } = environment;
    const { action, status, createdBy } = (await ask(connection, pathOfRequest(organization, id))) ?? {};
    const author = fieldsOf(createdBy)?.["githubLogin"];
    // The request of another user grants the open to that user.
    const isOwn = login === undefined || author === undefined || author === login;
    if (action !== "open" || !PENDING.has(status) || !isOwn) return [];
    found.push({ id, organization, environment: formatName(environment) });
  }
  return found;
}

async function withImports(root: FullName, connection: Connection): Promise<readonly FullName[]> {
  const seen = new Map<string, FullName>();
  const waiting = [root];
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    if (seen.has(formatVersion(name)) || seen.size >= MOST_ENVIRONMENTS) continue;
    seen.set(formatVersion(name), name);
    const answer = await connection.ask({ method: "GET", path: pathOfRevision(name) });
    const imports = answer.status === 200 ? await readImports(answer.data) : undefined;
    for (const one of imports ?? []) waiting.push(...[importedName(one, name) ?? []].flat());
  }
  return [...new Map([...seen.values()].map((name) => [formatName(name), name])).values()];
}

/** The object at a path; undefined where the token may not see it. */
function ask(connection: Connection, path: string): Promise<Fields | undefined> {
  return visible(
    connection.repeat("looking for the request", budget(MAX_READ_RETRIES), async () =>
      connection.objectIn(await connection.ask({ method: "GET", path })),
    ),
  );
}

async function visible<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    const fault = error instanceof EscFault ? error.fault : undefined;
    if (fault?.kind === "status" && [400, 403, 404, 405, 501].includes(fault.status)) return undefined;
    throw error;
  }
}
