/** The operations of the ESC server on revisions and on their tags. */
import { type Answer, failure, json, noContent } from "../answer.ts";
import type { Environment, Revision } from "../environments.ts";
import { type Json, parseObject } from "../json.ts";
import type { ApiRequest, World } from "../world.ts";
import { findEnvironment, readParameter } from "./access.ts";
import { positiveInteger } from "./query.ts";

/** Revisions, newest first, those below `before`, at most `count`. */
export function revisions(world: World, request: ApiRequest): Answer {
  const found = findEnvironment(world, request, "read");
  if ("refusal" in found) return found.refusal;
  const before = positiveInteger(request, "before", Number.MAX_SAFE_INTEGER);
  const count = positiveInteger(request, "count", 500);
  if (before === undefined || count === undefined) return failure(400, "Bad Request: before and count are numbers");
  const { environment } = found;
  const listed = environment.revisions.filter((revision) => revision.number < before).toReversed();
  return json(listed.slice(0, count).map((revision) => revisionJson(environment, revision)));
}

function revisionJson(environment: Environment, revision: Revision): Json {
  const tags = [...environment.tags].filter(([, number]) => number === revision.number).map(([name]) => name);
  return {
    number: revision.number,
    created: revision.created.toISOString(),
    creatorLogin: revision.creator,
    creatorName: revision.creator,
    tags: revision === environment.revisions.at(-1) ? ["latest", ...tags] : tags,
  };
}

export function listRevisionTags(world: World, request: ApiRequest): Answer {
  const found = findEnvironment(world, request, "read");
  if ("refusal" in found) return found.refusal;
  const { environment } = found;
  const count = positiveInteger(request, "count", 500);
  if (count === undefined) return failure(400, "Bad Request: count is a number");
  const after = request.query.get("after") ?? "";
  const names = ["latest", ...environment.tags.keys()].toSorted().filter((name) => name > after);
  const page = names.slice(0, count);
  return json({
    tags: page.map((name) => tagJson(world, environment, name)),
    nextToken: names.length > page.length ? (page.at(-1) ?? "") : "",
  });
}

export function getRevisionTag(world: World, request: ApiRequest): Answer {
  const found = findEnvironment(world, request, "read");
  if ("refusal" in found) return found.refusal;
  const tag = readParameter(request, "tag");
  if (tag !== "latest" && !found.environment.tags.has(tag)) return noSuchTag(tag);
  return json(tagJson(world, found.environment, tag));
}

export function createRevisionTag(world: World, request: ApiRequest): Answer {
  const name = parseObject(request.body)?.["name"];
  // A version that begins with a digit is a revision number, so a tag may not.
  if (typeof name !== "string" || !/^[A-Za-z][\w.-]*$/.test(name)) return failure(400, "Bad Request: invalid tag name");
  return setTag(world, request, name, false);
}

export function updateRevisionTag(world: World, request: ApiRequest): Answer {
  return setTag(world, request, readParameter(request, "tag"), true);
}

export function deleteRevisionTag(world: World, request: ApiRequest): Answer {
  const found = findEnvironment(world, request, "write");
  if ("refusal" in found) return found.refusal;
  const tag = readParameter(request, "tag");
  return found.environment.tags.delete(tag) ? noContent() : noSuchTag(tag);
}

function setTag(world: World, request: ApiRequest, name: string, exists: boolean): Answer {
  const found = findEnvironment(world, request, "write");
  if ("refusal" in found) return found.refusal;
  const { environment } = found;
  if (name === "latest") return failure(400, "Bad Request: the tag latest moves by itself");
  if (environment.tags.has(name) !== exists) return exists ? noSuchTag(name) : failure(409, "Conflict: the tag exists");
  const number = parseObject(request.body)?.["revision"] ?? environment.revisions.at(-1)?.number;
  const revision = environment.revisions.find((candidate) => candidate.number === number);
  if (revision === undefined) return failure(404, "Not Found: revision not found");
  environment.tags.set(name, revision.number);
  return noContent();
}

function tagJson(world: World, environment: Environment, name: string): Json {
  const revision = world.environments.revision(environment, name);
  const at = (revision?.created ?? new Date(0)).toISOString();
  const editor = { editorLogin: world.login, editorName: world.login };
  return { name, revision: revision?.number ?? 0, created: at, modified: at, ...editor };
}

function noSuchTag(tag: string): Answer {
  return failure(404, `Not Found: tag '${tag}' not found`);
}
