/** The clients for which the dummies of `--fake` are made parse each of them. No client connects to a server. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fetchFromNpm, fetchFromPyPI } from "../broker/clients/packages.ts";
import { createDummyLayer } from "../../src/contract/fake.ts";
import { contractOf } from "./contracts.ts";

const urlDeclaration = (...schemes: readonly string[]) => ({ required: true, format: { type: "url", schemes } });
const required = { required: true };
const { variables } = createDummyLayer(
  contractOf({
    variables: {
      DATABASE_URL: required,
      POSTGRES_DSN: { required: true, format: "url" },
      REDIS_URL: required,
      API_URL: required,
      SENTRY_DSN: required,
      ADMIN_EMAIL: { required: true, format: "email" },
      TLS_REDIS: urlDeclaration("rediss"),
      ASYNC_DATABASE: urlDeclaration("postgresql+asyncpg"),
      MY_DATABASE: urlDeclaration("mysql"),
      MARIA_DATABASE: urlDeclaration("mariadb"),
      DOCUMENTS: urlDeclaration("mongodb"),
      DOCUMENTS_BY_NAME: urlDeclaration("mongodb+srv"),
      QUEUE: urlDeclaration("amqp"),
      EVENTS: urlDeclaration("kafka"),
      MESSAGES: urlDeclaration("nats"),
      COLUMNS: urlDeclaration("clickhouse"),
      SOCKET: urlDeclaration("wss"),
      PLAIN: urlDeclaration("http"),
    },
  }),
  new Map(),
);
const dummies = Object.fromEntries(variables.map(({ name, value }) => [name, value]));

test("pg, redis and zod can parse the dummies of --fake", () => {
  const folder = fetchFromNpm("dummies", { pg: "8.23.1", redis: "6.3.1", zod: "4.6.7" });
  writeFileSync(
    join(folder, "read.mjs"),
    `import pg from "pg"; import { createClient } from "redis"; import { z } from "zod";
    const dummies = JSON.parse(process.argv[2]);
    const { host, port, user, password, database } = new pg.Client({ connectionString: dummies.DATABASE_URL });
    const { socket } = createClient({ url: dummies.REDIS_URL }).options;
    const urls = Object.entries(dummies).filter(([name]) => name !== "ADMIN_EMAIL");
    const refused = urls.filter(([, value]) => !z.url().safeParse(value).success).map(([name]) => name);
    const email = z.email().safeParse(dummies.ADMIN_EMAIL).success;
    const web = z.httpUrl().safeParse(dummies.API_URL).success;
    process.stdout.write(JSON.stringify({ pg: { host, port, user, password, database }, redis: socket, refused, email, web }));
    process.exit(0);`,
  );
  const read = execFileSync(process.execPath, ["read.mjs", JSON.stringify(dummies)], { cwd: folder, encoding: "utf8" });
  expect(JSON.parse(read)).toEqual({
    pg: { host: "127.0.0.1", port: 5432, user: "fake", password: "fake", database: "fake" },
    redis: { host: "127.0.0.1", port: 6379, tls: false },
    refused: [],
    email: true,
    web: true,
  });
}, 300_000);

test("pydantic's types can parse the dummies of --fake", () => {
  const folder = fetchFromPyPI("dummies", { pydantic: "2.14.4", "email-validator": "2.4.0" });
  const script = `import json, sys
from pydantic import *
types = dict(DATABASE_URL=PostgresDsn, POSTGRES_DSN=PostgresDsn, REDIS_URL=RedisDsn, API_URL=HttpUrl, SENTRY_DSN=HttpUrl,
    ADMIN_EMAIL=EmailStr, TLS_REDIS=RedisDsn, ASYNC_DATABASE=PostgresDsn, MY_DATABASE=MySQLDsn, MARIA_DATABASE=MariaDBDsn,
    DOCUMENTS=MongoDsn, DOCUMENTS_BY_NAME=MongoDsn, QUEUE=AmqpDsn, EVENTS=KafkaDsn, MESSAGES=NatsDsn, COLUMNS=ClickHouseDsn,
    SOCKET=WebsocketUrl, PLAIN=AnyHttpUrl)
values = json.loads(sys.argv[1])
for name, kind in types.items(): TypeAdapter(kind).validate_python(values[name])
print(sorted(set(values) - set(types)))`;
  const env = { PATH: process.env["PATH"], PYTHONPATH: folder };
  const said = execFileSync("python3", ["-c", script, JSON.stringify(dummies)], { env, encoding: "utf8" });
  expect(said).toBe("[]\n");
}, 300_000);
