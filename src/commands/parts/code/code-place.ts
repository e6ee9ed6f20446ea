import { printable } from "../../../core/text.ts";

/** A line of a file: its path is from the working directory, or from the folder of the project. */
export interface CodePlace {
  readonly file: string;
  readonly line: number;
}

export function placeWords({ file, line }: CodePlace): string {
  return `${printable(file)}:${line}`;
}
