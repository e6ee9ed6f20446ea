/** Facts about an access token: never its value. */
import { fieldsOf } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { listTokens, type TokenOwner } from "./tokens.ts";

/** The name and the owner of a token, by which a list has it. */
export interface TokenIdentity {
  readonly name: string;
  readonly organization: string | undefined;
  readonly team: string | undefined;
}

export interface TokenFacts {
  readonly name: string;
  /** Such as `environment-open`; absent if the service does not tell. */
  readonly role: string | undefined;
  /** Absent for a token without an end. */
  readonly expires: Date | undefined;
}

/** Identifies the connection's token: `GET /api/user`. @returns undefined if it may not ask, or has no name @throws EscFault */
export async function identifyToken(connection: Connection): Promise<TokenIdentity | undefined> {
  const user = await connection.read("identifying the token", "/api/user", 403, 404);
  const { name, organization, team } = fieldsOf(user?.["tokenInfo"]) ?? {};
  const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
  const own = text(name);
  return own === undefined ? undefined : { name: own, organization: text(organization), team: text(team) };
}

/**
 * Looks a token up in the list of its owner: `GET …/tokens`.
 *
 * @returns undefined if the connection's token may not see the list, or if not exactly one has this name
 * @throws EscFault
 */
export async function readTokenFacts(identity: TokenIdentity, connection: Connection): Promise<TokenFacts | undefined> {
  const tokens = await listTokens(ownerOfIdentity(identity), connection);
  const [only, ...others] = (tokens ?? []).filter(({ name }) => name === identity.name);
  if (only === undefined || others.length > 0) return undefined;
  const { role, expires } = only;
  const { cleaner } = connection;
  return { name: cleaner.clean(identity.name), role: role === undefined ? undefined : cleaner.clean(role), expires };
}

export function ownerOfIdentity({ organization, team }: TokenIdentity): TokenOwner {
  if (organization === undefined) return { kind: "personal" };
  return team === undefined ? { kind: "organization", organization } : { kind: "team", organization, team };
}
