/* Prints the results of functions with random URLs, texts, addresses and certificates, which must be the same as in Node.js. */
const { X509Certificate, createHash } = require("node:crypto");
const { readFileSync, writeSync } = require("node:fs");
const net = require("node:net");
const tls = require("node:tls");
const { mutate, random } = require("./random.cjs");

const [, , seed, first, runs, authority] = process.argv;
const next = random(Number(seed) + Number(first));
const certificate = readFileSync(authority);
const [pem] = /-----BEGIN CERTIFICATE-----[^-]+/.exec(certificate.toString("latin1"));
const der = Buffer.from(pem.replace(/-----BEGIN CERTIFICATE-----/, ""), "base64");

const URLS = [
  "https://user:p%40ss@example.test:8443/a/../b?x=1&y=%C3%A9#z",
  "http://[::ffff:1.2.3.4]:80/",
  "https://xn--bcher-kva.example/%2e%2e/",
  "postgres://u:p@h:5432/db?sslmode=require",
  "http://0x7f.1/\\..//a b",
  "https://b\u00fccher.example./\u{1f642}?\ud800",
];
const ADDRESSES = ["::1", "fe80::1%eth0", "::ffff:127.0.0.1", "127.0.0.1", "2001:db8:0:0:1::"];
const ENCODINGS = ["utf8", "latin1", "ascii", "hex", "base64", "base64url", "utf16le"];

const outcome = (call) => {
  try {
    return call();
  } catch (error) {
    return [error.name, error.code];
  }
};

/* Node.js has the messages of OpenSSL, and the runtime those of AWS-LC, which rejects some certificates for another reason. */
const RUNS = [
  () => {
    const text = mutate(next, Buffer.from(URLS[next(URLS.length)])).toString("utf8");
    const base = next(3) === 0 ? URLS[next(2)] : undefined;
    const changes = next(4);
    return outcome(() => {
      const url = new URL(text, base);
      if (changes % 2 === 1) url.hostname = text.slice(0, 20);
      if (changes > 1) url.search = text;
      return [url.href, url.origin, url.host, Array.from(url.searchParams)];
    });
  },
  () => {
    const bytes = mutate(
      next,
      Buffer.from("a\u00e9\u20ac\u{1f642}\u{10ffff} YWJj-_+/== 00ff\ufeff".repeat(1 + next(20))),
      20,
    );
    const text = bytes.toString(ENCODINGS[next(ENCODINGS.length)]);
    const encoding = ENCODINGS[next(ENCODINGS.length)];
    // The runtime represents bytes of the system that are not UTF-8 by U+DC80 to U+DCFF.
    if (/[\udc80-\udcff]/.test(text) && /utf-?8/.test(encoding)) return [text.length];
    const again = Buffer.from(text, encoding);
    const small = Buffer.alloc(next(30), 1);
    const written = small.write(text, next(small.length + 1), encoding);
    return [
      text,
      again,
      small,
      written,
      bytes.indexOf(again.subarray(0, 3), next(40) - 20),
      bytes.lastIndexOf(again.subarray(0, 2), next(40) - 20),
    ];
  },
  () => {
    const text = mutate(next, Buffer.from(ADDRESSES[next(ADDRESSES.length)]), 2).toString("latin1");
    return [text, net.isIP(text)];
  },
  () => {
    const bytes = mutate(next, der, 2);
    const changed = mutate(next, certificate, 10);
    outcome(() => void new X509Certificate(bytes));
    const whole = `-----BEGIN CERTIFICATE-----\n${bytes.toString("base64")}\n-----END CERTIFICATE-----\n`;
    outcome(() => void tls.createSecureContext({ ca: whole }));
    outcome(() => void tls.createSecureContext({ ca: changed }));
    return [];
  },
];

for (let run = 0; run < Number(runs); run += 1) {
  const kind = run % RUNS.length;
  const result = JSON.stringify(RUNS[kind]());
  writeSync(
    1,
    `${run} ${kind} ${process.argv[6] === "all" ? result : createHash("sha256").update(result).digest("hex")}\n`,
  );
}
