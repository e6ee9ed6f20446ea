/** Making and deleting access tokens. */
import { EscFault } from "../faults/fault.ts";
import { Secret } from "../settings/secret.ts";
import { type Fields, fieldsOf } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { budget, MAX_READ_RETRIES } from "../transport/retry.ts";

/** Whose a token is. */
export type TokenOwner =
  | { readonly kind: "personal" }
  | { readonly kind: "organization"; readonly organization: string }
  | { readonly kind: "team"; readonly organization: string; readonly team: string };

/** One token in the list of its owner. */
export interface ListedToken {
  readonly id: string;
  /** Personal tokens need none. */
  readonly name: string;
  readonly description: string;
  readonly roleId?: string;
  readonly role?: string;
  /** Absent for a token without an end. */
  readonly expires?: Date;
}

export interface NewToken {
  readonly name: string;
  readonly description: string;
  /** Seconds since the epoch. */
  readonly expires: number;
  readonly roleId?: string;
}

/** The role that may open environments, and see nothing else of them. */
export const OPEN_ROLE = "environment-open";

/** `GET …/tokens`. @returns undefined where the connection's token may not see it @throws EscFault */
export function listTokens(owner: TokenOwner, connection: Connection): Promise<readonly ListedToken[] | undefined> {
  return connection.repeat("reading the list of tokens", budget(MAX_READ_RETRIES), async () => {
    const answer = await connection.ask({ method: "GET", path: pathOf(owner) });
    if (answer.status === 403 || answer.status === 404) return undefined;
    const { tokens } = connection.objectIn(answer);
    return listOf(tokens).flatMap((fields): readonly ListedToken[] => {
      const { id, name = "", description = "" } = fields;
      if (typeof id !== "string" || typeof name !== "string" || typeof description !== "string") return [];
      const role = fieldsOf(fields["role"]);
      const [roleId, identifier] = [role?.["id"], role?.["defaultIdentifier"]];
      const { expires } = fields;
      return [
        {
          id,
          name,
          description,
          ...(typeof roleId === "string" ? { roleId } : {}),
          ...(typeof identifier === "string" ? { role: identifier } : {}),
          // Seconds since the epoch; 0 for never.
          ...(typeof expires === "number" && expires > 0 ? { expires: new Date(expires * 1000) } : {}),
        },
      ];
    });
  });
}

/** The identifier of the role {@link OPEN_ROLE}: `GET /api/orgs/{org}/roles`. @returns undefined where it is not told */
export function findOpenRole(organization: string, connection: Connection): Promise<string | undefined> {
  return connection.repeat("reading the roles", budget(MAX_READ_RETRIES), async () => {
    const path = `/api/orgs/${encodeURIComponent(organization)}/roles`;
    const answer = await connection.ask({ method: "GET", path });
    if ([400, 403, 404, 405].includes(answer.status)) return undefined;
    const { roles } = connection.objectIn(answer);
    const id = listOf(roles).find((role) => role["defaultIdentifier"] === OPEN_ROLE)?.["id"];
    return typeof id === "string" ? id : undefined;
  });
}

/** `POST …/tokens`. Sent once, since each makes a token. @returns its value, which is shown nowhere @throws EscFault */
export async function createToken(
  owner: TokenOwner,
  { name, description, expires, roleId }: NewToken,
  connection: Connection,
): Promise<{ readonly id: string; readonly value: Secret }> {
  const body = {
    description,
    expires,
    ...(owner.kind === "personal" ? {} : { name }),
    ...(owner.kind === "organization" ? { admin: false } : {}),
    ...(roleId === undefined ? {} : { roleID: roleId }),
  };
  const answer = await connection.ask({ method: "POST", path: pathOf(owner), body: JSON.stringify(body) });
  const { id, tokenValue } = connection.objectIn(answer);
  if (typeof tokenValue !== "string" || tokenValue === "" || typeof id !== "string" || id === "") {
    throw new EscFault({ kind: "answer", host: connection.host, problem: "unexpected" });
  }
  return { id, value: connection.cleaner.hide(new Secret(tokenValue)) };
}

/** `DELETE …/tokens/{id}`; done as well where there is none of this id. @throws EscFault */
export function deleteToken(owner: TokenOwner, id: string, connection: Connection): Promise<void> {
  return connection.repeat("deleting the token", budget(MAX_READ_RETRIES), async () => {
    const path = `${pathOf(owner)}/${encodeURIComponent(id)}`;
    const answer = await connection.ask({ method: "DELETE", path });
    if (answer.status !== 204 && answer.status !== 404) connection.objectIn(answer);
  });
}

function pathOf(owner: TokenOwner): string {
  if (owner.kind === "personal") return "/api/user/tokens";
  const organization = `/api/orgs/${encodeURIComponent(owner.organization)}`;
  return owner.kind === "organization"
    ? `${organization}/tokens`
    : `${organization}/teams/${encodeURIComponent(owner.team)}/tokens`;
}

function listOf(value: unknown): readonly Fields[] {
  return (Array.isArray(value) ? value : []).flatMap((item: unknown): readonly Fields[] => {
    const fields = fieldsOf(item);
    return fields === undefined ? [] : [fields];
  });
}
