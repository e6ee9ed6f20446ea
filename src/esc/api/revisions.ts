/** The revisions of an environment: the author and time of each. */
import { formatName, type FullName } from "../settings/names.ts";
import { bodyOf, objectsIn } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import type { HttpAnswer } from "../transport/http.ts";
import { budget, MAX_READ_RETRIES } from "../transport/retry.ts";
import { pathOf } from "./definition.ts";

export interface Revision {
  readonly number: number;
  readonly created: Date;
  /** The login of the author; empty if the service does not tell. */
  readonly by: string;
  readonly tags: readonly string[];
}

export interface Revisions {
  /** Newest first, without those that were retracted. */
  readonly revisions: readonly Revision[];
  /** There are older ones. */
  readonly hasMore: boolean;
}

export const MOST_REVISIONS = 200;

/** Lists revisions, newest first: `GET X/versions?before=&count=`. @param most how many @throws EscFault */
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
      // One more than is wanted shows if there are more.
      count: String(most + 1 - found.length),
    });
    const path = `${pathOf(name, "versions")}?${query.toString()}`;
    const step = `reading the revisions of ${formatName(name)}`;
    const page = await connection.repeat(step, budget(MAX_READ_RETRIES), async () =>
      parsePage(await connection.ask({ method: "GET", path }), connection),
    );
    const older = page.filter(({ revision }) => last === undefined || revision.number < last);
    if (older.length === 0) break;
    found.push(...older);
  }
  const kept = found.slice(0, most).filter(({ isRetracted }) => !isRetracted);
  return { revisions: kept.map(({ revision }) => revision), hasMore: found.length > most };
}

function parsePage(answer: HttpAnswer, connection: Connection): { revision: Revision; isRetracted: boolean }[] {
  // Turns any status but 200 into a fault; the body is a list, which is no object.
  if (answer.status !== 200) connection.objectIn(answer);
  const list = bodyOf(answer);
  if (!Array.isArray(list)) throw connection.unexpected();
  const clean = (text: unknown): string => (typeof text === "string" ? connection.cleaner.clean(text) : "");
  return objectsIn(list).flatMap(({ number, created: time, creatorLogin, tags, retracted }) => {
    const created = new Date(typeof time === "string" ? time : Number.NaN);
    if (typeof number !== "number" || !Number.isSafeInteger(number) || Number.isNaN(created.getTime())) return [];
    const names = Array.isArray(tags) ? tags.map(clean) : [];
    const revision = { number, created, by: clean(creatorLogin), tags: names };
    return [{ revision, isRetracted: retracted !== undefined && retracted !== null }];
  });
}
