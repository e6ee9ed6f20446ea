/** The text of an environment's definition: reading it, and replacing it. */
import { EscFault, type FaultContext } from "../faults/fault.ts";
import { formatName, type FullName } from "../settings/names.ts";
import { bodyOf, isPage, revisionIn, valueAt } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import type { HttpAnswer } from "../transport/http.ts";
import { budget, MAX_OPEN_RETRIES, MAX_READ_RETRIES } from "../transport/retry.ts";

/** A definition as the service keeps it: its secrets are ciphertext. */
export interface Definition {
  readonly yaml: string;
  /** Another one after each change. */
  readonly etag: string;
  /** The number of the revision, if the service tells. */
  readonly revision: string | undefined;
}

type Update =
  | { readonly kind: "updated"; readonly revision: string | undefined }
  /** Another user has changed the definition since it was read; nothing was written. */
  | { readonly kind: "conflict" }
  /** Changes of this environment need an approval; nothing was written. */
  | { readonly kind: "gated" };

/** A proposed change that is not in effect. */
export interface Draft {
  readonly changeRequest: string;
}

/** Reads the definition: `GET X`, or `GET X/versions/{v}` for a name with a version. @throws EscFault */
export async function readDefinition(name: FullName, connection: Connection): Promise<Definition> {
  const step = `reading the definition of ${formatName(name)}`;
  return within({ isDefinition: true }, () =>
    connection.repeat(step, budget(MAX_READ_RETRIES), async () => {
      const answer = await connection.ask({ method: "GET", path: pathOfRevision(name) });
      if (answer.status !== 200) connection.objectIn(answer);
      const { etag } = answer.headers;
      if (etag === undefined || isPage(answer)) throw connection.unexpected();
      return { yaml: answer.data, etag, revision: revisionIn(answer) };
    }),
  );
}

/**
 * Replaces the definition that has this ETag: `PATCH X`. The Pulumi CLI sends `ETag`, the specification's text says
 * `If-Match`. Sent again if an answer was lost: if the first had come through, the second is a conflict.
 *
 * @throws EscFault, its context told to be a change
 */
export function updateDefinition(name: FullName, yaml: string, etag: string, connection: Connection): Promise<Update> {
  const headers = { "Content-Type": "application/x-yaml", ETag: etag, "If-Match": etag };
  return changing(async () =>
    connection.repeat(`changing ${formatName(name)}`, budget(MAX_OPEN_RETRIES), async (): Promise<Update> => {
      const answer = await connection.ask({ method: "PATCH", path: pathOf(name), headers, body: yaml });
      if (answer.status === 409) return { kind: isGated(answer) ? "gated" : "conflict" };
      requireNoErrors(answer, connection);
      return { kind: "updated", revision: revisionIn(answer) };
    }),
  );
}

/** `POST X/drafts`, if changes need an approval. Sent once, since each makes a draft. @throws EscFault */
export function createDraft(name: FullName, yaml: string, etag: string, connection: Connection): Promise<Draft> {
  const headers = { "Content-Type": "application/x-yaml", ETag: etag };
  return changing(async () => {
    const answer = await connection.ask({ method: "POST", path: pathOf(name, "drafts"), headers, body: yaml });
    const id = requireNoErrors(answer, connection)?.["changeRequestId"];
    if (typeof id !== "string" || id === "") throw connection.unexpected();
    return { changeRequest: connection.cleaner.clean(id) };
  });
}

/** The path of a request that concerns one environment. */
export function pathOf({ organization, project, name }: FullName, ...rest: readonly string[]): string {
  const segments = [organization, project, name, ...rest];
  return `/api/esc/environments/${segments.map(encodeURIComponent).join("/")}`;
}

/** The same for the revision or tag that the name pins. */
export function pathOfRevision(name: FullName, ...rest: readonly string[]): string {
  const { version } = name;
  return pathOf(name, ...(version === undefined ? [] : ["versions", version]), ...rest);
}

/** Marks the faults of a change. */
export function changing<T>(change: () => Promise<T>): Promise<T> {
  return within({ isChange: true }, change);
}

async function within<T>(context: FaultContext, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof EscFault)) throw error;
    throw new EscFault(error.fault, { ...error.context, ...context });
  }
}

/** The text of the 409 alone tells it from a concurrent change: "use the draft endpoint". */
function isGated(answer: HttpAnswer): boolean {
  const message = valueAt(bodyOf(answer), "message");
  return typeof message === "string" && /\bdrafts?\b|\bapprov/i.test(message);
}

/** The fields of an answer that says yes; one without a body has none. */
function requireNoErrors(answer: HttpAnswer, connection: Connection): Readonly<Record<string, unknown>> | undefined {
  const isDone = answer.status === 204 || (answer.status === 200 && answer.data.trim() === "");
  return isDone ? undefined : connection.objectIn(answer);
}
