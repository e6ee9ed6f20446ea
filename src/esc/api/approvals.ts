/**
 * Approvals: the actions on an environment that need one, and requests for the approval to open it.
 *
 * `X` in comments is `/api/esc/environments/{organization}/{project}/{name}`.
 */
import { EscFault, HIDDEN_STATUSES, needsApproval, unexpectedAnswer } from "../faults/esc-fault.ts";
import { formatName, formatVersion, type FullName } from "../settings/environment-names.ts";
import { fieldsOf, isPage, objectsIn, textAt, valueAt } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { createOpenBudget } from "../transport/retry.ts";
import { MAX_ENVIRONMENTS, pathOf, pathOfRevision, readImports } from "./definition-requests.ts";

/** The actions on an environment that need an approval, and the change request that is pending, if any. */
export interface RequiredApprovals {
  readonly open: boolean;
  readonly update: boolean;
  readonly changeRequest?: string | undefined;
}

/** A request to open one environment. Each import whose opens need an approval has a request of its own. */
export interface OpenRequest {
  readonly id: string;
  readonly organization: string;
  readonly environment: string | undefined;
}

/** The values that the Pulumi CLI sends: the grant expires after 25 hours, and once used it lasts for 72 hours. */
const GRANT = { grantExpirationSeconds: 90_000, accessDurationSeconds: 259_200 };
/** The length of a session that is opened only to see whether it can be. */
const PROBE_MS = 60_000;
const SEARCH_STEP = "looking for the request";
const PENDING: ReadonlySet<unknown> = new Set(["pending", "ready"]);

/** Reads which actions need an approval: `GET X/metadata`. For the statuses `absent` none does. @throws EscFault */
export async function readRequiredApprovals(
  name: FullName,
  connection: Connection,
  ...absent: readonly number[]
): Promise<RequiredApprovals> {
  const metadata = await connection.read("reading the required approvals", pathOf(name, "metadata"), ...absent);
  const actions = new Set(actionsIn(metadata?.["gatedActions"]));
  const changeRequest = textAt(metadata, "activeChangeRequest", "changeRequestId");
  return { open: actions.has("open"), update: actions.has("update"), changeRequest };
}

/**
 * Returns the names of actions. The API's reference does not give the form of the field, so all of these are accepted:
 * `["open"]`, `[{ "action": "open" }]`, `{ "open": true }`.
 */
function actionsIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.map((item: unknown) => fieldsOf(item)?.["action"] ?? item);
  return Object.entries(fieldsOf(value) ?? {}).flatMap(([name, isGated]) => (isGated === false ? [] : [name]));
}

/**
 * Files requests to open an environment and its imports: `POST X/open/request`. The request is sent once, since each call files
 * new ones. @returns an empty list if no approval is needed @throws EscFault
 */
export async function fileOpenRequests(name: FullName, connection: Connection): Promise<readonly OpenRequest[]> {
  const { organization } = name;
  const path = pathOf(name, "open", "request");
  const answer = await connection.ask({ method: "POST", path, body: JSON.stringify(GRANT) });
  // The service answers 400 if opens need no approval, but also for other reasons. An open tells them apart.
  if (answer.status === 400 && (await canOpen(name, connection))) return [];
  const requests = objectsIn(connection.objectIn(answer)["changeRequests"]).flatMap(
    (fields): readonly OpenRequest[] => {
      const { projectName, environmentName } = fields;
      const id = textAt(fields, "changeRequestId");
      if (id === undefined) return [];
      const isNamed = typeof projectName === "string" && typeof environmentName === "string";
      const environment = isNamed ? `${organization}/${projectName}/${environmentName}` : undefined;
      return [{ id, organization, environment }];
    },
  );
  if (requests.length === 0) throw unexpectedAnswer(connection.host);
  return requests;
}

