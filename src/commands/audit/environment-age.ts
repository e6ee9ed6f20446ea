/** When the environments themselves were changed last. Loaded by each `check` that reads ESC: without a YAML parser. */
import { askEsc } from "../../esc/api/ask.ts";
import { listRevisions, type Revision } from "../../esc/api/revisions.ts";
import type { EscSettings } from "../../esc/settings/access.ts";
import { formatName } from "../../esc/settings/names.ts";
import type { Progress } from "../../esc/transport/connection.ts";
import { ago } from "../../core/day.ts";

export interface EnvironmentAge {
  /** `org/project/name`. */
  readonly environment: string;
  /** The newest one. */
  readonly revision: Revision;
}

/** It is good to know, and nothing to wait for. */
const LONGEST_MS = 5000;

/** The newest revision of each environment whose history the token may see; of others, and where ESC fails, nothing. */
export async function environmentAges(settings: EscSettings, progress: Progress): Promise<readonly EnvironmentAge[]> {
  const patient = { ...settings, timeoutMs: Math.min(settings.timeoutMs, LONGEST_MS) };
  const asked = await Promise.all(
    settings.environments
      .filter(({ version }) => version === undefined)
      .map(async (name) => {
        const answers = await askEsc({ ...patient, environments: [name] }, progress, async (full, connection) => ({
          environment: formatName(full),
          revision: (await listRevisions(full, connection, 1)).revisions[0],
        }));
        return answers.kind === "read" ? answers.results : [];
      }),
  );
  return asked
    .flat()
    .flatMap(({ environment, revision }) => (revision === undefined ? [] : [{ environment, revision }]));
}

/** `✅ acme/sophia/dev: Revision 7, changed 3 days ago by alice`. */
export function environmentLine({ environment, revision: { number, created, by } }: EnvironmentAge, now: Date): string {
  return `✅ ${environment}: Revision ${number}, changed ${ago(created, now)}${by === "" ? "" : ` by ${by}`}`;
}
