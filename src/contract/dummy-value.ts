/**
 * Creates dummy values for `--fake`, which starts a program without its secrets.
 *
 * A dummy has a form that client libraries can parse, but contains no secret. The address of a server such as a database or a
 * queue is on this machine, with the user `fake` if such addresses usually have a user. Other URLs have a host that no name
 * server knows (`.invalid`, RFC 2606).
 *
 *     STRIPE_API_KEY     fake-stripe-api-key
 *     DATABASE_URL       postgresql://fake:fake@127.0.0.1/fake
 */
import { SophiaError } from "../core/error.ts";
import type { Declaration, ValueFormat } from "./contract-model.ts";
import { findFormatFault } from "./format.ts";

/**
 * Returns the dummy value of a declared variable. It depends only on the declaration, and contains `fake` if the format
 * has room for it.
 *
 * @throws SophiaError (fake-value, 125) if no value of the declared format can be generated
 */
export function createDummyValue(declaration: Declaration): string {
  const { name, example, format } = declaration;
  const value = format === undefined ? createDummyByName(declaration) : createDummyOfFormat(format, name);
  if (format === undefined || findFormatFault(format, value, name) === undefined) return value;
  // The contract's example is not a secret: anyone who can read the contract can see it.
  if (example !== undefined && findFormatFault(format, example, name) === undefined) return example;
  throw new SophiaError({
    code: "fake-value",
    message: `no dummy value for ${name} can be generated in its format`,
    hint: "add an example in that format to the contract",
  });
}

/**
 * Returns the dummy value for a variable that no contract declares. If the real value is a URL, the dummy keeps its
 * scheme.
 */
export function createDummyInPlaceOf(name: string, value: string): string {
  const scheme = URL_SCHEME.exec(value)?.[1];
  return scheme === undefined ? createDummyByName({ name }) : createUrl(scheme, createDummyWord(name));
}

/** Matches the beginning of a URL. */
const URL_SCHEME = /^([a-z][a-z\d+.-]*):\/\//i;

/** Returns a word with the name of the variable: `fake-pulumi-access-token` for `PULUMI_ACCESS_TOKEN`. */
function createDummyWord(name: string): string {
  return `fake-${name
    .toLowerCase()
    .replaceAll(/[^a-z\d]+/g, "-")
    .replaceAll(/^-|-$/g, "")}`;
}

/**
 * Returns a dummy value for a variable without a format. It has the scheme or the prefix of the example, if there is
 * one: `sk_fake-name` for `sk_<key>`. Otherwise the name decides whether it is a URL.
 */
function createDummyByName({ name, example = "" }: Pick<Declaration, "name" | "example">): string {
  const scheme = URL_SCHEME.exec(example)?.[1];
  if (scheme !== undefined) return createUrl(scheme, createDummyWord(name));
  const prefix = /^([A-Za-z][\w-]{0,15}[-_])<[^<>]*>$/.exec(example)?.[1];
  if (prefix !== undefined) return prefix + createDummyWord(name);
  return isNameOfUrl(name) || isNameOfDsn(name) ? createUrlByName([], name) : createDummyWord(name);
}

function createDummyOfFormat(format: ValueFormat, name: string): string {
  const dummyWord = createDummyWord(name);
  switch (format.kind) {
    case "text":
      return createTextDummy(format, dummyWord);
    case "url":
      return createUrlByName(format.schemes, name);
    case "integer":
      return String(createIntegerDummy(format));
    case "number":
      return String(format.minimum ?? Math.min(0, format.maximum ?? 0));
    case "boolean":
      return "false";
    case "port":
      // The highest port is rarely in use.
      return "65535";
    case "enum":
      return format.values[0] ?? "";
    case "json":
      return JSON.stringify({ fake: dummyWord });
    case "base64":
      // Four characters of base64 are three whole bytes, so that the text remains valid base64.
      return `fake${Buffer.from(dummyWord, "utf8").toString("base64")}`;
    case "email":
      // Validators refuse addresses in `.invalid`. example.com is reserved, so the address belongs to no user (RFC 2606).
      // The part before the `@` has at most 64 characters (RFC 5321).
      return `${dummyWord.slice(0, 64)}@example.com`;
  }
}

/** @param text the dummy without prefix and padding */
function createTextDummy(
  { prefixes, minLength, pattern }: Extract<ValueFormat, { kind: "text" }>,
  text: string,
): string {
  if (pattern !== undefined) return pattern.sample("fake", minLength);
  const [prefix = ""] = prefixes;
  const scheme = /^([a-z][a-z\d+.-]*):\/\/$/i.exec(prefix)?.[1];
  const value = scheme === undefined ? prefix + text : createUrl(scheme, text);
  const missingCount = minLength - Array.from(value).length;
  return missingCount <= 0 ? value : value.padEnd(value.length + missingCount, "-fake");
}

