import { printable } from "../../core/text.ts";

/** A line of a file below the project's folder. */
export interface CodePlace {
  readonly file: string;
  readonly line: number;
}

export function placeWords({ file, line }: CodePlace): string {
  return `${printable(file)}:${line}`;
}
