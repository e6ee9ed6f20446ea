import { isOrganization } from "../settings/names.ts";
import { objectsIn, valueAt } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";

const STEP = "finding the default organization";

/**
 * Finds the organization for names without one: the user's default, else the one that the token belongs to, else the
 * user's own. Tokens of organizations and teams may have no access to what concerns users (403).
 *
 * @returns undefined if the service names none
 * @throws EscFault if the service cannot be asked
 */
export async function findDefaultOrganization(connection: Connection): Promise<string | undefined> {
  const chosen = await connection.read(STEP, "/api/user/organizations/default", 400, 403, 404);
  // The service itself has written the name in both ways.
  const byDefault = organizationIn(chosen?.["GitHubLogin"]) ?? organizationIn(chosen?.["gitHubLogin"]);
  if (byDefault !== undefined) return byDefault;
  const user = await connection.read(STEP, "/api/user", 403, 404);
  const own = user?.["organizations"];
  return (
    organizationIn(valueAt(user, "tokenInfo", "organization")) ??
    organizationIn(user?.["githubLogin"]) ??
    // Of a token that belongs to no user, if it is clear which.
    (Array.isArray(own) && own.length === 1 ? organizationIn(objectsIn(own)[0]?.["githubLogin"]) : undefined)
  );
}

function organizationIn(value: unknown): string | undefined {
  return typeof value === "string" && isOrganization(value) ? value : undefined;
}
