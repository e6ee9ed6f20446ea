/**
 * git's way to the broker, by variables alone (GIT_CONFIG_COUNT in git-config(1)); pure. No file of the user or of the
 * repository is changed, and `git remote -v` still names the service.
 *
 * git asks for `http://github.com/…` in place of `https://github.com/…`, and asks the broker, as a proxy. The credentials are
 * those of the dummy. The broker takes such a request for this host alone, and sends it over TLS.
 */
import type { Environment } from "../core/model.ts";

export interface GitAccess {
  /** Host and port. */
  readonly host: string;
  readonly dummy: string;
  /** Remotes in the form of ssh, too. */
  readonly ssh: boolean;
}

/**
 * Returns the variables of git, behind the settings that the caller has given in the same way.
 *
 * @param broker its origin
 */
export function gitVariables(
  accesses: readonly GitAccess[],
  broker: string,
  environment: Environment,
): Readonly<Record<string, string>> {
  if (accesses.length === 0) return {};
  const settings = accesses.flatMap((access) => settingsOf(access, broker));
  // As strtoul reads it: wc writes spaces in front on some systems. git fails for any other text.
  const first = Number(/^\s*\+?(\d{1,6})$/.exec(environment.get("GIT_CONFIG_COUNT") ?? "")?.[1] ?? 0);
  const variables = settings.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${first + index}`, key],
    [`GIT_CONFIG_VALUE_${first + index}`, value],
  ]);
  return { ...Object.fromEntries(variables), GIT_CONFIG_COUNT: String(first + settings.length) };
}

type Setting = readonly [key: string, value: string];

/** Returns the beginnings of the remotes that go through the broker. */
export function remotesOf({ host, ssh }: GitAccess): readonly string[] {
  const [hostname = host] = host.split(":");
  return [`https://${host}/`, ...(ssh ? [`git@${hostname}:`, `ssh://git@${hostname}/`] : [])];
}

function settingsOf(access: GitAccess, broker: string): readonly Setting[] {
  const { host, dummy } = access;
  const url = `http://${host}/`;
  // GitHub takes any user name; this one is that of its documents.
  const credentials = Buffer.from(`x-access-token:${dummy}`).toString("base64");
  return [
    ...remotesOf(access).map((remote): Setting => [`url.${url}.insteadOf`, remote]),
    [`http.${url}.proxy`, broker],
    [`http.${url}.extraHeader`, `Authorization: Basic ${credentials}`],
    // A helper would ask the user, and would be given the dummy to keep.
    [`credential.http://${host}.helper`, ""],
  ];
}
