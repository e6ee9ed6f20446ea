/** Questions to ESC besides its values. */
import { SophiaError } from "../core/error.ts";
import { askEsc } from "../esc/api/ask.ts";
import type { EscSettings } from "../esc/settings/access.ts";
import type { FullName } from "../esc/settings/names.ts";
import type { Connection, Progress } from "../esc/transport/connection.ts";

/** The time limit of answers that a check can do without. */
const LONGEST_MS = 5000;

/** Asks each environment by itself, in parallel; leaves out those that cannot be asked. */
export async function askApart<T>(
  settings: EscSettings,
  progress: Progress,
  ask: (name: FullName, connection: Connection) => Promise<T>,
): Promise<readonly T[]> {
  const patient = { ...settings, timeoutMs: Math.min(settings.timeoutMs, LONGEST_MS) };
  const asked = await Promise.all(
    settings.environments.map((name) => askEsc({ ...patient, environments: [name] }, progress, ask)),
  );
  return asked.flatMap((answers) => (answers.kind === "read" ? answers.results : []));
}

/** Asks what concerns no environment. @throws SophiaError (125) if it cannot be asked */
export async function askOnce<T>(
  settings: EscSettings,
  progress: Progress,
  ask: (connection: Connection) => Promise<T>,
): Promise<T | undefined> {
  const { environments, organization = "any", ...rest } = settings;
  // A failure names what the credential is for.
  const only = { text: environments[0]?.text ?? "of the token", organization, project: "any", name: "any" };
  const answers = await askEsc({ ...rest, environments: [only] }, progress, (_, connection) => ask(connection));
  if (answers.kind === "read") return answers.results[0];
  throw new SophiaError(answers.failure);
}
