import { type Answer, diagnosticJson, failure, invalidDefinition, json, noContent, yaml } from "../answer.ts";
import { decryptSecrets } from "../crypt.ts";
import type { Revision } from "../environments.ts";
import { parseObject } from "../json.ts";
import type { ApiRequest, World } from "../world.ts";
import { findEnvironment, findRevision, parameter, refuseReadOnly } from "./access.ts";
import { hasErrors } from "./evaluation.ts";

export function definition(world: World, request: ApiRequest): Answer {
  const found = findRevision(world, request);
  return "refusal" in found ? found.refusal : yaml(found.revision.yaml, revisionHeaders(found.revision));
}

/** The definition's headers; the caller drops the body. */
export function etag(world: World, request: ApiRequest): Answer {
  return definition(world, request);
}

export function decrypt(world: World, request: ApiRequest): Answer {
  const found = findRevision(world, request);
  if ("refusal" in found) return found.refusal;
  const { revision } = found;
  return yaml(decryptSecrets(revision.yaml, world.environments.crypt), revisionHeaders(revision));
}

/** Stores a new revision, unless the definition changed since the caller read it or the new one is invalid. */
export function update(world: World, request: ApiRequest): Answer {
  const found = findEnvironment(world, request, "write");
  if ("refusal" in found) return found.refusal;
  const { environment } = found;
  const current = world.environments.revision(environment);
  const expected = [request.headers["etag"], request.headers["if-match"]];
  if (expected.some((tag) => tag !== undefined && tag !== "*" && tag !== current?.etag)) {
    return failure(409, "Conflict: the environment definition has changed");
  }
  const { project, name, organization } = environment;
  const evaluation = world.environments.evaluateText(organization, `${project}/${name}`, request.body, "check");
  const { diagnostics } = evaluation;
  if (hasErrors(diagnostics)) return invalidDefinition(diagnostics);
  const revision = world.environments.update(environment, request.body, world.login);
  return json({ diagnostics: diagnostics.length > 0 ? diagnostics.map(diagnosticJson) : undefined }, 200, {
    "Pulumi-ESC-Revision": String(revision.number),
  });
}

export function createEnvironment(world: World, request: ApiRequest): Answer {
  const refusal = refuseReadOnly(request);
  if (refusal !== undefined) return refusal;
  const body = parseObject(request.body);
  const [project, name] = [body?.["project"], body?.["name"]];
  if (typeof project !== "string" || typeof name !== "string") {
    return failure(400, "Bad Request: project and name are required");
  }
  const full = { organization: parameter(request, "organization"), project, name };
  if (world.environments.get(full) !== undefined) return failure(409, "Conflict: environment already exists");
  world.environments.add(full, { definition: "" }, world.login);
  return json({});
}

export function deleteEnvironment(world: World, request: ApiRequest): Answer {
  const found = findEnvironment(world, request, "write");
  if ("refusal" in found) return found.refusal;
  world.environments.delete(found.environment);
  return noContent();
}

function revisionHeaders(revision: Revision): Record<string, string> {
  return { ETag: revision.etag, "Pulumi-ESC-Revision": String(revision.number) };
}
