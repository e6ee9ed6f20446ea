/** `check --live` against a real PostgreSQL server; what no such server does is in live.slow.test.ts. */
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Certificates, makeCertificates } from "../../esc-server/tls.ts";
import { noPostgres, type RealPostgres, startRealPostgres } from "../../helpers/postgres.ts";
import { skipBecause } from "../../helpers/skip.ts";
import { folder, sophia } from "../../helpers/sophia.ts";
import { SENTINEL } from "../sophia-environment.ts";

const PASSWORD = `${SENTINEL}-p@ss:wörd/1`;
const METHODS = ["scram", "md5", "clear"] as const;
/** An address of this machine that is not loopback, as another machine's. */
const outside = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

let certificates: Certificates;
let server: RealPostgres;

beforeAll(async () => {
  if (noPostgres !== undefined) return;
  certificates = await makeCertificates();
  server = await startRealPostgres({
    tls: certificates.valid,
    sql: [
      "CREATE DATABASE main;",
      `SET password_encryption = 'scram-sha-256';`,
      ...["scram", "clear", "nowhere"].map((name) => `CREATE ROLE ${name} LOGIN PASSWORD '${PASSWORD}';`),
      `CREATE ROLE full_up LOGIN CONNECTION LIMIT 0 PASSWORD '${PASSWORD}';`,
      "CREATE ROLE trusted LOGIN;",
      "SET password_encryption = 'md5';",
      `CREATE ROLE md5 LOGIN PASSWORD '${PASSWORD}';`,
    ],
    access: [
      "host all scram,full_up all scram-sha-256",
      "host all md5 all md5",
      "host all clear all password",
      "host all trusted all trust",
      "local all scram scram-sha-256",
    ],
  });
}, 120_000);

afterAll(async () => {
  if (noPostgres !== undefined) return;
  await server.stop();
  await certificates.remove();
});

function urlOf(user: string, rest = "main", password = PASSWORD, host = "127.0.0.1"): string {
  return `postgresql://${user}:${encodeURIComponent(password)}@${host}:${server.port}/${rest}`;
}

async function runLiveCheck(url: string, env: Readonly<Record<string, string>> = {}) {
  const contract = JSON.stringify({ variables: { KEY: { probe: "postgresql" } } });
  const cwd = folder({ "sophia.contract.json": contract });
  const checkRun = await sophia(["check", "--live", "--json", "--yes"], { cwd, env: { KEY: url, ...env } });
  expect(checkRun.stdout + checkRun.stderr).not.toContain(SENTINEL);
  const [result] = JSON.parse(checkRun.stdout).live;
  return { status: checkRun.status, ...result };
}

describe("check --live against a real PostgreSQL server", () => {
  skipBecause(noPostgres);

  test.each([...METHODS, "trusted"])("logs in with the password of a role by %s", async (user) => {
    expect(await runLiveCheck(urlOf(user))).toMatchObject({ status: 0, outcome: "accepted" });
  });

  test.each(METHODS)("reports a wrong password as rejected by %s", async (user) => {
    expect(await runLiveCheck(urlOf(user, "main", "wrong"))).toMatchObject({
      status: 1,
      outcome: "rejected",
      code: "28P01",
    });
  });

  test.each([
    ["no such database", "scram", "none", { status: 1, outcome: "rejected", code: "3D000" }],
    ["no line of pg_hba.conf", "nowhere", "main", { status: 0, kind: "permission", code: "28000" }],
    ["too many connections", "full_up", "main", { status: 0, kind: "quota", code: "53300" }],
  ])("reports the server's code for %s", async (_, user, database, expected) => {
    expect(await runLiveCheck(urlOf(user, database))).toMatchObject(expected);
  });

  test("connects by its socket", async () => {
    const rest = `main?host=${encodeURIComponent(server.socket)}&port=${server.port}`;
    const url = `postgresql://scram:${encodeURIComponent(PASSWORD)}@/${rest}`;
    expect(await runLiveCheck(url)).toMatchObject({ outcome: "accepted" });
  });

  test("verifies it by the caller's certificate authorities", async () => {
    const url = urlOf("clear", "main?sslmode=verify-full");
    expect(await runLiveCheck(url)).toMatchObject({ reason: expect.stringContaining("not trusted") });
    expect(await runLiveCheck(url, { SSL_CERT_FILE: certificates.caFile })).toMatchObject({ outcome: "accepted" });
  });
});

describe("check --live against a PostgreSQL server at another address, with a certificate of another server,", () => {
  skipBecause(noPostgres ?? (outside === undefined ? "needs an address that is not loopback" : undefined));

  test.each(["md5", "clear"])("sends no password by %s", async (user) => {
    for (const rest of ["main", "main?sslmode=require"]) {
      expect(await runLiveCheck(urlOf(user, rest, PASSWORD, outside))).toMatchObject({
        reason: expect.stringContaining("not trusted"),
      });
    }
  });

  test("proves the password by SCRAM without sending it", async () => {
    const url = urlOf("scram", "main?sslmode=require", PASSWORD, outside);
    expect(await runLiveCheck(url)).toMatchObject({ outcome: "accepted" });
  });
});
