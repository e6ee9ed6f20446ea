/**
 * Lists the referrers of an ESC environment: other environments that import it, and stacks and Insights accounts that use it.
 */
import type { FullName } from "../settings/environment-names.ts";
import { fieldsOf, objectsIn, textAt } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { pathOf } from "./definition-requests.ts";

export interface Referrers {
  /** Descriptions for a sentence: `acme/app/dev`, `the stack app/prod`, `the Insights account aws`. */
  readonly names: readonly string[];
  /** True if the service has further referrers. */
  readonly hasMore: boolean;
}

/** The limit on the referrers that are requested and returned. */
const MAX_REFERRERS = 100;

/** Lists the referrers of the latest revision: `GET X/referrers`. @throws EscFault, also if the service does not know the request */
export async function listReferrers(name: FullName, connection: Connection): Promise<Referrers> {
  const query = new URLSearchParams({ count: String(MAX_REFERRERS), latestStackVersionOnly: "true" });
  const path = `${pathOf(name, "referrers")}?${query.toString()}`;
  const fields = await connection.repeat("reading what uses the environment", async () =>
    connection.objectIn(await connection.ask({ method: "GET", path })),
  );
  // ESC groups the referrers by the revision, or the tag, to which they refer.
  const referrers = Object.values(fieldsOf(fields["referrers"]) ?? {}).flatMap(objectsIn);
  const descriptions = referrers.flatMap((referrer) => describeReferrer(referrer, name, connection) ?? []);
  const names = [...new Set(descriptions)].slice(0, MAX_REFERRERS);
  return { names, hasMore: textAt(fields, "continuationToken") !== undefined };
}

/** Describes a referrer. @returns undefined for a kind that sophia-run does not know */
function describeReferrer(referrer: object, { organization }: FullName, { cleaner }: Connection): string | undefined {
  const text = (...path: readonly string[]): string => cleaner.clean(textAt(referrer, ...path) ?? "");
  const environment = text("environment", "name");
  if (environment !== "") return [organization, text("environment", "project"), environment].join("/");
  const stack = text("stack", "stack");
  if (stack !== "") return `the stack ${text("stack", "project")}/${stack}`;
  const account = text("insightsAccount", "accountName");
  return account === "" ? undefined : `the Insights account ${account}`;
}
