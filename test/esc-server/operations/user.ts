/** The operations of the ESC server on the user of a token, and on the user's default organization. */
import { type Answer, failure, json } from "../answer.ts";
import type { TokenOwner } from "../tokens.ts";
import type { ApiRequest, World } from "../world.ts";

export function user(world: World, { token }: ApiRequest): Answer {
  const { login } = world;
  const name = world.user.name ?? login;
  const reach = token === undefined ? [] : world.reach(token);
  return json({
    id: "00000000-0000-4000-8000-000000000001",
    githubLogin: login,
    name,
    email: world.user.email ?? `${login}@example.test`,
    avatarUrl: "",
    organizations: reach.map((organization) => ({ githubLogin: organization, name: organization, avatarUrl: "" })),
    identities: [],
    tokenInfo: token === undefined || token.name === "" ? undefined : { name: token.name, ...tokenScope(token.owner) },
  });
}

function tokenScope(owner: TokenOwner): { organization?: string; team?: string } {
  switch (owner.kind) {
    case "personal":
      return {};
    case "organization":
      return { organization: owner.organization };
    case "team":
      return { organization: owner.organization, team: owner.team };
  }
}

export function defaultOrg(world: World, { token }: ApiRequest): Answer {
  const { defaultOrg: chosen, noDefaultOrg = 404, defaultOrgField = "GitHubLogin" } = world.user;
  const organization = chosen === undefined && token !== undefined ? world.reach(token)[0] : chosen;
  if (organization === undefined || organization === null) {
    return failure(noDefaultOrg, noDefaultOrg === 404 ? "Not Found" : "Bad Request: no default organization");
  }
  return json({ [defaultOrgField]: organization, Messages: [] });
}
