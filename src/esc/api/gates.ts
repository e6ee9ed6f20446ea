import type { FullName } from "../settings/names.ts";
import { type Fields, fieldsOf } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { budget, MAX_READ_RETRIES } from "../transport/retry.ts";
import { pathOf } from "./definition.ts";

/** What somebody has to approve. */
export interface Gates {
  readonly open: boolean;
  readonly update: boolean;
}

/** What of an environment has to be approved: `GET X/metadata`. @throws EscFault where the token may not see it */
export async function readGates(name: FullName, connection: Connection): Promise<Gates> {
  const { gatedActions } = await readMetadata(name, connection);
  const actions = new Set(namesIn(gatedActions));
  return { open: actions.has("open"), update: actions.has("update") };
}

/**
 * Reads whether an open has to be approved, and the change request that is active, of either action.
 *
 * @throws EscFault where the token may not see it
 */
export async function readOpenGate(
  name: FullName,
  connection: Connection,
): Promise<{ readonly isGated: boolean; readonly changeRequest?: string }> {
  const { gatedActions, activeChangeRequest } = await readMetadata(name, connection);
  const id = fieldsOf(activeChangeRequest)?.["changeRequestId"];
  return {
    isGated: namesIn(gatedActions).includes("open"),
    ...(typeof id === "string" && id !== "" ? { changeRequest: id } : {}),
  };
}

function readMetadata(name: FullName, connection: Connection): Promise<Fields> {
  return connection.repeat("reading what has to be approved", budget(MAX_READ_RETRIES), async () =>
    connection.objectIn(await connection.ask({ method: "GET", path: pathOf(name, "metadata") })),
  );
}

/** The reference names the field and not its form: names, objects with an action, or an object with names for fields. */
function namesIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.map((one: unknown) => fieldsOf(one)?.["action"] ?? one);
  return Object.entries(fieldsOf(value) ?? {}).flatMap(([name, is]) => (is === false ? [] : [name]));
}
