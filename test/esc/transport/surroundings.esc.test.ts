import { writeFile } from "node:fs/promises";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type EscServer, startEscServer } from "../../esc-server/index.ts";
import { startProxy } from "../../esc-server/proxy.ts";
import { makeCertificates } from "../../esc-server/tls.ts";
import { useCertificates } from "../../helpers/certificates.ts";
import { runSophia } from "../run-program.ts";
import { expectWording } from "../../helpers/wording.ts";
import { expectFailure } from "../expect-failure.ts";
import { expectEscFailure, expectEscReading, valuesByName } from "../read-esc.ts";

let secure: EscServer;
let plain: EscServer;
const folder = mkdtempSync(join(tmpdir(), "esc-surroundings-"));
const certificates = useCertificates(["backend.test"], async ({ valid }) => {
  secure = await startEscServer({ tls: valid, basePath: "/pulumi" });
  plain = await startEscServer();
  for (const server of [secure, plain]) server.environment("demo-org/sophia/dev", { values: { A: "x" } });
  return async () => {
    await secure.close();
    await plain.close();
  };
});
afterAll(() => rm(folder, { recursive: true }));

function accessVariables(server: EscServer, more: Readonly<Record<string, string>>): Record<string, string> {
  return { ESC_ENV: "demo-org/sophia/dev", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url, ...more };
}

