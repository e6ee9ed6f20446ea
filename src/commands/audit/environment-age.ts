/** The age of environments. Apart from `ages.ts`, since each `check` that reads ESC loads it: without a YAML parser. */
import { listRevisions, type Revision } from "../../esc/api/definition.ts";
import type { EscSettings } from "../../esc/settings/access.ts";
import { formatName } from "../../esc/settings/names.ts";
import type { Progress } from "../../esc/transport/connection.ts";
import { askApart } from "../ask-esc.ts";
import { ago } from "../../core/day.ts";

export interface EnvironmentAge {
  readonly environment: string;
  readonly revision: Revision;
}

/** Returns the newest revision of each environment whose history the token may see; none if ESC fails. */
export async function environmentAges(settings: EscSettings, progress: Progress): Promise<readonly EnvironmentAge[]> {
  const environments = settings.environments.filter(({ version }) => version === undefined);
  const asked = await askApart({ ...settings, environments }, progress, async (full, connection) => ({
    environment: formatName(full),
    revision: (await listRevisions(full, connection, 1)).revisions[0],
  }));
  return asked.flatMap(({ environment, revision }) => (revision === undefined ? [] : [{ environment, revision }]));
}

export function environmentLine({ environment, revision: { number, created, by } }: EnvironmentAge, now: Date): string {
  return `✅ ${environment}: Revision ${number}, changed ${ago(created, now)}${by === "" ? "" : ` by ${by}`}`;
}
