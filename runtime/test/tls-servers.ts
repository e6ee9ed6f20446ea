/** TLS servers for tests, each with a fault, and the certificates that they need. */
import { execFile } from "node:child_process";
import { constants, createHash, sign, X509Certificate } from "node:crypto";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import * as net from "node:net";
import { join } from "node:path";
import * as tls from "node:tls";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The type of a record with encrypted data (RFC 8446, 5.1). */
const APPLICATION_DATA = 0x17;

interface CertificateOptions {
  /** The name of the authority that signs the certificate; undefined if the certificate's own key signs it. */
  readonly by?: string;
  readonly extensions: string;
  readonly days?: number;
  /** Arguments of openssl for a new key. */
  readonly key?: readonly string[];
  /** Arguments of openssl for the authority's signature. */
  readonly signature?: readonly string[];
}

const EC = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
const P224 = ["ec", "-pkeyopt", "ec_paramgen_curve:secp224r1"];
const P384 = ["ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"];
const P521 = ["ec", "-pkeyopt", "ec_paramgen_curve:secp521r1"];
const PSS = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"];
const AUTHORITY = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign";
const SERVER = "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth";

/** The certificates by name. An authority must come before the certificates that it signs. */
const CERTIFICATES: Readonly<Record<string, CertificateOptions>> = {
  ca: { extensions: AUTHORITY },
  stranger: { extensions: AUTHORITY },
  rsaCa: { extensions: AUTHORITY, key: ["rsa:2048"] },
  middle: { by: "ca", extensions: AUTHORITY },
  dsaMiddle: { by: "ca", extensions: AUTHORITY, key: ["dsa:dsa.params"] },
  p224Middle: { by: "ca", extensions: AUTHORITY, key: P224 },
  expiredMiddle: { by: "ca", extensions: AUTHORITY, days: -1 },
  noAuthority: { by: "ca", extensions: "basicConstraints=critical,CA:FALSE" },
  short: { by: "ca", extensions: "basicConstraints=critical,CA:TRUE,pathlen:0" },
  tooDeep: { by: "short", extensions: AUTHORITY },
  shortRoot: { extensions: "basicConstraints=critical,CA:TRUE,pathlen:0" },
  belowShortRoot: { by: "shortRoot", extensions: AUTHORITY },
  constrained: { by: "ca", extensions: `${AUTHORITY}\nnameConstraints=critical,permitted;DNS:example.test` },
  valid: { by: "ca", extensions: SERVER },
  expired: { by: "ca", extensions: SERVER, days: -1 },
  unknown: { by: "stranger", extensions: SERVER },
  expiredUnknown: { by: "stranger", extensions: SERVER, days: -1 },
  expiredSelf: { extensions: SERVER, days: -1 },
  self: { extensions: SERVER },
  wrongHost: { by: "ca", extensions: "subjectAltName=DNS:elsewhere.test" },
  wildcard: { by: "ca", extensions: "subjectAltName=DNS:*.example.test,DNS:a*b.part.test,DNS:*.test,DNS:dot.test." },
  address6: { by: "ca", extensions: "subjectAltName=IP:::1,IP:127.0.0.2" },
  clientOnly: { by: "ca", extensions: "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=clientAuth" },
  critical: { by: "ca", extensions: `${SERVER}\n1.2.3.4.5=critical,DER:0500` },
  rsa: { by: "rsaCa", extensions: SERVER, key: ["rsa:2048"] },
  sha1: { by: "rsaCa", extensions: SERVER, signature: ["-sha1"] },
  pss: { by: "rsaCa", extensions: SERVER, signature: ["-sha256", ...PSS] },
  pssSha1: { by: "rsaCa", extensions: SERVER, signature: ["-sha1", ...PSS] },
  p384: { by: "ca", extensions: SERVER, key: P384 },
  p521: { by: "ca", extensions: SERVER, key: P521 },
  ed25519: { by: "ca", extensions: SERVER, key: ["ed25519"] },
  byMiddle: { by: "middle", extensions: SERVER },
  byDsaMiddle: { by: "dsaMiddle", extensions: SERVER },
  byP224Middle: { by: "p224Middle", extensions: SERVER },
  byExpiredMiddle: { by: "expiredMiddle", extensions: SERVER },
  byNoAuthority: { by: "noAuthority", extensions: SERVER },
  byShortRoot: { by: "shortRoot", extensions: SERVER },
  byBelowShortRoot: { by: "belowShortRoot", extensions: SERVER },
  byTooDeep: { by: "tooDeep", extensions: SERVER },
  byConstrained: { by: "constrained", extensions: SERVER },
};

/** The identifiers of digests in DER, for certificates that `openssl x509` cannot sign by RSASSA-PSS. */
const DIGESTS = {
  pssRipemd160: ["ripemd160", "06052b24030201"],
  pssSha3: ["sha3-256", "0609608648016503040208"],
} as const;

