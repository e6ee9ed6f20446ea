/**
 * Encrypts and decrypts the entries of the cache (`--cache`), which hold the values that ESC returned to one token, and names their files.
 * An entry is these bytes, one after the other:
 *
 *     "sophia-run 1\n"  salt (32)  initialization vector (12)  encrypted text  authentication tag (16)
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

/** The version of this format. Entries of another version are not decrypted. */
const FORMAT_VERSION = 1;
const MARK = Buffer.from(`sophia-run ${FORMAT_VERSION}\n`);
const SALT_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const HEAD_BYTES = MARK.length + SALT_BYTES + IV_BYTES;
const CIPHER = "aes-256-gcm";

/**
 * Encrypts a text by AES-256-GCM (NIST SP 800-38D). HKDF (RFC 5869) derives the key from the token and a new salt, so that each
 * key encrypts only one text.
 *
 * @param bound says which service and environments the values are from. `decrypt` needs the same text; the entry does not contain it
 */
export function encrypt(text: string, token: string, bound: string): Buffer {
  const head = Buffer.concat([MARK, randomBytes(SALT_BYTES), randomBytes(IV_BYTES)]);
  const cipher = createCipheriv(CIPHER, keyFor(head, token), ivIn(head));
  cipher.setAAD(authenticatedData(head, bound));
  const encrypted = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([head, encrypted, cipher.getAuthTag()]);
}

/** Decrypts an entry. @returns undefined if one bit of the entry, of the token or of `bound` differs */
export function decrypt(bytes: Buffer, token: string, bound: string): string | undefined {
  if (bytes.length < HEAD_BYTES + TAG_BYTES || !bytes.subarray(0, MARK.length).equals(MARK)) return undefined;
  const head = bytes.subarray(0, HEAD_BYTES);
  const tag = bytes.subarray(-TAG_BYTES);
  const decipher = createDecipheriv(CIPHER, keyFor(head, token), ivIn(head), { authTagLength: TAG_BYTES });
  decipher.setAAD(authenticatedData(head, bound));
  decipher.setAuthTag(tag);
  const text = decipher.update(bytes.subarray(HEAD_BYTES, -TAG_BYTES));
  try {
    // Throws if the text is not authentic. Until then it must not be used.
    decipher.final();
    return text.toString("utf8");
  } catch {
    return undefined;
  }
}

/**
 * Returns the name of an entry's file, which reveals neither `bound` nor the token. The part before the dash depends only on
 * `bound`, so that the entries of all tokens for the same environments can be found.
 */
export function entryNameFor(bound: string, token: string): string {
  const hashes = [MARK, token].map((key) => createHmac("sha256", key).update(bound).digest("hex"));
  return hashes.map((hash) => hash.slice(0, 32)).join("-");
}

/** Returns a name for a temporary file, which no other user can guess. */
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

/** Returns the bytes that are authenticated without being encrypted. */
function authenticatedData(head: Buffer, bound: string): Buffer {
  return Buffer.concat([head, Buffer.from(bound)]);
}
