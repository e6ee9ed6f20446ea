/** The operations of the ESC server that evaluate definitions: opening, reading an opened environment, and checking. */
import { type Answer, diagnosticJson, failure, invalidDefinition, json } from "../answer.ts";
import { parseGoDuration } from "../duration.ts";
import type { EnvironmentName } from "../environments.ts";
import type { Diagnostic } from "../evaluate.ts";
import { environmentJson, type ExecutionContext } from "../wire.ts";
import type { ApiRequest, World } from "../world.ts";
import { environmentName, findRevision, readParameter } from "./access.ts";

/** The service's own default when the request asks for no duration. */
const DEFAULT_DURATION = "1h";

/** Opens an environment: evaluates it and keeps the result as a session. */
export function open(world: World, request: ApiRequest): Answer {
  const duration = parseGoDuration(request.query.get("duration") ?? DEFAULT_DURATION);
  if (duration === undefined || duration <= 0) {
    request.violate(`open: "${request.query.get("duration")}" is not a positive Go duration`);
    return failure(400, "Bad Request: invalid duration");
  }
  const found = findRevision(world, request);
  if ("refusal" in found) return found.refusal;
  const { environment, revision } = found;
  const { root, diagnostics, gated } = world.environments.evaluate(environment, revision, "open");
  if (gated) return failure(403, "Forbidden: create an open request instead, opens must be approved");
  if (hasErrors(diagnostics)) return invalidDefinition(diagnostics);
  const owner = environmentName(request);
  const id = world.openSession({
    owner,
    root,
    style: environment.style,
    context: executionContext(world, owner),
    expires: world.now() + duration,
  });
  const answer = json({ id, diagnostics: diagnostics.length > 0 ? diagnostics.map(diagnosticJson) : undefined });
  if (!world.tellsRevision) return answer;
  return { ...answer, headers: { ...answer.headers, "Pulumi-ESC-Revision": String(revision.number) } };
}

/** Reads a session; it belongs to one environment and ends at its time. */
export function read(world: World, request: ApiRequest): Answer {
  const session = world.sessions.get(readParameter(request, "session"));
  const { organization, project, name } = environmentName(request);
  const owned =
    session?.owner.organization === organization && session.owner.project === project && session.owner.name === name;
  if (session === undefined || !owned || session.expires <= world.now()) {
    return failure(404, "Not Found: open environment not found");
  }
  return json(environmentJson(session.root, session.context, session.style));
}

/** Evaluates without opening: nothing is minted, nothing secret is decrypted. */
export function check(world: World, request: ApiRequest): Answer {
  const found = findRevision(world, request);
  if ("refusal" in found) return found.refusal;
  const { environment, revision } = found;
  const { root, diagnostics } = world.environments.evaluate(environment, revision, "check");
  const context = executionContext(world, environment);
  return json({
    ...environmentJson(root, context, environment.style),
    diagnostics: diagnostics.length > 0 ? diagnostics.map(diagnosticJson) : undefined,
  });
}

/** Evaluates a definition that is not stored. */
export function checkYaml(world: World, request: ApiRequest): Answer {
  const organization = readParameter(request, "organization");
  const { root, diagnostics } = world.environments.evaluateText(organization, "<yaml>", request.body, "check");
  if (hasErrors(diagnostics)) return invalidDefinition(diagnostics);
  return json(
    environmentJson(root, executionContext(world, { organization, project: "<project>", name: "<yaml>" }), {}),
  );
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity !== "warning");
}

function executionContext(world: World, { organization, project, name }: EnvironmentName): ExecutionContext {
  return { organization, environment: `${project}/${name}`, login: world.login };
}
