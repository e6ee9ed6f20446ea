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

export type OldToken =
  /** It will be deleted. */
  | { readonly kind: "known"; readonly owner: TokenOwner; readonly id: string; readonly name: string }
  /** It is not deleted. `why` follows the word "because" in messages. */
  | { readonly kind: "stays"; readonly why: string };

export interface TokenPlan {
  readonly owner: TokenOwner;
  /** Undefined for a token whose permissions are those of its user or team. */
  readonly roleId: string | undefined;
  readonly expires: Date;
  readonly old: OldToken;
  /** The names of tokens that earlier runs created, which may be unused. */
  readonly leftovers: readonly string[];
}

/** The lifetime without `--expires`. */
const DEFAULT_DAYS = 90;
/** The longest lifetime that the service allows. */
const MAX_DAYS = 730;
/** Names begin with it, so that later runs recognize the tokens that this program created. */
export const TOKEN_NAME_PREFIX = "sophia-run-";

/** Parses `--expires 30d` or `--expires 30`. @param now ms since 1970 @throws SophiaError (usage, 125) */
export function expiryOf(option: Values[string], now: number): Date {
  const days = option === undefined ? DEFAULT_DAYS : Number(/^(\d{1,3})d?$/.exec(String(option))?.[1] ?? Number.NaN);
  if (days >= 1 && days <= MAX_DAYS) return new Date(now + days * DAY_MS);
  throw usageError("--expires needs a number of days from 1 to 730", "for example: --expires 90d");
}

/**
 * Finds the owner of the new token: the owner that the options name, or else the owner of the old token.
 *
 * @param findOrganization called if neither names the organization @throws SophiaError (usage, 125)
 */
export function ownerOf(
  { kind, team }: Values,
  old: TokenIdentity | undefined,
  findOrganization: () => Promise<string>,
): Promise<TokenOwner> | TokenOwner {
  const findOwner = async (): Promise<string> => old?.organization ?? findOrganization();
  const defaultKind = team === undefined ? kindOf(old) : "team";
  const ownerKind = typeof kind === "string" ? kind : (defaultKind ?? "");
  if (team !== undefined && ownerKind !== "team") throw usageError("--team is only for a team token", "leave it out");
  switch (ownerKind) {
    case "personal":
      return { kind: "personal" };
    case "organization":
      return findOwner().then((name) => ({ kind: "organization", organization: name }));
    case "team": {
      const name = typeof team === "string" ? team : old?.team;
      if (name === undefined || name === "")
        throw usageError("the team of the token is not known", "name it with --team");
      return findOwner().then((organization) => ({ kind: "team", organization, team: name }));
    }
    default:
      throw usageError(
        "the service does not report the kind of the launcher's token",
        "choose it with --kind organization, --kind team --team TEAM or --kind personal",
      );
  }
}

/** Returns the kind of a token that the service has identified. A team's token has an organization, too. */
function kindOf(old: TokenIdentity | undefined): TokenOwner["kind"] | undefined {
  if (old === undefined) return undefined;
  if (old.team !== undefined) return "team";
  return old.organization === undefined ? "personal" : "organization";
}

/**
 * Returns the role of the new token, which may only open environments. Only an organization token has a role.
 *
 * @param openRole the role's id, if the token that writes may read roles
 * @throws SophiaError (token-role, 125) if an organization token would be allowed more than to open environments
 */
export function roleFor(
  owner: TokenOwner,
  openRole: string | undefined,
  old: ListedToken | undefined,
): string | undefined {
  if (owner.kind !== "organization") return undefined;
  const roleId = openRole ?? (old?.role === OPEN_ROLE ? old.roleId : undefined);
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
export function planText({ owner, expires, old, leftovers }: TokenPlan, environments: string): string {
  return [
    `The launcher's token for ${printable(environments)}:`,
    `  + a new one, ${describeOwner(owner)}, ${PERMISSIONS[owner.kind]}, until ${formatDay(expires)}`,
    `  ~ the repository secret ESC_TOKEN, for Actions and for Codespaces (gh secret set)`,
    old.kind === "known"
      ? `  - the old one, ${printable(old.name)}, after the new one is stored: all other uses of it stop working`
      : `  = the old one is not deleted, because ${old.why}`,
    ...(leftovers.length === 0
      ? []
      : [`  ? ${leftovers.map(printable).join(", ")}: created by an earlier run; delete unused ones in the console`]),
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
