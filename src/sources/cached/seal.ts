/** Encryption of what is kept. Loads node:crypto, which a start without the cache does without. */

/** Changes with what is kept and how: what another version wrote does not open. */
const FORMAT = 1;
const MARK = Buffer.from(`sophia-run ${FORMAT}\n`);
const SALT_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = MARK.length + SALT_BYTES + IV_BYTES;
const CIPHER = "aes-256-gcm";

const { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } =
  process.getBuiltinModule("node:crypto");

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

/** @returns undefined where one bit is another one, or the token, or what it is bound to */
export function open(bytes: Buffer, token: string, bound: string): string | undefined {
  if (bytes.length < HEAD_BYTES + TAG_BYTES || !bytes.subarray(0, MARK.length).equals(MARK)) return undefined;
  const head = bytes.subarray(0, HEAD_BYTES);
  const decipher = createDecipheriv(CIPHER, keyFor(head, token), ivIn(head), { authTagLength: TAG_BYTES });
  decipher.setAAD(authenticated(head, bound));
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
  const text = decipher.update(bytes.subarray(HEAD_BYTES, bytes.length - TAG_BYTES));
  try {
    return Buffer.concat([text, decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}

/** A name for what is bound to this; it tells nothing of it. */
export function nameFor(bound: string): string {
  return createHash("sha256").update(bound).digest("hex").slice(0, 32);
}

/** A name that nobody can guess. */
export function randomName(): string {
  return randomBytes(8).toString("hex");
}

/**
 * HKDF with SHA-256 (RFC 5869) for one block, which is 32 bytes. Node's own costs a start a millisecond more than what it
 * is made of.
 */
function keyFor(head: Buffer, token: string): Buffer {
  const salt = head.subarray(MARK.length, MARK.length + SALT_BYTES);
  const extracted = createHmac("sha256", salt).update(token).digest();
  return createHmac("sha256", extracted).update(MARK).update(Buffer.of(1)).digest();
}

function ivIn(head: Buffer): Buffer {
  return head.subarray(MARK.length + SALT_BYTES, HEAD_BYTES);
}

function authenticated(head: Buffer, bound: string): Buffer {
  return Buffer.concat([head, Buffer.from(bound)]);
}
