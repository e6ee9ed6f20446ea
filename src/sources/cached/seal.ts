/** Encryption of cache entries. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

/** Changes with the form of the entries: those of another version are not decrypted. */
const FORMAT = 1;
const MARK = Buffer.from(`sophia-run ${FORMAT}\n`);
const SALT_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const HEAD_BYTES = MARK.length + SALT_BYTES + IV_BYTES;
const CIPHER = "aes-256-gcm";

/**
 * Encrypts by AES-256-GCM (NIST SP 800-38D), with a key that HKDF (RFC 5869) derives from the token and a new salt: each
 * key encrypts only one text. `bound` must be the same at the decryption; the result does not contain it.
 */
export function seal(text: string, token: string, bound: string): Buffer {
  const head = Buffer.concat([MARK, randomBytes(SALT_BYTES), randomBytes(IV_BYTES)]);
  const cipher = createCipheriv(CIPHER, keyFor(head, token), ivIn(head));
  cipher.setAAD(authenticated(head, bound));
  const encrypted = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([head, encrypted, cipher.getAuthTag()]);
}

/** Decrypts. @returns undefined if authentication fails: one bit, the token or `bound` differs */
export function open(bytes: Buffer, token: string, bound: string): string | undefined {
  if (bytes.length < HEAD_BYTES + TAG_BYTES || !bytes.subarray(0, MARK.length).equals(MARK)) return undefined;
  const head = bytes.subarray(0, HEAD_BYTES);
  const tag = bytes.subarray(-TAG_BYTES);
  const decipher = createDecipheriv(CIPHER, keyFor(head, token), ivIn(head), { authTagLength: TAG_BYTES });
  decipher.setAAD(authenticated(head, bound));
  decipher.setAuthTag(tag);
  const text = decipher.update(bytes.subarray(HEAD_BYTES, -TAG_BYTES));
  try {
    decipher.final();
    return text.toString("utf8");
  } catch {
    return undefined;
  }
}

/** Returns a name that reveals neither `bound` nor the token. Up to its dash it is the same for all tokens. */
export function nameFor(bound: string, token: string): string {
  const hashes = [MARK, token].map((key) => createHmac("sha256", key).update(bound).digest("hex"));
  return hashes.map((hash) => hash.slice(0, 32)).join("-");
}

/** Returns a name that no other user can guess. */
export function randomName(): string {
  return randomBytes(8).toString("hex");
}

function keyFor(head: Buffer, token: string): Uint8Array {
  const salt = head.subarray(MARK.length, MARK.length + SALT_BYTES);
  return new Uint8Array(hkdfSync("sha256", token, salt, MARK, KEY_BYTES));
}

function ivIn(head: Buffer): Buffer {
  return head.subarray(MARK.length + SALT_BYTES, HEAD_BYTES);
}

function authenticated(head: Buffer, bound: string): Buffer {
  return Buffer.concat([head, Buffer.from(bound)]);
}
