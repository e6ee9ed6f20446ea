/** Faults of a contract file; types only. */

export interface Fault {
  /** UTF-16 code units from the beginning of the text. */
  readonly offset: number;
  readonly message: string;
  readonly allowed: string;
}

/** The way from the root to a place: keys of objects and indexes of lists. */
export type Path = readonly (string | number)[];

export interface Issue extends Omit<Fault, "offset"> {
  readonly path: Path;
  /** The key itself is at fault, not its value. */
  readonly atKey: boolean;
}
