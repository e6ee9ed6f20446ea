/**
 * The type of the first argument of each command: the folders, the environment and the streams with which sophia-run works. The
 * code uses them instead of `process`, so that tests and the GitHub Action can pass others.
 */
import type { Environment } from "./model.ts";

export interface Folders {
  /** The working directory of this process and of the program. Paths on the command line are relative to it. */
  readonly cwd: string;
  /** The absolute path from which contract and `.env` are looked for: the folder of `--project`, otherwise `cwd`. */
  readonly project: string;
}

/** Everything that a command uses of its process. `main` makes it for sophia-run, and src/action for the GitHub Action. */
export interface Context extends Folders {
  /**
   * ` --project DIR`, with a space in front, if the user has set this option. Messages append it to the commands that they
   * show, so that the commands work when pasted.
   */
  readonly projectOption?: string;
  readonly environment: Environment;
  /** Writes to the standard output. @returns the system's error code if that failed */
  readonly out: (text: string) => string | undefined;
  /** Writes to standard error. A failure is ignored, because it could not be reported anywhere else. */
  readonly err: (text: string) => void;
  /**
   * Writes data for programs, and commands for GitHub's runner, unchanged. In other text, `out` and `err` make harmless what
   * that runner would execute. @returns the system's error code if that failed
   */
  readonly raw: (descriptor: 1 | 2, data: string | Uint8Array) => string | undefined;
  /**
   * Prints a question to standard error, and reads the line that answers it, without its line end. Input that was typed at a
   * terminal before the question is discarded. @returns undefined at the end of the input
   */
  readonly readLine: (question: string) => Promise<string | undefined>;
  /** Does the same as `readLine`, while the terminal does not show what is typed. */
  readonly readHidden: (question: string) => Promise<string | undefined>;
  /** Reads all of the standard input. @throws SophiaError (input, 125) if it is too long or does not end in time */
  readonly readInput: () => Promise<Uint8Array>;
  /** Yields the standard input as it arrives. @throws SophiaError (input, 125) if it cannot be read */
  readonly readChunks: () => AsyncIterable<Uint8Array>;
  /** Returns true if this standard stream is a terminal. */
  readonly isTerminal: (descriptor: 0 | 1 | 2) => boolean;
}
