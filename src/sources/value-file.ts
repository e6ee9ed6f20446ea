/**
 * Reads files whose whole content is the value of one variable. The caller names such a file by a variable, or it is in a folder of
 * secrets:
 *
 *     API_KEY_FILE=/run/keys/api      the value of API_KEY
 *     /run/secrets/api-key            the value of API_KEY
 */
import { isUtf8 } from "node:buffer";
import { resolve } from "node:path";
import { SophiaError } from "../core/error.ts";
import { printable } from "../core/text.ts";
import { readFoundFile, readNamedFile } from "../system/bounded-read.ts";
import { systemErrorCode } from "../system/errors.ts";

/** The limit on the size of a file. The message for `TOO_LARGE` states it as well. */
const MAX_VALUE_BYTES = 65_536;

/** The bytes of U+FFFD, `EF BF BD`. Decoding puts this character in place of bytes that are not UTF-8. */
const REPLACEMENT_BYTES = Buffer.from("\uFFFD");

interface ValueFileOptions {
  readonly cwd: string;
  /** The variable or option that gives the path; undefined for a folder of the system. */
  readonly namedBy: string | undefined;
  /**
   * True for a file that was found in a folder, which must be a regular one. If false, the path is the value of a variable, in
   * which a secret may have been put by mistake, so that no message shows the path.
   */
  readonly isInFolder: boolean;
}

/**
 * Reads a value, without one line break at the end of the file.
 *
 * @throws SophiaError (value-file, 125) for a file that cannot be read, or whose content no variable can have
 */
export async function readValueFile(path: string, { cwd, namedBy, isInFolder }: ValueFileOptions): Promise<string> {
  const pathWithSource = printable(path) + (namedBy === undefined ? "" : ` (${namedBy})`);
  let bytes: Buffer;
  try {
    const options = { maxBytes: MAX_VALUE_BYTES };
    bytes = isInFolder ? readFoundFile(resolve(cwd, path), options) : await readNamedFile(resolve(cwd, path), options);
  } catch (error) {
    const code = systemErrorCode(error) ?? "unknown error";
    const [fault, hint = otherFileHint(namedBy)] = FAULTS.get(code) ?? [`cannot be read (${code})`];
    throw valueFileError(`${isInFolder ? pathWithSource : `the file in ${namedBy}`} ${fault}`, hint);
  }
  const text = bytes.toString();
  if (!isUtf8(bytes)) {
    const hint = "save the file as UTF-8, or encode what it holds, such as with base64";
    throw valueFileError(`byte ${findInvalidByte(text, bytes)} of ${pathWithSource} is not UTF-8`, hint);
  }
  const nulIndex = bytes.indexOf(0);
  if (nulIndex !== -1) {
    throw valueFileError(
      `byte ${nulIndex + 1} of ${pathWithSource} is a NUL character`,
      "remove it; no variable can contain one",
    );
  }
  return text.replace(/\r?\n$/, "");
}

/** Returns the number of the first byte that is not UTF-8, from 1. */
function findInvalidByte(text: string, bytes: Buffer): number {
  for (let position = text.indexOf("\uFFFD"); position !== -1; position = text.indexOf("\uFFFD", position + 1)) {
    const byte = Buffer.byteLength(text.slice(0, position));
    // If the file itself contains U+FFFD here, the byte is valid, and the search continues.
    if (!bytes.subarray(byte, byte + REPLACEMENT_BYTES.length).equals(REPLACEMENT_BYTES)) return byte + 1;
  }
  return bytes.length;
}

const MISSING = ["does not exist"] as const;
const FORBIDDEN = ["cannot be read: permission denied", "allow the user who starts sophia-run to read it"] as const;
/** The fault of a file, and what the user can do, by the errno or by the code of `bounded-read.ts`. */
const FAULTS = new Map<string, readonly [fault: string, hint?: string]>([
  ["ENOENT", MISSING],
  ["ENOTDIR", MISSING],
  ["EISDIR", ["is a folder, not a file with a value"]],
  ["EACCES", FORBIDDEN],
  ["EPERM", FORBIDDEN],
  ["NOT_A_FILE", ["is a device or a socket, not a file with a value"]],
  ["NOT_REGULAR", ["is not a regular file", "name a pipe by NAME_FILE in the environment"]],
  ["TOO_LARGE", ["is larger than 64 KiB, the most that a value may have"]],
  ["NO_END", ["is a pipe that did not end within 5 s", "check the program that writes to it"]],
]);

function otherFileHint(namedBy: string | undefined): string {
  return namedBy === undefined ? "put a file with the value there, or none" : `check the path in ${namedBy}`;
}

/** Returns the error (value-file, 125) about a file with a value, or about a folder of such files. */
export function valueFileError(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "value-file", message, hint });
}
