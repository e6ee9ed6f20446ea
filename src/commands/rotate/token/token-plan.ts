import type { Values } from "../../../command-line/options.ts";
import { formatDay, DAY_MS } from "../../../core/day.ts";
import { SophiaError } from "../../../core/error.ts";
import { printable } from "../../../core/text.ts";
import { type ListedToken, OPEN_ROLE, type TokenIdentity, type TokenOwner } from "../../../esc/api/tokens.ts";
import { usageError } from "../../parts/usage-errors.ts";

export type OldToken =
  | { readonly kind: "known"; readonly owner: TokenOwner; readonly id: string; readonly name: string }
  /** It is not deleted; `why` follows `because`. */
  | { readonly kind: "stays"; readonly why: string };

export interface Plan {
  readonly owner: TokenOwner;
  readonly roleId: string | undefined;
  readonly expires: Date;
  readonly old: OldToken;
  readonly others: readonly string[];
}

const DEFAULT_DAYS = 90;
/** Limit of the service. */
const MOST_DAYS = 730;
export const PREFIX = "sophia-run-";

/** Reads `--expires`. @throws SophiaError (usage, 125) */
export function expiryOf(given: Values[string], now: number): Date {
  const days = given === undefined ? DEFAULT_DAYS : Number(/^(\d{1,3})d?$/.exec(String(given))?.[1] ?? Number.NaN);
  if (days >= 1 && days <= MOST_DAYS) return new Date(now + days * DAY_MS);
  throw usageError("--expires needs a number of days from 1 to 730", "for example: --expires 90d");
}

/** Finds the owner of the new token: by the options, else that of the old token. @throws SophiaError (usage, 125) */
export function ownerOf(
  { kind, team }: Values,
  old: TokenIdentity | undefined,
  findOrganization: () => Promise<string>,
): Promise<TokenOwner> | TokenOwner {
  const organization = async (): Promise<string> => old?.organization ?? findOrganization();
  const known = team === undefined ? kindOf(old) : "team";
  const requested = typeof kind === "string" ? kind : (known ?? "");
  if (team !== undefined && requested !== "team") throw usageError("--team is only for a team token", "leave it out");
  switch (requested) {
    case "personal":
      return { kind: "personal" };
    case "organization":
      return organization().then((name) => ({ kind: "organization", organization: name }));
    case "team": {
      const name = typeof team === "string" ? team : old?.team;
      if (name === undefined || name === "")
        throw usageError("the team of the token is not known", "name it with --team");
      return organization().then((own) => ({ kind: "team", organization: own, team: name }));
    }
    default:
      throw usageError(
        "the service does not report the kind of the launcher's token",
        "choose it with --kind organization, --kind team --team TEAM or --kind personal",
      );
  }
}

function kindOf(old: TokenIdentity | undefined): TokenOwner["kind"] | undefined {
  if (old === undefined) return undefined;
  if (old.team !== undefined) return "team";
  return old.organization === undefined ? "personal" : "organization";
}

/** @throws SophiaError (token-role, 125) if an organization token would be allowed more than to open environments */
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

const RIGHTS: Readonly<Record<TokenOwner["kind"], string>> = {
  personal: "with all permissions of its user",
  team: "with the permissions of the team",
  organization: "which may only open environments",
};

export function planText({ owner, expires, old, others }: Plan, environments: string): string {
  return [
    `The launcher's token for ${printable(environments)}:`,
    `  + a new one, ${ownerText(owner)}, ${RIGHTS[owner.kind]}, until ${formatDay(expires)}`,
    `  ~ the repository secret ESC_TOKEN, for Actions and for Codespaces (gh secret set)`,
    old.kind === "known"
      ? `  - the old one, ${printable(old.name)}, after the new one is stored: all other uses of it stop working`
      : `  = the old one is not deleted, because ${old.why}`,
    ...(others.length === 0
      ? []
      : [`  ? ${others.map(printable).join(", ")}: created by an earlier run; delete unused ones in the console`]),
    "",
  ].join("\n");
}

function ownerText(owner: TokenOwner): string {
  if (owner.kind === "personal") return "personal";
  const organization = printable(owner.organization);
  return owner.kind === "team"
    ? `for the team ${printable(owner.team)} of ${organization}`
    : `for the organization ${organization}`;
}
