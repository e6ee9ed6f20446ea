/**
 * Stores the new token of `sophia-run rotate --token` as the repository secret ESC_TOKEN of GitHub, with the GitHub CLI (gh). GitHub
 * never shows a secret, so that the time of its last change is the only proof that it was stored. The file runs these commands:
 *
 *     gh secret list --app actions
 *     gh secret set ESC_TOKEN --app actions       the token is passed by the standard input
 */
import { setTimeout } from "node:timers/promises";
import { SophiaError } from "../../../core/error.ts";
import type { Secret } from "../../../esc/settings/secret.ts";
import { type GithubProduct, runGh, type GhLocation, listGithubSecrets } from "../../parts/gh-command.ts";

const SECRET_NAME = "ESC_TOKEN";

/**
 * Returns the time of the secret's last change as gh lists it (`2025-01-31T23:59:59Z`): undefined if there is no secret, and an
 * empty text if gh lists no time.
 *
 * @throws SophiaError (gh, 125)
 */
export async function findSecretUpdateTime(app: GithubProduct, gh: GhLocation): Promise<string | undefined> {
  const secrets = await listGithubSecrets(app, gh);
  if (typeof secrets !== "string") return secrets.get(SECRET_NAME);
  const [message, hint] =
    secrets === "absent"
      ? ["the GitHub CLI (gh) is not installed", "install it from https://cli.github.com, then gh auth login"]
      : [
          `gh cannot list the repository's secrets for ${app}`,
          `gh auth login signs in; gh secret list --app ${app} shows the error`,
        ];
  throw new SophiaError({ code: "gh", message, hint });
}

/** The resolution of GitHub's times, which are whole seconds. */
const TIME_RESOLUTION_MS = 1000;

/**
 * Sets the secret, and checks that its time has changed.
 *
 * @param timeBefore the time of the secret's last change before this one
 * @throws SophiaError (gh, 125)
 */
export async function storeToken(
  app: GithubProduct,
  token: Secret,
  timeBefore: string | undefined,
  gh: GhLocation,
): Promise<void> {
  if (await setSecret(app, token, timeBefore, gh)) return;
  // If the previous change was in the same second, the time is equal although the secret is new. The next second differs.
  await setTimeout(TIME_RESOLUTION_MS);
  if (!(await setSecret(app, token, timeBefore, gh))) throw createNotStoredError(app);
}

/** Sets the secret. @returns false if the list still has the time before the change @throws SophiaError (gh, 125) */
async function setSecret(
  app: GithubProduct,
  token: Secret,
  timeBefore: string | undefined,
  gh: GhLocation,
): Promise<boolean> {
  const answer = await runGh(["secret", "set", SECRET_NAME, "--app", app], gh, token.reveal());
  if (typeof answer === "string") throw createNotStoredError(app);
  const timeAfter = await findSecretUpdateTime(app, gh);
  if (timeAfter === undefined) throw createNotStoredError(app);
  // If gh lists no time, its success alone is taken as the proof.
  return timeAfter === "" || timeAfter !== timeBefore;
}

function createNotStoredError(app: GithubProduct): SophiaError {
  return new SophiaError({
    code: "gh",
    message: `gh has not set the repository secret ${SECRET_NAME} for ${app}`,
    hint: "check the permissions with gh auth status, then start again",
  });
}
