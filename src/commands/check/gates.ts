import { type Gates, readGates } from "../../esc/api/approvals.ts";
import type { EscSettings } from "../../esc/settings/access.ts";
import { formatName } from "../../esc/settings/names.ts";
import type { Progress } from "../../esc/transport/connection.ts";
import { askApart } from "../ask-esc.ts";

export interface EnvironmentGates extends Gates {
  readonly environment: string;
}

/** Returns the environments that need approvals, as far as the token may see that; none if ESC fails. */
export async function environmentGates(
  settings: EscSettings,
  progress: Progress,
): Promise<readonly EnvironmentGates[]> {
  const asked = await askApart(settings, progress, async (full, connection) => {
    const { open, update } = await readGates(full, connection);
    return { environment: formatName(full), open, update };
  });
  return asked.filter(({ open, update }) => open || update);
}

export function gateWords({ environment, open, update }: EnvironmentGates): string {
  if (!open) return `${environment}: Changing needs an approval`;
  return `${environment}: Opening ${update ? "and changing need" : "needs"} an approval`;
}
