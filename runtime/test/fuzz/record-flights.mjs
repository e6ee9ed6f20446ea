// Records what TLS servers send first, for corpus/tls: `node runtime/test/fuzz/record-flights.mjs`. Each recording replaces the one
// before; a client that gets it again reads all that is not encrypted.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";

const CORPUS = join(import.meta.dirname, "corpus/tls");
const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
const RSA = ["-newkey", "rsa:2048"];

/** The options of the server, and the kind of its key, by the name of the recording. */
const SERVERS = {
  "1.2-ecdsa": { key: EC, minVersion: "TLSv1.2", maxVersion: "TLSv1.2" },
  "1.2-rsa": { key: RSA, minVersion: "TLSv1.2", maxVersion: "TLSv1.2" },
  "1.2-client-certificate": { key: EC, minVersion: "TLSv1.2", maxVersion: "TLSv1.2", requestCert: true },
  "1.3-ecdsa": { key: EC, minVersion: "TLSv1.3", ALPNProtocols: ["http/1.1"] },
  "1.3-rsa": { key: RSA, minVersion: "TLSv1.3" },
  // The client has sent a share for another group, so the server asks it for one of this group.
  "1.3-hello-retry": { key: EC, minVersion: "TLSv1.3", ecdhCurve: "P-521" },
  "alert-no-protocol": { key: EC, ALPNProtocols: ["other"] },
};

const folder = mkdtempSync(join(tmpdir(), "sophia-run-flights-"));
try {
  for (const [name, { key, ...options }] of Object.entries(SERVERS)) {
    writeFileSync(join(CORPUS, `${name}.bin`), await recordFlight(makeCertificate(key), options));
  }
} finally {
  rmSync(folder, { recursive: true });
}

function makeCertificate(kind) {
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const request = ["req", "-x509", ...kind, "-nodes", "-subj", "/CN=localhost", "-days", "2"];
  execFileSync("openssl", [...request, "-keyout", key, "-out", certificate], { stdio: "pipe" });
  return { key: readFileSync(key), cert: readFileSync(certificate) };
}

/** Returns the bytes that the server sends before the client's second flight. */
async function recordFlight(certificate, options) {
  const server = createTlsServer({ ...certificate, ...options }, (socket) => {
    socket.on("error", () => {});
  }).on("tlsClientError", () => {});
  const flight = [];
  const proxy = createServer((client) => {
    const upstream = connect(server.address().port, "127.0.0.1");
    let clientFlights = 0;
    client.on("data", (bytes) => {
      clientFlights += 1;
      upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      if (clientFlights === 1) flight.push(bytes);
      client.write(bytes);
    });
    client.on("error", () => {}).on("close", () => upstream.destroy());
    upstream.on("error", () => {}).on("close", () => client.destroy());
  });
  for (const each of [server, proxy]) await once(each.listen(0, "127.0.0.1"), "listening");
  const client = connectTls({ port: proxy.address().port, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] });
  client.on("error", () => {}).on("secureConnect", () => client.end());
  await new Promise((resolve) => {
    client.on("close", resolve);
  });
  for (const each of [server, proxy]) each.close();
  return Buffer.concat(flight);
}
