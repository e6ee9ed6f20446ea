/** What the service tells of an access token: never its value. */
import { type Fields, fieldsOf } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { budget, MAX_READ_RETRIES } from "../transport/retry.ts";

/** By which a token can be found in a list: its name, and whose it is. */
export interface TokenIdentity {
  readonly name: string;
  readonly organization?: string;
  readonly team?: string;
}

export interface TokenFacts {
  readonly name: string;
  /** Such as `environment-open`; absent where the service does not tell. */
  readonly role?: string;
  /** Absent for a token without an end. */
  readonly expires?: Date;
}

/** Who the connection's token is: `GET /api/user`. @returns undefined where it may not ask, or has no name @throws EscFault */
export function identifyToken(connection: Connection): Promise<TokenIdentity | undefined> {
  return connection.repeat("identifying the token", budget(MAX_READ_RETRIES), async () => {
    const answer = await connection.ask({ method: "GET", path: "/api/user" });
    if (answer.status === 403 || answer.status === 404) return undefined;
    const { name, organization, team } = fieldsOf(connection.objectIn(answer)["tokenInfo"]) ?? {};
    if (typeof name !== "string" || name === "") return undefined;
    return {
      name,
      ...(typeof organization === "string" && organization !== "" ? { organization } : {}),
      ...(typeof team === "string" && team !== "" ? { team } : {}),
    };
  });
}

/**
 * Looks a token up in the list of its owner: `GET …/tokens`.
 *
 * @returns undefined where the connection's token may not see the list, or where not exactly one has this name
 * @throws EscFault
 */
export function readTokenFacts(identity: TokenIdentity, connection: Connection): Promise<TokenFacts | undefined> {
  return connection.repeat("reading the list of tokens", budget(MAX_READ_RETRIES), async () => {
    const answer = await connection.ask({ method: "GET", path: listOf(identity) });
    if (answer.status === 403 || answer.status === 404) return undefined;
    const { tokens } = connection.objectIn(answer);
    const named = (Array.isArray(tokens) ? tokens : []).flatMap((item): readonly Fields[] => {
      const fields = fieldsOf(item);
      return fields?.["name"] === identity.name ? [fields] : [];
    });
    const [only] = named;
    if (only === undefined || named.length > 1) return undefined;
    const role = fieldsOf(only["role"]);
    const told = role?.["defaultIdentifier"] ?? role?.["name"];
    const { expires } = only;
    return {
      name: connection.cleaner.clean(identity.name),
      ...(typeof told === "string" && told !== "" ? { role: connection.cleaner.clean(told) } : {}),
      // Seconds since the epoch; 0 for never.
      ...(typeof expires === "number" && expires > 0 ? { expires: new Date(expires * 1000) } : {}),
    };
  });
}

function listOf({ organization, team }: TokenIdentity): string {
  if (organization === undefined) return "/api/user/tokens";
  const owner = `/api/orgs/${encodeURIComponent(organization)}`;
  return team === undefined ? `${owner}/tokens` : `${owner}/teams/${encodeURIComponent(team)}/tokens`;
}
