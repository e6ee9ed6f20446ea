/** TLS in the executable's runtime: a client must have the same events as in Node.js, whatever is wrong with the server. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TlsOptions } from "node:tls";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import {
  serveAnswer,
  closeServers,
  makeCertificates,
  type Recording,
  serveTls,
  serveDamage,
  serveGreeting,
  serveRecording,
} from "./tls-servers.ts";
import { skipWithoutShell, shell } from "./helpers/shell.ts";

skipWithoutShell();
const folder = mkdtempSync(join(tmpdir(), "sophia-run-tls-"));
await makeCertificates(folder);
afterAll(() => {
  closeServers();
  rmSync(folder, { recursive: true });
});

/** A connection that the client script makes, and prints the events of. */
interface Visit {
  readonly port: number;
  readonly host?: string;
  readonly ca?: string | readonly string[];
  /** Several texts are written at once. */
  readonly send?: string | readonly string[];
  readonly verify?: boolean;
  readonly readsOnly?: boolean;
  readonly below?: "destroy";
}

const readPem = (name: string): string => readFileSync(join(folder, `${name}.pem`), "utf8");
const ca = [readPem("ca"), readPem("rsaCa")];

/** Has a program run the client script, and returns the events of each visit. */
async function runClient(
  program: string,
  visits: readonly Visit[],
  env: NodeJS.ProcessEnv = {},
  client = "tls-client.cjs",
): Promise<unknown[]> {
  const file = join(folder, "visits.json");
  writeFileSync(file, JSON.stringify(visits));
  const script = join(import.meta.dirname, client);
  const { stdout } = await promisify(execFile)(program, [script, file], {
    env,
    timeout: 60_000,
    killSignal: "SIGKILL",
  });
  return stdout
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
}

/**
 * Expects that the visits have the same events in Node.js and in the runtime, and that the first error, or "secure", is as given.
 */
async function expectSame(visits: readonly Visit[], expected: readonly string[]): Promise<void> {
  const [node, runtime] = [await runClient(process.execPath, visits), await runClient(shell, visits)];
  const firstResult = (seen: unknown): unknown =>
    Array.isArray(seen)
      ? seen
          .find(([kind]) => kind === "error" || kind === "secure")
          ?.slice(0, 2)
          .join(" ")
      : seen;
  expect(runtime.map(firstResult)).toEqual(expected);
  expect(runtime).toEqual(node);
}

