/** The operations of the ESC server on definitions: reading, updating, drafts, creating and deleting. */
import { type Answer, diagnosticJson, failure, invalidDefinition, json, noContent, yaml } from "../answer.ts";
import { decryptSecrets } from "../crypt.ts";
import type { Environment, Revision } from "../environments.ts";
import type { Diagnostic } from "../evaluate.ts";
import { parseObject } from "../json.ts";
import type { ApiRequest, World } from "../world.ts";
import { findEnvironment, findRevision, readParameter, refuseReadOnly } from "./access.ts";
import { hasErrors } from "./evaluation.ts";

export function definition(world: World, request: ApiRequest): Answer {
  const found = findRevision(world, request);
  if ("refusal" in found) return found.refusal;
  const { revision } = found;
  // As HTTP has it (RFC 9110, 13.1.2); whether the service does is not known.
  const isKnown = request.headers["if-none-match"] === revision.etag;
  return isKnown
    ? { status: 304, headers: revisionHeaders(revision), body: "" }
    : yaml(revision.yaml, revisionHeaders(revision));
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
  if (environment.updates === "approval") {
    return failure(409, "Conflict: updates must be approved, use the draft endpoint instead");
  }
  const diagnostics = diagnose(world, environment, request.body);
  if (hasErrors(diagnostics)) return invalidDefinition(diagnostics);
  const revision = world.environments.update(environment, request.body, world.login);
  return json({ diagnostics: diagnostics.length > 0 ? diagnostics.map(diagnosticJson) : undefined }, 200, {
    "Pulumi-ESC-Revision": String(revision.number),
  });
}

/** Takes a definition that is to be approved. */
export function createDraft(world: World, request: ApiRequest): Answer {
  const found = findEnvironment(world, request, "write");
  if ("refusal" in found) return found.refusal;
  const { environment } = found;
  const current = world.environments.revision(environment);
  if (request.headers["etag"] === undefined) request.violate("createDraft: no ETag header");
  if (request.headers["etag"] !== current?.etag) {
    return failure(409, "Conflict: the environment definition has changed");
  }
  const diagnostics = diagnose(world, environment, request.body);
  if (hasErrors(diagnostics)) return invalidDefinition(diagnostics);
  const draft = world.environments.draft(environment, request.body);
  return json({ changeRequestId: draft.id, latestRevisionNumber: current?.number ?? 0 });
}

function diagnose(world: World, { organization, project, name }: Environment, yamlText: string): readonly Diagnostic[] {
  return world.environments.evaluateText(organization, `${project}/${name}`, yamlText, "check").diagnostics;
}

export function createEnvironment(world: World, request: ApiRequest): Answer {
  const refusal = refuseReadOnly(request);
  if (refusal !== undefined) return refusal;
  const body = parseObject(request.body);
  const [project, name] = [body?.["project"], body?.["name"]];
  if (typeof project !== "string" || typeof name !== "string") {
    return failure(400, "Bad Request: project and name are required");
  }
  const full = { organization: readParameter(request, "organization"), project, name };
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
