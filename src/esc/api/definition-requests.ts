/**
 * The requests to Pulumi ESC for the text that defines an environment: reading it and its revisions, replacing it, proposing a change, and
 * rotating secrets.
 *
 * `X` in comments is the path of the environment: `/api/esc/environments/{organization}/{project}/{name}`.
 */
import type { HttpAnswer } from "../../network/http.ts";
import { EscFault, type FaultContext, unexpectedAnswer } from "../faults/esc-fault.ts";
import { formatName, type FullName, isOrganization } from "../settings/environment-names.ts";
import { bodyOf, isPage, objectsIn, revisionIn, textAt, valueAt } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { createOpenBudget } from "../transport/retry.ts";

/** A definition as the service stores it, with its secrets encrypted. The ETag changes with each revision. */
export interface Definition {
  readonly yaml: string;
  readonly etag: string;
  readonly revision: string | undefined;
}

/**
 * The result of replacing a definition. `conflict`: another user has changed the definition. `gated`: changes need an approval. In these
 * two cases nothing was written.
 */
type UpdateResult =
  | { readonly kind: "updated"; readonly revision: string | undefined }
  | { readonly kind: "conflict" }
  | { readonly kind: "gated" };

/** A proposed change that waits for an approval, by the ID of its change request. */
export interface Draft {
  readonly changeRequest: string;
}

export interface Revision {
  readonly number: number;
  readonly created: Date;
  /** The login of the author; empty if the service does not report it. */
  readonly by: string;
  readonly tags: readonly string[];
}

export interface Revisions {
  /** The newest revision is first. Retracted revisions are left out. */
  readonly revisions: readonly Revision[];
  readonly hasMore: boolean;
}

/** The limit on the revisions that are read. */
export const MAX_REVISIONS = 200;
/** The maximum number of environments whose imports are followed. */
export const MAX_ENVIRONMENTS = 100;

/** Reads the definition: `GET X`, or `GET X/versions/{v}` for a name with a version. @throws EscFault */
export async function readDefinition(name: FullName, connection: Connection): Promise<Definition> {
  return withContext({ isDefinition: true }, () =>
    connection.repeat(`reading the definition of ${formatName(name)}`, async () => {
      const answer = await connection.ask({ method: "GET", path: pathOfRevision(name) });
      // `objectIn` throws the fault of any status but 200.
      if (answer.status !== 200) connection.objectIn(answer);
      const { etag } = answer.headers;
      if (etag === undefined || isPage(answer)) throw unexpectedAnswer(connection.host);
      return { yaml: answer.data, etag, revision: revisionIn(answer) };
    }),
  );
}

/**
 * Replaces the definition that has this ETag: `PATCH X`. The Pulumi CLI sends the header `ETag`, and the API's specification
 * asks for `If-Match`, so both are sent. If an answer is lost, the request is sent again. If the first one had an effect,
 * the second is a conflict. @throws EscFault
 */
export function updateDefinition(
  name: FullName,
  yaml: string,
  etag: string,
  connection: Connection,
): Promise<UpdateResult> {
  const headers = { "Content-Type": "application/x-yaml", ETag: etag, "If-Match": etag };
  const ask = async (): Promise<UpdateResult> => {
    const answer = await connection.ask({ method: "PATCH", path: pathOf(name), headers, body: yaml });
    if (answer.status === 409) return isGated(answer) ? { kind: "gated" } : { kind: "conflict" };
    requireNoErrors(answer, connection);
    return { kind: "updated", revision: revisionIn(answer) };
  };
  return asChange(() => connection.repeat(`changing ${formatName(name)}`, ask, createOpenBudget()));
}

/** Proposes a change: `POST X/drafts`. The request is sent once, since each makes a draft. @throws EscFault */
export function createDraft(name: FullName, yaml: string, etag: string, connection: Connection): Promise<Draft> {
  const headers = { "Content-Type": "application/x-yaml", ETag: etag };
  return asChange(async () => {
    const answer = await connection.ask({ method: "POST", path: pathOf(name, "drafts"), headers, body: yaml });
    const id = textAt(requireNoErrors(answer, connection), "changeRequestId");
    if (id === undefined) throw unexpectedAnswer(connection.host);
    return { changeRequest: connection.cleaner.clean(id) };
  });
}

/**
 * Lets ESC rotate the secrets at the given paths below `values`: `POST X/rotate`. The request is sent once, since each makes
 * new credentials. @throws EscFault
 */
export function rotateByEsc(name: FullName, paths: readonly string[], connection: Connection): Promise<void> {
  return asChange(async () => {
    const body = JSON.stringify({ Paths: paths });
    connection.diagnosticsIn(await connection.ask({ method: "POST", path: pathOf(name, "rotate"), body }));
  });
}

