/** Environments that need an approval to be opened or changed, and the requests to open them. */
import { EscFault, HIDDEN, needsApproval, unexpectedAnswer } from "../faults/esc-fault.ts";
import { formatName, formatVersion, type FullName } from "../settings/environment-names.ts";
import { fieldsOf, isPage, objectsIn, textAt, valueAt } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { openBudget } from "../transport/retry.ts";
import { MOST_ENVIRONMENTS, pathOf, pathOfRevision, readImports } from "./definition-requests.ts";

export interface Gates {
  readonly open: boolean;
  readonly update: boolean;
  readonly changeRequest?: string | undefined;
}

/** A request to open one environment. There is another for each import whose opens need an approval. */
export interface OpenRequest {
  readonly id: string;
  readonly organization: string;
  readonly environment: string | undefined;
}

/** The values of the Pulumi CLI: the grant expires after 25 hours; once used, it lasts for 72. */
const GRANT = { grantExpirationSeconds: 90_000, accessDurationSeconds: 259_200 };
const PROBE_MS = 60_000;
const LOOKING = "looking for the request";
const PENDING: ReadonlySet<unknown> = new Set(["pending", "ready"]);

/** Reads which actions need an approval: `GET X/metadata`; none for the statuses `absent`. @throws EscFault */
export async function readGates(name: FullName, connection: Connection, ...absent: readonly number[]): Promise<Gates> {
  const metadata = await connection.read("reading the required approvals", pathOf(name, "metadata"), ...absent);
  const actions = new Set(namesIn(metadata?.["gatedActions"]));
  const changeRequest = textAt(metadata, "activeChangeRequest", "changeRequestId");
  return { open: actions.has("open"), update: actions.has("update"), changeRequest };
}

/** The reference names the field and not its form: names, objects with an action, or an object with names for fields. */
function namesIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.map((one: unknown) => fieldsOf(one)?.["action"] ?? one);
  return Object.entries(fieldsOf(value) ?? {}).flatMap(([name, is]) => (is === false ? [] : [name]));
}

/** `POST X/open/request`. Sent once, since each files new ones. @returns none if no approval is needed @throws EscFault */
export async function fileOpenRequests(name: FullName, connection: Connection): Promise<readonly OpenRequest[]> {
  const { organization } = name;
  const path = pathOf(name, "open", "request");
  const answer = await connection.ask({ method: "POST", path, body: JSON.stringify(GRANT) });
  // 400 means that opens are not gated, or another reason.
  if (answer.status === 400 && (await opens(name, connection))) return [];
  const requests = objectsIn(connection.objectIn(answer)["changeRequests"]).flatMap((one): readonly OpenRequest[] => {
    const { projectName, environmentName } = one;
    const id = textAt(one, "changeRequestId");
    if (id === undefined) return [];
    const isNamed = typeof projectName === "string" && typeof environmentName === "string";
    const environment = isNamed ? `${organization}/${projectName}/${environmentName}` : undefined;
    return [{ id, organization, environment }];
  });
  if (requests.length === 0) throw unexpectedAnswer(connection.host);
  return requests;
}

/** Submits a request: `POST /api/change-requests/{org}/{id}/submit`. @throws EscFault */
export async function submitOpenRequest(
  { organization, id }: OpenRequest,
  description: string,
  connection: Connection,
): Promise<void> {
  const retries = openBudget();
  const path = `${pathOfRequest(organization, id)}/submit`;
  const ask = async (): Promise<void> => {
    const answer = await connection.ask({ method: "POST", path, body: JSON.stringify({ description }) });
    // The request was submitted, and the answer lost.
    const isDone = answer.status === 409 && retries.retries > 0;
    // A network that requires a sign-in also answers 200.
    if (!isDone && (answer.status < 200 || answer.status > 299 || isPage(answer))) connection.objectIn(answer);
  };
  await connection.repeat("submitting the request", ask, retries);
}

/** Such as `pending`, `ready`, `applied`, `closed`. @returns undefined if the token may not see it @throws EscFault */
export async function statusOfRequest(
  { organization, id }: OpenRequest,
  connection: Connection,
): Promise<string | undefined> {
  const request = await connection.read("reading the request", pathOfRequest(organization, id), 403, 404, 405);
  const status = request?.["status"];
  return typeof status === "string" ? connection.cleaner.clean(status) : undefined;
}

/** Opens an environment. @returns false if that needs an approval @throws EscFault for any other refusal */
export async function opens(name: FullName, connection: Connection): Promise<boolean> {
  const { createRequests } = await import("./sdk.ts");
  const requests = createRequests(connection, PROBE_MS);
  try {
    await connection.repeat("opening", async () => connection.objectIn(await requests.open(name)), openBudget());
    return true;
  } catch (error) {
    if (error instanceof EscFault && needsApproval(error.fault)) return false;
    throw error;
  }
}

/** Finds the caller's own pending requests for an environment and its imports; none if one is missing. @throws EscFault */
export async function findPendingRequests(name: FullName, connection: Connection): Promise<readonly OpenRequest[]> {
  const requests: OpenRequest[] = [];
  const user = await connection.read(LOOKING, "/api/user", ...HIDDEN);
  const login = user?.["githubLogin"];
  for (const environment of await withImports(name, connection)) {
    const { open, changeRequest: id } = await readGates(environment, connection, ...HIDDEN);
    if (!open) continue;
    if (id === undefined) return [];
    const { organization } = environment;
    const request = await connection.read(LOOKING, pathOfRequest(organization, id), ...HIDDEN);
    const author = valueAt(request, "createdBy", "githubLogin");
    // The request of another user grants the open to that user.
    const isOwn = login === undefined || author === undefined || author === login;
    if (request?.["action"] !== "open" || !PENDING.has(request["status"]) || !isOwn) return [];
    requests.push({ id, organization, environment: formatName(environment) });
  }
  return requests;
}

async function withImports(root: FullName, connection: Connection): Promise<Iterable<FullName>> {
  const seen = new Set<string>();
  const names = new Map<string, FullName>();
  const waiting = [root];
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    if (seen.has(formatVersion(name)) || seen.size >= MOST_ENVIRONMENTS) continue;
    seen.add(formatVersion(name));
    names.set(formatName(name), name);
    const path = pathOfRevision(name);
    const text = await connection.repeat(LOOKING, async () => {
      const answer = await connection.ask({ method: "GET", path });
      if (HIDDEN.has(answer.status)) return "";
      if (answer.status !== 200) connection.objectIn(answer);
      return answer.data;
    });
    waiting.push(...((await readImports(text, name)) ?? []));
  }
  return names.values();
}

function pathOfRequest(organization: string, id: string): string {
  return `/api/change-requests/${[organization, id].map(encodeURIComponent).join("/")}`;
}
