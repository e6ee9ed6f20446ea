import type { FullName } from "../settings/names.ts";
import { fieldsOf, valueAt } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { pathOf } from "./definition.ts";

/** The actions that need an approval. */
export interface Gates {
  readonly open: boolean;
  readonly update: boolean;
  /** The change request that is active, of either action. */
  readonly changeRequest?: string;
}

/**
 * Reads what of an environment needs an approval: `GET X/metadata`.
 *
 * @param absent statuses that mean that nothing does
 * @throws EscFault for other statuses, such as for a token that may not see it
 */
export async function readGates(name: FullName, connection: Connection, ...absent: readonly number[]): Promise<Gates> {
  const metadata = await connection.read("reading what has to be approved", pathOf(name, "metadata"), ...absent);
  const actions = new Set(namesIn(metadata?.["gatedActions"]));
  const id = valueAt(metadata, "activeChangeRequest", "changeRequestId");
  return {
    open: actions.has("open"),
    update: actions.has("update"),
    ...(typeof id === "string" && id !== "" ? { changeRequest: id } : {}),
  };
}

/** The reference names the field and not its form: names, objects with an action, or an object with names for fields. */
function namesIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.map((one: unknown) => fieldsOf(one)?.["action"] ?? one);
  return Object.entries(fieldsOf(value) ?? {}).flatMap(([name, is]) => (is === false ? [] : [name]));
}
