/** A parameter of the function around each file: the functions of runtime/native/. */
declare const NATIVE: unknown;

/** Returns the functions of C files, as `Natives` describes them. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows its part of them
export function natives<Natives>(): Natives {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the C files define them, and are built with this one
  return NATIVE as Natives;
}
