import { askEsc } from "../esc/api/ask.ts";
import type { EscSettings } from "../esc/settings/access.ts";
import type { FullName } from "../esc/settings/names.ts";
import type { Connection, Progress } from "../esc/transport/connection.ts";

/** It is good to know, and nothing to wait for. */
const LONGEST_MS = 5000;

/** Asks each environment by itself, side by side; of those that cannot be asked, and where ESC fails, there is nothing. */
export async function askApart<T>(
  settings: EscSettings,
  progress: Progress,
  ask: (name: FullName, connection: Connection) => Promise<T>,
): Promise<readonly T[]> {
  const patient = { ...settings, timeoutMs: Math.min(settings.timeoutMs, LONGEST_MS) };
  const asked = await Promise.all(
    settings.environments.map(async (name) => {
      const answers = await askEsc({ ...patient, environments: [name] }, progress, ask);
      return answers.kind === "read" ? answers.results : [];
    }),
  );
  return asked.flat();
}
