/** What the service tells of an access token: never its value. */
import { fieldsOf } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { budget, MAX_READ_RETRIES } from "../transport/retry.ts";
import { listTokens, type TokenOwner } from "./tokens.ts";

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
export async function readTokenFacts(identity: TokenIdentity, connection: Connection): Promise<TokenFacts | undefined> {
  const tokens = await listTokens(ownerOfIdentity(identity), connection);
  const [only, ...others] = (tokens ?? []).filter(({ name }) => name === identity.name);
  if (only === undefined || others.length > 0) return undefined;
  const { role, expires } = only;
  return {
    name: connection.cleaner.clean(identity.name),
    ...(role === undefined ? {} : { role: connection.cleaner.clean(role) }),
    ...(expires === undefined ? {} : { expires }),
  };
}

/** Whose the token is, and in whose list it stands. */
export function ownerOfIdentity({ organization, team }: TokenIdentity): TokenOwner {
  if (organization === undefined) return { kind: "personal" };
  return team === undefined ? { kind: "organization", organization } : { kind: "team", organization, team };
}
