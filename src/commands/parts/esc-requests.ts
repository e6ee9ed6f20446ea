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
 * Sends a request about each environment, all of them in parallel, and returns the answers. Each request may take 5 seconds. The
 * answer of a request that fails is left out.
 */
export async function askEachEnvironment<T>(
  settings: EscSettings,
  progress: Progress,
  sendRequest: (name: FullName, connection: Connection) => Promise<T>,
): Promise<readonly T[]> {
  const limitedSettings = { ...settings, timeoutMs: Math.min(settings.timeoutMs, MAX_OPTIONAL_MS) };
  const answers = await Promise.all(
    settings.environments.map((name) => askEsc({ ...limitedSettings, environments: [name] }, progress, sendRequest)),
  );
  return answers.flatMap((answer) => (answer.kind === "read" ? answer.results : []));
}

/** Sends a request that is not about an environment, such as who owns a token. @throws SophiaError (125) if it fails */
export async function askWithoutEnvironment<T>(
  settings: EscSettings,
  progress: Progress,
  sendRequest: (connection: Connection) => Promise<T>,
): Promise<T | undefined> {
  const { environments, organization = "any", ...otherSettings } = settings;
  // `askEsc` calls its function once for each full name, so it gets one. The user sees only its `text`, in the message of a failure.
  const placeholder = { text: environments[0]?.text ?? "of the token", organization, project: "any", name: "any" };
  const answers = await askEsc({ ...otherSettings, environments: [placeholder] }, progress, (_, connection) =>
    sendRequest(connection),
  );
  if (answers.kind === "read") return answers.results[0];
  throw new SophiaError(answers.failure);
}
