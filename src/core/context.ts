import type { Environment } from "./model.ts";

/** All that the program knows of the process it runs in. Made by `main` alone. */
export interface Context {
  readonly environment: Environment;
  readonly cwd: string;
  /** Writes the text as it is to the standard output; gives the system's word if it could not. */
  readonly out: (text: string) => string | undefined;
  readonly err: (text: string) => void;
  /** One line of the standard input, without its end; undefined where there is none. */
  readonly readLine: () => Promise<string | undefined>;
  /** As `readLine`, of a terminal that does not show it. */
  readonly readHidden: (prompt: string) => Promise<string | undefined>;
  /** All of the standard input. @throws SophiaError (input, 125) where it is too long or does not end in time */
  readonly readInput: () => Promise<Uint8Array>;
  readonly isTerminal: (descriptor: 0 | 1 | 2) => boolean;
}