/** Returns a value in DER. */
function encodeDer(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const length = content.length < 0x80 ? [content.length] : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

/** Returns the values that a value in DER contains. */
function decodeDerParts(value: Buffer): Buffer[] {
  const headOf = (at: number): readonly [start: number, end: number] => {
    const first = value.readUInt8(at + 1);
    const count = first < 0x80 ? 0 : first & 0x7f;
    const start = at + 2 + count;
    return [start, start + (count === 0 ? first : value.readUIntBE(at + 2, count))];
  };
  const parts = [];
  for (let [at] = headOf(0); at < value.length; at = headOf(at)[1]) parts.push(value.subarray(at, headOf(at)[1]));
  return parts;
}

/** Returns a certificate in PEM, signed again by RSASSA-PSS (RFC 4055, 3.1) with another digest. */
function signByPss(pem: string, key: string, digest: string, identifier: string): string {
  const name = encodeDer(0x30, Buffer.from(identifier, "hex"));
  const mask = encodeDer(0x30, Buffer.from("06092a864886f70d010108", "hex"), name);
  const { length } = createHash(digest).digest();
  const parameters = [name, mask, encodeDer(0x02, Buffer.from([length]))].map((each, index) =>
    encodeDer(0xa0 + index, each),
  );
  const algorithm = encodeDer(0x30, Buffer.from("06092a864886f70d01010a", "hex"), encodeDer(0x30, ...parameters));
  const [signed = Buffer.alloc(0)] = decodeDerParts(new X509Certificate(pem).raw);
  // The algorithm is the third part, after the version and the serial number.
  const changed = encodeDer(0x30, ...decodeDerParts(signed).map((part, index) => (index === 2 ? algorithm : part)));
  const signature = sign(digest, changed, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: length });
  const bytes = encodeDer(0x30, changed, algorithm, encodeDer(0x03, Buffer.from([0]), signature));
  return new X509Certificate(bytes).toString();
}

/** Makes all certificates in the folder, each as NAME.pem and NAME.key. */
export async function makeCertificates(folder: string): Promise<void> {
  const file = (name: string): string => join(folder, name);
  await run("openssl", ["dsaparam", "-out", file("dsa.params"), "2048"]);
  for (const [name, { by = name, extensions, days = 30, key = EC, signature = ["-sha256"] }] of Object.entries(
    CERTIFICATES,
  )) {
    const subject = extensions.includes("CA:TRUE") ? `/CN=Authority ${name}` : "/CN=localhost";
    await writeFile(file(`${name}.ext`), extensions);
    const [csr, own] = [file(`${name}.csr`), file(`${name}.key`)];
    const keyArguments = ["-newkey", ...key, "-keyout", own];
    await run("openssl", ["req", "-new", "-nodes", "-subj", subject, ...keyArguments, "-out", csr], { cwd: folder });
    const signer =
      by === name ? ["-signkey", own] : ["-CA", file(`${by}.pem`), "-CAkey", file(`${by}.key`), "-CAcreateserial"];
    const period = ["-days", String(days), "-extfile", file(`${name}.ext`), ...signature];
    await run("openssl", ["x509", "-req", "-in", csr, ...signer, ...period, "-out", file(`${name}.pem`)]);
  }
  const [pss, key] = await Promise.all([readFile(file("pss.pem"), "utf8"), readFile(file("rsaCa.key"), "utf8")]);
  for (const [name, [digest, identifier]] of Object.entries(DIGESTS)) {
    await writeFile(file(`${name}.pem`), signByPss(pss, key, digest, identifier));
    await copyFile(file("pss.key"), file(`${name}.key`));
  }
}

/** Starts a server with the certificates of a chain. Its answer depends on the first bytes from the client. @returns its port */
export async function serveTls(
  folder: string,
  chain: readonly string[],
  options: tls.TlsOptions = {},
): Promise<number> {
  const [first = ""] = chain;
  const certificates = await Promise.all(chain.map((name) => readFile(join(folder, `${name}.pem`), "utf8")));
  const key = await readFile(join(folder, `${first}.key`));
  const serverOptions = { key, cert: certificates.join(""), ciphers: "DEFAULT@SECLEVEL=0", ...options };
  return listen(
    tls
      .createServer(serverOptions, (socket) => {
        socket.on("error", () => {});
        socket.once("data", (data) => {
          const request = data.toString();
          if (request === "big") socket.end(Buffer.alloc(3_000_000, "x"));
          else if (request === "cut") socket.write("part", () => socket.destroy());
          else socket.end(`answer to ${request}`);
        });
      })
      .on("tlsClientError", () => {}),
  );
}