/** Lists the revisions, the newest first: `GET X/versions?before=12&count=201`. @throws EscFault */
export async function listRevisions(
  name: FullName,
  connection: Connection,
  maxRevisions: number = MAX_REVISIONS,
): Promise<Revisions> {
  const listed: { readonly revision: Revision; readonly isRetracted: boolean }[] = [];
  for (;;) {
    const oldestNumber = listed.at(-1)?.revision.number;
    if (oldestNumber === 1 || listed.length > maxRevisions) break;
    const query = new URLSearchParams({
      ...(oldestNumber === undefined ? {} : { before: String(oldestNumber) }),
      // One revision more than is returned shows whether there are more.
      count: String(maxRevisions + 1 - listed.length),
    });
    const path = `${pathOf(name, "versions")}?${query.toString()}`;
    const page = await connection.repeat(`reading the revisions of ${formatName(name)}`, async () =>
      parsePage(await connection.ask({ method: "GET", path }), connection),
    );
    // A service that ignores `before` sends the same page again. Only older revisions count, so that the loop ends.
    const older = page.filter(({ revision }) => oldestNumber === undefined || revision.number < oldestNumber);
    if (older.length === 0) break;
    listed.push(...older);
  }
  const shown = listed.slice(0, maxRevisions).filter(({ isRetracted }) => !isRetracted);
  return { revisions: shown.map(({ revision }) => revision), hasMore: listed.length > maxRevisions };
}

/** Parses `[{ "number": 12, "created": "2026-11-28T…", "creatorLogin": "ada", "tags": ["stable"], "retracted": {…} }]`. */
function parsePage(answer: HttpAnswer, connection: Connection): { revision: Revision; isRetracted: boolean }[] {
  // `objectIn` throws the fault of any status but 200. The body itself is a list, not an object.
  if (answer.status !== 200) connection.objectIn(answer);
  const list = bodyOf(answer);
  if (!Array.isArray(list)) throw unexpectedAnswer(connection.host);
  const clean = (text: unknown): string => (typeof text === "string" ? connection.cleaner.clean(text) : "");
  return objectsIn(list).flatMap(({ number, created: time, creatorLogin, tags, retracted }) => {
    const created = new Date(typeof time === "string" ? time : Number.NaN);
    if (typeof number !== "number" || !Number.isSafeInteger(number) || Number.isNaN(created.getTime())) return [];
    const names = Array.isArray(tags) ? tags.map(clean) : [];
    const revision = { number, created, by: clean(creatorLogin), tags: names };
    return [{ revision, isRetracted: retracted !== undefined && retracted !== null }];
  });
}

/** Finds the imports in a definition's text, by their full names. @returns undefined if the text does not show all of them */
export async function readImports(yaml: string, name: FullName): Promise<readonly FullName[] | undefined> {
  if (!/^[ \t]*["']?imports\b/m.test(yaml) && !yaml.trimStart().startsWith("{")) return [];
  const modules = [import("../definition/follow-references.ts"), import("../definition/nodes.ts")] as const;
  const [{ importsOf }, { parseDefinition }] = await Promise.all(modules);
  try {
    return importsOf(parseDefinition(yaml))?.flatMap(({ written }) => importedName(written, name) ?? []);
  } catch {
    return undefined;
  }
}

/** Resolves the name of an import: `project/name`, or `name` in the old form. @returns undefined for an invalid name */
export function importedName(written: string, { organization }: FullName): FullName | undefined {
  const [path = "", version] = written.split("@", 2);
  const parts = path.split("/");
  const [name = "", project = "default", writtenOrganization = ""] = parts.toReversed();
  if (parts.length > 3 || name === "" || project === "") return undefined;
  return {
    organization: isOrganization(writtenOrganization) ? writtenOrganization : organization,
    project,
    name,
    version: version === "latest" ? undefined : version,
  };
}

/** Returns the path of an environment in the API, without its version. @param rest further segments */
export function pathOf({ organization, project, name }: FullName, ...rest: readonly string[]): string {
  const segments = [organization, project, name, ...rest];
  return `/api/esc/environments/${segments.map(encodeURIComponent).join("/")}`;
}

/** Returns the path of an environment in the API at the version of the name, if it has one. @param rest further segments */
export function pathOfRevision(name: FullName, ...rest: readonly string[]): string {
  return name.version === undefined ? pathOf(name, ...rest) : pathOf(name, "versions", name.version, ...rest);
}

/** Marks the faults of `change` as those of a change. Their messages differ, because ESC may have made the change. */
function asChange<T>(change: () => Promise<T>): Promise<T> {
  return withContext({ isChange: true }, change);
}

/** Reads what a change has written. @throws EscFault whose message says that the change was made */
export function readBack<T>(read: () => Promise<T>): Promise<T> {
  return withContext({ isWritten: true }, read);
}

/** Adds the context to the faults of `act`. */
async function withContext<T>(context: FaultContext, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof EscFault)) throw error;
    throw new EscFault(error.fault, { ...error.context, ...context });
  }
}

/** Returns true if a 409 asks for an approval ("use the draft endpoint"). A concurrent change has the same status. */
function isGated(answer: HttpAnswer): boolean {
  const message = valueAt(bodyOf(answer), "message");
  return typeof message === "string" && /\bdrafts?\b|\bapprov/i.test(message);
}

/** Returns the members of a successful answer; undefined if it has no body. @throws EscFault for any other answer */
function requireNoErrors(answer: HttpAnswer, connection: Connection): Readonly<Record<string, unknown>> | undefined {
  const isDone = answer.status === 204 || (answer.status === 200 && answer.data.trim() === "");
  return isDone ? undefined : connection.objectIn(answer);
}
