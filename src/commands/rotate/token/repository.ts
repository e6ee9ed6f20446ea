/** The repository secret that holds the token, by the GitHub CLI. */
import { SophiaError } from "../../../core/error.ts";
import type { Secret } from "../../../esc/settings/secret.ts";
import { type App, askGh, type Gh, listSecrets } from "../../gh.ts";

const SECRET_NAME = "ESC_TOKEN";

/**
 * When the secret was set last.
 *
 * @returns undefined where there is none; empty where `gh` does not tell
 * @throws SophiaError (gh, 125) where `gh` is missing or says no
 */
export async function lastSet(app: App, gh: Gh): Promise<string | undefined> {
  const answer = await listSecrets(app, gh);
  if (typeof answer === "string") {
    throw new SophiaError({
      code: "gh",
      message:
        answer === "absent"
          ? "the GitHub CLI (gh) is not installed"
          : `gh does not list the repository's secrets for ${app}`,
      hint:
        answer === "absent"
          ? "install it from https://cli.github.com, then gh auth login"
          : `gh auth login signs in; gh secret list --app ${app} says what is wrong`,
    });
  }
  return answer.get(SECRET_NAME);
}

/** Sets the secret, and makes sure that it is listed. @throws SophiaError (gh, 125) */
export async function store(app: App, value: Secret, before: string | undefined, gh: Gh): Promise<void> {
  const answer = await askGh(["secret", "set", SECRET_NAME, "--app", app], gh, value.reveal());
  if (typeof answer === "string") throw notStored(app);
  const after = await lastSet(app, gh);
  if (after === undefined || (after !== "" && after === before)) throw notStored(app);
}

function notStored(app: App): SophiaError {
  return new SophiaError({
    code: "gh",
    message: `gh did not set the repository secret ${SECRET_NAME} for ${app}`,
    hint: "gh auth status shows whether it may; then start again",
  });
}
