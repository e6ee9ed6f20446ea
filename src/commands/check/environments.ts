/**
 * Reads for `check` when each ESC environment last changed, and whether opening or changing it needs an approval (a gate).
 * audit has a file of its own for the ages of single secrets, `ages.ts`. That one needs a YAML parser, which a plain
 * `check` must not load.
 */
import { describeAge } from "../../core/day.ts";
import { type RequiredApprovals, readRequiredApprovals } from "../../esc/api/approvals.ts";
import { listRevisions, type Revision } from "../../esc/api/definition-requests.ts";
import type { EscSettings } from "../../esc/settings/access-settings.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import type { Progress } from "../../esc/transport/connection.ts";
import { askEachEnvironment } from "../parts/esc-requests.ts";

/** The last change of an environment. */
export interface EnvironmentAge {
  readonly environment: string;
  /** The newest revision. */
  readonly revision: Revision;
}

/** The approvals that an environment needs. */
export interface EnvironmentGates extends RequiredApprovals {
  readonly environment: string;
}

/**
 * Reads the newest revision of each environment. Leaves out an environment if its history is not visible, or if ESC fails.
 */
export async function readEnvironmentAges(
  settings: EscSettings,
  progress: Progress,
): Promise<readonly EnvironmentAge[]> {
  // A fixed version does not change, so that its age says nothing.
  const environments = settings.environments.filter(({ version }) => version === undefined);
  const answers = await askEachEnvironment({ ...settings, environments }, progress, async (name, connection) => ({
    environment: formatName(name),
    revision: (await listRevisions(name, connection, 1)).revisions[0],
  }));
  return answers.flatMap(({ environment, revision }) => (revision === undefined ? [] : [{ environment, revision }]));
}

export function createEnvironmentLine(
  { environment, revision: { number, created, by } }: EnvironmentAge,
  now: Date,
): string {
  const author = by === "" ? "" : ` by ${by}`;
  return `✅ ${environment}: Revision ${number}, changed ${describeAge(created, now)}${author}`;
}

/** Returns the environments that need an approval. Leaves out an environment if this is not visible, or if ESC fails. */
export async function readEnvironmentGates(
  settings: EscSettings,
  progress: Progress,
): Promise<readonly EnvironmentGates[]> {
  const answers = await askEachEnvironment(settings, progress, async (name, connection) => {
    const { open, update } = await readRequiredApprovals(name, connection);
    return { environment: formatName(name), open, update };
  });
  return answers.filter(({ open, update }) => open || update);
}

export function describeGate({ environment, open, update }: EnvironmentGates): string {
  if (!open) return `${environment}: Changing needs an approval`;
  return `${environment}: Opening ${update ? "and changing need" : "needs"} an approval`;
}
