/** What can be wrong with a contract file; types only. */

/** One thing that is wrong, by its place in the text. */
export interface Fault {
  /** UTF-16 code units from the beginning of the text. */
  readonly offset: number;
  /** What is wrong, in words that begin in lower case and have no full stop. */
  readonly message: string;
  /** What is allowed instead. */
  readonly allowed: string;
}

/** The way from the root to a place: keys of objects and indexes of lists. */
export type Path = readonly (string | number)[];

/** One thing that is wrong, by its place in the document. */
export interface Issue extends Omit<Fault, "offset"> {
  readonly path: Path;
  /** Whether the key itself is at fault, not its value. */
  readonly atKey: boolean;
}
