export interface Exported {
  readonly name: string;
  readonly value: string;
  readonly secret: boolean;
}

export interface VariableFormat {
  /** Returns why the format, or a program that reads it, cannot hold the variable. The words contain no value. */
  readonly fault: (variable: Exported) => string | undefined;
  readonly write: (variables: readonly Exported[]) => string;
}

export function invalidName(name: string): string | undefined {
  return /^[A-Za-z_]\w*$/.test(name) ? undefined : "its name must consist of letters, digits and _";
}

/** Returns why no text file can hold the value: a NUL ends strings, half of a surrogate pair has no bytes in UTF-8. */
export function textFault(value: string): string | undefined {
  if (value.includes("\0")) return "its value has a NUL character";
  return value.isWellFormed() ? undefined : "its value is not Unicode text";
}
