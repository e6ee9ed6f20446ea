import { setTimeout } from "node:timers/promises";
import { SophiaError } from "../../../core/error.ts";
import type { Secret } from "../../../esc/settings/secret.ts";
import { type App, askGh, type Gh, listSecrets } from "../../parts/gh-command.ts";

const SECRET_NAME = "ESC_TOKEN";

/** Returns the time of the last change: undefined for no secret, empty if unknown. @throws SophiaError (gh, 125) */
export async function lastSet(app: App, gh: Gh): Promise<string | undefined> {
  const answer = await listSecrets(app, gh);
  if (typeof answer !== "string") return answer.get(SECRET_NAME);
  const [message, hint] =
    answer === "absent"
      ? ["the GitHub CLI (gh) is not installed", "install it from https://cli.github.com, then gh auth login"]
      : [
          `gh cannot list the repository's secrets for ${app}`,
          `gh auth login signs in; gh secret list --app ${app} shows the error`,
        ];
  throw new SophiaError({ code: "gh", message, hint });
}

/** GitHub reports times in whole seconds. */
const RESOLUTION_MS = 1000;

/** Sets the secret, and checks the list for its new time. @throws SophiaError (gh, 125) */
export async function store(app: App, value: Secret, before: string | undefined, gh: Gh): Promise<void> {
  if (await isSetAfter(before, app, value, gh)) return;
  // If the former change was in the same second, the time differs in the next one.
  await setTimeout(RESOLUTION_MS);
  if (!(await isSetAfter(before, app, value, gh))) throw notStored(app);
}

/** Sets the secret. @returns false if the list has the former time */
async function isSetAfter(before: string | undefined, app: App, value: Secret, gh: Gh): Promise<boolean> {
  const answer = await askGh(["secret", "set", SECRET_NAME, "--app", app], gh, value.reveal());
  if (typeof answer === "string") throw notStored(app);
  const after = await lastSet(app, gh);
  if (after === undefined) throw notStored(app);
  return after === "" || after !== before;
}

function notStored(app: App): SophiaError {
  return new SophiaError({
    code: "gh",
    message: `gh has not set the repository secret ${SECRET_NAME} for ${app}`,
    hint: "check the permissions with gh auth status, then start again",
  });
}
