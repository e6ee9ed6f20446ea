/**
 * Plans the new access token of `sophia-run rotate --token`: its owner (a user, a team or an organization of Pulumi), its role and
 * expiry, and what becomes of the old token. rotate-token.ts performs the plan; this file has no side effects.
 */
import type { Values } from "../../../command-line/options.ts";
import { formatDay, DAY_MS } from "../../../core/day.ts";
import { SophiaError } from "../../../core/error.ts";
import { printable } from "../../../core/text.ts";
import { type ListedToken, OPEN_ROLE, type TokenIdentity, type TokenOwner } from "../../../esc/api/tokens.ts";
import { usageError } from "../../parts/usage-errors.ts";

/** The launcher's present token, and what becomes of it. */
export type OldToken =
  /** The token will be deleted. */
  | { readonly kind: "known"; readonly owner: TokenOwner; readonly id: string; readonly name: string }
  /** The token is not deleted. The reason follows the word "because" in messages. */
  | { readonly kind: "stays"; readonly reason: string };

export interface TokenPlan {
  readonly owner: TokenOwner;
  /** Undefined for a token whose permissions are those of its user or team. */
  readonly roleId: string | undefined;
  readonly expiresAt: Date;
  readonly oldToken: OldToken;
  /** The names of tokens that earlier runs created, which may be unused. */
  readonly leftoverNames: readonly string[];
}

/** The lifetime of a token without `--expires`. */
const DEFAULT_DAYS = 90;
/** The longest lifetime that the service allows. */
const MAX_DAYS = 730;
/** The beginning of each new token's name, by which later runs recognize the tokens that this program created. */
export const TOKEN_NAME_PREFIX = "sophia-run-";

/** Parses `--expires 30d` or `--expires 30`. @param now ms since 1970 @throws SophiaError (usage, 125) */
export function parseExpiry(option: Values[string], now: number): Date {
  const daysText = option === undefined ? String(DEFAULT_DAYS) : /^(\d{1,3})d?$/.exec(String(option))?.[1];
  const days = Number(daysText ?? Number.NaN);
  if (days >= 1 && days <= MAX_DAYS) return new Date(now + days * DAY_MS);
  throw usageError("--expires needs a number of days from 1 to 730", "for example: --expires 90d");
}

/**
 * Finds the owner of the new token: the owner that the options name, or else the owner of the old token.
 *
 * @param findOrganization called if neither names the organization
 * @throws SophiaError (usage, 125)
 */
export function findOwner(
  { kind, team }: Values,
  oldIdentity: TokenIdentity | undefined,
  findOrganization: () => Promise<string>,
): Promise<TokenOwner> | TokenOwner {
  const findOwnerOrganization = async (): Promise<string> => oldIdentity?.organization ?? findOrganization();
  const defaultKind = team === undefined ? kindOf(oldIdentity) : "team";
  const ownerKind = typeof kind === "string" ? kind : (defaultKind ?? "");
  if (team !== undefined && ownerKind !== "team") throw usageError("--team is only for a team token", "leave it out");
  switch (ownerKind) {
    case "personal":
      return { kind: "personal" };
    case "organization":
      return findOwnerOrganization().then((organization) => ({ kind: "organization", organization }));
    case "team": {
      const name = typeof team === "string" ? team : oldIdentity?.team;
      if (name === undefined || name === "")
        throw usageError("the team of the token is not known", "name it with --team");
      return findOwnerOrganization().then((organization) => ({ kind: "team", organization, team: name }));
    }
    default:
      throw usageError(
        "the service does not report the kind of the launcher's token",
        "choose it with --kind organization, --kind team --team TEAM or --kind personal",
      );
  }
}

/** Returns the kind of a token that the service has identified. A team's token has an organization, too. */
function kindOf(identity: TokenIdentity | undefined): TokenOwner["kind"] | undefined {
  if (identity === undefined) return undefined;
  if (identity.team !== undefined) return "team";
  return identity.organization === undefined ? "personal" : "organization";
}

/**
 * Returns the role of the new token, which may only open environments. Only an organization token has a role.
 *
 * @param openRoleId the id of the role that may only open environments; undefined if the token that writes may not read roles
 * @param oldToken the launcher's present token
 * @throws SophiaError (token-role, 125) if an organization token would be allowed more than to open environments
 */
export function chooseRole(
  owner: TokenOwner,
  openRoleId: string | undefined,
  oldToken: ListedToken | undefined,
): string | undefined {
  if (owner.kind !== "organization") return undefined;
  const oldOpenRoleId = oldToken?.role === OPEN_ROLE ? oldToken.roleId : undefined;
  const roleId = openRoleId ?? oldOpenRoleId;
  if (roleId !== undefined) return roleId;
  throw new SophiaError({
    code: "token-role",
    message: `the token that writes may not read the role ${OPEN_ROLE} of ${printable(owner.organization)}`,
    hint: "nothing was created; use a token that may read roles, or --kind team with a team that may open the environment",
  });
}

/** The permissions of a token, in the words of the plan. */
const PERMISSIONS: Readonly<Record<TokenOwner["kind"], string>> = {
  personal: "with all permissions of its user",
  team: "with the permissions of the team",
  organization: "which may only open environments",
};

/** Describes the plan for the user, before the question. */
export function describePlan(plan: TokenPlan, environments: string): string {
  const { owner, expiresAt, oldToken, leftoverNames } = plan;
  return [
    `The launcher's token for ${printable(environments)}:`,
    `  + a new one, ${describeOwner(owner)}, ${PERMISSIONS[owner.kind]}, until ${formatDay(expiresAt)}`,
    `  ~ the repository secret ESC_TOKEN, for Actions and for Codespaces (gh secret set)`,
    oldToken.kind === "known"
      ? `  - the old one, ${printable(oldToken.name)}, after the new one is stored: all other uses of it stop working`
      : `  = the old one is not deleted, because ${oldToken.reason}`,
    ...(leftoverNames.length === 0
      ? []
      : [
          `  ? ${leftoverNames.map(printable).join(", ")}: created by an earlier run; delete unused ones in the console`,
        ]),
    "",
  ].join("\n");
}

function describeOwner(owner: TokenOwner): string {
  if (owner.kind === "personal") return "personal";
  const organization = printable(owner.organization);
  return owner.kind === "team"
    ? `for the team ${printable(owner.team)} of ${organization}`
    : `for the organization ${organization}`;
}
