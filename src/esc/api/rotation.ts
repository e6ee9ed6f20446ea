import type { FullName } from "../settings/names.ts";
import type { Connection } from "../transport/connection.ts";
import { changing, pathOf } from "./definition.ts";

/** `POST X/rotate` for paths below `values`. Sent once, since each makes new credentials. @throws EscFault */
export function rotateByEsc(name: FullName, paths: readonly string[], connection: Connection): Promise<void> {
  return changing(async () => {
    const path = pathOf(name, "rotate");
    const answer = await connection.ask({ method: "POST", path, body: JSON.stringify({ Paths: paths }) });
    connection.diagnosticsIn(answer);
  });
}
