/**
 * Parses connection URLs of PostgreSQL for `check --live`, in the same way as libpq, the client library of PostgreSQL.
 * https://www.postgresql.org/docs/current/libpq-connect.html
 */

export interface PostgresHost {
  /** A name, an address, or the folder of a Unix socket, which begins with `/`. */
  readonly host: string;
  readonly port: number;
}

export interface PostgresTarget {
  /** At least one host. A client tries them one after another. */
  readonly hosts: readonly PostgresHost[];
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** The value of `sslmode`, such as `prefer` or `verify-full`. */
  readonly sslMode: string;
}

/** SQLAlchemy names a driver in the scheme: `postgresql+psycopg://`. */
const SCHEME = /^postgres(?:ql)?(?:\+\w+)?:\/\//i;
/** `user:password@`, `host:port,host:port`, `/database`, `?sslmode=…`, and a fragment, which is ignored. */
const AFTER_SCHEME = /^(?:([^@/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?(?:#.*)?$/s;

/**
 * Parses `postgresql://user:password@host:port,host:port/database?sslmode=…`. A parameter of the query has precedence over
 * the same fact in the part before the query. Returns undefined for anything else.
 */
export function parsePostgresUrl(text: string, defaultUser: string): PostgresTarget | undefined {
  const url = text.trim();
  const scheme = SCHEME.exec(url)?.[0];
  const parts = scheme === undefined ? null : AFTER_SCHEME.exec(url.slice(scheme.length));
  if (parts === null) return undefined;
  const [, userInfo = "", authority = "", path = "", query = ""] = parts;
  const parameters = new URLSearchParams(query);
  const [encodedUser, encodedPassword] = splitUserInfo(userInfo);
  try {
    const userInUrl = decodeURIComponent(encodedUser);
    const user = parameters.get("user") ?? (userInUrl === "" ? defaultUser : userInUrl);
    const database = parameters.get("dbname") ?? decodeURIComponent(path);
    const hosts = parseHosts(authority, parameters);
    if (hosts === undefined) return undefined;
    return {
      hosts,
      user,
      password: parameters.get("password") ?? decodeURIComponent(encodedPassword),
      // As in libpq, the database has the name of the user unless the URL names another one.
      database: database === "" ? user : database,
      sslMode: parameters.get("sslmode") ?? "prefer",
    };
  } catch {
    // decodeURIComponent throws for an invalid escape sequence.
    return undefined;
  }
}

function splitUserInfo(userInfo: string): readonly [user: string, password: string] {
  const colon = userInfo.indexOf(":");
  return colon === -1 ? [userInfo, ""] : [userInfo.slice(0, colon), userInfo.slice(colon + 1)];
}

const DEFAULT_PORT = "5432";

/**
 * Parses the hosts before the path (`db1:5432,[::1]`), or those of the parameter `host`, which have no ports. The parameter
 * `port` has a port for each host, or one for all. Returns undefined if one of them is invalid.
 */
function parseHosts(authority: string, parameters: URLSearchParams): readonly PostgresHost[] | undefined {
  const ports = (parameters.get("port") ?? "").split(",");
  const hostParameter = parameters.get("host") ?? "";
  const hostTexts = (hostParameter === "" ? authority : hostParameter).split(",");
  const parsedHosts = hostTexts.map((text, index) => {
    // An empty port also means that the URL has none.
    const portParameter = ports[index] || ports[0] || DEFAULT_PORT;
    return hostParameter === "" ? parseHost(text, portParameter) : createHost(text, portParameter);
  });
  const validHosts = parsedHosts.filter((host) => host !== undefined);
  return validHosts.length === parsedHosts.length ? validHosts : undefined;
}

/** Parses `db1`, `db1:5433` or `[::1]:5433`. */
function parseHost(text: string, defaultPort: string): PostgresHost | undefined {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(text);
  if (match === null) return undefined;
  const [, host = "", port = ""] = match;
  return createHost(host, port === "" ? defaultPort : port);
}

/** Returns undefined for an invalid port. @throws URIError for an invalid escape sequence */
function createHost(encodedHost: string, portText: string): PostgresHost | undefined {
  const port = Number(portText);
  const host = decodeURIComponent(encodedHost).replace(/^\[(.*)\]$/, "$1");
  const isPort = port > 0 && port < 65_536;
  return isPort ? { host: host === "" ? "localhost" : host, port } : undefined;
}
