/**
 * Returns variables that make git send its requests through the broker (GIT_CONFIG_COUNT in git-config(1)). No file of the user or
 * of the repository is changed, and `git remote -v` still shows the service's address.
 *
 * The settings let git ask for `http://github.com/…` in place of `https://github.com/…`, with the broker as its proxy and with the
 * dummy as its credentials. The broker accepts such a request for this host alone, and sends it over TLS:
 *
 *     GIT_CONFIG_KEY_0=url.http://github.com/.insteadOf    GIT_CONFIG_VALUE_0=https://github.com/
 *     GIT_CONFIG_KEY_1=http.http://github.com/.proxy       GIT_CONFIG_VALUE_1=http://127.0.0.1:40123
 */
import type { Environment } from "../core/model.ts";

/** The access of git to one host. */
export interface GitAccess {
  /** Host and port. */
  readonly host: string;
  readonly dummy: string;
  /** True if remotes in the form of ssh (`git@github.com:…`) go through the broker, too. */
  readonly ssh: boolean;
}

/**
 * Returns the variables for git. Settings that the caller has made in the same way keep their numbers, and the new ones get the
 * next numbers.
 *
 * @param broker the origin of the broker
 */
export function createGitVariables(
  accesses: readonly GitAccess[],
  broker: string,
  environment: Environment,
): Readonly<Record<string, string>> {
  if (accesses.length === 0) return {};
  const settings = accesses.flatMap((access) => createGitSettings(access, broker));
  // git reads the number by strtoul, which allows spaces in front (wc on macOS writes some), and fails for any other text.
  const firstIndex = Number(/^\s*\+?(\d{1,6})$/.exec(environment.get("GIT_CONFIG_COUNT") ?? "")?.[1] ?? 0);
  const variables = settings.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${firstIndex + index}`, key],
    [`GIT_CONFIG_VALUE_${firstIndex + index}`, value],
  ]);
  return { ...Object.fromEntries(variables), GIT_CONFIG_COUNT: String(firstIndex + settings.length) };
}

/** A setting of git-config(1). */
type Setting = readonly [key: string, value: string];

/** Returns the beginnings of the remotes that go through the broker. */
export function listRemotePrefixes({ host, ssh }: GitAccess): readonly string[] {
  const [hostname = host] = host.split(":");
  return [`https://${host}/`, ...(ssh ? [`git@${hostname}:`, `ssh://git@${hostname}/`] : [])];
}

function createGitSettings(access: GitAccess, broker: string): readonly Setting[] {
  const { host, dummy } = access;
  const url = `http://${host}/`;
  // GitHub accepts any user name; its documents use this one.
  const credentials = Buffer.from(`x-access-token:${dummy}`).toString("base64");
  return [
    ...listRemotePrefixes(access).map((remote): Setting => [`url.${url}.insteadOf`, remote]),
    [`http.${url}.proxy`, broker],
    [`http.${url}.extraHeader`, `Authorization: Basic ${credentials}`],
    // An empty helper removes all other helpers, which would ask the user for a password, and would store the dummy.
    [`credential.http://${host}.helper`, ""],
  ];
}
