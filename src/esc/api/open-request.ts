/** Asking that an environment may be opened, where opens have to be approved. */
import { EscFault } from "../faults/fault.ts";
import { needsApproval } from "../faults/refusal.ts";
import type { FullName } from "../settings/names.ts";
import { fieldsOf, isPage } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { budget, MAX_OPEN_RETRIES, MAX_READ_RETRIES } from "../transport/retry.ts";
import { pathOf } from "./definition.ts";

/** What somebody has to approve: one for the environment, and one for each import whose opens have to be, too. */
export interface OpenRequest {
  readonly id: string;
  readonly organization: string;
  /** `org/project/name` of what it concerns, where the service tells. */
  readonly environment?: string;
}

/** What the Pulumi CLI asks for: the grant is there for 25 hours, and serves for 72 from the first opening. */
const GRANT = { grantExpirationSeconds: 90_000, accessDurationSeconds: 259_200 };

/** What is opened only to see whether it opens. */
const PROBE_MS = 60_000;

/**
 * Files the requests: `POST X/open/request`. Sent once, since each makes new ones; they count once they are submitted.
 *
 * @returns none where the environment opens without
 * @throws EscFault
 */
export async function fileOpenRequests(name: FullName, connection: Connection): Promise<readonly OpenRequest[]> {
  const { organization } = name;
  const path = pathOf(name, "open", "request");
  const answer = await connection.ask({ method: "POST", path, body: JSON.stringify(GRANT) });
  // "400 where opens are not gated", and for whatever else: opening it tells.
  if (answer.status === 400 && (await opens(name, connection))) return [];
  const list = connection.objectIn(answer)["changeRequests"];
  const requests = (Array.isArray(list) ? list : []).flatMap((item): readonly OpenRequest[] => {
    const { changeRequestId, projectName, environmentName } = fieldsOf(item) ?? {};
    if (typeof changeRequestId !== "string" || changeRequestId === "") return [];
    const environment = [organization, projectName, environmentName].join("/");
    const isNamed = typeof projectName === "string" && typeof environmentName === "string";
    return [{ id: changeRequestId, organization, ...(isNamed ? { environment } : {}) }];
  });
  if (requests.length === 0) throw new EscFault({ kind: "answer", host: connection.host, problem: "unexpected" });
  return requests;
}

/** Hands a request in: `POST /api/change-requests/{org}/{id}/submit`. @throws EscFault */
export async function submitOpenRequest(
  { organization, id }: OpenRequest,
  description: string,
  connection: Connection,
): Promise<void> {
  const retries = budget(MAX_OPEN_RETRIES);
  await connection.repeat("submitting the request", retries, async () => {
    const path = `${pathOfRequest(organization, id)}/submit`;
    const answer = await connection.ask({ method: "POST", path, body: JSON.stringify({ description }) });
    // The answer was lost, and it had been handed in.
    const isDone = answer.status === 409 && retries.retries > 0;
    // A network that requires a sign-in answers 200, too.
    if (!isDone && (answer.status < 200 || answer.status > 299 || isPage(answer))) connection.objectIn(answer);
  });
}

/**
 * What became of a request: such as `pending`, `ready`, `applied`, `closed`.
 *
 * @returns undefined where the token may not see it
 * @throws EscFault
 */
export function statusOfRequest(
  { organization, id }: OpenRequest,
  connection: Connection,
): Promise<string | undefined> {
  return connection.repeat("reading the request", budget(MAX_READ_RETRIES), async () => {
    const answer = await connection.ask({ method: "GET", path: pathOfRequest(organization, id) });
    if ([403, 404, 405].includes(answer.status)) return undefined;
    const { status } = connection.objectIn(answer);
    return typeof status === "string" ? connection.cleaner.clean(status) : undefined;
  });
}

/** Whether it opens, or still has to be approved. @throws EscFault for any other refusal */
export async function opens(name: FullName, connection: Connection): Promise<boolean> {
  const { createRequests } = await import("./sdk.ts");
  const requests = createRequests(connection, PROBE_MS);
  try {
    await connection.repeat("opening", budget(MAX_OPEN_RETRIES), async () =>
      connection.objectIn(await requests.open(name)),
    );
    return true;
  } catch (error) {
    if (error instanceof EscFault && needsApproval(error.fault)) return false;
    throw error;
  }
}

/** The path of a change request: `/api/change-requests/{org}/{id}`. */
export function pathOfRequest(organization: string, id: string): string {
  return `/api/change-requests/${[organization, id].map(encodeURIComponent).join("/")}`;
}
