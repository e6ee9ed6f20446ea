/**
 * The age of environments, and the approvals that they need. Apart from the `ages.ts` of audit, since each `check` that reads
 * ESC loads it: without a YAML parser.
 */
import { describeAge } from "../../core/day.ts";
import { type RequiredApprovals, readRequiredApprovals } from "../../esc/api/approvals.ts";
import { listRevisions, type Revision } from "../../esc/api/definition-requests.ts";
import type { EscSettings } from "../../esc/settings/access-settings.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import type { Progress } from "../../esc/transport/connection.ts";
import { askEachEnvironment } from "../parts/esc-requests.ts";

export interface EnvironmentAge {
  readonly environment: string;
  readonly revision: Revision;
}

export interface EnvironmentGates extends RequiredApprovals {
  readonly environment: string;
}

/** Returns the newest revision of each environment whose history the token may see; none if ESC fails. */
export async function environmentAges(settings: EscSettings, progress: Progress): Promise<readonly EnvironmentAge[]> {
  const environments = settings.environments.filter(({ version }) => version === undefined);
  const asked = await askEachEnvironment({ ...settings, environments }, progress, async (full, connection) => ({
    environment: formatName(full),
    revision: (await listRevisions(full, connection, 1)).revisions[0],
  }));
  return asked.flatMap(({ environment, revision }) => (revision === undefined ? [] : [{ environment, revision }]));
}

export function environmentLine({ environment, revision: { number, created, by } }: EnvironmentAge, now: Date): string {
  return `✅ ${environment}: Revision ${number}, changed ${describeAge(created, now)}${by === "" ? "" : ` by ${by}`}`;
}

/** Returns the environments that need approvals, as far as the token may see that; none if ESC fails. */
export async function environmentGates(
  settings: EscSettings,
  progress: Progress,
): Promise<readonly EnvironmentGates[]> {
  const asked = await askEachEnvironment(settings, progress, async (full, connection) => {
    const { open, update } = await readRequiredApprovals(full, connection);
    return { environment: formatName(full), open, update };
  });
  return asked.filter(({ open, update }) => open || update);
}

export function gateWords({ environment, open, update }: EnvironmentGates): string {
  if (!open) return `${environment}: Changing needs an approval`;
  return `${environment}: Opening ${update ? "and changing need" : "needs"} an approval`;
}
