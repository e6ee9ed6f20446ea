/**
 * The operations of the ESC server on access tokens: listing, creating and deleting, and the roles of an organization.
 */
import { type Answer, failure, json, noContent } from "../answer.ts";
import { type Json, parseObject } from "../json.ts";
import type { Token, TokenOwner } from "../tokens.ts";
import type { ApiRequest, World } from "../world.ts";
import { readParameter, refuseOpenOnly, refuseReadOnly } from "./access.ts";

const ROLES = ["open", "read", "write"] as const;
/** The fields of a new token; the spelling of `roleID` has not been tried. */
const FIELDS: Readonly<Record<TokenOwner["kind"], readonly string[]>> = {
  personal: ["name", "description", "expires"],
  organization: ["name", "description", "expires", "admin", "roleID"],
  team: ["name", "description", "expires"],
};

const TWO_YEARS = 2 * 366 * 24 * 3_600_000;

/** The tokens of the user, the organization or the team that the path names; never their values. */
export function listTokens(world: World, request: ApiRequest): Answer {
  const owner = ownerOf(world, request);
  if (owner === undefined) return failure(404, "Not Found: organization not found");
  const refusal = refuseOpenOnly(request);
  if (refusal !== undefined) return refusal;
  return json({ tokens: world.tokens.ownedBy(owner).map((token) => tokenJson(world, token)) });
}

/** Mints a token; its value is in this answer and never again. */
export function createToken(world: World, request: ApiRequest): Answer {
  const owner = ownerOf(world, request);
  if (owner === undefined) return failure(404, "Not Found: organization not found");
  const refusal = refuseReadOnly(request);
  if (refusal !== undefined) return refusal;
  const body = parseObject(request.body) ?? {};
  const { description, expires, name, roleID = "role-write" } = body;
  const unknown = Object.keys(body).find((field) => !FIELDS[owner.kind].includes(field));
  if (unknown !== undefined) request.violate(`createToken: unknown field ${unknown}`);
  if (typeof description !== "string") return failure(400, "Bad Request: description is required");
  if (typeof expires !== "number" || !Number.isInteger(expires) || expires < 0) {
    return failure(400, "Bad Request: expires must be in seconds since the epoch, or 0");
  }
  const until = expires * 1_000;
  if (expires !== 0 && (until <= world.now() || until > world.now() + TWO_YEARS)) {
    return failure(400, "Bad Request: expires must lie in the next two years");
  }
  if (owner.kind !== "personal") {
    if (typeof name !== "string" || name === "" || name.length > 40) {
      return failure(400, "Bad Request: name must have 1 to 40 characters");
    }
    if (world.tokens.nameTaken(owner.organization, name))
      return failure(409, "Conflict: a token had this name already");
  }
  const access = ROLES.find((role) => roleID === `role-${role}`);
  if (access === undefined) return failure(400, "Bad Request: unknown role");
  const named = typeof name === "string" ? { name } : {};
  const token = world.tokens.add({ owner, description, expires: until, access, ...named });
  return json({ id: token.id, tokenValue: token.value });
}

/** The roles of members of an organization and its tokens. */
export function listRoles(world: World, request: ApiRequest): Answer {
  const organization = readParameter(request, "organization");
  if (request.token === undefined || !world.reach(request.token).includes(organization)) {
    return failure(404, "Not Found: organization not found");
  }
  const refusal = refuseOpenOnly(request);
  return refusal ?? json({ roles: ROLES.map(roleJson) });
}

/** Revokes a token: from then on it is answered with 401. */
export function deleteToken(world: World, request: ApiRequest): Answer {
  const owner = ownerOf(world, request);
  const refusal = refuseReadOnly(request);
  if (refusal !== undefined) return refusal;
  const id = readParameter(request, "token");
  const token = owner && world.tokens.ownedBy(owner).find((candidate) => candidate.id === id);
  if (token === undefined) return failure(404, "Not Found: token not found");
  token.deleted = true;
  return noContent();
}

function ownerOf(world: World, request: ApiRequest): TokenOwner | undefined {
  const organization = request.parameters.get("organization");
  if (organization === undefined) return { kind: "personal", login: world.login };
  if (request.token === undefined || !world.reach(request.token).includes(organization)) return undefined;
  const team = request.parameters.get("team");
  return team === undefined ? { kind: "organization", organization } : { kind: "team", organization, team };
}

function tokenJson(world: World, token: Token): Json {
  return {
    id: token.id,
    name: token.name,
    description: token.description,
    created: new Date(token.created).toISOString(),
    lastUsed: Math.floor(token.lastUsed / 1_000),
    expires: Math.floor(token.expires / 1_000),
    admin: false,
    createdBy: world.login,
    // Only a built-in role has an identifier.
    role:
      token.customRole === undefined
        ? roleJson(token.access)
        : { id: "role-custom", name: token.customRole, defaultIdentifier: "" },
  };
}

function roleJson(access: Token["access"]): Json {
  return { id: `role-${access}`, name: `may ${access}`, defaultIdentifier: `environment-${access}` };
}
