/** Words for `.env` files that do not serve. */
import { SophiaError } from "../../core/error.ts";
import { shellWord } from "../../core/shell.ts";
import { printable } from "../../core/text.ts";
import { describeDistrust } from "../../system/distrust.ts";
import type { Distrust } from "../../system/ownership.ts";

/** By what a file is named. */
const GIVEN = "--dotenv, SOPHIA_DOTENV, or FILE of import";

/** A file that was found and does not count. */
export function passedOver(path: string, distrust: Distrust): string {
  const { what, fix } = describeDistrust(distrust, path);
  const naming = `--dotenv ${shellWord(path)} reads it all the same`;
  return `${printable(path)} is passed over: ${what}; ${fix === undefined ? "" : `${fix}, or `}${naming}`;
}

/** A file that cannot be read, by the code that `systemErrorCode` gives, or `NOT_UTF8`. */
export function unreadable(path: string, code: string): SophiaError {
  const shown = printable(path);
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return failure(`the env file ${shown} does not exist`, `check the path that was given (${GIVEN})`);
    case "EISDIR":
      return failure(
        `${shown} is a folder, not a file of variables`,
        `name the right file (${GIVEN}), or move the folder`,
      );
    case "EACCES":
    case "EPERM":
      return failure(
        `${shown} cannot be read: permission denied`,
        "give the user who starts sophia-run the right to read it",
      );
    case "NOT_A_FILE":
      return failure(`${shown} is a device or a socket, not a file of variables`, `name a file (${GIVEN})`);
    case "NOT_UTF8":
      return failure(`${shown} is not valid UTF-8`, "save the file as UTF-8");
    case "TOO_LARGE":
      return failure(
        `${shown} is larger than 4 MiB, the most that a file of variables may have`,
        `name the right file (${GIVEN}), or split it`,
      );
    case "NO_END":
      return failure(
        `${shown} is a pipe that did not end within 5 s`,
        `check the program that writes to it, or name a file (${GIVEN})`,
      );
    default:
      return failure(`${shown} cannot be read (${code})`, `check the file, or name another (${GIVEN})`);
  }
}

function failure(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "dotenv", message, hint });
}
