/** One variable as it is exported. */
export interface Exported {
  readonly name: string;
  readonly value: string;
  readonly secret: boolean;
}

/** A way to write variables down for other programs. */
export interface VariableFormat {
  /**
   * Why the format, or one of the programs that read it, cannot hold the variable; `undefined` where it can. The words
   * continue `NAME cannot be exported as …:` and hold no value.
   */
  readonly fault: (variable: Exported) => string | undefined;
  /** The text, for variables that have no fault. */
  readonly write: (variables: readonly Exported[]) => string;
}

/** A name as POSIX shells and most parsers take it. */
export function isIdentifier(name: string): boolean {
  return /^[A-Za-z_]\w*$/.test(name);
}

/** What no text file can hold: a NUL, which ends strings, and half of a surrogate pair, for which UTF-8 has no bytes. */
export function textFault(value: string): string | undefined {
  if (value.includes("\0")) return "its value has a NUL character";
  return value.isWellFormed() ? undefined : "its value is not Unicode text";
}
