import { SophiaError } from "../core/error.ts";
import { systemErrorCode } from "./errors.ts";

/** The longest environment variable that Linux passes on. */
const MOST_BYTES = 131_072;
/** The program that writes it may ask the user first. */
const LIMIT_MS = 120_000;

/**
 * Reads all of the standard input.
 *
 * @throws SophiaError (input, 125) if it is longer than any variable, does not end within two minutes or cannot be read
 */
export async function readInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  const timer = setTimeout(() => process.stdin.destroy(failure("did not end within 2 minutes")), LIMIT_MS);
  try {
    for await (const chunk of process.stdin) {
      const bytes = Buffer.from(chunk);
      length += bytes.length;
      if (length > MOST_BYTES) throw failure("is longer than 128 KiB, the most that a variable may have");
      chunks.push(bytes);
    }
  } catch (error) {
    if (error instanceof SophiaError) throw error;
    throw failure(`cannot be read (${systemErrorCode(error) ?? "UNKNOWN"})`);
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks);
}

function failure(what: string): SophiaError {
  return new SophiaError({
    code: "input",
    message: `the standard input ${what}`,
    hint: "give the value, and nothing else",
  });
}
