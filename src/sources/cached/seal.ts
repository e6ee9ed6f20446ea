/**
 * Encrypts and decrypts the entries of the cache (`--cache`), which hold the values that ESC returned to one token, and names their files.
 * An entry is these bytes, one after the other:
 *
 *     "sophia-run 1\n"  salt (32)  initialization vector (12)  encrypted text  authentication tag (16)
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

/** The version of this format. Entries of another version are not decrypted. */
const FORMAT_VERSION = 1;
const FORMAT_MARK = Buffer.from(`sophia-run ${FORMAT_VERSION}\n`);
const SALT_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const HEADER_BYTES = FORMAT_MARK.length + SALT_BYTES + IV_BYTES;
/** The length of each of the two hashes in the name of an entry's file, in hexadecimal digits. */
const HASH_DIGITS = 32;
const CIPHER = "aes-256-gcm";

/**
 * Encrypts a text by AES-256-GCM (NIST SP 800-38D). HKDF (RFC 5869) derives the key from the token and a new salt, so that each
 * key encrypts only one text.
 *
 * @param valuesOrigin names the service and environments of the values. `decrypt` needs the same text; the entry does not contain it
 */
export function encrypt(text: string, token: string, valuesOrigin: string): Buffer {
  const header = Buffer.concat([FORMAT_MARK, randomBytes(SALT_BYTES), randomBytes(IV_BYTES)]);
  const cipher = createCipheriv(CIPHER, deriveKey(header, token), initializationVectorIn(header));
  cipher.setAAD(additionalAuthenticatedData(header, valuesOrigin));
  const encrypted = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([header, encrypted, cipher.getAuthTag()]);
}

/** Decrypts an entry. @returns undefined if one bit of the entry, of the token or of `valuesOrigin` differs */
export function decrypt(bytes: Buffer, token: string, valuesOrigin: string): string | undefined {
  if (bytes.length < HEADER_BYTES + TAG_BYTES || !bytes.subarray(0, FORMAT_MARK.length).equals(FORMAT_MARK))
    return undefined;
  const header = bytes.subarray(0, HEADER_BYTES);
  const tag = bytes.subarray(-TAG_BYTES);
  const decipher = createDecipheriv(CIPHER, deriveKey(header, token), initializationVectorIn(header), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(additionalAuthenticatedData(header, valuesOrigin));
  decipher.setAuthTag(tag);
  const text = decipher.update(bytes.subarray(HEADER_BYTES, -TAG_BYTES));
  try {
    // Throws if the text is not authentic. Until then it must not be used.
    decipher.final();
    return text.toString("utf8");
  } catch {
    return undefined;
  }
}

/**
 * Returns the name of an entry's file, which reveals neither `valuesOrigin` nor the token. The part before the dash depends only on
 * `valuesOrigin`, so that the entries of all tokens for the same environments can be found.
 */
export function entryNameFor(valuesOrigin: string, token: string): string {
  const [originHash, tokenHash] = [FORMAT_MARK, token].map((key) =>
    createHmac("sha256", key).update(valuesOrigin).digest("hex").slice(0, HASH_DIGITS),
  );
  return `${originHash}-${tokenHash}`;
}

/** Returns a name for a temporary file, which no other user can guess. */
export function randomName(): string {
  return randomBytes(8).toString("hex");
}

function deriveKey(header: Buffer, token: string): Uint8Array {
  const salt = header.subarray(FORMAT_MARK.length, FORMAT_MARK.length + SALT_BYTES);
  return new Uint8Array(hkdfSync("sha256", token, salt, FORMAT_MARK, KEY_BYTES));
}

function initializationVectorIn(header: Buffer): Buffer {
  return header.subarray(FORMAT_MARK.length + SALT_BYTES, HEADER_BYTES);
}

/** Returns the bytes that are authenticated without being encrypted ("AAD" in NIST SP 800-38D). */
function additionalAuthenticatedData(header: Buffer, valuesOrigin: string): Buffer {
  return Buffer.concat([header, Buffer.from(valuesOrigin)]);
}
