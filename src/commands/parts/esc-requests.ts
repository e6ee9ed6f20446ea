/**
 * Sends requests to Pulumi ESC that do not open an environment to read its values, such as requests about a token. `askEsc` in
 * esc/api/ask.ts handles time limits, retries and failures.
 */
import { SophiaError } from "../../core/error.ts";
import { askEsc } from "../../esc/api/ask.ts";
import type { EscSettings } from "../../esc/settings/access-settings.ts";
import type { FullName } from "../../esc/settings/environment-names.ts";
import type { Connection, Progress } from "../../esc/transport/connection.ts";

/** The time limit for a request whose answer the command does not need, so that the user does not wait long for it. */
const MAX_OPTIONAL_MS = 5000;

/**
 * Calls `ask` for all environments in parallel, and returns the answers, each within 5 seconds. If the request for an environment
 * fails, its answer is left out.
 */
export async function askEachEnvironment<T>(
  settings: EscSettings,
  progress: Progress,
  ask: (name: FullName, connection: Connection) => Promise<T>,
): Promise<readonly T[]> {
  const limitedSettings = { ...settings, timeoutMs: Math.min(settings.timeoutMs, MAX_OPTIONAL_MS) };
  const answers = await Promise.all(
    settings.environments.map((name) => askEsc({ ...limitedSettings, environments: [name] }, progress, ask)),
  );
  return answers.flatMap((answer) => (answer.kind === "read" ? answer.results : []));
}

/** Calls `ask` for a request that is not about an environment, such as who owns a token. @throws SophiaError (125) if it fails */
export async function askWithoutEnvironment<T>(
  settings: EscSettings,
  progress: Progress,
  ask: (connection: Connection) => Promise<T>,
): Promise<T | undefined> {
  const { environments, organization = "any", ...otherSettings } = settings;
  // `askEsc` calls `ask` once for each full name, so it gets one. The user can only see its `text`, in the message of a failure.
  const placeholder = { text: environments[0]?.text ?? "of the token", organization, project: "any", name: "any" };
  const answers = await askEsc({ ...otherSettings, environments: [placeholder] }, progress, (_, connection) =>
    ask(connection),
  );
  if (answers.kind === "read") return answers.results[0];
  throw new SophiaError(answers.failure);
}
