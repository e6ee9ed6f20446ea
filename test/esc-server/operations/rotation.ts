/** The operation of the ESC server that rotates secrets. */
import { randomBytes } from "node:crypto";
import { isMap, isScalar, parseDocument } from "yaml";
import { type Answer, failure, json } from "../answer.ts";
import { parsePath } from "../interpolation.ts";
import { parseObject } from "../json.ts";
import type { ValueNode } from "../values.ts";
import type { ApiRequest, World } from "../world.ts";
import { findEnvironment } from "./access.ts";

/** Rotates what `fn::rotate::<provider>` gives: each provider has a new value, and the environment a new revision. */
export function rotate(world: World, request: ApiRequest): Answer {
  const found = findEnvironment(world, request, "write");
  if ("refusal" in found) return found.refusal;
  const { environment } = found;
  const paths = parseObject(request.body)?.["Paths"];
  if (!Array.isArray(paths) || paths.length === 0) return failure(400, "Bad Request: Paths is required");
  const yaml = world.environments.revision(environment)?.yaml ?? "";
  const values = parseDocument(yaml);
  const providers: string[] = [];
  for (const path of paths) {
    const steps = typeof path === "string" ? parsePath(path) : undefined;
    const node = steps === undefined ? undefined : values.getIn(["values", ...steps.map(({ step }) => step)]);
    const key = isMap(node) && isScalar(node.items[0]?.key) ? String(node.items[0].key.value) : "";
    const provider = /^fn::rotate::(.+)$/.exec(key)?.[1];
    if (provider === undefined) return failure(400, `Bad Request: ${String(path)} is not a rotated secret`);
    providers.push(provider);
  }
  for (const provider of providers) {
    const before = world.environments.providers.get(provider)?.();
    const after = renewStrings(before ?? { kind: "string", text: "", secret: true });
    world.environments.providers.set(provider, () => after);
  }
  world.environments.update(environment, yaml, world.login);
  return json({ code: 0, message: "", secretRotationEvent: { status: "succeeded" } });
}

/** A value of the same form with new strings. */
function renewStrings(node: ValueNode): ValueNode {
  if (node.kind !== "object") {
    return { kind: "string", text: `rotated-${randomBytes(8).toString("hex")}`, secret: true };
  }
  return { ...node, properties: new Map(Array.from(node.properties, ([key, value]) => [key, renewStrings(value)])) };
}
