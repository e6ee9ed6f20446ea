/** A place in the source code of a project, as the messages of `init` and `check --code` show it. */
import { printable } from "../../../core/text.ts";

export interface CodePlace {
  /** The path of a file, relative to the working directory or to the project's folder. */
  readonly file: string;
  /** The line number, from 1. */
  readonly line: number;
}

/** Returns a place in the form that editors and terminals turn into a link: `src/server.ts:12`. */
export function describeCodePlace({ file, line }: CodePlace): string {
  return `${printable(file)}:${line}`;
}
