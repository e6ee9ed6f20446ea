/** Requests for an open that are there already, so that no second one is filed. */
import { importedName, MOST_ENVIRONMENTS, readImports } from "../definition/imports.ts";
import { HIDDEN } from "../faults/fault.ts";
import { formatName, formatVersion, type FullName } from "../settings/names.ts";
import { valueAt } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { pathOfRevision } from "./definition.ts";
import { readGates } from "./gates.ts";
import { type OpenRequest, pathOfRequest } from "./open-request.ts";

const STEP = "looking for the request";
/** Submitted, and neither applied nor closed. */
const PENDING: ReadonlySet<unknown> = new Set(["pending", "ready"]);

/**
 * Finds the caller's own pending requests for an environment and for those that it imports, as far as the token may see
 * them.
 *
 * @returns none if one of them needs a request and has none, or none can be seen
 * @throws EscFault if the service cannot be asked
 */
export async function findPendingRequests(name: FullName, connection: Connection): Promise<readonly OpenRequest[]> {
  const found: OpenRequest[] = [];
  const user = await connection.read(STEP, "/api/user", ...HIDDEN);
  const login = user?.["githubLogin"];
  for (const environment of await withImports(name, connection)) {
    const { open, changeRequest: id } = await readGates(environment, connection, ...HIDDEN);
    if (!open) continue;
    if (id === undefined) return [];
    const { organization } = environment;
    const request = await connection.read(STEP, pathOfRequest(organization, id), ...HIDDEN);
    const author = valueAt(request, "createdBy", "githubLogin");
    // The request of another user grants the open to that user.
    const isOwn = login === undefined || author === undefined || author === login;
    if (request?.["action"] !== "open" || !PENDING.has(request["status"]) || !isOwn) return [];
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
