/** The referrers of an environment: other environments that import it, stacks and Insights accounts that use it. */
import type { FullName } from "../settings/environment-names.ts";
import { fieldsOf, objectsIn, textAt } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { pathOf } from "./definition-requests.ts";

export interface Referrers {
  /** As a sentence has them: `acme/app/dev`, `the stack app/prod`, `the Insights account aws`. */
  readonly names: readonly string[];
  /** The service has further ones. */
  readonly hasMore: boolean;
}

const MOST_REFERRERS = 100;

/** Lists the referrers of the latest revision: `GET X/referrers`. @throws EscFault, also if the service does not know the request */
export async function listReferrers(name: FullName, connection: Connection): Promise<Referrers> {
  const query = new URLSearchParams({ count: String(MOST_REFERRERS), latestStackVersionOnly: "true" });
  const path = `${pathOf(name, "referrers")}?${query.toString()}`;
  const fields = await connection.repeat("reading what uses the environment", async () =>
    connection.objectIn(await connection.ask({ method: "GET", path })),
  );
  // By the revision, or the tag, that they refer to.
  const listed = Object.values(fieldsOf(fields["referrers"]) ?? {}).flatMap(objectsIn);
  const words = listed.flatMap((one) => wordsOf(one, name, connection) ?? []);
  const names = [...new Set(words)].slice(0, MOST_REFERRERS);
  return { names, hasMore: textAt(fields, "continuationToken") !== undefined };
}

function wordsOf(referrer: object, { organization }: FullName, { cleaner }: Connection): string | undefined {
  const text = (...path: readonly string[]): string => cleaner.clean(textAt(referrer, ...path) ?? "");
  const environment = text("environment", "name");
  if (environment !== "") return [organization, text("environment", "project"), environment].join("/");
  const stack = text("stack", "stack");
  if (stack !== "") return `the stack ${text("stack", "project")}/${stack}`;
  const account = text("insightsAccount", "accountName");
  return account === "" ? undefined : `the Insights account ${account}`;
}
