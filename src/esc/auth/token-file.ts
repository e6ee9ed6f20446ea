/** Reads a token from the file or pipe that a variable such as `ESC_TOKEN_FILE` names. */
import type { Stats } from "node:fs";
import { resolve } from "node:path";
import { shellWord } from "../../core/shell.ts";
import { printable } from "../../core/text.ts";
import { readNamedFile } from "../../system/bounded-read.ts";
import { systemErrorCode } from "../../system/errors.ts";
import { isExposed } from "../../system/ownership.ts";
import { isReachableByOthers } from "../../system/reachable.ts";
import { EscFault } from "../faults/esc-fault.ts";
import { isToken, Secret } from "../settings/secret.ts";

/** The limit on the size of the file. It is above the length of any token. A wrong file, such as a device, may have no end. */
const MAX_TOKEN_BYTES = 64 * 1024;
/** The limit on the time until a pipe must have ended. */
export const MAX_PIPE_MS = 5000;

/**
 * Reads a token.
 *
 * @param variable the variable that names the file, for messages
 * @param remarks gets a line if the file is world-readable
 * @param remainingMs the time until the deadline; a pipe must end before it
 * @throws EscFault (file)
 */
export async function readTokenFile(
  variable: string,
  path: string,
  remarks: string[],
  remainingMs = MAX_PIPE_MS,
): Promise<Secret> {
  // Accepts any file, but warns if other users can read the token.
  const accept = (stats: Stats): boolean => {
    if (isExposed(path, stats) && isReachableByOthers(resolve(path)))
      remarks.push(`${printable(path)} is world-readable: chmod 600 ${shellWord(path)}`);
    return true;
  };
  let text: string;
  try {
    const pipeWaitMs = Math.min(MAX_PIPE_MS, remainingMs);
    text = (await readNamedFile(path, { maxBytes: MAX_TOKEN_BYTES, pipeWaitMs, accept })).toString("utf8");
  } catch (error) {
    throw new EscFault({ kind: "file", variable, path, code: systemErrorCode(error) ?? "UNKNOWN" });
  }
  // Editors and `echo` end a file with a line break.
  const token = text.trim();
  if (!isToken(token)) throw new EscFault({ kind: "file", variable, path, code: token === "" ? "empty" : "malformed" });
  return new Secret(token);
}
