import type { Environment } from "./model.ts";

export interface Folders {
  /** The working directory: the program's, and that of paths on the command line. */
  readonly cwd: string;
  /** The absolute path from which contract and `.env` are looked for: the working directory, or that of `--project`. */
  readonly project: string;
}

/** The process that the program runs in: the only access to its environment and streams. `main` creates it. */
export interface Context extends Folders {
  /** ` --project DIR`, for commands to paste. */
  readonly projectOption?: string;
  readonly environment: Environment;
  /** Writes to the standard output. Returns the system's error code if that failed. */
  readonly out: (text: string) => string | undefined;
  readonly err: (text: string) => void;
  /**
   * Writes data for programs, and commands to GitHub's runner, as they are. From other text `out` and `err` remove what the
   * runner would execute. Returns the system's error code if that failed.
   */
  readonly raw: (to: 1 | 2, data: string | Uint8Array) => string | undefined;
  /**
   * Prints a question to standard error and reads the line that answers it, without its line end. What was typed at a terminal
   * before is discarded. Returns undefined at the end of the input.
   */
  readonly readLine: (question: string) => Promise<string | undefined>;
  /** The same, while the terminal does not show what is typed. */
  readonly readHidden: (question: string) => Promise<string | undefined>;
  /** Reads all of the standard input. @throws SophiaError (input, 125) if it is too long or does not end in time */
  readonly readInput: () => Promise<Uint8Array>;
  /** Yields the standard input as it comes. @throws SophiaError (input, 125) if it cannot be read */
  readonly readChunks: () => AsyncIterable<Uint8Array>;
  readonly isTerminal: (descriptor: 0 | 1 | 2) => boolean;
}
