/** The revisions of an environment: who made each, and when. */
import { EscFault } from "../faults/fault.ts";
import { formatName, type FullName } from "../settings/names.ts";
import { fieldsOf, listIn } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import type { HttpAnswer } from "../transport/http.ts";
import { budget, MAX_READ_RETRIES } from "../transport/retry.ts";
import { pathOf } from "./definition.ts";

export interface Revision {
  readonly number: number;
  readonly created: Date;
  /** The login of whoever made it; empty where the service does not tell. */
  readonly by: string;
  readonly tags: readonly string[];
}

export interface Revisions {
  /** Newest first, without those that were retracted. */
  readonly revisions: readonly Revision[];
  /** There are older ones. */
  readonly hasMore: boolean;
}

/** So many are looked at. */
export const MOST_REVISIONS = 200;

/**
 * Lists revisions, newest first: `GET X/versions?before=&count=`.
 *
 * @param most how many
 * @throws EscFault
 */
export async function listRevisions(
  name: FullName,
  connection: Connection,
  most: number = MOST_REVISIONS,
): Promise<Revisions> {
  const found: { readonly revision: Revision; readonly isRetracted: boolean }[] = [];
  for (;;) {
    const last = found.at(-1)?.revision.number;
    if (last === 1 || found.length > most) break;
    const query = new URLSearchParams({
      ...(last === undefined ? {} : { before: String(last) }),
      // One more than is wanted says whether there are more.
      count: String(most + 1 - found.length),
    });
    const path = `${pathOf(name, "versions")}?${query.toString()}`;
    const page = await connection.repeat(
      `reading the revisions of ${formatName(name)}`,
      budget(MAX_READ_RETRIES),
      async () => parsePage(await connection.ask({ method: "GET", path }), connection),
    );
    const older = page.filter(({ revision }) => last === undefined || revision.number < last);
    if (older.length === 0) break;
    found.push(...older);
  }
  const kept = found.slice(0, most);
  return {
    revisions: kept.filter(({ isRetracted }) => !isRetracted).map(({ revision }) => revision),
    hasMore: found.length > most,
  };
}

function parsePage(answer: HttpAnswer, connection: Connection): { revision: Revision; isRetracted: boolean }[] {
  // Turns any status but 200 into a fault; the body is a list, which is no object.
  if (answer.status !== 200) connection.objectIn(answer);
  const list = listIn(answer);
  if (list === undefined) throw new EscFault({ kind: "answer", host: connection.host, problem: "unexpected" });
  const clean = (text: unknown): string => (typeof text === "string" ? connection.cleaner.clean(text) : "");
  return list.flatMap((item) => {
    const { number, created, creatorLogin, tags, retracted } = fieldsOf(item) ?? {};
    const at = new Date(typeof created === "string" ? created : Number.NaN);
    if (typeof number !== "number" || !Number.isSafeInteger(number) || Number.isNaN(at.getTime())) return [];
    const names = Array.isArray(tags) ? tags.map(clean) : [];
    const revision = { number, created: at, by: clean(creatorLogin), tags: names };
    return [{ revision, isRetracted: retracted !== undefined && retracted !== null }];
  });
}
