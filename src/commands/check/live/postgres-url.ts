/** Parses connection URLs of PostgreSQL as libpq does; pure. */

export interface PostgresTarget {
  /** Names, addresses or folders of sockets, at least one, to be tried in turn. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly sslMode: string;
}

const SCHEME = /^postgres(?:ql)?(?:\+\w+)?:\/\//i;
const FORM = /^(?:([^@/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?(?:#.*)?$/s;

/** Reads `postgresql://user:password@host:port,host:port/database?sslmode=…`. @returns undefined for anything else */
export function parsePostgresUrl(text: string, defaultUser: string): PostgresTarget | undefined {
  const rest = text.trim();
  const scheme = SCHEME.exec(rest)?.[0];
  const parts = scheme === undefined ? null : FORM.exec(rest.slice(scheme.length));
  if (parts === null) return undefined;
  const [, userInfo = "", authority = "", path = "", query = ""] = parts;
  const parameters = new URLSearchParams(query);
  const colon = userInfo.indexOf(":");
  try {
    const user = decodeURIComponent(colon === -1 ? userInfo : userInfo.slice(0, colon));
    const name = parameters.get("user") ?? (user === "" ? defaultUser : user);
    const database = parameters.get("dbname") ?? decodeURIComponent(path);
    const hosts = hostsOf(authority, parameters);
    if (hosts === undefined) return undefined;
    return {
      hosts,
      user: name,
      password: parameters.get("password") ?? (colon === -1 ? "" : decodeURIComponent(userInfo.slice(colon + 1))),
      database: database === "" ? name : database,
      sslMode: parameters.get("sslmode") ?? "prefer",
    };
  } catch {
    return undefined;
  }
}

function hostsOf(authority: string, parameters: URLSearchParams): PostgresTarget["hosts"] | undefined {
  const ports = (parameters.get("port") ?? "").split(",");
  const named = parameters.get("host");
  const written = (named === null || named === "" ? authority : named).split(",");
  const hosts = written.map((one, index) => {
    const match = named === null || named === "" ? /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(one) : ["", one, ""];
    const port = Number((match?.[2] ?? "") === "" ? ports[index] || ports[0] || "5432" : match?.[2]);
    const host = decodeURIComponent(match?.[1] ?? "").replace(/^\[(.*)\]$/, "$1");
    return match === null || !(port > 0 && port < 65_536)
      ? undefined
      : { host: host === "" ? "localhost" : host, port };
  });
  const known = hosts.filter((one) => one !== undefined);
  return known.length === hosts.length ? known : undefined;
}
