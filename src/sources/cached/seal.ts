/**
 * Encryption of what is kept. A start that it serves opens by the addon: node:crypto takes eight milliseconds to load,
 * as much as all the rest of such a start.
 */
import { loadAddon } from "../../system/addon/addon.ts";

/** Changes with what is kept and how: what another version wrote does not open. */
const FORMAT = 1;
const MARK = Buffer.from(`sophia-run ${FORMAT}\n`);
const SALT_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = MARK.length + SALT_BYTES + IV_BYTES;
const CIPHER = "aes-256-gcm";

const crypto = (): typeof import("node:crypto") => process.getBuiltinModule("node:crypto");

/**
 * Encrypts by AES-256-GCM (NIST SP 800-38D), with a key that HKDF (RFC 5869) derives from the token and a new salt. So
 * each key encrypts one text alone.
 *
 * @param bound what has to be the same when it is opened; it is not in the result
 */
export function seal(text: string, token: string, bound: string): Buffer {
  const { createCipheriv, randomBytes } = crypto();
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
  const opened = openAes(keyFor(head, token), ivIn(head), authenticated(head, bound), bytes.subarray(HEAD_BYTES));
  return opened?.toString("utf8");
}

/**
 * A name for an entry, which tells neither what it is bound to nor the token. It begins alike for all tokens, and has one
 * dash.
 */
export function nameFor(bound: string, token: string): string {
  const text = Buffer.from(bound);
  return [hmac(MARK, text), hmac(Buffer.from(token), text)].map((hash) => hash.toString("hex").slice(0, 32)).join("-");
}

/** A name that nobody can guess. */
export function randomName(): string {
  return crypto().randomBytes(8).toString("hex");
}

/** HKDF with SHA-256 (RFC 5869) for one block, which is 32 bytes. */
function keyFor(head: Buffer, token: string): Buffer {
  const salt = head.subarray(MARK.length, MARK.length + SALT_BYTES);
  return hmac(hmac(salt, Buffer.from(token)), Buffer.concat([MARK, Buffer.of(1)]));
}

function hmac(key: Buffer, data: Buffer): Buffer {
  return loadAddon()?.hmacSha256?.(key, data) ?? crypto().createHmac("sha256", key).update(data).digest();
}

/** @returns undefined where a bit of any of them is another one */
function openAes(key: Buffer, iv: Buffer, bound: Buffer, sealed: Buffer): Buffer | undefined {
  const addon = loadAddon();
  if (addon?.openAes256Gcm !== undefined) return addon.openAes256Gcm(key, iv, bound, sealed);
  const decipher = crypto().createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(bound);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const text = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
  try {
    return Buffer.concat([text, decipher.final()]);
  } catch {
    return undefined;
  }
}

function ivIn(head: Buffer): Buffer {
  return head.subarray(MARK.length + SALT_BYTES, HEAD_BYTES);
}

function authenticated(head: Buffer, bound: string): Buffer {
  return Buffer.concat([head, Buffer.from(bound)]);
}
