import type { FullName } from "../settings/names.ts";
import type { Connection } from "../transport/connection.ts";
import { changing, pathOf } from "./definition.ts";

/**
 * Has ESC rotate the secrets of `fn::rotate`: `POST X/rotate`. Sent once, since each makes new credentials.
 *
 * @param paths of properties below `values`
 * @throws EscFault, its context told to be a change
 */
export function rotateByEsc(name: FullName, paths: readonly string[], connection: Connection): Promise<void> {
  return changing(async () => {
    const path = pathOf(name, "rotate");
    const answer = await connection.ask({ method: "POST", path, body: JSON.stringify({ Paths: paths }) });
    connection.diagnosticsIn(answer);
  });
}
