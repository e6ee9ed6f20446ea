/** The operation of the ESC server that lists what imports or uses an environment. */
import { parse } from "yaml";
import type { Json } from "../json.ts";
import { type Answer, failure, json } from "../answer.ts";
import type { Environment } from "../environments.ts";
import type { ApiRequest, World } from "../world.ts";
import { findEnvironment } from "./access.ts";
import { positiveInteger } from "./query.ts";

const MOST = 500;

/** The environments whose latest revision imports this one, and its stacks, by the revision that they refer to. */
export function referrers(world: World, request: ApiRequest): Answer {
  const found = findEnvironment(world, request, "read");
  if ("refusal" in found) return found.refusal;
  const count = positiveInteger(request, "count", MOST);
  if (count === undefined || count > MOST) return failure(400, "Bad Request: count must be in the range [1, 500]");
  const { environment } = found;
  const byRevision: Record<string, Json[]> = {};
  const all = [
    ...world.environments.all().flatMap((one) => findImporters(one, environment)),
    ...environment.stacks.map((text) => {
      const [project = "", stack = ""] = text.split("/");
      return { at: "latest", referrer: { stack: { project, stack, version: 1 } } };
    }),
  ];
  for (const { at, referrer } of all.slice(0, count)) (byRevision[at] ??= []).push(referrer);
  return json({ referrers: byRevision, continuationToken: all.length > count ? "more" : undefined });
}

function findImporters(one: Environment, imported: Environment): { readonly at: string; readonly referrer: Json }[] {
  const latest = one.revisions.at(-1);
  if (one.organization !== imported.organization || latest === undefined) return [];
  const { organization: _, project, name } = one;
  const definition: { readonly imports?: unknown } | null = parse(latest.yaml);
  const imports: readonly unknown[] = Array.isArray(definition?.imports) ? definition.imports : [];
  return imports.flatMap((written) => {
    const text = typeof written === "string" ? written : Object.keys(Object(written))[0];
    const [path, version = "latest"] = (text ?? "").split("@");
    if (path !== `${imported.project}/${imported.name}`) return [];
    return [{ at: version, referrer: { environment: { project, name, revision: latest.number } } }];
  });
}
