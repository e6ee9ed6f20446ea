/** Requests to ESC for anything but values. */
import { SophiaError } from "../../core/error.ts";
import { askEsc } from "../../esc/api/ask.ts";
import type { EscSettings } from "../../esc/settings/access-settings.ts";
import type { FullName } from "../../esc/settings/environment-names.ts";
import type { Connection, Progress } from "../../esc/transport/connection.ts";

/** Time limit of requests whose answer is optional. */
const LONGEST_MS = 5000;

/** Sends a request for each environment, in parallel; leaves out those that fail. */
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

/** Sends a request that concerns no environment. @throws SophiaError (125) if it fails */
export async function askOnce<T>(
  settings: EscSettings,
  progress: Progress,
  ask: (connection: Connection) => Promise<T>,
): Promise<T | undefined> {
  const { environments, organization = "any", ...rest } = settings;
  // The message of a failure names an environment.
  const only = { text: environments[0]?.text ?? "of the token", organization, project: "any", name: "any" };
  const answers = await askEsc({ ...rest, environments: [only] }, progress, (_, connection) => ask(connection));
  if (answers.kind === "read") return answers.results[0];
  throw new SophiaError(answers.failure);
}
