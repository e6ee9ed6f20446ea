/* Runs the calls of node:crypto in a file, and prints for each call a line with the result or the error. */
const crypto = require("node:crypto");
const { readFileSync, writeSync } = require("node:fs");

const bytes = (hex) => Buffer.from(hex, "hex");
const hex = (value) => Buffer.from(value).toString("hex");

const CALLS = {
  hash: (name, parts, encoding) => {
    const hash = crypto.createHash(name);
    for (const [data, from] of parts) hash.update(data, from);
    return hash.digest(encoding);
  },
  hmac: (name, key, data, encoding) => crypto.createHmac(name, key).update(data).digest(encoding),
  hmacOfBytes: (name, key, data) => crypto.createHmac(name, bytes(key)).update(bytes(data)).digest("hex"),
  once: (name, data, encoding) => crypto.hash?.(name, data, encoding) ?? "",
  hkdf: (name, key, salt, info, length) => hex(crypto.hkdfSync(name, bytes(key), salt, bytes(info), length)),
  equal: (left, right) => crypto.timingSafeEqual(bytes(left), bytes(right)),
  seal: (name, key, vector, bound, text) => {
    const cipher = crypto.createCipheriv(name, bytes(key), bytes(vector));
    cipher.setAAD(bytes(bound));
    const whole = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return hex(whole) + hex(cipher.getAuthTag());
  },
  open: (key, vector, bound, sealed, tag) => {
    const cipher = crypto.createDecipheriv("aes-256-gcm", bytes(key), bytes(vector), { authTagLength: 16 });
    cipher.setAAD(bytes(bound)).setAuthTag(bytes(tag));
    const text = cipher.update(bytes(sealed));
    cipher.final();
    return text.toString("utf8");
  },
  order: (steps) => {
    const cipher = crypto.createCipheriv("aes-256-gcm", Buffer.alloc(32), Buffer.alloc(12));
    return steps.map((step) => {
      if (step === "aad") return void cipher.setAAD(Buffer.from("x"));
      if (step === "update") return hex(cipher.update("text"));
      return hex(step === "final" ? cipher.final() : cipher.getAuthTag());
    });
  },
  twice: (isKeyed, isUpdate) => {
    const hash = isKeyed ? crypto.createHmac("sha256", "key") : crypto.createHash("sha256");
    hash.digest();
    return isUpdate ? hash.update("x").digest("hex") : hash.digest("hex");
  },
  random: (size) => crypto.randomBytes(size).length,
  integer: (low, high) => {
    const value = crypto.randomInt(low, high ?? undefined);
    return Number.isSafeInteger(value) && value >= (high === null ? 0 : low) && value < (high ?? low);
  },
  certificate: (text) => typeof new crypto.X509Certificate(text),
};

const lines = JSON.parse(readFileSync(process.argv[2], "utf8")).map(([name, ...values]) => {
  try {
    const result = CALLS[name](...values);
    return JSON.stringify(Buffer.isBuffer(result) ? ["bytes", hex(result)] : result);
  } catch (error) {
    return `${error.constructor.name} ${error.code}`;
  }
});
writeSync(1, `${lines.join("\n")}\n`);
crypto.pbkdf2("pässword", Buffer.from("salt"), 1000, 40, "sha256", (error, key) => {
  writeSync(1, `${error} ${hex(key)}\n`);
});
writeSync(1, "first\n");