/**
 * Returns the minimum; without one, 0, or the maximum if that is lower. It is a bigint, which is printed without an
 * exponent.
 */
function createIntegerDummy({ minimum, maximum }: Extract<ValueFormat, { kind: "integer" | "number" }>): bigint {
  if (minimum !== undefined) return BigInt(Math.ceil(minimum));
  return BigInt(Math.floor(Math.min(0, maximum ?? 0)));
}

/**
 * The schemes of servers, by words in the names of variables. The first match wins: `REDIS_DB_URL` is the URL of a Redis server.
 */
const SCHEMES_BY_NAME: readonly (readonly [words: RegExp, scheme: string])[] = [
  [/REDIS|VALKEY/, "redis"],
  [/MONGO/, "mongodb"],
  [/MARIADB/, "mariadb"],
  [/MYSQL/, "mysql"],
  [/CLICKHOUSE/, "clickhouse"],
  [/AMQP|RABBIT|CELERY_BROKER/, "amqp"],
  [/KAFKA/, "kafka"],
  [/(?:^|_)NATS(?:_|$)/, "nats"],
  [/(?:^|_)MQTT(?:_|$)/, "mqtt"],
  [/(?:^|_)SMTP(?:_|$)/, "smtp"],
  [/(?:^|_)LDAP(?:_|$)/, "ldap"],
  [/(?:^|_)(?:WS|WEBSOCKET)(?:_|$)/, "wss"],
  [/POSTGRES|DATABASE|SQLALCHEMY|(?:^|_)(?:PG|DB)(?:_|$)/, "postgresql"],
];

/** Returns the scheme that the name of a variable suggests: `redis` for `REDIS_URL`. */
function findSchemeByName(name: string): string | undefined {
  const upper = name.toUpperCase();
  return SCHEMES_BY_NAME.find(([words]) => words.test(upper))?.[1];
}

function isNameOfUrl(name: string): boolean {
  return /(?:^|_)UR[IL]$/i.test(name);
}

function isNameOfDsn(name: string): boolean {
  return /(?:^|_)DSN$/i.test(name);
}

/** The address of an error tracker, such as Sentry: a key, a host and the number of a project. */
const ERROR_TRACKER_DSN = "https://fake@fake.invalid/0";

/**
 * Returns a URL for a variable, with the scheme that its name suggests, if that is allowed. A data source name (DSN) is the address
 * of an error tracker, unless the name suggests another server.
 *
 * @param schemes the allowed schemes, in lower case; empty if any is allowed
 */
function createUrlByName(schemes: readonly string[], name: string): string {
  const likelyScheme = findSchemeByName(name);
  const isAllowed = likelyScheme !== undefined && (schemes.length === 0 || schemes.includes(likelyScheme));
  const scheme = isAllowed ? likelyScheme : (schemes[0] ?? "https");
  if (isNameOfDsn(name) && likelyScheme === undefined && scheme === "https") return ERROR_TRACKER_DSN;
  return createUrl(scheme, createDummyWord(name));
}

/** The default ports of servers whose addresses usually have neither a user nor a path. */
const PORTS_BY_SCHEME: ReadonlyMap<string, number> = new Map([
  ["redis", 6379],
  ["rediss", 6379],
  ["valkey", 6379],
  ["valkeys", 6379],
  ["kafka", 9092],
  ["nats", 4222],
  ["mqtt", 1883],
  ["mqtts", 8883],
  ["ldap", 389],
  ["ldaps", 636],
  ["memcached", 11_211],
]);

/** Matches the schemes of servers whose addresses usually have a user. */
const SCHEME_WITH_USER = /^(?:postgres(?:ql)?|mysql|mariadb|mongodb|cockroachdb|clickhouse|mssql|oracle|db2|amqps?)$/;

/** Returns a URL with a scheme. In `postgresql+asyncpg` the server is before the `+`, and the driver after it. */
function createUrl(scheme: string, text: string): string {
  const lowerScheme = scheme.toLowerCase();
  const [server = ""] = lowerScheme.split("+");
  const port = PORTS_BY_SCHEME.get(server);
  // Clients refuse a host with fewer than three parts, since they look up an SRV record for it.
  if (lowerScheme === "mongodb+srv") return `${scheme}://fake:fake@fake.fake.invalid/fake`;
  if (SCHEME_WITH_USER.test(server)) return `${scheme}://fake:fake@127.0.0.1/fake`;
  if (port !== undefined) return `${scheme}://127.0.0.1:${port}`;
  if (server === "smtp" || server === "smtps") return `${scheme}://fake:fake@127.0.0.1`;
  // SQLite opens a database in memory. With any other name, the client would create a file.
  if (/^sqlite3?$/.test(server)) return `${scheme}:///:memory:`;
  if (server === "file") return `${scheme}:///${text}`;
  return `${scheme}://fake.invalid/${text}`;
}
