import type { FullName } from "../settings/names.ts";
import { fieldsOf } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { budget, MAX_READ_RETRIES } from "../transport/retry.ts";
import { pathOf } from "./definition.ts";

/** What somebody has to approve. */
export interface Gates {
  readonly open: boolean;
  readonly update: boolean;
}

/** What of an environment has to be approved: `GET X/metadata`. @throws EscFault where the token may not see it */
export function readGates(name: FullName, connection: Connection): Promise<Gates> {
  return connection.repeat("reading what has to be approved", budget(MAX_READ_RETRIES), async () => {
    const { gatedActions } = connection.objectIn(
      await connection.ask({ method: "GET", path: pathOf(name, "metadata") }),
    );
    const actions = new Set(namesIn(gatedActions));
    return { open: actions.has("open"), update: actions.has("update") };
  });
}

/** The reference names the field and not its form: names, objects with an action, or an object with names for fields. */
function namesIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.map((one: unknown) => fieldsOf(one)?.["action"] ?? one);
  return Object.entries(fieldsOf(value) ?? {}).flatMap(([name, is]) => (is === false ? [] : [name]));
}
