import { parseDiagnostics } from "../transport/answer.ts";
import { EscFault } from "../faults/fault.ts";
import type { FullName } from "../settings/names.ts";
import type { Connection } from "../transport/connection.ts";
import { changing, pathOf } from "./definition.ts";

/**
 * Has ESC rotate what `fn::rotate` gives: `POST X/rotate`. Sent once, since each makes new credentials.
 *
 * @param paths of properties below `values`
 * @throws EscFault, its context told to be a change
 */
export function rotateByEsc(name: FullName, paths: readonly string[], connection: Connection): Promise<void> {
  return changing(async () => {
    const answer = await connection.ask({
      method: "POST",
      path: pathOf(name, "rotate"),
      body: JSON.stringify({ Paths: paths }),
    });
    const { diagnostics: list } = connection.objectIn(answer);
    const diagnostics = parseDiagnostics(list, connection.cleaner);
    if (diagnostics.some(({ severity }) => severity === "error")) {
      throw new EscFault({ kind: "status", host: connection.host, status: answer.status, diagnostics });
    }
  });
}
