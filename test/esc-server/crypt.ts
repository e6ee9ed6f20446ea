/** Encrypts and decrypts the secrets of definitions, which the ESC server stores as ciphertext. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { isMap, isScalar, type Pair, parseDocument, type Scalar, visit, type YAMLMap } from "yaml";

/** Encrypts the secrets of definitions as the service does, under a key that lives as long as the server. */
export interface Crypt {
  encrypt(plain: string): string;
  /** `undefined` for what this server did not encrypt. */
  decrypt(cipher: string): string | undefined;
}

export function createCrypt(): Crypt {
  const key = randomBytes(32);
  return {
    encrypt(plain) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      const body = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64");
    },
    decrypt(text) {
      const bytes = Buffer.from(text, "base64");
      if (bytes.length < 28) return undefined;
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
      decipher.setAuthTag(bytes.subarray(12, 28));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString("utf8");
      } catch {
        return undefined;
      }
    },
  };
}

/** The definition with each plain `fn::secret` replaced by its ciphertext; all other text, comments too, stays. */
export function encryptSecrets(yaml: string, crypt: Crypt): string {
  return replaceSecrets(yaml, (value) =>
    isScalar(value) && typeof value.value === "string"
      ? `{ciphertext: ${JSON.stringify(crypt.encrypt(value.value))}}`
      : undefined,
  );
}

/** The definition with each ciphertext replaced by its plain text. */
export function decryptSecrets(yaml: string, crypt: Crypt): string {
  return replaceSecrets(yaml, (value) => {
    const cipher = isMap(value) ? value.get("ciphertext") : undefined;
    const plain = typeof cipher === "string" ? crypt.decrypt(cipher) : undefined;
    return plain === undefined ? undefined : JSON.stringify(plain);
  });
}

type SecretValue = Scalar | YAMLMap;

function replaceSecrets(yaml: string, replacement: (value: SecretValue) => string | undefined): string {
  const edits: { start: number; end: number; text: string }[] = [];
  visit(parseDocument(yaml), {
    Pair(_key, pair: Pair) {
      const { key, value } = pair;
      if (!isScalar(key) || key.value !== "fn::secret") return;
      if (!isScalar(value) && !isMap(value)) return;
      const text = replacement(value);
      if (text === undefined || !value.range) return;
      const [start, end] = value.range;
      // A block scalar's range ends after its line break, which must stay.
      edits.push({ start, end, text: yaml.slice(start, end).endsWith("\n") ? `${text}\n` : text });
    },
  });
  let result = "";
  let from = 0;
  for (const edit of edits) {
    result += yaml.slice(from, edit.start) + edit.text;
    from = edit.end;
  }
  return result + yaml.slice(from);
}