describe("certificates", () => {
  test("of a private authority are trusted by SSL_CERT_FILE", async () => {
    secure.reset();
    const result = await expectEscReading(accessVariables(secure, { SSL_CERT_FILE: certificates().caFile }));
    expect(valuesByName(result)).toEqual({ A: "x" });
    expect(result.notices).toEqual([]);
    expect(secure.connections).toBe(1);
    expect(secure.violations).toEqual([]);
  });

  test("of a private authority are not trusted by default", async () => {
    const failure = await expectEscFailure(accessVariables(secure, {}));
    expect(failure.code).toBe("esc-tls");
    expect(failure.hint).toContain("SSL_CERT_FILE");
  });

  test("are verified in spite of NODE_TLS_REJECT_UNAUTHORIZED=0", async () => {
    const variables = accessVariables(secure, { NODE_TLS_REJECT_UNAUTHORIZED: "0" });
    const { status, stderr } = await runSophia(["--no-contract", "--require-esc", "--", "true"], variables, folder);
    expectWording(stderr);
    expect(status).toBe(125);
  });

  test("are verified without Node's warning about NODE_TLS_REJECT_UNAUTHORIZED", async () => {
    const variables = accessVariables(secure, {
      NODE_TLS_REJECT_UNAUTHORIZED: "0",
      SSL_CERT_FILE: certificates().caFile,
    });
    const script = ["-c", 'echo "$A $NODE_TLS_REJECT_UNAUTHORIZED"'];
    expect(await runSophia(["--no-contract", "--", "sh", ...script], variables, folder)).toMatchObject({
      status: 0,
      stdout: "x 0\n",
      stderr: "",
    });
  });

  test.each(["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"])("are trusted by %s when the real entry starts", async (name) => {
    const variables = accessVariables(secure, { [name]: certificates().caFile });
    expect(await runSophia(["--no-contract", "--", "printenv", "A"], variables, folder)).toMatchObject({
      status: 0,
      stdout: "x\n",
      stderr: "",
    });
  });

  test.each([
    ["SSL_CERT_FILE", {}],
    ["SSL_CERT_FILE", { NODE_OPTIONS: "--use-openssl-ca" }],
    // Node.js trusts them from its start.
    ["NODE_EXTRA_CA_CERTS", {}],
  ])("that an outer sophia-run read from a file are ignored: %s %j", async (name, more) => {
    const variables = accessVariables(secure, { [name]: certificates().caFile, ...more, SOPHIA_FROM_FILES: name });
    const { status, stderr } = await runSophia(["--no-contract", "--require-esc", "--", "true"], variables, folder);
    expect(status).toBe(125);
    expectWording(stderr);
    const own = { ...variables, SSL_CERT_FILE: certificates().caFile, SOPHIA_FROM_FILES: "SSL_CERT_DIR" };
    expect(await runSophia(["--no-contract", "--require-esc", "--", "true"], own, folder)).toMatchObject({ status: 0 });
  });

  test("of both files are trusted together", async () => {
    const other = join(folder, "other.pem");
    const stranger = await makeCertificates();
    await writeFile(other, stranger.ca);
    await stranger.remove();
    for (const [file, extra] of [
      [other, certificates().caFile],
      [certificates().caFile, other],
    ] as const) {
      const variables = accessVariables(secure, { SSL_CERT_FILE: file, NODE_EXTRA_CA_CERTS: extra });
      expect(await runSophia(["--no-contract", "--", "printenv", "A"], variables, folder)).toMatchObject({
        status: 0,
        stdout: "x\n",
        stderr: "",
      });
    }
  });

  test("of a file that cannot be used are left out, with a remark", async () => {
    const empty = join(folder, "empty.pem");
    const broken = join(folder, "broken.pem");
    await writeFile(empty, "nothing\n");
    await writeFile(broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for (const file of [join(folder, "missing.pem"), empty, broken]) {
      const failure = await expectEscFailure(accessVariables(secure, { SSL_CERT_FILE: file }));
      expect(failure.code).toBe("esc-tls");
      expect(failure.details).toEqual([expect.stringContaining(file)]);
      expectFailure(failure);
    }
  });

  test("are not read for plain http", async () => {
    const result = await expectEscReading(accessVariables(plain, { SSL_CERT_FILE: join(folder, "missing.pem") }));
    expect(result.notices).toEqual([]);
  });
});

describe("a proxy", () => {
  test("tunnels https, with a password, on one connection", async () => {
    await using proxy = await startProxy({
      auth: { user: "us er", password: "p@ss:wörd" },
      routes: { "backend.test:443": { host: "127.0.0.1", port: secure.port } },
    });
    secure.reset();
    const variables = accessVariables(secure, {
      PULUMI_BACKEND_URL: "https://backend.test/pulumi",
      HTTPS_PROXY: proxy.url,
      SSL_CERT_FILE: certificates().caFile,
    });
    expect(valuesByName(await expectEscReading(variables))).toEqual({ A: "x" });
    expect(proxy.requests).toEqual([
      { kind: "tunnel", target: "backend.test:443", status: 200, sawAuthorization: false },
    ]);
    expect(secure.connections).toBe(1);
    expect(secure.violations).toEqual([]);
  });

  test("forwards plain http if that is allowed", async () => {
    await using proxy = await startProxy({
      auth: { user: "u", password: "p" },
      routes: { "backend.test:8080": { host: "127.0.0.1", port: plain.port } },
    });
    const variables = accessVariables(plain, { PULUMI_BACKEND_URL: "http://backend.test:8080", http_proxy: proxy.url });
    expect(valuesByName(await expectEscReading(variables, { insecureHttp: true }))).toEqual({ A: "x" });
    expect(proxy.requests.map(({ kind, target, status }) => [kind, new URL(target).host, status])).toEqual([
      ["forward", "backend.test:8080", 200],
      ["forward", "backend.test:8080", 200],
    ]);
    expect(plain.violations).toEqual([]);
  });

  test("is not used for loopback and hosts of NO_PROXY", async () => {
    await using proxy = await startProxy();
    const all = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, SSL_CERT_FILE: certificates().caFile };
    expect(valuesByName(await expectEscReading(accessVariables(plain, all)))).toEqual({ A: "x" });
    expect(valuesByName(await expectEscReading(accessVariables(secure, all)))).toEqual({ A: "x" });
    const exempt = { ...all, PULUMI_BACKEND_URL: "https://esc.invalid", NO_PROXY: ".invalid" };
    expect((await expectEscFailure(accessVariables(secure, exempt))).message).toMatch(
      /esc\.invalid:443 .*(?:ENOTFOUND|EAI_AGAIN)/,
    );
    expect(proxy.requests).toEqual([]);
  });

  test("may be reached over TLS", async () => {
    await using inner = await startProxy({
      routes: { "backend.test:443": { host: "127.0.0.1", port: secure.port } },
    });
    const { createServer } = await import("node:tls");
    const { connect } = await import("node:net");
    const outer = createServer({ ...certificates().valid }, (socket) => {
      const link = connect(inner.port, "127.0.0.1");
      socket.on("error", () => link.destroy()).pipe(link);
      link.on("error", () => socket.destroy()).pipe(socket);
    });
    await new Promise<void>((resolve) => void outer.listen(0, "127.0.0.1", resolve));
    const address = outer.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const variables = accessVariables(secure, {
      PULUMI_BACKEND_URL: "https://backend.test/pulumi",
      HTTPS_PROXY: `https://localhost:${port}`,
      SSL_CERT_FILE: certificates().caFile,
    });
    expect(valuesByName(await expectEscReading(variables))).toEqual({ A: "x" });
    expect(inner.tunnels).toBe(1);
    outer.close();
  });

  test("that requires a password does not show it in a message", async () => {
    await using proxy = await startProxy({ auth: { user: "u", password: "right" } });
    const failure = await expectEscFailure(
      accessVariables(secure, {
        PULUMI_BACKEND_URL: "https://backend.test",
        HTTPS_PROXY: proxy.url.replace("right", "wr0ng-password"),
      }),
    );
    expect(failure.code).toBe("esc-proxy");
    expect(JSON.stringify(failure)).not.toContain("wr0ng");
  });
});

test("a redirection of the backend does not send the token to another host", async () => {
  await using other = await startEscServer();
  plain.failNext("open", { kind: "redirect", to: `${other.url}/api/esc/environments/demo-org/sophia/dev/open` });
  expect((await expectEscFailure(accessVariables(plain, {}))).code).toBe("esc-redirect");
  expect(other.connections).toBe(0);
});
