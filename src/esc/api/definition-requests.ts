/** The text of an environment's definition and its revisions: reading them, and replacing the text. */
import type { HttpAnswer } from "../../network/http.ts";
import { EscFault, type FaultContext, unexpectedAnswer } from "../faults/esc-fault.ts";
import { formatName, type FullName, isOrganization } from "../settings/environment-names.ts";
import { bodyOf, isPage, objectsIn, revisionIn, textAt, valueAt } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { openBudget } from "../transport/retry.ts";

/** A definition as the service stores it: its secrets are ciphertext. */
export interface Definition {
  readonly yaml: string;
  readonly etag: string;
  readonly revision: string | undefined;
}

/** `conflict`: another user has changed the definition. `gated`: changes need an approval. Both wrote nothing. */
type Update =
  | { readonly kind: "updated"; readonly revision: string | undefined }
  | { readonly kind: "conflict" }
  | { readonly kind: "gated" };

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
  /** Newest first, without those that were retracted. */
  readonly revisions: readonly Revision[];
  readonly hasMore: boolean;
}

export const MOST_REVISIONS = 200;
/** The maximum number of environments whose imports are followed. */
export const MOST_ENVIRONMENTS = 100;

/** Reads the definition: `GET X`, or `GET X/versions/{v}` for a name with a version. @throws EscFault */
export async function readDefinition(name: FullName, connection: Connection): Promise<Definition> {
  return within({ isDefinition: true }, () =>
    connection.repeat(`reading the definition of ${formatName(name)}`, async () => {
      const answer = await connection.ask({ method: "GET", path: pathOfRevision(name) });
      if (answer.status !== 200) connection.objectIn(answer);
      const { etag } = answer.headers;
      if (etag === undefined || isPage(answer)) throw unexpectedAnswer(connection.host);
      return { yaml: answer.data, etag, revision: revisionIn(answer) };
    }),
  );
}

/**
 * Replaces the definition that has this ETag: `PATCH X`. The Pulumi CLI sends `ETag`, the specification says `If-Match`.
 * Sent again if an answer was lost: if the first request had an effect, the second is a conflict. @throws EscFault
 */
export function updateDefinition(name: FullName, yaml: string, etag: string, connection: Connection): Promise<Update> {
  const headers = { "Content-Type": "application/x-yaml", ETag: etag, "If-Match": etag };
  const ask = async (): Promise<Update> => {
    const answer = await connection.ask({ method: "PATCH", path: pathOf(name), headers, body: yaml });
    if (answer.status === 409) return isGated(answer) ? { kind: "gated" } : { kind: "conflict" };
    requireNoErrors(answer, connection);
    return { kind: "updated", revision: revisionIn(answer) };
  };
  return changing(() => connection.repeat(`changing ${formatName(name)}`, ask, openBudget()));
}

/** Proposes a change: `POST X/drafts`. Sent once, since each makes a draft. @throws EscFault */
export function createDraft(name: FullName, yaml: string, etag: string, connection: Connection): Promise<Draft> {
  const headers = { "Content-Type": "application/x-yaml", ETag: etag };
  return changing(async () => {
    const answer = await connection.ask({ method: "POST", path: pathOf(name, "drafts"), headers, body: yaml });
    const id = textAt(requireNoErrors(answer, connection), "changeRequestId");
    if (id === undefined) throw unexpectedAnswer(connection.host);
    return { changeRequest: connection.cleaner.clean(id) };
  });
}

/** Rotates secrets by ESC: `POST X/rotate` for paths below `values`. Sent once, since each makes new credentials. @throws EscFault */
export function rotateByEsc(name: FullName, paths: readonly string[], connection: Connection): Promise<void> {
  return changing(async () => {
    const body = JSON.stringify({ Paths: paths });
    connection.diagnosticsIn(await connection.ask({ method: "POST", path: pathOf(name, "rotate"), body }));
  });
}

/** Lists revisions, newest first: `GET X/versions?before=&count=`. @throws EscFault */
export async function listRevisions(
  name: FullName,
  connection: Connection,
  most: number = MOST_REVISIONS,
): Promise<Revisions> {
  const listed: { readonly revision: Revision; readonly isRetracted: boolean }[] = [];
  for (;;) {
    const last = listed.at(-1)?.revision.number;
    if (last === 1 || listed.length > most) break;
    const query = new URLSearchParams({
      ...(last === undefined ? {} : { before: String(last) }),
      // One more than requested shows if there are more.
      count: String(most + 1 - listed.length),
    });
    const path = `${pathOf(name, "versions")}?${query.toString()}`;
    const page = await connection.repeat(`reading the revisions of ${formatName(name)}`, async () =>
      parsePage(await connection.ask({ method: "GET", path }), connection),
    );
    const older = page.filter(({ revision }) => last === undefined || revision.number < last);
    if (older.length === 0) break;
    listed.push(...older);
  }
  const shown = listed.slice(0, most).filter(({ isRetracted }) => !isRetracted);
  return { revisions: shown.map(({ revision }) => revision), hasMore: listed.length > most };
}

function parsePage(answer: HttpAnswer, connection: Connection): { revision: Revision; isRetracted: boolean }[] {
  // Turns any status but 200 into a fault. The body is a list, not an object.
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

/** Reads the imports of a definition, by their full names. @returns undefined if the text does not show them */
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

/** Resolves `project/name`, or the old form `name`, of an import. @returns undefined for an invalid name */
export function importedName(written: string, { organization }: FullName): FullName | undefined {
  const [path = "", version] = written.split("@", 2);
  const parts = path.split("/");
  const [name = "", project = "default", own = ""] = parts.toReversed();
  if (parts.length > 3 || name === "" || project === "") return undefined;
  const owner = isOrganization(own) ? own : organization;
  return { organization: owner, project, name, version: version === "latest" ? undefined : version };
}

/** Returns the path of an environment in the API, without its version. @param rest further segments */
export function pathOf({ organization, project, name }: FullName, ...rest: readonly string[]): string {
  const segments = [organization, project, name, ...rest];
  return `/api/esc/environments/${segments.map(encodeURIComponent).join("/")}`;
}

/** The same with the version of the name, if it has one. */
export function pathOfRevision(name: FullName, ...rest: readonly string[]): string {
  return name.version === undefined ? pathOf(name, ...rest) : pathOf(name, "versions", name.version, ...rest);
}

/** Marks faults as those of a change, whose words differ: ESC may have made it. */
function changing<T>(change: () => Promise<T>): Promise<T> {
  return within({ isChange: true }, change);
}

/** Reads what a change has written. @throws EscFault that says so */
export function readBack<T>(read: () => Promise<T>): Promise<T> {
  return within({ isWritten: true }, read);
}

async function within<T>(context: FaultContext, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof EscFault)) throw error;
    throw new EscFault(error.fault, { ...error.context, ...context });
  }
}

/** Returns true if the message of a 409 differs from that of a concurrent change: "use the draft endpoint". */
function isGated(answer: HttpAnswer): boolean {
  const message = valueAt(bodyOf(answer), "message");
  return typeof message === "string" && /\bdrafts?\b|\bapprov/i.test(message);
}

/** Returns the fields of a successful answer; undefined if it has no body. @throws EscFault */
function requireNoErrors(answer: HttpAnswer, connection: Connection): Readonly<Record<string, unknown>> | undefined {
  const isDone = answer.status === 204 || (answer.status === 200 && answer.data.trim() === "");
  return isDone ? undefined : connection.objectIn(answer);
}
