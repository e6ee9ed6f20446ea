import { SophiaError } from "../core/error.ts";
import { askEsc } from "../esc/api/ask.ts";
import type { EscSettings } from "../esc/settings/access.ts";
import type { Connection, Progress } from "../esc/transport/connection.ts";

/** Asks what concerns no environment. @throws SophiaError (125) where it cannot be asked */
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
