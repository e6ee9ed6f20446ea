import { isOrganization } from "../settings/names.ts";
import { type Fields, fieldsOf } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { budget, MAX_READ_RETRIES } from "../transport/retry.ts";

/**
 * The organization for names without one: the user's default, else the one that the token belongs to, else the user's
 * own. `undefined` when the service names none.
 *
 * @throws EscFault when the service cannot be asked
 */
export async function findDefaultOrganization(connection: Connection): Promise<string | undefined> {
  // Tokens of organizations and teams may have no access to what concerns users (403): no reason to give up.
  const chosen = await ask(connection, "/api/user/organizations/default", [400, 403, 404]);
  // The service itself has written the name in both ways.
  const byDefault = organizationIn(chosen?.["GitHubLogin"]) ?? organizationIn(chosen?.["gitHubLogin"]);
  if (byDefault !== undefined) return byDefault;
  const user = await ask(connection, "/api/user", [403, 404]);
  return (
    organizationIn(fieldsOf(user?.["tokenInfo"])?.["organization"]) ??
    organizationIn(user?.["githubLogin"]) ??
    onlyOrganization(user?.["organizations"])
  );
}

/** Of a token that belongs to no user, if it is clear which. */
function onlyOrganization(list: unknown): string | undefined {
  if (!Array.isArray(list) || list.length !== 1) return undefined;
  return organizationIn(fieldsOf(list[0])?.["githubLogin"]);
}

/** @param absent statuses that mean that there is no such thing */
function ask(connection: Connection, path: string, absent: readonly number[]): Promise<Fields | undefined> {
  return connection.repeat("finding the default organization", budget(MAX_READ_RETRIES), async () => {
    const answer = await connection.ask({ method: "GET", path });
    return absent.includes(answer.status) ? undefined : connection.objectIn(answer);
  });
}

function organizationIn(value: unknown): string | undefined {
  return typeof value === "string" && isOrganization(value) ? value : undefined;
}
