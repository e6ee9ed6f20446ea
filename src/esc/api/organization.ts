import { fieldsOf, requireObject } from "./answer.ts";
import type { Cleaner } from "./clean.ts";
import type { HttpClient } from "../transport/http.ts";
import { isOrganization } from "../settings/names.ts";
import { authority } from "../settings/network.ts";
import type { Secret } from "../auth/secret.ts";

/** What finding the organization takes. */
export interface OrganizationContext {
  readonly backend: string;
  readonly http: HttpClient;
  readonly token: Secret;
  readonly headers: Readonly<Record<string, string>>;
  readonly cleaner: Cleaner;
  readonly repeat: <T>(what: string, ask: () => Promise<T>) => Promise<T>;
}

/**
 * The organization for names without one: the user's default, else the one that the token belongs to, else the user's
 * own. `undefined` when the service tells none.
 *
 * @throws EscFault when the service cannot be asked
 */
export async function findDefaultOrganization(context: OrganizationContext): Promise<string | undefined> {
  // Tokens of organizations and teams may be kept from what concerns users (403): no reason to give up.
  const chosen = await ask(context, "/api/user/organizations/default", [400, 403, 404]);
  // The service itself has written the name in both ways.
  const byDefault = organizationIn(chosen?.["GitHubLogin"]) ?? organizationIn(chosen?.["gitHubLogin"]);
  if (byDefault !== undefined) return byDefault;
  const user = await ask(context, "/api/user", [403, 404]);
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
function ask(
  { backend, http, token, headers, cleaner, repeat }: OrganizationContext,
  path: string,
  absent: readonly number[],
): Promise<ReturnType<typeof fieldsOf>> {
  return repeat("finding the default organization", async () => {
    const answer = await http.request({
      url: backend + path,
      method: "GET",
      headers: { ...headers, Authorization: `token ${token.reveal()}` },
    });
    if (absent.includes(answer.status)) return undefined;
    return requireObject(answer, authority(new URL(backend)), cleaner);
  });
}

function organizationIn(value: unknown): string | undefined {
  return typeof value === "string" && isOrganization(value) ? value : undefined;
}