/** Starts a server with the certificates of a chain that speaks first, and closes the connection. @returns its port */
export async function serveGreeting(
  folder: string,
  chain: readonly string[],
  version: tls.SecureVersion,
): Promise<number> {
  const [first = ""] = chain;
  const certificates = await Promise.all(chain.map((name) => readFile(join(folder, `${name}.pem`), "utf8")));
  const key = await readFile(join(folder, `${first}.key`));
  const options = { key, cert: certificates.join(""), minVersion: version, maxVersion: version };
  const server = tls.createServer(options, (socket) => socket.on("error", () => {}).end("hello"));
  return listen(server.on("tlsClientError", () => {}));
}

/** What a server and the proxy before it have recorded about a client. */
export interface Recording {
  /** Whether the client has completed the handshake. */
  readonly isSecure: boolean;
  /** What the client sent, decrypted. */
  readonly received: string;
  /** The sizes in bytes of its encrypted records: data, and in TLS 1.3 alerts and the end of the handshake. */
  readonly encrypted: readonly number[];
}

/**
 * Starts a server with the certificates of a chain that answers a request of HTTP.
 *
 * @returns its port, and a promise for the recording of its first client, which resolves after the end of the connection
 */
export async function serveRecording(
  folder: string,
  chain: readonly string[],
  version: tls.SecureVersion,
): Promise<{ readonly port: number; readonly recording: Promise<Recording> }> {
  const [sent, received]: [Buffer[], Buffer[]] = [[], []];
  let isSecure = false;
  const [first = ""] = chain;
  const certificates = await Promise.all(chain.map((name) => readFile(join(folder, `${name}.pem`), "utf8")));
  const key = await readFile(join(folder, `${first}.key`));
  const serverOptions = { key, cert: certificates.join(""), ciphers: "DEFAULT@SECLEVEL=0" };
  const server = tls.createServer({ ...serverOptions, minVersion: version, maxVersion: version }, (socket) => {
    isSecure = true;
    socket.on("error", () => {});
    socket.on("data", (data) => {
      received.push(data);
      if (data.toString().endsWith("0\r\n\r\n")) socket.end("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    });
  });
  const port = await listen(server.on("tlsClientError", () => {}));
  const proxy = net.createServer();
  const ended = new Promise<unknown>((resolve) => {
    proxy.once("connection", (client) => {
      const link = net.connect(port, "127.0.0.1");
      client.on("data", (bytes) => {
        sent.push(bytes);
        link.write(bytes);
      });
      link.on("data", (bytes) => client.write(bytes));
      // The event `close` occurs after a reset, too.
      client.on("close", () => link.end());
      link.on("close", () => client.end());
      const closed = (socket: net.Socket): Promise<unknown> =>
        new Promise((end) => socket.on("error", () => {}).on("close", end));
      resolve(Promise.all([client, link].map(closed)));
    });
  });
  const recording = ended.then(() => ({
    isSecure,
    received: Buffer.concat(received).toString("latin1"),
    encrypted: findRecordSizes(Buffer.concat(sent), APPLICATION_DATA),
  }));
  return { port: await listen(proxy), recording };
}

/** Returns the sizes of the records of a type (RFC 8446, 5.1). */
function findRecordSizes(bytes: Buffer, type: number): number[] {
  const sizes = [];
  for (let offset = 0; offset + 5 <= bytes.length; offset += 5 + bytes.readUInt16BE(offset + 3)) {
    if (bytes[offset] === type) sizes.push(bytes.readUInt16BE(offset + 3));
  }
  return sizes;
}

/** Starts a server that answers with a record which another key has encrypted. @returns its port */
export async function serveDamage(folder: string): Promise<number> {
  // In TLS 1.3 the encrypted records of the handshake have this type, too.
  const port = await serveTls(folder, ["valid"], { maxVersion: "TLSv1.2" });
  return listen(
    net.createServer((client) => {
      const server = net.connect(port, "127.0.0.1");
      for (const socket of [client, server]) socket.on("error", () => {});
      server.pipe(client);
      client.on("close", () => server.destroy());
      client.on("data", (bytes) => {
        if (bytes[0] === APPLICATION_DATA) client.write(Buffer.from(`1703030020${"00".repeat(32)}`, "hex"));
        else server.write(bytes);
      });
    }),
  );
}

/**
 * Starts a server without TLS that sends the given bytes, or ends the connection.
 *
 * @param isAtOnce false to wait for the first bytes
 */
export function serveAnswer(bytes: Buffer | "end" | "reset", isAtOnce = false): Promise<number> {
  const sendAnswer = (socket: net.Socket): void => {
    if (bytes === "reset") socket.resetAndDestroy();
    else if (bytes === "end") socket.end();
    else socket.write(bytes);
  };
  return listen(
    net.createServer((socket) => {
      socket.on("error", () => {});
      if (isAtOnce) sendAnswer(socket);
      else socket.once("data", () => sendAnswer(socket));
    }),
  );
}

const servers = new Set<net.Server>();

async function listen(server: net.Server): Promise<number> {
  servers.add(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a server without a port");
  return address.port;
}

/** Closes all servers that this module has started. */
export function closeServers(): void {
  for (const server of servers) server.close();
}
