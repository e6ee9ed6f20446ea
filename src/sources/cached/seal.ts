/** Encryption of what is kept. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

/** Changes with what is kept and how: what another version wrote does not open. */
const FORMAT = 1;
const MARK = Buffer.from(`sophia-run ${FORMAT}\n`);
const SALT_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const HEAD_BYTES = MARK.length + SALT_BYTES + IV_BYTES;
const CIPHER = "aes-256-gcm";

/**
 * Encrypts by AES-256-GCM (NIST SP 800-38D), with a key that HKDF (RFC 5869) derives from the token and a new salt. So
 * each key encrypts one text alone.
 *
 * @param bound what has to be the same when it is opened; it is not in the result
 */
export function seal(text: string, token: string, bound: string): Buffer {
  const head = Buffer.concat([MARK, randomBytes(SALT_BYTES), randomBytes(IV_BYTES)]);
  const cipher = createCipheriv(CIPHER, keyFor(head, token), ivIn(head));
  cipher.setAAD(authenticated(head, bound));
  const encrypted = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([head, encrypted, cipher.getAuthTag()]);
}

/** @returns undefined if authentication fails: one bit, the token or `bound` differs */
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

/**
 * Returns a name for an entry, which tells neither what it is bound to nor the token. It begins alike for all tokens, and
 * has one dash.
 */
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
