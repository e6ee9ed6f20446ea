/** Requests that an environment may be opened, if opens need an approval. */
import { EscFault } from "../faults/fault.ts";
import { needsApproval } from "../faults/refusal.ts";
import type { FullName } from "../settings/names.ts";
import { isPage, objectsIn } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { budget, MAX_OPEN_RETRIES } from "../transport/retry.ts";
import { pathOf } from "./definition.ts";

/** One for the environment, and one for each import whose opens need an approval, too. */
export interface OpenRequest {
  readonly id: string;
  readonly organization: string;
  /** `org/project/name`, if the service tells. */
  readonly environment: string | undefined;
}

/** As the Pulumi CLI has it: the grant is there for 25 hours, and serves for 72 from the first opening. */
const GRANT = { grantExpirationSeconds: 90_000, accessDurationSeconds: 259_200 };
/** The session of an opening that only shows whether it opens. */
const PROBE_MS = 60_000;

/** `POST X/open/request`. Sent once, since each files new ones. @returns none if it opens without @throws EscFault */
export async function fileOpenRequests(name: FullName, connection: Connection): Promise<readonly OpenRequest[]> {
  const { organization } = name;
  const path = pathOf(name, "open", "request");
  const answer = await connection.ask({ method: "POST", path, body: JSON.stringify(GRANT) });
  // "400 where opens are not gated", and for other reasons: opening it tells.
  if (answer.status === 400 && (await opens(name, connection))) return [];
  const requests = objectsIn(connection.objectIn(answer)["changeRequests"]).flatMap(
    ({ changeRequestId: id, projectName, environmentName }): readonly OpenRequest[] => {
      if (typeof id !== "string" || id === "") return [];
      const isNamed = typeof projectName === "string" && typeof environmentName === "string";
      return [
        { id, organization, environment: isNamed ? `${organization}/${projectName}/${environmentName}` : undefined },
      ];
    },
  );
  if (requests.length === 0) throw connection.unexpected();
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

/** Such as `pending`, `ready`, `applied`, `closed`. @returns undefined if the token may not see it @throws EscFault */
export async function statusOfRequest(
  { organization, id }: OpenRequest,
  connection: Connection,
): Promise<string | undefined> {
  const request = await connection.read("reading the request", pathOfRequest(organization, id), 403, 404, 405);
  const status = request?.["status"];
  return typeof status === "string" ? connection.cleaner.clean(status) : undefined;
}

/** Returns true if it opens, false if it needs an approval. @throws EscFault for any other refusal */
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
