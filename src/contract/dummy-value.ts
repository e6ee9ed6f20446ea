/**
 * Dummy values for `--fake`; pure. A client of the service that a variable is for can read its value: the address of a database
 * is on this machine and has a user, other URLs have a host that no name server knows (`.invalid`, RFC 2606).
 */
import { SophiaError } from "../core/error.ts";
import type { Declaration, ValueFormat } from "./contract-model.ts";
import { formatFault } from "./format.ts";

/**
 * Returns the dummy value of a declared variable. It depends only on the declaration, and contains `fake` if the format has room
 * for it.
 *
 * @throws SophiaError (fake-value, 125) if no value of the declared format can be generated
 */
export function dummyValue(declaration: Declaration): string {
  const { name, example, format } = declaration;
  const value = format === undefined ? unformatted(declaration) : formatted(format, name);
  if (format === undefined || formatFault(format, value, name) === undefined) return value;
  if (example !== undefined && formatFault(format, example, name) === undefined) return example;
  throw new SophiaError({
    code: "fake-value",
    message: `no dummy value for ${name} can be generated in its format`,
    hint: "add an example in that format to the contract",
  });
}

/** Returns the dummy of a variable that no contract declares. Of the value in its place it keeps the scheme of a URL alone. */
export function dummyInPlaceOf(name: string, value: string): string {
  const scheme = SCHEME.exec(value)?.[1];
  return scheme === undefined ? unformatted({ name }) : urlOf(scheme, word(name));
}

const SCHEME = /^([a-z][a-z\d+.-]*):\/\//i;

/** `PULUMI_ACCESS_TOKEN` is `fake-pulumi-access-token`. */
function word(name: string): string {
  return `fake-${name
    .toLowerCase()
    .replaceAll(/[^a-z\d]+/g, "-")
    .replaceAll(/^-|-$/g, "")}`;
}

/** Keeps the scheme or the prefix of the example. */
function unformatted({ name, example = "" }: Pick<Declaration, "name" | "example">): string {
  const scheme = SCHEME.exec(example)?.[1];
  if (scheme !== undefined) return urlOf(scheme, word(name));
  const prefix = /^([A-Za-z][\w-]{0,15}[-_])<[^<>]*>$/.exec(example)?.[1];
  if (prefix !== undefined) return prefix + word(name);
  return isNameOfUrl(name) || isNameOfDsn(name) ? urlFor([], name) : word(name);
}

function formatted(format: ValueFormat, name: string): string {
  const text = word(name);
  switch (format.kind) {
    case "text":
      return textOf(format, text);
    case "url":
      return urlFor(format.schemes, name);
    case "integer":
      return String(integerOf(format));
    case "number":
      return String(format.minimum ?? Math.min(0, format.maximum ?? 0));
    case "boolean":
      return "false";
    case "port":
      return "65535";
    case "enum":
      return format.values[0] ?? "";
    case "json":
      return JSON.stringify({ fake: text });
    case "base64":
      return `fake${Buffer.from(text, "utf8").toString("base64")}`;
    case "email":
      // Validators refuse addresses in `.invalid`. No user has one in example.com (RFC 2606).
      return `${text.slice(0, 64)}@example.com`;
  }
}

function textOf({ prefixes, minLength, pattern }: Extract<ValueFormat, { kind: "text" }>, text: string): string {
  if (pattern !== undefined) return pattern.sample("fake", minLength);
  const [prefix = ""] = prefixes;
  const scheme = /^([a-z][a-z\d+.-]*):\/\/$/i.exec(prefix)?.[1];
  const value = scheme === undefined ? prefix + text : urlOf(scheme, text);
  const missing = minLength - Array.from(value).length;
  return missing <= 0 ? value : value + "-fake".repeat(Math.ceil(missing / 5)).slice(0, missing);
}

function integerOf({ minimum, maximum }: Extract<ValueFormat, { kind: "integer" | "number" }>): bigint {
  if (minimum !== undefined) return BigInt(Math.ceil(minimum));
  return BigInt(Math.floor(Math.min(0, maximum ?? 0)));
}

/** Servers by words in names; the first that fits counts. */
const SERVERS: readonly (readonly [words: RegExp, scheme: string])[] = [
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

function schemeOfName(name: string): string | undefined {
  const upper = name.toUpperCase();
  return SERVERS.find(([words]) => words.test(upper))?.[1];
}

function isNameOfUrl(name: string): boolean {
  return /(?:^|_)UR[IL]$/i.test(name);
}

function isNameOfDsn(name: string): boolean {
  return /(?:^|_)DSN$/i.test(name);
}

/** Returns the address of a database, else one as trackers of errors take it: a key, a host and the number of a project. */
function dsn(name: string): string {
  const scheme = schemeOfName(name);
  return scheme === undefined ? "https://fake@fake.invalid/0" : urlOf(scheme, word(name));
}

/** @param schemes allowed ones, in lower case; empty for any */
function urlFor(schemes: readonly string[], name: string): string {
  const meant = schemeOfName(name);
  if (schemes.length === 0) return isNameOfDsn(name) ? dsn(name) : urlOf(meant ?? "https", word(name));
  const [first = "https"] = schemes;
  const scheme = meant !== undefined && schemes.includes(meant) ? meant : first;
  return isNameOfDsn(name) && scheme === "https" ? dsn(name) : urlOf(scheme, word(name));
}

/** Ports of servers whose addresses have neither a user nor a path. */
const PORTS: ReadonlyMap<string, number> = new Map([
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

const WITH_USER = /^(?:postgres(?:ql)?|mysql|mariadb|mongodb|cockroachdb|clickhouse|mssql|oracle|db2|amqps?)$/;

/** Returns a URL of any scheme. One behind `+`, as in `postgresql+asyncpg`, is that of a driver. */
function urlOf(scheme: string, text: string): string {
  const lower = scheme.toLowerCase();
  const [server = ""] = lower.split("+");
  const port = PORTS.get(server);
  // Its client looks for a record of the host, which must have three parts.
  if (lower === "mongodb+srv") return `${scheme}://fake:fake@fake.fake.invalid/fake`;
  if (WITH_USER.test(server)) return `${scheme}://fake:fake@127.0.0.1/fake`;
  if (port !== undefined) return `${scheme}://127.0.0.1:${port}`;
  if (server === "smtp" || server === "smtps") return `${scheme}://fake:fake@127.0.0.1`;
  // In memory: a file of this name would be made.
  if (/^sqlite3?$/.test(server)) return `${scheme}:///:memory:`;
  if (server === "file") return `${scheme}:///${text}`;
  return `${scheme}://fake.invalid/${text}`;
}
