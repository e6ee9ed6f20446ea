/** The text of an environment's definition: reading it, and putting another in its place. */
import { EscFault, type FaultContext } from "../faults/fault.ts";
import { formatName, type FullName } from "../settings/names.ts";
import { bodyOf, isPage, revisionIn } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import type { HttpAnswer } from "../transport/http.ts";
import { budget, MAX_OPEN_RETRIES, MAX_READ_RETRIES } from "../transport/retry.ts";

/** A definition as the service keeps it: its secrets are ciphertext. */
export interface Definition {
  readonly yaml: string;
  /** What tells a concurrent change. */
  readonly etag: string;
  /** The number of the revision, when the service tells. */
  readonly revision?: string;
}

export type Update =
  | { readonly kind: "updated"; readonly revision?: string }
  /** Somebody has changed the definition since it was read; nothing was written. */
  | { readonly kind: "conflict" }
  /** Changes of this environment have to be approved; nothing was written. */
  | { readonly kind: "gated" };

/** A proposed change that is not in effect. */
export interface Draft {
  readonly changeRequest: string;
}

/**
 * Reads the definition: `GET X`, or `GET X/versions/{v}` for a name with a version.
 *
 * @throws EscFault
 */
export async function readDefinition(name: FullName, connection: Connection): Promise<Definition> {
  const path = pathOfRevision(name);
  const step = `reading the definition of ${formatName(name)}`;
  return within({ isDefinition: true }, () =>
    connection.repeat(step, budget(MAX_READ_RETRIES), async () => {
      const answer = await connection.ask({ method: "GET", path });
      if (answer.status !== 200) connection.objectIn(answer);
      const { etag } = answer.headers;
      // A page of a network that requires a sign-in has no ETag, either.
      if (etag === undefined || isPage(answer)) {
        throw new EscFault({ kind: "answer", host: connection.host, problem: "unexpected" });
      }
      return { yaml: answer.data, etag, ...revisionIn(answer) };
    }),
  );
}

/**
 * Puts a definition in the place of the one that has this ETag: `PATCH X`. The Pulumi CLI sends `ETag`, the
 * specification's text says `If-Match`. Sent again where an answer was lost: if the first had come through, the second is
 * a conflict.
 *
 * @throws EscFault, its context told to be a change
 */
export function updateDefinition(name: FullName, yaml: string, etag: string, connection: Connection): Promise<Update> {
  return changing(async () =>
    connection.repeat(`changing ${formatName(name)}`, budget(MAX_OPEN_RETRIES), async () => {
      const answer = await connection.ask({
        method: "PATCH",
        path: pathOf(name),
        headers: { "Content-Type": "application/x-yaml", ETag: etag, "If-Match": etag },
        body: yaml,
      });
      if (answer.status === 409) return { kind: isGated(answer) ? "gated" : "conflict" } as const;
      requireNoErrors(answer, connection);
      return { kind: "updated", ...revisionIn(answer) } as const;
    }),
  );
}

/**
 * Proposes a definition where changes have to be approved: `POST X/drafts`. Sent once, since each makes a draft.
 *
 * @throws EscFault, its context told to be a change
 */
export function createDraft(name: FullName, yaml: string, etag: string, connection: Connection): Promise<Draft> {
  return changing(async () => {
    const answer = await connection.ask({
      method: "POST",
      path: pathOf(name, "drafts"),
      headers: { "Content-Type": "application/x-yaml", ETag: etag },
      body: yaml,
    });
    const id = requireNoErrors(answer, connection)?.["changeRequestId"];
    if (typeof id !== "string" || id === "") {
      throw new EscFault({ kind: "answer", host: connection.host, problem: "unexpected" });
    }
    return { changeRequest: connection.cleaner.clean(id) };
  });
}

/** The path of a request that concerns one environment. */
export function pathOf({ organization, project, name }: FullName, ...rest: readonly string[]): string {
  const segments = [organization, project, name, ...rest];
  return `/api/esc/environments/${segments.map(encodeURIComponent).join("/")}`;
}

/** The path of a request that concerns what the name pins: a revision or tag, or else the newest one. */
export function pathOfRevision(name: FullName, ...rest: readonly string[]): string {
  const { version } = name;
  return pathOf(name, ...(version === undefined ? [] : ["versions", version]), ...rest);
}

/** Marks the faults of what changes an environment. */
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
  const message = bodyOf(answer)?.["message"];
  return typeof message === "string" && /\bdrafts?\b|\bapprov/i.test(message);
}

/** The fields of an answer that says yes; one without a body has none. */
function requireNoErrors(answer: HttpAnswer, connection: Connection): Readonly<Record<string, unknown>> | undefined {
  const isDone = answer.status === 204 || (answer.status === 200 && answer.data.trim() === "");
  return isDone ? undefined : connection.objectIn(answer);
}
