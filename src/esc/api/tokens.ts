/** Requests for access tokens: identifying, listing, creating and deleting them. No message shows the value of a token. */
import { unexpectedAnswer } from "../faults/esc-fault.ts";
import { Secret } from "../settings/secret.ts";
import { objectsIn, textAt } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";

export type TokenOwner =
  | { readonly kind: "personal" }
  | { readonly kind: "organization"; readonly organization: string }
  | { readonly kind: "team"; readonly organization: string; readonly team: string };

/** A token as the service lists it, without its value. */
export interface ListedToken {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly roleId: string | undefined;
  /** The identifier of a built-in role; undefined for a custom role. */
  readonly role: string | undefined;
  /** The role's name for people. */
  readonly roleName: string | undefined;
  /** Absent for a token that does not expire. */
  readonly expires: Date | undefined;
}

/** The role that may only open environments. */
export const OPEN_ROLE = "environment-open";

/** Lists the tokens of an owner: `GET …/tokens`. @returns undefined if the token in use may not see them @throws EscFault */
export async function listTokens(
  owner: TokenOwner,
  connection: Connection,
): Promise<readonly ListedToken[] | undefined> {
  const list = await connection.read("reading the list of tokens", pathOf(owner), 403, 404);
  if (list === undefined) return undefined;
  return objectsIn(list["tokens"]).flatMap((fields): readonly ListedToken[] => {
    const { id, name = "", description = "", expires } = fields;
    if (typeof id !== "string" || typeof name !== "string" || typeof description !== "string") return [];
    return [
      {
        id,
        name,
        description,
        roleId: textAt(fields, "role", "id"),
        role: textAt(fields, "role", "defaultIdentifier"),
        roleName: textAt(fields, "role", "name"),
        // The service sends seconds since the epoch, and 0 for a token that does not expire.
        expires: typeof expires === "number" && expires > 0 ? new Date(expires * 1000) : undefined,
      },
    ];
  });
}

/** Finds the identifier of the role {@link OPEN_ROLE}: `GET /api/orgs/{org}/roles`. @returns undefined if unknown */
export async function findOpenRole(organization: string, connection: Connection): Promise<string | undefined> {
  const path = `/api/orgs/${encodeURIComponent(organization)}/roles`;
  const list = await connection.read("reading the roles", path, 400, 403, 404, 405);
  return textAt(
    objectsIn(list?.["roles"]).find((role) => role["defaultIdentifier"] === OPEN_ROLE),
    "id",
  );
}

/**
 * Creates a token: `POST …/tokens`. The request is sent once, since each creates a token.
 * @returns its value, which must not be shown @throws EscFault
 */
export async function createToken(
  owner: TokenOwner,
  { name, description, roleId, expires }: Pick<ListedToken, "name" | "description" | "roleId"> & { expires: Date },
  connection: Connection,
): Promise<{ readonly id: string; readonly value: Secret }> {
  const body = {
    description,
    expires: Math.floor(expires.getTime() / 1000),
    ...(owner.kind === "personal" ? {} : { name }),
    ...(owner.kind === "organization" ? { admin: false } : {}),
    roleID: roleId,
  };
  const answer = await connection.ask({ method: "POST", path: pathOf(owner), body: JSON.stringify(body) });
  const fields = connection.objectIn(answer);
  const [id, value] = [textAt(fields, "id"), textAt(fields, "tokenValue")];
  if (id === undefined || value === undefined) throw unexpectedAnswer(connection.host);
  return { id, value: connection.cleaner.hide(new Secret(value)) };
}

/** Deletes a token: `DELETE …/tokens/{id}`. It succeeds if there is no token of this ID. @throws EscFault */
export function deleteToken(owner: TokenOwner, id: string, connection: Connection): Promise<void> {
  return connection.repeat("deleting the token", async () => {
    const path = `${pathOf(owner)}/${encodeURIComponent(id)}`;
    const answer = await connection.ask({ method: "DELETE", path });
    if (answer.status !== 204 && answer.status !== 404) connection.objectIn(answer);
  });
}

/** The name of the token in use, and its owner: a team, otherwise an organization, otherwise the user. */
export interface TokenIdentity {
  readonly name: string;
  readonly organization: string | undefined;
  readonly team: string | undefined;
}

export type TokenFacts = Pick<ListedToken, "name" | "role" | "roleName" | "expires">;

/** Identifies the token in use: `GET /api/user`. @returns undefined if it may not ask, or has no name @throws EscFault */
export async function identifyToken(connection: Connection): Promise<TokenIdentity | undefined> {
  const user = await connection.read("identifying the token", "/api/user", 403, 404);
  const [name, organization, team] = ["name", "organization", "team"].map((key) => textAt(user, "tokenInfo", key));
  return name === undefined ? undefined : { name, organization, team };
}

export interface EscUser {
  readonly login: string | undefined;
  readonly organizations: readonly string[];
}

/** Returns the user to whom the token in use belongs. @throws EscFault */
export async function readUser(connection: Connection): Promise<EscUser> {
  const user = await connection.read("identifying the user", "/api/user");
  const clean = (text: string | undefined): string | undefined => text && connection.cleaner.clean(text);
  const organizations = objectsIn(user?.["organizations"]).flatMap((one) => clean(textAt(one, "githubLogin")) ?? []);
  return { login: clean(textAt(user, "githubLogin")), organizations };
}

/** Finds a token in `GET …/tokens`. @returns undefined if it is not visible, or its name is not unique @throws EscFault */
export async function readTokenFacts(identity: TokenIdentity, connection: Connection): Promise<TokenFacts | undefined> {
  const tokens = await listTokens(ownerOfIdentity(identity), connection);
  const [only, ...others] = (tokens ?? []).filter(({ name }) => name === identity.name);
  if (only === undefined || others.length > 0) return undefined;
  const clean = (text: string | undefined): string | undefined => text && connection.cleaner.clean(text);
  const { role, roleName, expires } = only;
  return { name: connection.cleaner.clean(identity.name), role: clean(role), roleName: clean(roleName), expires };
}

export function ownerOfIdentity({ organization, team }: TokenIdentity): TokenOwner {
  if (organization === undefined) return { kind: "personal" };
  return team === undefined ? { kind: "organization", organization } : { kind: "team", organization, team };
}

function pathOf(owner: TokenOwner): string {
  if (owner.kind === "personal") return "/api/user/tokens";
  const team = owner.kind === "team" ? `/teams/${encodeURIComponent(owner.team)}` : "";
  return `/api/orgs/${encodeURIComponent(owner.organization)}${team}/tokens`;
}
