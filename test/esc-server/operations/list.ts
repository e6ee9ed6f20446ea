/** The operation of the ESC server that lists environments. */
import { type Answer, failure, json } from "../answer.ts";
import type { ApiRequest, World } from "../world.ts";
import { positiveInteger } from "./query.ts";

/** The environments that the token reaches, page by page. */
export function list(world: World, request: ApiRequest): Answer {
  const reach = request.token === undefined ? [] : world.reach(request.token);
  const organization = request.parameters.get("organization");
  if (organization !== undefined && !reach.includes(organization)) {
    return failure(404, `Not Found: organization '${organization}' not found`);
  }
  const size = positiveInteger(request, "maxResults", world.pageSize);
  if (size === undefined) return failure(400, "Bad Request: maxResults is a number");
  const start = decodePage(request.query.get("continuationToken"));
  if (start === undefined) return failure(400, "Bad Request: invalid continuationToken");
  const all = world.environments
    .all()
    .filter((one) => reach.includes(one.organization) && one.deny !== 404)
    .filter((one) => organization === undefined || one.organization === organization);
  const page = all.slice(start, start + size).map((one) => ({
    id: one.id,
    organization: one.organization,
    project: one.project,
    name: one.name,
    created: (one.revisions[0]?.created ?? new Date(0)).toISOString(),
    modified: (one.revisions.at(-1)?.created ?? new Date(0)).toISOString(),
    ownedBy: { githubLogin: world.login, name: world.login },
  }));
  return json({ environments: page, nextToken: start + size < all.length ? encodePage(start + size) : undefined });
}

/** Opaque on purpose: a client that computes the next page's token is found out. */
function encodePage(start: number): string {
  return Buffer.from(`page:${start}`).toString("base64");
}

function decodePage(token: string | null): number | undefined {
  if (token === null || token === "") return 0;
  const start = /^page:(\d+)$/.exec(Buffer.from(token, "base64").toString())?.[1];
  return start === undefined ? undefined : Number(start);
}
