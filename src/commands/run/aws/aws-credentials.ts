/** The AWS credentials of a resolution, and whether they can be renewed. */
import type { Settings } from "../../../command-line/settings.ts";
import type { Values } from "../../../command-line/options.ts";
import type { Context } from "../../../core/context.ts";
import { SophiaError } from "../../../core/error.ts";
import type { Resolved } from "../../../core/model.ts";
import { enumerate } from "../../../core/text.ts";
import { SESSION_MS } from "../../../esc/settings/access-settings.ts";
import { printLines } from "../../../output/stderr.ts";
import type { Start } from "../../../resolve/start.ts";
import { originWords } from "../../../resolve/source-words.ts";
import type { Generation } from "./renewal.ts";

const KEY_ID = "AWS_ACCESS_KEY_ID";
const SECRET_KEY = "AWS_SECRET_ACCESS_KEY";
const SESSION_TOKEN = "AWS_SESSION_TOKEN";
export const KEYS = [KEY_ID, SECRET_KEY, SESSION_TOKEN] as const;
export const EXPIRATION = "AWS_CREDENTIAL_EXPIRATION";

export interface AwsCredentials extends Generation {
  readonly keyId: string;
  readonly secretKey: string;
  readonly sessionToken: string;
  /** The environment says when they expire. */
  readonly isStated: boolean;
}

/**
 * Returns the credentials with which a program starts; undefined, with a warning for the option, if there are none to renew.
 *
 * @param openedAt when the sources were read @throws SophiaError (aws, 125) for keys that do not come from ESC
 */
export function plannedCredentials(
  settings: Settings,
  flags: Values,
  start: Start,
  openedAt: number,
  context: Context,
): AwsCredentials | undefined {
  const plan = awsPlan(settings, start, openedAt);
  if (plan instanceof SophiaError) throw plan;
  if (typeof plan !== "string") return plan;
  if (flags["aws-refresh"] === true) printLines(context, [`warning: --aws-refresh has no effect: ${plan}`]);
  return undefined;
}

/** Returns the credentials, the error (aws, 125) for keys that do not come from ESC, or the reason why there are none to renew. */
export function awsPlan(settings: Settings, start: Start, openedAt: number): AwsCredentials | SophiaError | string {
  if (settings.offline) return refusal("--aws-refresh and --offline cannot be used together", "leave one of them out");
  const foreign = KEYS.flatMap((name) => {
    const variable = start.values.selected.get(name);
    return variable === undefined || variable.value === "" || variable.origin.source === "esc" ? [] : [variable];
  });
  return foreign.length > 0 ? cannotRenew(foreign) : credentialsIn(start, settings, openedAt);
}

function cannotRenew(foreign: readonly Resolved[]): SophiaError {
  const names = foreign.map(({ name }) => name);
  const [first] = foreign;
  const where = first === undefined ? "" : originWords(first.origin);
  return refusal(
    `--aws-refresh cannot renew ${enumerate(names)} of ${where}: only ESC's are renewed`,
    `remove ${names.length === 1 ? "it" : "them"} there, or withhold all three: --exclude ${KEYS.join(",")}`,
  );
}

function refusal(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "aws", message, hint });
}

/** Returns the credentials that ESC has given, or the reason why there are none to renew. */
export function credentialsIn(
  { store: { esc }, values: { selected } }: Pick<Start, "store" | "values">,
  { sessionMs = SESSION_MS }: Pick<Settings, "sessionMs">,
  openedAt: number,
): AwsCredentials | string {
  if (esc.kind !== "read") return "ESC is not read";
  const valueOf = (name: string): string => {
    const variable = selected.get(name);
    return variable?.origin.source === "esc" && variable.delivery === "value" ? variable.value : "";
  };
  const [keyId, secretKey, sessionToken] = [valueOf(KEY_ID), valueOf(SECRET_KEY), valueOf(SESSION_TOKEN)];
  const missing = KEYS.filter((name) => valueOf(name) === "");
  if (missing[0] === SESSION_TOKEN) return `ESC sets no ${SESSION_TOKEN}, and keys without one do not expire`;
  if (missing.length > 0) return `ESC does not set ${enumerate(missing, "or")}`;
  // Values of the cache are as old as it.
  const ageMs = Math.max(0, ...esc.environments.map(({ ageSeconds = 0 }) => ageSeconds * 1000));
  const stated = Date.parse(valueOf(EXPIRATION));
  const openedThen = openedAt - ageMs;
  const isStated = !Number.isNaN(stated);
  const expiresAt = isStated ? stated : openedThen + sessionMs;
  return { keyId, secretKey, sessionToken, openedAt: openedThen, expiresAt, isStated };
}
