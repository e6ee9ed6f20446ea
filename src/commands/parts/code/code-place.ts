/** The place in the code that a message of `init` or `check --code` names. */
import { printable } from "../../../core/text.ts";

/** A line of a file. The path is relative to the working directory, or to the folder of the project. */
export interface CodePlace {
  readonly file: string;
  readonly line: number;
}

/** Describes a place as editors and terminals recognize it: `src/server.ts:12`. */
export function placeWords({ file, line }: CodePlace): string {
  return `${printable(file)}:${line}`;
}
