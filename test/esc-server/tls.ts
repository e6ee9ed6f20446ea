/**
 * Makes authorities and certificates with openssl, valid and invalid ones, for servers of the tests. The caller removes
 * their folder by `remove`.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A server certificate and its key, PEM. */
interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A private authority, and a certificate that it signed. */
export interface SignedCertificate {
  /** The authority, PEM. */
  readonly ca: string;
  /** The same as a file, for `NODE_EXTRA_CA_CERTS` and `SSL_CERT_FILE`. */
  readonly caFile: string;
  /** For 127.0.0.1, ::1, localhost, and the names and addresses asked for. */
  readonly valid: Certificate;
  /** Deletes the files. */
  remove(): Promise<void>;
}

/** The authority signed all but `unknownAuthority`. */
export interface Certificates extends SignedCertificate {
  /** As `valid`, but expired yesterday. */
  readonly expired: Certificate;
  /** For another host alone. */
  readonly wrongHost: Certificate;
  /** As `valid`, signed by an untrusted authority. */
  readonly unknownAuthority: Certificate;
  /** As `valid`, signed by itself. */
  readonly selfSigned: Certificate;
}

const LOOPBACK = ["IP:127.0.0.1", "IP:::1", "DNS:localhost"];

/**
 * Makes an authority and a certificate with the `openssl` binary (tried with 3.0 and 3.5, package `openssl` on Debian) in a new
 * temporary folder. `names` are further DNS names and addresses of the certificate.
 *
 * @throws when `openssl` is missing or fails.
 */
export async function makeSignedCertificate(names: readonly string[] = []): Promise<SignedCertificate> {
  return signedIn(await newFolder(), hostsOf(names));
}

/** Makes the others, too. */
export async function makeCertificates(names: readonly string[] = []): Promise<Certificates> {
  const folder = await newFolder();
  const hosts = hostsOf(names);
  const [signed] = await Promise.all([signedIn(folder, hosts), makeAuthority(folder, "stranger")]);
  const expired = await makeCertificate(folder, "expired", { authority: "ca", hosts, days: -1 });
  const wrongHost = await makeCertificate(folder, "wrong-host", {
    authority: "ca",
    hosts: ["DNS:elsewhere.example.test"],
    days: 30,
  });
  const unknownAuthority = await makeCertificate(folder, "unknown", { authority: "stranger", hosts, days: 30 });
  const selfSigned = await makeSelfSigned(folder, hosts);
  return { ...signed, expired, wrongHost, unknownAuthority, selfSigned };
}

function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "esc-server-tls-"));
}

function hostsOf(names: readonly string[]): readonly string[] {
  return [...LOOPBACK, ...names.map((name) => `${isIP(name) === 0 ? "DNS" : "IP"}:${name}`)];
}

async function signedIn(folder: string, hosts: readonly string[]): Promise<SignedCertificate> {
  await makeAuthority(folder, "ca");
  const valid = await makeCertificate(folder, "valid", { authority: "ca", hosts, days: 30 });
  const caFile = join(folder, "ca.pem");
  return {
    ca: await readFile(caFile, "utf8"),
    caFile,
    valid,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

async function makeAuthority(folder: string, name: string): Promise<void> {
  const config = join(folder, `${name}.cnf`);
  await writeFile(
    config,
    [
      "[req]",
      "distinguished_name = subject",
      "x509_extensions = authority",
      "prompt = no",
      "[subject]",
      `CN = Test authority ${name}`,
      "[authority]",
      "basicConstraints = critical, CA:TRUE",
      "keyUsage = critical, keyCertSign",
      "subjectKeyIdentifier = hash",
    ].join("\n"),
  );
  const files = ["-keyout", join(folder, `${name}.key`), "-out", join(folder, `${name}.pem`)];
  await run("openssl", ["req", "-x509", "-config", config, ...NEW_KEY, ...files, "-days", "30"]);
}

async function makeSelfSigned(folder: string, hosts: readonly string[]): Promise<Certificate> {
  const [key, cert] = [join(folder, "self.key"), join(folder, "self.pem")];
  const subject = ["-subj", "/CN=Test server", "-addext", `subjectAltName = ${hosts.join(", ")}`];
  await run("openssl", ["req", "-x509", ...subject, ...NEW_KEY, "-keyout", key, "-out", cert, "-days", "30"]);
  return { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") };
}

interface Signing {
  readonly authority: string;
  readonly hosts: readonly string[];
  /** Days from now to the end, more than -2; negative for a certificate that has expired. */
  readonly days: number;
}

/** The days for which a certificate has been valid, unless it has expired in that time. */
const START_DAYS = 2;

/** Returns a date as OpenSSL and X.509 write it (RFC 5280, 4.1.2.5.2). */
function dateAfter(days: number): string {
  const date = new Date(Date.now() + days * 24 * 3600 * 1000);
  return date.toISOString().replaceAll(/[-T:]|\.\d+/g, "");
}

async function makeCertificate(folder: string, name: string, signing: Signing): Promise<Certificate> {
  const file = (extension: string): string => join(folder, `${name}.${extension}`);
  const authority = (extension: string): string => join(folder, `${signing.authority}.${extension}`);
  await writeFile(
    file("cnf"),
    ["[req]", "distinguished_name = subject", "prompt = no", "[subject]", `CN = Test server ${name}`].join("\n"),
  );
  await writeFile(
    file("ext"),
    [`subjectAltName = ${signing.hosts.join(", ")}`, "extendedKeyUsage = serverAuth"].join("\n"),
  );
  await run("openssl", [
    "req",
    "-new",
    "-config",
    file("cnf"),
    ...NEW_KEY,
    "-keyout",
    file("key"),
    "-out",
    file("csr"),
  ]);
  // Neither `x509 -days` of OpenSSL 3.5 nor `x509 -not_after` of those before 3.4 makes a certificate that has expired.
  await writeFile(file("index"), "");
  await writeFile(
    file("ca.cnf"),
    [
      "[ca]",
      "default_ca = authority",
      "[authority]",
      `database = ${file("index")}`,
      `new_certs_dir = ${folder}`,
      "default_md = sha256",
      "rand_serial = yes",
      "policy = policy",
      "[policy]",
      "commonName = supplied",
    ].join("\n"),
  );
  const period = ["-startdate", dateAfter(-START_DAYS), "-enddate", dateAfter(signing.days)];
  const signer = ["-config", file("ca.cnf"), "-cert", authority("pem"), "-keyfile", authority("key")];
  const files = ["-in", file("csr"), "-extfile", file("ext"), "-out", file("pem")];
  await run("openssl", ["ca", "-batch", "-notext", ...signer, ...period, ...files]);
  return { cert: await readFile(file("pem"), "utf8"), key: await readFile(file("key"), "utf8") };
}
