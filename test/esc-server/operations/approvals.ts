/** The operations of the ESC server on requests for approval: to open an environment, and to change it. */
import { randomUUID } from "node:crypto";
import { type Answer, failure, json, noContent } from "../answer.ts";
import type { ChangeRequest } from "../environments.ts";
import { parseObject } from "../json.ts";
import type { ApiRequest, World } from "../world.ts";
import { findEnvironment, readParameter } from "./access.ts";

/** Files a request for the environment, and for each import whose opens must be approved, too. */
export function requestOpen(world: World, request: ApiRequest): Answer {
  const found = findEnvironment(world, request, "read");
  if ("refusal" in found) return found.refusal;
  const { environment } = found;
  const body = parseObject(request.body);
  for (const name of ["grantExpirationSeconds", "accessDurationSeconds"]) {
    const seconds = body?.[name];
    if (typeof seconds !== "number" || !Number.isSafeInteger(seconds) || seconds <= 0) {
      request.violate(`requestOpen: ${name} is not a number of seconds`);
      return failure(400, `Bad Request: ${name} is required`);
    }
  }
  const gated = world.environments.gatedIn(environment);
  if (gated.length === 0) return failure(400, "Bad Request: opens of this environment are not gated");
  const changeRequests = gated.map((one) => {
    const filed: ChangeRequest = {
      id: randomUUID(),
      environment: one,
      status: "draft",
      description: "",
      login: world.login,
    };
    world.changeRequests.set(filed.id, filed);
    const latest = world.environments.revision(one);
    return {
      projectName: one.project,
      environmentName: one.name,
      changeRequestId: filed.id,
      latestRevisionNumber: latest?.number ?? 0,
      etag: latest?.etag ?? "",
    };
  });
  return json({ changeRequests });
}

export function submitChangeRequest(world: World, request: ApiRequest): Answer {
  const found = findRequest(world, request);
  if (found === undefined) return failure(404, "Not Found: change request not found");
  if (found.status !== "draft") return failure(409, "Conflict: the change request was submitted before");
  const description = parseObject(request.body)?.["description"];
  found.description = typeof description === "string" ? description : "";
  found.status = "pending";
  return noContent();
}

export function changeRequest(world: World, request: ApiRequest): Answer {
  const found = findRequest(world, request);
  if (found === undefined) return failure(404, "Not Found: change request not found");
  const { id, status, description, login } = found;
  return json({ id, status, description, action: "open", createdBy: { githubLogin: login, name: login } });
}

/** The actions that need an approval. */
export function metadata(world: World, request: ApiRequest): Answer {
  const found = findEnvironment(world, request, "read");
  if ("refusal" in found) return found.refusal;
  const { deny, updates } = found.environment;
  const gatedActions = [...(deny === "approval" ? ["open"] : []), ...(updates === "approval" ? ["update"] : [])];
  const active = Array.from(world.changeRequests.values()).findLast(
    (one) => one.environment === found.environment && one.status !== "applied" && one.status !== "closed",
  );
  const activeChangeRequest = active === undefined ? undefined : { changeRequestId: active.id };
  return json({ gatedActions, activeChangeRequest });
}

function findRequest(world: World, request: ApiRequest): ChangeRequest | undefined {
  const found = world.changeRequests.get(readParameter(request, "request"));
  return found?.environment.organization === readParameter(request, "organization") ? found : undefined;
}
