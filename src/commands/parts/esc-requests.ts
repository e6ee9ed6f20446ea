/** Sends the requests to ESC by which commands do other things than read values: checks, rotations, questions about a token. */
import { SophiaError } from "../../core/error.ts";
import { askEsc } from "../../esc/api/ask.ts";
import type { EscSettings } from "../../esc/settings/access-settings.ts";
import type { FullName } from "../../esc/settings/environment-names.ts";
import type { Connection, Progress } from "../../esc/transport/connection.ts";

/** The time limit for requests without whose answers a command can continue. */
const MAX_OPTIONAL_MS = 5000;

/**
 * Calls `ask` for each environment, in parallel, and returns the answers. One failure does not end the other calls: the
 * result lacks the environments that failed.
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

/** Calls `ask` once, for a request that concerns no environment, such as who owns a token. @throws SophiaError (125) if it fails */
export async function askWithoutEnvironment<T>(
  settings: EscSettings,
  progress: Progress,
  ask: (connection: Connection) => Promise<T>,
): Promise<T | undefined> {
  const { environments, organization = "any", ...rest } = settings;
  // `askEsc` needs one full name, so that it calls `ask` once. Only the text of that name can appear, in the message of a failure.
  const placeholder = { text: environments[0]?.text ?? "of the token", organization, project: "any", name: "any" };
  const answers = await askEsc({ ...rest, environments: [placeholder] }, progress, (_, connection) => ask(connection));
  if (answers.kind === "read") return answers.results[0];
  throw new SophiaError(answers.failure);
}
