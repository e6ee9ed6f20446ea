/**
 * Finds the environment and the revision that a request names, or the refusal that answers the request. All operations
 * use this file.
 */
import { type Answer, failure } from "../answer.ts";
import type { Environment, EnvironmentName, Revision } from "../environments.ts";
import type { Operation } from "../routes.ts";
import type { ApiRequest, World } from "../world.ts";

/** A parameter of the path; the route guarantees that it is there. */
export function readParameter(request: ApiRequest, name: string): string {
  const value = request.parameters.get(name);
  if (value === undefined) throw new Error(`the route of ${request.operation} has no :${name}`);
  return value;
}

export function environmentName(request: ApiRequest): EnvironmentName {
  return {
    organization: readParameter(request, "organization"),
    project: readParameter(request, "project"),
    name: readParameter(request, "name"),
  };
}

/** The environment of the path, or the answer that keeps it from the caller. */
export function findEnvironment(
  world: World,
  request: ApiRequest,
  access: "read" | "write",
): { readonly environment: Environment } | { readonly refusal: Answer } {
  const name = environmentName(request);
  const invalid = invalidName(name);
  if (invalid !== undefined) return { refusal: failure(400, `Bad Request: invalid ${invalid} name`) };
  const { organization, project } = name;
  const environment = world.environments.get(name);
  const reachable = request.token !== undefined && world.reach(request.token).includes(organization);
  if (environment === undefined || !reachable || environment.deny === 404) {
    return { refusal: failure(404, `Not Found: environment '${organization}/${project}/${name.name}' not found`) };
  }
  if (environment.deny === 403) return { refusal: failure(403, "Forbidden: you may not open this environment") };
  const refusal = access === "write" ? refuseReadOnly(request) : refuseOpenOnly(request);
  return refusal === undefined ? { environment } : { refusal };
}

/** As {@link findEnvironment}, with the revision that the path names, the latest when it names none. */
export function findRevision(
  world: World,
  request: ApiRequest,
): { readonly environment: Environment; readonly revision: Revision } | { readonly refusal: Answer } {
  const found = findEnvironment(world, request, "read");
  if ("refusal" in found) return found;
  const version = request.parameters.get("version");
  const revision = world.environments.revision(found.environment, version);
  if (revision === undefined)
    return { refusal: failure(404, `Not Found: revision '${version ?? "latest"}' not found`) };
  return { environment: found.environment, revision };
}

const WHAT_OPENS: ReadonlySet<Operation> = new Set([
  ...(["open", "read", "check"] as const),
  // A token that may open may request it.
  ...(["requestOpen", "submitChangeRequest", "changeRequest"] as const),
]);

/** A token that may only open sees nothing else of an environment or of others' tokens. */
export function refuseOpenOnly({ token, operation }: ApiRequest): Answer | undefined {
  if (token?.access !== "open" || WHAT_OPENS.has(operation)) return undefined;
  return failure(403, "Forbidden: this token may only open environments");
}

export function refuseReadOnly(request: ApiRequest): Answer | undefined {
  if (request.token?.access === "write") return undefined;
  return failure(403, "Forbidden: this token may only read");
}

function invalidName({ organization, project, name }: EnvironmentName): string | undefined {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9-_]{1,38}[a-zA-Z0-9]$/.test(organization)) return "organization";
  const valid = /^[a-zA-Z0-9-_.]{1,100}$/;
  if (!valid.test(project)) return "project";
  return valid.test(name) ? undefined : "environment";
}