describe("for a client of TLS, a server with", { timeout: 120_000 }, () => {
  it.each<[title: string, chain: readonly string[], expected: string]>([
    ["a valid certificate is accepted", ["valid"], "secure true"],
    ["a valid certificate of RSA is accepted", ["rsa"], "secure true"],
    ["a valid certificate of P-384 is accepted", ["p384"], "secure true"],
    ["a valid certificate of P-521 is accepted", ["p521"], "secure true"],
    ["a valid certificate of Ed25519 is accepted", ["ed25519"], "secure true"],
    ["an intermediate authority is accepted", ["byMiddle", "middle"], "secure true"],
    ["an intermediate authority of P-224 is accepted", ["byP224Middle", "p224Middle"], "secure true"],
    [
      "more certificates than needed, in another order, is accepted",
      ["byMiddle", "stranger", "ca", "middle"],
      "secure true",
    ],
    ["an expired certificate is refused", ["expired"], "error CERT_HAS_EXPIRED"],
    ["an expired intermediate authority is refused", ["byExpiredMiddle", "expiredMiddle"], "error CERT_HAS_EXPIRED"],
    ["an expired certificate of an unknown authority is refused", ["expiredUnknown"], "error CERT_HAS_EXPIRED"],
    ["an expired certificate signed by itself is refused", ["expiredSelf"], "error CERT_HAS_EXPIRED"],
    ["a certificate of an unknown authority is refused", ["unknown"], "error UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    ["an unknown authority in its chain is refused", ["unknown", "stranger"], "error SELF_SIGNED_CERT_IN_CHAIN"],
    ["a certificate signed by itself is refused", ["self"], "error DEPTH_ZERO_SELF_SIGNED_CERT"],
    ["a chain without its intermediate authority is refused", ["byMiddle"], "error UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    [
      "a chain over a certificate that is no authority's is refused",
      ["byNoAuthority", "noAuthority"],
      "error INVALID_PURPOSE",
    ],
    ["a chain that is too deep is refused", ["byTooDeep", "tooDeep", "short"], "error PATH_LENGTH_EXCEEDED"],
    ["a name that its authority may not sign is refused", ["byConstrained", "constrained"], "error UNSPECIFIED"],
    ["a certificate for clients is refused", ["clientOnly"], "error INVALID_PURPOSE"],
    ["an unknown critical extension is refused", ["critical"], "error UNSPECIFIED"],
    ["a signature by SHA-1 is refused", ["sha1"], "error UNSPECIFIED"],
    ["a signature by RSASSA-PSS is accepted", ["pss"], "secure true"],
    ["a signature by RSASSA-PSS with SHA-1 is refused", ["pssSha1"], "error UNSPECIFIED"],
    ["a certificate for another host is refused", ["wrongHost"], "error ERR_TLS_CERT_ALTNAME_INVALID"],
  ])("%s", async (_, chain, expected) => {
    const port = await serveTls(folder, chain, { ALPNProtocols: ["http/1.1"] });
    await expectSame([{ port, ca }], [expected]);
  });

  it.each<[title: string, options: TlsOptions, expected: string]>([
    ["TLS 1.2 alone is accepted", { maxVersion: "TLSv1.2" }, "secure true"],
    ["keys exchanged by X25519 alone is accepted", { ecdhCurve: "X25519" }, "secure true"],
    ["keys exchanged by P-256 alone is accepted", { ecdhCurve: "P-256" }, "secure true"],
    ["keys exchanged by P-384 alone is accepted", { ecdhCurve: "P-384" }, "secure true"],
    ["keys exchanged by P-521 alone is accepted", { ecdhCurve: "P-521" }, "secure true"],
    [
      "TLS 1.1 alone is refused",
      { minVersion: "TLSv1.1", maxVersion: "TLSv1.1" },
      "error ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
    ],
    [
      "TLS 1.0 alone is refused",
      { minVersion: "TLSv1", maxVersion: "TLSv1" },
      "error ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
    ],
    [
      "another protocol by ALPN is refused",
      { ALPNProtocols: ["h2"] },
      "error ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
    ],
  ])("%s", async (_, options, expected) => {
    await expectSame([{ port: await serveTls(folder, ["valid"], options), ca }], [expected]);
  });

  it.each([
    ["X25519", "valid"],
    ["P-256", "valid"],
    ["P-384", "p384"],
  ])("keys exchanged by %s is accepted a hundred times", async (ecdhCurve, name) => {
    const port = await serveTls(folder, [name], { ecdhCurve });
    const visits = Array.from({ length: 100 }, () => ({ port, ca }));
    const eventsOfVisits = await runClient(shell, visits);
    expect(
      eventsOfVisits.map((events) => JSON.stringify(events)).filter((events) => events.includes('"secure",true')),
    ).toHaveLength(100);
  });

  it.each([
    ["names", "wildcard", "a.example.test", "secure true"],
    ["a name in capitals", "wildcard", "A.EXAMPLE.test", "secure true"],
    ["a part of a label, which the host lacks", "wildcard", "b-x-b.part.test", "error ERR_TLS_CERT_ALTNAME_INVALID"],
    ["a name with a dot at its end", "wildcard", "a.example.test.", "secure true"],
    ["two labels for a wildcard", "wildcard", "a.b.example.test", "error ERR_TLS_CERT_ALTNAME_INVALID"],
    ["no label for a wildcard", "wildcard", "example.test", "error ERR_TLS_CERT_ALTNAME_INVALID"],
    ["a wildcard for a whole top-level domain", "wildcard", "a.test", "error ERR_TLS_CERT_ALTNAME_INVALID"],
    ["an IPv6 address", "address6", "0:0:0:0:0:0:0:1", "secure true"],
    ["another IPv6 address", "address6", "::2", "error ERR_TLS_CERT_ALTNAME_INVALID"],
    ["an IPv4 address", "address6", "127.0.0.2", "secure true"],
    ["an address that is a name", "valid", "127.0.0.1", "secure true"],
    ["a name that its list lacks", "valid", "other.test", "error ERR_TLS_CERT_ALTNAME_INVALID"],
    ["another name, by an unknown authority", "unknown", "other.test", "error UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    ["another name, which have expired", "expired", "other.test", "error CERT_HAS_EXPIRED"],
  ])("a certificate for %s is accepted or refused as in Node.js", async (_, name, host, expected) => {
    await expectSame([{ port: await serveTls(folder, [name]), host, ca }], [expected]);
  });
});

it("texts that a client writes at once arrive at once", async () => {
  const port = await serveTls(folder, ["valid"]);
  const visits = [
    ["head", "body"],
    ["", "body"],
    ["2\r\n", "hi", "\r\n"],
    ["head", "x".repeat(20_000)],
  ];
  await expectSame(
    visits.map((send) => ({ port, ca, send })),
    visits.map(() => "secure true"),
  );
});

it.each([
  ["a certificate's common name", "address6", "localhost"],
  ["a wildcard for a part of a label", "wildcard", "a-x-b.part.test"],
  ["an empty label for a wildcard", "wildcard", ".example.test"],
  ["an underscore for a wildcard", "wildcard", "a_b.example.test"],
  ["a certificate's name with a dot at its end", "wildcard", "dot.test"],
])("a client refuses %s, which Node.js accepts", async (_, name, host) => {
  const visits = [{ port: await serveTls(folder, [name]), host, ca }];
  expect(JSON.stringify(await runClient(process.execPath, visits))).toContain('"secure",true');
  expect(JSON.stringify(await runClient(shell, visits))).toContain("ERR_TLS_CERT_ALTNAME_INVALID");
});

it.each([
  ["an authority with a key of DSA", ["byDsaMiddle", "dsaMiddle"], "UNSPECIFIED"],
  ["a signature by RSASSA-PSS with RIPEMD-160", ["pssRipemd160"], "UNSPECIFIED"],
  ["a signature by RSASSA-PSS with SHA-3", ["pssSha3"], "CERT_SIGNATURE_FAILURE"],
])("a client refuses %s, which Node.js accepts", async (_, chain, expected) => {
  const visits = [{ port: await serveTls(folder, chain), ca }];
  expect(JSON.stringify(await runClient(process.execPath, visits))).toContain('"secure",true');
  expect(JSON.stringify(await runClient(shell, visits))).toContain(`"error","${expected}"`);
});

describe.each(["TLSv1.2", "TLSv1.3"] as const)("by %s, without the checks of JavaScript,", (version) => {
  // The alert is encrypted in TLS 1.3 only. Its record has 2 bytes for the alert, a byte for the type, and 16 bytes that
  // authenticate them.
  const refused = { isSecure: false, received: "", encrypted: version === "TLSv1.2" ? [] : [19] };

  async function recordVisit(chain: readonly string[], visit: Omit<Visit, "port">): Promise<Recording> {
    const { port, recording } = await serveRecording(folder, chain, version);
    expect(await runClient(shell, [{ port, ...visit }], {}, "tls-unchecked.cjs")).toHaveLength(1);
    return recording;
  }

  it.each<[title: string, chain: readonly string[], visit: Omit<Visit, "port">]>([
    ["an unknown authority", ["unknown"], { ca }],
    ["an unknown authority in its chain", ["unknown", "stranger"], { ca }],
    ["a certificate signed by itself", ["self"], { ca }],
    ["an authority that is not Mozilla's", ["valid"], {}],
    ["a chain without its intermediate authority", ["byMiddle"], { ca }],
    ["an intermediate authority alone", ["byMiddle"], { ca: readPem("middle") }],
    ["an expired certificate", ["expired"], { ca }],
    ["an expired intermediate authority", ["byExpiredMiddle", "expiredMiddle"], { ca }],
    ["a certificate that is no authority's in its chain", ["byNoAuthority", "noAuthority"], { ca }],
    ["a chain that is too deep", ["byTooDeep", "tooDeep", "short"], { ca }],
    ["a root with an authority too many", ["byBelowShortRoot", "belowShortRoot"], { ca: readPem("shortRoot") }],
    ["a name that its authority may not sign", ["byConstrained", "constrained"], { ca }],
    ["a certificate for clients", ["clientOnly"], { ca }],
    ["an unknown critical extension", ["critical"], { ca }],
    ["a signature by SHA-1", ["sha1"], { ca }],
    ["a signature by RSASSA-PSS with SHA-1", ["pssSha1"], { ca }],
    ["a signature by RSASSA-PSS with RIPEMD-160", ["pssRipemd160"], { ca }],
    ["an authority with a key of DSA", ["byDsaMiddle", "dsaMiddle"], { ca }],
    ["a certificate for another host", ["wrongHost"], { ca, host: "localhost" }],
    ["a certificate for a host, not for the address", ["wrongHost"], { ca }],
    ["a certificate for another IPv4 address", ["address6"], { ca }],
    ["a certificate for another IPv6 address", ["address6"], { ca, host: "::2" }],
    ["the host as its certificate's common name only", ["address6"], { ca, host: "localhost" }],
    ["two labels for a wildcard", ["wildcard"], { ca, host: "a.b.example.test" }],
    ["no label for a wildcard", ["wildcard"], { ca, host: "example.test" }],
    ["a host name that begins with a dot", ["wildcard"], { ca, host: ".example.test" }],
    ["a wildcard for a top-level domain", ["wildcard"], { ca, host: "a.test" }],
    ["a dot as its host name", ["valid"], { ca, host: "." }],
  ])("a server with %s gets no byte of a request", async (_, chain, visit) => {
    expect(await recordVisit(chain, visit)).toEqual(refused);
  });

  it.each<[title: string, chain: readonly string[], visit: Omit<Visit, "port">, expected: unknown]>([
    ["an unknown authority", ["unknown"], { ca }, [expect.stringContaining("no server has been accepted")]],
    ["a certificate for another host", ["wrongHost"], { ca }, [expect.stringContaining("no server has been accepted")]],
    ["the right certificate", ["valid"], { ca }, ["hello"]],
  ])(
    "a client reads what a server sends only if it has accepted the server: a server with %s",
    async (_, chain, visit, expected) => {
      const port = await serveGreeting(folder, chain, version);
      expect(await runClient(shell, [{ port, ...visit, readsOnly: true }], {}, "tls-unchecked.cjs")).toEqual([
        expected,
      ]);
    },
  );

  it.each<[title: string, chain: readonly string[], visit: Omit<Visit, "port">]>([
    ["with a valid certificate", ["valid"], { ca }],
    ["with any certificate, if the client does not verify it,", ["unknown"], { ca, verify: false }],
    ["with any name, if the client does not verify it,", ["wrongHost"], { ca, verify: false }],
  ])("a server %s gets the request", async (_, chain, visit) => {
    const { isSecure, received } = await recordVisit(chain, visit);
    expect(isSecure).toBe(true);
    expect(received).toMatch(/^POST .*token: secret\r\n.*secret\r\n0\r\n\r\n$/s);
  });
});

describe("a client of TLS trusts the caller's certificates as in Node.js", { timeout: 120_000 }, () => {
  const callerCertificates: readonly [title: string, own: () => string | readonly string[], expected: string][] = [
    ["in one text with other certificates", () => readPem("stranger") + readPem("ca"), "secure true"],
    ["with other line ends", () => readPem("ca").replaceAll("\n", "\r\n"), "secure true"],
    ["in an older form", () => readPem("ca").replaceAll(" CERTIFICATE", " X509 CERTIFICATE"), "secure true"],
    [
      "after a damaged certificate, which is an error",
      () => `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${readPem("ca")}`,
      "error UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    ],
    ["if there are none", () => "nothing", "error UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    ["if there is only the server's certificate", () => readPem("valid"), "error UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
  ];
  it.each(callerCertificates)("%s", async (_, own, expected) => {
    await expectSame([{ port: await serveTls(folder, ["valid"]), ca: own() }], [expected]);
  });

  it("and refuses an intermediate authority without its root", async () => {
    const port = await serveTls(folder, ["byMiddle"]);
    const bothCertificates = [readPem("middle"), readPem("ca")];
    await expectSame(
      [
        { port, ca: readPem("middle") },
        { port, ca: bothCertificates },
      ],
      ["error UNABLE_TO_GET_ISSUER_CERT", "secure true"],
    );
  });

  it("and refuses an authority below a root that must not have one", async () => {
    await expectSame(
      [
        { port: await serveTls(folder, ["byShortRoot"]), ca: readPem("shortRoot") },
        { port: await serveTls(folder, ["byBelowShortRoot", "belowShortRoot"]), ca: readPem("shortRoot") },
      ],
      ["secure true", "error PATH_LENGTH_EXCEEDED"],
    );
  });

  it("and can read each of Mozilla's certificates", async () => {
    const script = join(import.meta.dirname, "helpers/roots.mjs");
    const { stdout } = await promisify(execFile)(process.execPath, [script]);
    const [reader, list] = [join(folder, "roots.cjs"), join(folder, "roots.txt")];
    writeFileSync(list, stdout);
    writeFileSync(
      reader,
      `const { X509Certificate } = require("node:crypto");
const { readFileSync, writeSync } = require("node:fs");
const lines = readFileSync(process.argv[2], "utf8").trimEnd().split("\\n");
for (const line of lines) new X509Certificate(Buffer.from(line, "base64"));
writeSync(1, String(lines.length));`,
    );
    for (const program of [process.execPath, shell]) {
      const read = await promisify(execFile)(program, [reader, list], { env: {} });
      expect(Number(read.stdout)).toBeGreaterThan(100);
    }
  });

  it("in NODE_EXTRA_CA_CERTS", async () => {
    const visits = [{ port: await serveTls(folder, ["valid"]) }];
    const extra = { NODE_EXTRA_CA_CERTS: join(folder, "ca.pem") };
    expect(await runClient(shell, visits, extra)).toEqual(await runClient(process.execPath, visits, extra));
    expect(JSON.stringify(await runClient(shell, visits, extra))).toContain('"secure",true');
    expect(JSON.stringify(await runClient(shell, visits))).toContain("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
  });

  it("and warns if the file of NODE_EXTRA_CA_CERTS is damaged", async () => {
    const damaged = join(folder, "damaged.pem");
    writeFileSync(damaged, readPem("ca").slice(0, 300));
    const script = join(folder, "context.cjs");
    writeFileSync(script, 'require("node:tls").createSecureContext();');
    for (const program of [process.execPath, shell]) {
      const { stderr } = await promisify(execFile)(program, [script], { env: { NODE_EXTRA_CA_CERTS: damaged } });
      expect(stderr).toContain(`Warning: Ignoring extra certs from \`${damaged}\`, load failed: `);
    }
  });

  it.each(["/dev/zero", "/dev/null", tmpdir()])("and ignores NODE_EXTRA_CA_CERTS=%s, which has none", async (file) => {
    const visits = [
      { port: await serveTls(folder, ["valid"]), ca: readPem("ca") },
      { port: await serveTls(folder, ["valid"]) },
    ];
    const extra = { NODE_EXTRA_CA_CERTS: file };
    expect(await runClient(shell, visits, extra)).toEqual(await runClient(process.execPath, visits, extra));
  });
});

describe("a connection by TLS", { timeout: 120_000 }, () => {
  const record = (hex: string): Buffer => Buffer.from(hex, "hex");
  it.each<[title: string, bytes: Buffer | "end" | "reset", isAtOnce: boolean, expected: string]>([
    ["to a server without TLS that speaks first", Buffer.from("SSH-2.0-x\r\n"), true, "ERR_SSL_WRONG_VERSION_NUMBER"],
    ["to a server of HTTP", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"), false, "ERR_SSL_WRONG_VERSION_NUMBER"],
    ["that ends at once", "end", true, "ECONNRESET"],
    ["that ends in the handshake", "end", false, "ECONNRESET"],
    ["that is reset in the handshake", "reset", false, "ECONNRESET"],
    ["with an alert for the version", record("15030300020246"), false, "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION"],
    ["with an alert for the name", record("15030300020270"), false, "ERR_SSL_TLSV1_UNRECOGNIZED_NAME"],
    ["with close_notify in the handshake", record("15030300020100"), false, "ECONNRESET"],
    [
      "with a message that is too long",
      record(`160303001002ffffff${"00".repeat(12)}`),
      false,
      "ERR_SSL_EXCESSIVE_MESSAGE_SIZE",
    ],
    ["with an unknown record", record("99030300050000000000"), false, "ERR_SSL_UNEXPECTED_MESSAGE"],
  ])("%s fails", async (_, bytes, isAtOnce, expected) => {
    await expectSame([{ port: await serveAnswer(bytes, isAtOnce) }], [`error ${expected}`]);
  });

  it("with a damaged record fails with OpenSSL's error code", async () => {
    const eventsOfVisits = await runClient(shell, [{ port: await serveDamage(folder), ca, send: "x" }]);
    expect(JSON.stringify(eventsOfVisits)).toContain('["error","ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC"');
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "by %s carries megabytes, may end early, and is possible without verification",
    async (version) => {
      const port = await serveTls(folder, ["valid"], { minVersion: version, maxVersion: version });
      const visits = [{ send: "big" }, { send: "cut" }, { send: "x" }, { below: "destroy" }] as const;
      await expectSame(
        visits.map((visit) => ({ port, ca, ...visit })),
        Array.from(visits, () => "secure true"),
      );
      const untrusted = [{}, { ca, host: "other.test" }, { ca }].map((visit) => ({ port, verify: false, ...visit }));
      await expectSame(untrusted, ["secure false", "secure false", "secure true"]);
    },
  );
});