/** Submits a request: `POST /api/change-requests/{org}/{id}/submit`. @throws EscFault */
export async function submitOpenRequest(
  { organization, id }: OpenRequest,
  description: string,
  connection: Connection,
): Promise<void> {
  const retries = createOpenBudget();
  const path = `${requestPath(organization, id)}/submit`;
  const ask = async (): Promise<void> => {
    const answer = await connection.ask({ method: "POST", path, body: JSON.stringify({ description }) });
    // After a lost answer, a retry finds that the request was already submitted.
    const isSubmitted = answer.status === 409 && retries.retries > 0;
    // A network that requires a sign-in answers 200 with a page.
    const isAccepted = answer.status >= 200 && answer.status <= 299 && !isPage(answer);
    if (!isSubmitted && !isAccepted) connection.objectIn(answer);
  };
  await connection.repeat("submitting the request", ask, retries);
}

/**
 * Reads the status of a request, such as `pending`, `ready`, `applied` or `closed`.
 * @returns undefined if the token may not see the request @throws EscFault
 */
export async function statusOfRequest(
  { organization, id }: OpenRequest,
  connection: Connection,
): Promise<string | undefined> {
  const request = await connection.read("reading the request", requestPath(organization, id), 403, 404, 405);
  const status = request?.["status"];
  return typeof status === "string" ? connection.cleaner.clean(status) : undefined;
}

/** Tries to open an environment. @returns false if that needs an approval @throws EscFault for any other refusal */
export async function canOpen(name: FullName, connection: Connection): Promise<boolean> {
  const { createRequests } = await import("./sdk.ts");
  const requests = createRequests(connection, PROBE_MS);
  try {
    await connection.repeat("opening", async () => connection.objectIn(await requests.open(name)), createOpenBudget());
    return true;
  } catch (error) {
    if (error instanceof EscFault && needsApproval(error.fault)) return false;
    throw error;
  }
}

/**
 * Finds the user's own pending requests for an environment and its imports.
 * @returns an empty list if one of the required requests does not exist @throws EscFault
 */
export async function findPendingRequests(name: FullName, connection: Connection): Promise<readonly OpenRequest[]> {
  const requests: OpenRequest[] = [];
  const user = await connection.read(SEARCH_STEP, "/api/user", ...HIDDEN_STATUSES);
  const login = user?.["githubLogin"];
  for (const environment of await listWithImports(name, connection)) {
    const approvals = await readRequiredApprovals(environment, connection, ...HIDDEN_STATUSES);
    if (!approvals.open) continue;
    const id = approvals.changeRequest;
    if (id === undefined) return [];
    const { organization } = environment;
    const request = await connection.read(SEARCH_STEP, requestPath(organization, id), ...HIDDEN_STATUSES);
    const author = valueAt(request, "createdBy", "githubLogin");
    // The request of another user would let that user open the environment, not this one.
    const isOfUser = login === undefined || author === undefined || author === login;
    if (request?.["action"] !== "open" || !PENDING.has(request["status"]) || !isOfUser) return [];
    requests.push({ id, organization, environment: formatName(environment) });
  }
  return requests;
}

/** Returns an environment and all that it imports, directly or not, as far as the token may see them. */
async function listWithImports(root: FullName, connection: Connection): Promise<Iterable<FullName>> {
  const seen = new Set<string>();
  const names = new Map<string, FullName>();
  const pending = [root];
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (seen.has(formatVersion(name)) || seen.size >= MAX_ENVIRONMENTS) continue;
    seen.add(formatVersion(name));
    names.set(formatName(name), name);
    const path = pathOfRevision(name);
    const text = await connection.repeat(SEARCH_STEP, async () => {
      const answer = await connection.ask({ method: "GET", path });
      if (HIDDEN_STATUSES.has(answer.status)) return "";
      // `objectIn` throws the fault of any status but 200.
      if (answer.status !== 200) connection.objectIn(answer);
      return answer.data;
    });
    pending.push(...((await readImports(text, name)) ?? []));
  }
  return names.values();
}

function requestPath(organization: string, id: string): string {
  return `/api/change-requests/${[organization, id].map(encodeURIComponent).join("/")}`;
}
